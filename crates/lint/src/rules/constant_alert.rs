//! VAL005: an alert over series that fires whatever they are.

use narthex_diag::{Code, Severity};
use narthex_plan::analysis::Presence;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct ConstantAlert;

static SPEC: LintSpec = LintSpec {
    code: Code("VAL005"),
    name: "constant-alert",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "an alert that always fires although it reads series",
    explanation: "\
The query has a result whatever the series are, usually because of an `or vector(…)` that no comparison follows.\n\
The alert fires all the time.\n\
An alert that is meant to fire all the time, such as a watchdog, reads no series: `vector(1)`.",
    bad: "- alert: Errors\n  expr: sum(errors) > 5 or vector(0)\n",
    good: "- alert: Errors\n  expr: (sum(errors) or vector(0)) > 5\n",
};

impl Lint for ConstantAlert {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let root = rule.analysis.root();
        if rule.alert().is_none() || root.presence != Presence::Always || rule.selectors.is_empty() {
            return;
        }
        let mut finding =
            rule.in_expr(&SPEC, "this alert always fires", rule.expr().span()).with_label("never empty");
        let constant = rule.analysis.nodes().iter().find(|node| {
            node.presence == Presence::Always
                && node.expr.span() != rule.expr().span()
                && node.labels.is_closed()
        });
        if let Some(node) = constant {
            finding = finding.with_secondary(rule.locate(node.expr.span()), "this is always there");
        }
        findings.push(finding.with_help("compare after `or vector(…)`, not before"));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn alerts_that_always_fire() {
        check("VAL005", "vector(1) or x", &["vector(1) or x"]);
        check("VAL005", "x > 5 or vector(0)", &["x > 5 or vector(0)"]);
        for expr in ["vector(1)", "(x or vector(0)) > 5", "absent(x)", "x > 5 or vector(0) > 1"] {
            check("VAL005", expr, &[]);
        }
    }
}
