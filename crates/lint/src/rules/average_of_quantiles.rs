//! HIS003: quantiles that are averaged or added up.

use narthex_diag::{Code, Severity, Span};
use narthex_model::MatchOp;
use narthex_promql::Expr;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::VectorSelector;
use narthex_promql::functions::{FunctionId, HistogramFunction, OverTimeFunction};

use crate::context::{Findings, RuleContext};
use crate::records::recording_rule;
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct AverageOfQuantiles;

static SPEC: LintSpec = LintSpec {
    code: Code("HIS003"),
    name: "average-of-quantiles",
    class: Class::Heuristic,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "quantiles that are averaged or added up",
    explanation: "\
The mean of the 99th percentiles of ten instances is not the 99th percentile of all requests, and their sum is nothing at all: a quiet instance counts as much as a busy one.\n\
Add up the buckets and take the quantile of the sum, `histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))`.\n\
Quantiles of summaries cannot be combined; `max` at least says the worst.",
    bad: "- record: latency:p99\n  expr: avg(histogram_quantile(0.99, rate(latency_bucket[5m])))\n",
    good: "- record: latency:p99\n  expr: histogram_quantile(0.99, sum by (le) (rate(latency_bucket[5m])))\n",
};

impl Lint for AverageOfQuantiles {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for node in rule.analysis.nodes() {
            let Expr::Aggregate(aggregate) = node.expr else { continue };
            if !matches!(aggregate.op, AggregateOp::Avg | AggregateOp::Sum) {
                continue;
            }
            let cause = match aggregate.expr.without_parens() {
                Expr::Selector(selector) => quantile_label(selector)
                    .map(|span| rule.locate(span))
                    .or_else(|| recorded_quantile(rule, selector)),
                expr => quantile_call(expr).map(|span| rule.locate(span)),
            };
            let Some(cause) = cause else { continue };
            let message = format!("`{}` of quantiles is no quantile", aggregate.op.as_str());
            let finding = rule
                .in_expr(&SPEC, message, aggregate.op_span)
                .with_label("mixes them as if they were plain values");
            findings.push(
                finding
                    .with_secondary(cause, "these are quantiles already")
                    .with_help("add up the buckets first, or take the `max` of the quantiles"),
            );
        }
    }
}

fn quantile_call(expr: &Expr) -> Option<Span> {
    let Expr::Call(call) = expr.without_parens() else { return None };
    let is_quantile = matches!(
        call.function,
        Some(
            FunctionId::Histogram(HistogramFunction::Quantile)
                | FunctionId::OverTime(OverTimeFunction::Quantile)
        )
    );
    is_quantile.then_some(call.name)
}

/// One quantile of a summary.
fn quantile_label(selector: &VectorSelector) -> Option<Span> {
    let mut matchers = selector.matchers.iter();
    let is_share = |value: &str| value.parse::<f64>().is_ok_and(|phi| phi > 0.0 && phi <= 1.0);
    let found = matchers.find(|one| {
        let matcher = &one.matcher;
        let value = matcher.value().as_str().unwrap_or("");
        matcher.name() == "quantile" && matcher.op() == MatchOp::Equal && is_share(value)
    })?;
    Some(found.span)
}

fn recorded_quantile(rule: &RuleContext<'_>, selector: &VectorSelector) -> Option<Span> {
    let file = &rule.group.file.parse.file;
    rule.group.file.records.read_by(file, selector).find_map(|at| {
        let (_, record) = recording_rule(file, at)?;
        quantile_call(&record.expr.parse.expr).map(|span| record.expr.locate(span))
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn quantiles_combined() {
        check("HIS003", "avg by (job) (histogram_quantile(0.9, rate(x_bucket[5m]))) > 1", &["avg"]);
        check("HIS003", "sum(latency{quantile=\"0.99\"}) > 1", &["sum"]);
        check(
            "HIS003",
            "- record: p:q\n  expr: histogram_quantile(0.9, b)\n- record: a\n  expr: avg(p:q)",
            &["avg"],
        );
        for expr in [
            "max(histogram_quantile(0.9, rate(x_bucket[5m]))) > 1",
            "avg(latency{quantile!=\"0.99\"}) > 1",
            "sum(x{quantile=\"high\"}) > 1",
            "avg(rate(x_sum[5m])) > 1",
        ] {
            check("HIS003", expr, &[]);
        }
    }
}
