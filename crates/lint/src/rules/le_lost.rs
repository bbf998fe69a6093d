//! HIS001: a quantile of classic buckets whose `le` was aggregated away.

use narthex_diag::{Applicability, Code, Severity, Span};
use narthex_plan::analysis::{Node, Why};
use narthex_promql::Expr;
use narthex_promql::ast::Call;
use narthex_promql::functions::{FunctionId, HistogramFunction};

use crate::context::{Findings, RuleContext};
use crate::records::selectors;
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct LeLost;

static SPEC: LintSpec = LintSpec {
    code: Code("HIS001"),
    name: "le-lost",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: Some(Applicability::Unsafe),
    summary: "a quantile of classic buckets without their `le` label",
    explanation: "\
The buckets of a classic histogram are told apart by `le`.\n\
An aggregation that drops it leaves nothing a quantile could be computed from: the result is empty and the alert never fires.\n\
Keep `le` in the aggregation.\n\
Native histograms need no `le`; only series that are classic buckets by their name are looked at.",
    bad: "- alert: Slow\n  expr: histogram_quantile(0.9, sum by (job) (rate(latency_bucket[5m]))) > 1\n",
    good: "- alert: Slow\n  expr: histogram_quantile(0.9, sum by (job, le) (rate(latency_bucket[5m]))) > 1\n",
};

impl Lint for LeLost {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for view in rule.analysis.views() {
            let Expr::Call(call) = view.node().expr else { continue };
            let Some(at) = buckets_argument(call) else { continue };
            let children = view.children();
            let Some(input) = children.get(at).map(|view| view.node()) else { continue };
            let is_gone = input.labels.get("le").values.is_absent();
            // VictoriaMetrics has buckets of its own.
            let has_ranges = input.labels.possible_names().any(|name| name == "vmrange");
            if is_gone && !has_ranges && is_classic(input) && !input.presence.is_never() {
                report(rule, call, input, findings);
            }
        }
    }
}

fn buckets_argument(call: &Call) -> Option<usize> {
    match call.function {
        Some(FunctionId::Histogram(HistogramFunction::Quantile)) => Some(1),
        Some(FunctionId::Histogram(HistogramFunction::Fraction)) => Some(2),
        Some(FunctionId::Histogram(HistogramFunction::Quantiles)) => Some(0),
        _ => None,
    }
}

/// Whether everything below is classic buckets, or floats at any rate.
fn is_classic(input: &Node<'_>) -> bool {
    let selectors = selectors(input.expr);
    let is_bucket = |name: &str| name.ends_with("_bucket");
    let all_buckets =
        selectors.iter().all(|selector| selector.name.as_ref().is_some_and(|name| is_bucket(&name.value)));
    !input.values.may_be_histogram || (all_buckets && !selectors.is_empty())
}

fn report(rule: &RuleContext<'_>, call: &Call, input: &Node<'_>, findings: &mut Findings) {
    let reason = input.labels.get("le").reason;
    let name = rule.slice(call.name);
    let mut finding = rule
        .in_expr(&SPEC, format!("`{name}` gets no `le`: it was aggregated away"), reason.span)
        .with_label(reason.why.describe())
        .with_secondary(rule.locate(call.name), "needs `le` to tell the buckets apart")
        .with_note("the result is always empty");
    let insertion = match reason.why {
        Why::GroupedBy => Some((Span::empty_at(reason.span.end as usize - 1), ", le")),
        Why::GroupedAway => Some((Span::empty_at(reason.span.end as usize), " by (le)")),
        _ => None,
    };
    if let Some(insertion) = insertion {
        let fix = rule.expr_suggestion("keep `le`", &[insertion], Applicability::Unsafe);
        finding = finding.with_suggestion(fix);
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn buckets_without_le() {
        check("HIS001", "histogram_quantile(0.9, sum by (job) (rate(x_bucket[5m]))) > 1", &["by (job)"]);
        check("HIS001", "histogram_quantile(0.9, sum(rate(x_bucket[5m]))) > 1", &["sum"]);
        check("HIS001", "histogram_quantile(0.9, sum without (le) (x_bucket)) > 1", &["le"]);
        check_fix(
            "HIS001",
            "histogram_quantile(0.9, sum by (job) (rate(x_bucket[5m]))) > 1",
            "histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m]))) > 1",
        );
    }

    #[test]
    fn buckets_with_le_and_native_histograms() {
        for expr in [
            "histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m]))) > 1",
            "histogram_quantile(0.9, sum by (job) (rate(x[5m]))) > 1",
            "histogram_quantile(0.9, rate(x_bucket[5m])) > 1",
            "histogram_quantile(0.9, sum by (job, vmrange) (rate(x_bucket[5m]))) > 1",
            "histogram_quantile(0.9, sum by (job) (job:x_bucket:rate5m or y)) > 1",
        ] {
            check("HIS001", expr, &[]);
        }
    }
}
