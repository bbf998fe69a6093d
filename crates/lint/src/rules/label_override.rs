//! ALR005: a rule that sets a label which is not its own to set.

use narthex_diag::{Code, Severity};
use narthex_template::{LabelKey, LabelSource};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct LabelOverride;

static SPEC: LintSpec = LintSpec {
    code: Code("ALR005"),
    name: "label-override",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "an alert sets `alertname`, or overwrites the label that tells its series apart",
    explanation: "\
`alertname` is set last, from the name of the rule, so that a label of that name has no effect.\n\
A fixed `instance` replaces that of every series the query yields: alerts of different instances become one, and if two fire at once the rule fails with a duplicate label set.",
    bad: "- alert: Down\n  expr: up == 0\n  labels:\n    alertname: HostDown\n",
    good: "- alert: HostDown\n  expr: up == 0\n",
};

impl Lint for LabelOverride {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        if rule.alert().is_none() {
            return;
        }
        for entry in rule.rule.labels() {
            let name = entry.name.value.as_str();
            if name == "alertname" {
                findings.push(
                    rule.finding(&SPEC, "setting `alertname` has no effect", entry.name.span())
                        .with_note("it is set last, to the name of the alert"),
                );
            } else if name == "instance" && !reads(rule, name) && is_told_apart(rule, name) {
                findings.push(
                    rule.finding(&SPEC, "this replaces the `instance` of every series", entry.name.span())
                        .with_note(
                            "alerts of different instances become one: the rule fails when two fire at once",
                        ),
                );
            }
        }
    }
}

/// Whether the new value is made from labels of the series.
fn reads(rule: &RuleContext<'_>, name: &str) -> bool {
    let mut templates = rule.templates.iter().filter(|template| template.entry.name.value == name);
    templates.any(|template| {
        template.reads.iter().any(|read| {
            read.source == LabelSource::Labels
                && !matches!(read.key, LabelKey::Name(ref key) if key.value.is_empty())
        })
    })
}

/// Whether the series may have different values of the label.
fn is_told_apart(rule: &RuleContext<'_>, name: &str) -> bool {
    let values = rule.analysis.root().labels.get(name).values;
    values.exact().is_none()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn rule(expr: &str, label: &str) -> String {
        format!("- alert: A\n  expr: '{expr}'\n  labels:\n    {label}")
    }

    #[test]
    fn labels_that_are_not_the_rules_own() {
        check("ALR005", &rule("up == 0", "alertname: B"), &["alertname"]);
        check("ALR005", &rule("up == 0", "instance: x"), &["instance"]);
        check("ALR005", &rule("sum(up) == 0", "instance: x"), &[]);
        check("ALR005", &rule("up{instance=\"a\"} == 0", "instance: x"), &[]);
        check("ALR005", &rule("up == 0", "instance: \"{{ $labels.node }}\""), &[]);
        check("ALR005", &rule("up == 0", "severity: x"), &[]);
    }
}
