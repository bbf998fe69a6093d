//! REC010: a recording rule that reads itself.

use narthex_diag::{Code, Severity};

use crate::context::{Findings, RuleContext};
use crate::records::RecordRef;
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct SelfReference;

static SPEC: LintSpec = LintSpec {
    code: Code("REC010"),
    name: "self-reference",
    class: Class::Proof,
    severity: Severity::Info,
    default: DefaultState::On,
    fix: None,
    summary: "a recording rule whose query reads what it records",
    explanation: "\
The rule reads its own result of the previous evaluation.\n\
That may be meant, to carry a value on; it is a mistake when the record took the name of the metric it is made from, because its results then count as input too.\n\
Give the record a name of its own, by custom with the level and the operation: `job:errors:rate5m`.",
    bad: "- record: errors_total\n  expr: sum by (job) (errors_total)\n",
    good: "- record: job:errors_total:sum\n  expr: sum by (job) (errors_total)\n",
};

impl Lint for SelfReference {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let (file, own) = (&rule.group.file, RecordRef { group: rule.group.at, rule: rule.at });
        let reads_itself = |selector: &&&narthex_promql::ast::VectorSelector| {
            file.records.read_by(&file.parse.file, selector).any(|at| at == own)
        };
        let Some(selector) = rule.selectors.iter().find(reads_itself) else { return };
        let span = selector.name.as_ref().map_or(selector.span, |name| name.span);
        findings.push(
            rule.in_expr(&SPEC, "this rule reads what it records", span)
                .with_label("holds the rule's own previous result too")
                .with_secondary(rule.rule.name().span(), "recorded under this name"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn records_of_themselves() {
        check("REC010", "- record: x\n  expr: sum(x)", &["x"]);
        check("REC010", "- record: x\n  expr: sum(x{l=\"a\"})\n  labels: {l: b}", &[]);
        check("REC010", "- record: x\n  expr: sum(y)", &[]);
    }
}
