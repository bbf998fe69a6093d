//! VAL002: a comparison that every value satisfies.

use narthex_diag::{Code, Severity};
use narthex_plan::analysis::{Basis, Verdict, Why, mirrored};
use narthex_promql::Expr;
use narthex_promql::ast::ValueType;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct AlwaysTrueComparison;

static SPEC: LintSpec = LintSpec {
    code: Code("VAL002"),
    name: "always-true-comparison",
    class: Class::Proof,
    severity: Severity::Info,
    default: DefaultState::On,
    fix: None,
    summary: "a comparison that every value satisfies",
    explanation: "\
`count(x) > 0` holds whenever there is a result at all, so that it filters nothing.\n\
As a test for presence it works, but a reader takes it for a threshold; `x` alone, or a threshold that can be missed, says what is meant.",
    bad: "- alert: ErrorsSeen\n  expr: count(error_messages) > 0\n",
    good: "- alert: ErrorsSeen\n  expr: count(error_messages) > 10\n",
};

impl Lint for AlwaysTrueComparison {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for view in rule.analysis.views() {
            let Expr::Binary(node) = view.node().expr else { continue };
            if !node.op.is_comparison() || node.bool_modifier.is_some() {
                continue;
            }
            let Some((lhs, rhs)) = view.pair() else { continue };
            let (left, right) = (&lhs.node().values, &rhs.node().values);
            let verdict = match node.lhs.value_type() {
                Some(ValueType::Scalar) => right.compared(mirrored(node.op), left),
                _ => left.compared(node.op, right),
            };
            let basis = left.basis.max(right.basis);
            if verdict != Verdict::Always || basis != Basis::Proof || view.node().presence.is_never() {
                continue;
            }
            let mut finding = rule.in_expr(
                &SPEC,
                "this comparison is true for every result",
                node.op_span.to(node.rhs.span()),
            );
            finding = finding.with_label("filters nothing");
            for reason in [left.reason, right.reason] {
                if !matches!(reason.why, Why::Constant | Why::Unknown | Why::Derived) {
                    finding = finding.with_secondary(rule.locate(reason.span), reason.why.describe());
                }
            }
            findings.push(finding.with_note("it filters nothing: what counts is whether there is a result"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn comparisons_without_effect() {
        check("VAL002", "count(up == 0) > 0", &["> 0"]);
        check("VAL002", "absent(up) == 1", &["== 1"]);
        check("VAL002", "count(up) >= 1 and foo > 5", &[">= 1"]);
        check("VAL002", "changes(foo[5m]) >= 0", &[">= 0"]);
    }

    #[test]
    fn comparisons_that_filter() {
        for expr in
            ["count(up) > 1", "up == 1", "foo > 0", "foo != NaN", "rate(foo[5m]) >= 0", "count(up) > bool 0"]
        {
            check("VAL002", expr, &[]);
        }
    }
}
