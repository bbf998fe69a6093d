//! HIS002: a quantile outside 0 to 1.

use narthex_diag::{Applicability, Code, Severity};
use narthex_plan::analysis::Node;
use narthex_promql::Expr;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::functions::{FunctionId, HistogramFunction, OverTimeFunction};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct PhiOutOfRange;

static SPEC: LintSpec = LintSpec {
    code: Code("HIS002"),
    name: "phi-out-of-range",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: Some(Applicability::Unsafe),
    summary: "a quantile that is not between 0 and 1",
    explanation: "\
Quantiles are given as a share: the 99th percentile is 0.99.\n\
Above 1 the result is always +Inf, below 0 always -Inf, so that the alert fires all the time or never.",
    bad: "- alert: Slow\n  expr: histogram_quantile(99, rate(latency_bucket[5m])) > 1\n",
    good: "- alert: Slow\n  expr: histogram_quantile(0.99, rate(latency_bucket[5m])) > 1\n",
};

impl Lint for PhiOutOfRange {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for view in rule.analysis.views() {
            let takes_phi = match view.node().expr {
                Expr::Call(call) => matches!(
                    call.function,
                    Some(
                        FunctionId::Histogram(HistogramFunction::Quantile)
                            | FunctionId::OverTime(OverTimeFunction::Quantile)
                    )
                ),
                Expr::Aggregate(node) => node.op == AggregateOp::Quantile,
                _ => false,
            };
            if takes_phi && let Some(phi) = view.children().first() {
                check_phi(rule, phi.node(), findings);
            }
        }
    }
}

fn check_phi(rule: &RuleContext<'_>, node: &Node<'_>, findings: &mut Findings) {
    let Some(phi) = node.values.as_constant().filter(|phi| !(0.0..=1.0).contains(phi)) else { return };
    let result = match phi {
        phi if phi > 1.0 => "+Inf",
        phi if phi < 0.0 => "-Inf",
        _ => "NaN",
    };
    let span = node.expr.span();
    let mut finding = rule.in_expr(&SPEC, format!("a quantile is between 0 and 1, not {phi}"), span);
    finding = finding.with_note(format!("every result is {result}"));
    if phi > 1.0 && phi <= 100.0 {
        let share = (phi / 100.0).to_string();
        let fix =
            rule.expr_suggestion("give it as a share", &[(span, share.as_str())], Applicability::Unsafe);
        finding = finding.with_suggestion(fix);
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn shares_and_percents() {
        check("HIS002", "histogram_quantile(99, x_bucket) > 1", &["99"]);
        check("HIS002", "quantile_over_time(90, x[5m]) > 1", &["90"]);
        check("HIS002", "quantile(-0.5, x) > 1", &["-0.5"]);
        check_fix("HIS002", "quantile(95, x) > 1", "quantile(0.95, x) > 1");
        for expr in
            ["quantile(0.9, x) > 1", "quantile(1, x) > 1", "quantile(scalar(phi), x) > 1", "topk(5, x) > 1"]
        {
            check("HIS002", expr, &[]);
        }
    }
}
