//! MET004: a rate of a sum, where the sum of rates is meant.

use narthex_diag::{Code, Severity, Span};
use narthex_promql::Expr;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::{Call, ValueType, VectorSelector};
use narthex_promql::functions::{FunctionId, OverTimeFunction, RateFunction};

use crate::context::{Findings, RuleContext};
use crate::records::recording_rule;
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct AggregateThenRate;

static SPEC: LintSpec = LintSpec {
    code: Code("MET004"),
    name: "aggregate-then-rate",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "a rate or increase of a sum of counters",
    explanation: "\
A counter that restarts falls to zero, and `rate` makes up for that because it sees each counter alone.\n\
A sum only dips: `rate` takes the dip for a restart of everything and adds the whole sum once more, a spike as high as all counters together.\n\
Series that come and go have the same effect.\n\
Take the rate first and sum afterwards; the same holds through subqueries and recorded sums.",
    bad: "- record: requests:rate5m\n  expr: rate(sum(requests_total)[5m:1m])\n",
    good: "- record: requests:rate5m\n  expr: sum(rate(requests_total[5m]))\n",
};

impl Lint for AggregateThenRate {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for node in rule.analysis.nodes() {
            let Expr::Call(call) = node.expr else { continue };
            if !is_of_counters(call) {
                continue;
            }
            match call.args.first().map(Expr::without_parens) {
                Some(Expr::Subquery(subquery)) => {
                    if let Some(sum) = summed(&subquery.expr) {
                        report(rule, call, sum.locate(rule), findings);
                    } else if let Expr::Selector(selector) = subquery.expr.without_parens() {
                        recorded(rule, call, selector, findings);
                    }
                }
                Some(Expr::Matrix(matrix)) => recorded(rule, call, &matrix.selector, findings),
                _ => {}
            }
        }
    }
}

fn is_of_counters(call: &Call) -> bool {
    matches!(
        call.function,
        Some(
            FunctionId::Rate(RateFunction::Rate | RateFunction::Increase | RateFunction::Irate)
                | FunctionId::OverTime(OverTimeFunction::Resets)
        )
    )
}

/// An aggregation that mixes counters.
struct Summed(Span);

impl Summed {
    fn locate(&self, rule: &RuleContext<'_>) -> Span {
        rule.locate(self.0)
    }
}

/// The aggregation whose results an expression passes on, if it adds up its inputs.
fn summed(expr: &Expr) -> Option<Summed> {
    match expr.without_parens() {
        Expr::Aggregate(node) => match node.op {
            AggregateOp::Sum | AggregateOp::Avg => Some(Summed(node.op_span)),
            op if op.selects_elements() => summed(&node.expr),
            AggregateOp::Min | AggregateOp::Max => summed(&node.expr),
            _ => None,
        },
        Expr::Binary(node) => {
            let is_vector = |expr: &Expr| expr.value_type() == Some(ValueType::InstantVector);
            let operands = [&node.lhs, &node.rhs].into_iter().filter(|operand| is_vector(operand));
            operands.into_iter().find_map(summed)
        }
        Expr::Call(node) if matches!(node.function, Some(FunctionId::Label(_))) => {
            node.args.first().and_then(summed)
        }
        _ => None,
    }
}

fn report(rule: &RuleContext<'_>, call: &Call, sum: Span, findings: &mut Findings) {
    let name = rule.slice(call.name);
    let finding = rule
        .in_expr(&SPEC, format!("`{name}` of a sum of counters"), call.name)
        .with_label("makes up for restarts, but sees none");
    findings.push(
        finding
            .with_secondary(sum, "counters are added up here, before their restarts are made up for")
            .with_note("each restart of one counter shows as a spike as high as the whole sum")
            .with_help(format!("take the {name} of each counter first: `sum({name}(…))`")),
    );
}

/// A range of series that a rule of this file records as a sum.
fn recorded(rule: &RuleContext<'_>, call: &Call, selector: &VectorSelector, findings: &mut Findings) {
    let file = &rule.group.file.parse.file;
    for at in rule.group.file.records.read_by(file, selector) {
        let Some((_, record)) = recording_rule(file, at) else { continue };
        if !record.expr.parse.diagnostics.is_empty() {
            continue;
        }
        if let Some(sum) = summed(&record.expr.parse.expr) {
            return report(rule, call, record.expr.locate(sum.0), findings);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn rates_of_sums() {
        check("MET004", "rate(sum(c)[5m:1m]) > 1", &["rate"]);
        check("MET004", "increase((sum by (job) (c) * 2)[5m:]) > 1", &["increase"]);
        check(
            "MET004",
            "- record: all:c\n  expr: sum(c_total)\n- record: r\n  expr: rate(all:c[5m])",
            &["rate"],
        );
        check("MET004", "rate(topk(3, sum by (job) (c))[5m:1m]) > 1", &["rate"]);
    }

    #[test]
    fn sums_of_rates() {
        for expr in [
            "sum(rate(c[5m])) > 1",
            "max_over_time(sum(rate(c[5m]))[1h:]) > 1",
            "deriv(sum(g)[5m:1m]) > 1",
            "rate(max by (pod) (c)[5m:1m]) > 1",
            "rate(c[5m:1m]) > 1",
            "delta(sum(g)[5m:1m]) > 1",
        ] {
            check("MET004", expr, &[]);
        }
        check("MET004", "- record: a:c\n  expr: max by (x) (c)\n- record: r\n  expr: rate(a:c[5m])", &[]);
    }
}
