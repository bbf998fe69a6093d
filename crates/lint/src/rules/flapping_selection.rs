//! ALR002: an alert over the largest or smallest few.

use narthex_diag::{Code, Severity};
use narthex_promql::Expr;
use narthex_promql::ast::Aggregate;
use narthex_promql::operators::BinaryOp;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct FlappingSelection;

static SPEC: LintSpec = LintSpec {
    code: Code("ALR002"),
    name: "flapping-selection",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "an alert over the largest or smallest few",
    explanation: "\
`topk(5, x) > 10` yields the five largest at each evaluation.\n\
When a sixth overtakes the fifth, the alert of the fifth resolves although nothing got better, and with `for` the newcomer starts pending.\n\
Alert on all that exceed the threshold, and pick the worst when you look at them.",
    bad: "- alert: Busy\n  expr: topk(5, cpu_ratio) > 0.9\n",
    good: "- alert: Busy\n  expr: cpu_ratio > 0.9\n",
};

impl Lint for FlappingSelection {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        if rule.alert().is_none() {
            return;
        }
        if let Some(selection) = selection(rule.expr()) {
            let name = selection.op.as_str();
            let message = format!("`{name}` picks other series from one evaluation to the next");
            let finding = rule.in_expr(&SPEC, message, selection.op_span);
            findings.push(
                finding
                    .with_note("alerts resolve and start anew as the order changes")
                    .with_help("compare all series with the threshold"),
            );
        }
    }
}

/// The selection whose elements become alerts, if they keep their labels on the way.
fn selection(expr: &Expr) -> Option<&Aggregate> {
    match expr.without_parens() {
        Expr::Aggregate(node) if node.op.selects_elements() && !is_one_per_group(node) => Some(node),
        Expr::Binary(node) => match node.op {
            BinaryOp::Or => selection(&node.lhs).or_else(|| selection(&node.rhs)),
            BinaryOp::And | BinaryOp::Unless => selection(&node.lhs),
            op if op.is_comparison() => selection(&node.lhs),
            _ => None,
        },
        _ => None,
    }
}

/// One element per group is how duplicates are dropped.
fn is_one_per_group(node: &Aggregate) -> bool {
    let takes_one =
        matches!(node.parameter.as_ref().map(Expr::without_parens), Some(Expr::Number(k)) if k.value == 1.0);
    takes_one && node.grouping.is_some()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn selections() {
        check("ALR002", "topk(5, x) > 1", &["topk"]);
        check("ALR002", "bottomk(3, x > 1) and y", &["bottomk"]);
        for expr in ["sum(topk(5, x)) > 1", "topk by (pod) (1, x) > 1", "x > on (a) topk(1, y)", "max(x) > 1"]
        {
            check("ALR002", expr, &[]);
        }
        check("ALR002", "- record: r\n  expr: topk(5, x)", &[]);
    }
}
