//! ALR006: a label set to nothing.

use narthex_diag::{Code, Severity};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct EmptyLabel;

static SPEC: LintSpec = LintSpec {
    code: Code("ALR006"),
    name: "empty-label",
    class: Class::Proof,
    severity: Severity::Info,
    default: DefaultState::On,
    fix: None,
    summary: "a label set to nothing where there is none to remove",
    explanation: "\
A label with an empty value is no label: it is dropped.\n\
Setting one removes the label of that name from the series; where they have none, the line does nothing and routes on it never match.",
    bad: "- alert: Errors\n  expr: sum(errors) > 1\n  labels:\n    team: ''\n",
    good: "- alert: Errors\n  expr: sum(errors) > 1\n  labels:\n    team: storage\n",
};

impl Lint for EmptyLabel {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for entry in rule.rule.labels().iter().filter(|entry| entry.value.value.is_empty()) {
            let known = rule.analysis.root().labels.get(&entry.name.value);
            if known.values.is_absent() {
                let message = format!("label `{}` is set to nothing", entry.name.value);
                let finding = rule.finding(&SPEC, message, entry.name.span());
                findings.push(finding.with_note("a label without a value does not exist"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn labels_without_a_value() {
        let rule = |expr: &str| format!("- alert: A\n  expr: {expr}\n  labels:\n    team: ''");
        check("ALR006", &rule("sum(x) > 1"), &["team"]);
        check("ALR006", &rule("x > 1"), &[]);
        check("ALR006", &rule("sum by (team) (x) > 1"), &[]);
    }
}
