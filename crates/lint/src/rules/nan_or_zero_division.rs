//! VAL008: comparing with NaN, dividing by a constant zero.

use narthex_diag::{Code, Severity};
use narthex_plan::analysis::Node;
use narthex_promql::Expr;
use narthex_promql::operators::BinaryOp;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct NanOrZeroDivision;

static SPEC: LintSpec = LintSpec {
    code: Code("VAL008"),
    name: "nan-compare-or-zero-division",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "a comparison with NaN, or a division by a constant zero",
    explanation: "\
NaN equals nothing, not even itself: `x == NaN` drops everything and `x != NaN` nothing.\n\
To find values that are NaN, compare a vector with itself: `x != x`.\n\
Dividing by zero yields an infinity or NaN for every element.",
    bad: "- alert: NoData\n  expr: avg_latency_seconds == NaN\n",
    good: "- alert: NoData\n  expr: avg_latency_seconds != avg_latency_seconds\n",
};

impl Lint for NanOrZeroDivision {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for view in rule.analysis.views() {
            let Expr::Binary(node) = view.node().expr else { continue };
            let Some((lhs, rhs)) = view.pair() else { continue };
            let is_nan = |node: &Node<'_>| node.values.as_constant().is_some_and(f64::is_nan);
            let is_zero = rhs.node().values.as_constant() == Some(0.0);
            if node.op.is_comparison() && (is_nan(lhs.node()) || is_nan(rhs.node())) {
                let message = match node.op {
                    BinaryOp::NotEqual => "every value differs from NaN, NaN included",
                    _ => "no value satisfies a comparison with NaN",
                };
                let finding = rule.in_expr(&SPEC, message, node.span);
                findings.push(finding.with_help("`x != x` keeps exactly the values that are NaN"));
            } else if matches!(node.op, BinaryOp::Div | BinaryOp::Mod) && is_zero {
                let finding = rule.in_expr(&SPEC, "this divides by zero", node.rhs.span());
                findings.push(finding.with_note("every result is an infinity or NaN"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn nan_and_zero() {
        check("VAL008", "foo == NaN", &["foo == NaN"]);
        check("VAL008", "foo != (NaN)", &["foo != (NaN)"]);
        check("VAL008", "foo / 0 > 1", &["0"]);
        check("VAL008", "foo % (1 - 1) > 1", &["(1 - 1)"]);
        for expr in ["foo / 2 > 1", "foo != foo", "0 / foo > 1"] {
            check("VAL008", expr, &[]);
        }
    }
}
