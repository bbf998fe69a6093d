//! VAL007: an alert whose condition is a comparison with `bool`.

use narthex_diag::{Applicability, Code, Severity};
use narthex_promql::Expr;
use narthex_promql::ast::{Binary, ValueType};
use narthex_promql::operators::BinaryOp;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct BoolInAlert;

static SPEC: LintSpec = LintSpec {
    code: Code("VAL007"),
    name: "bool-in-alert",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: Some(Applicability::Unsafe),
    summary: "an alert whose condition is a comparison with `bool`",
    explanation: "\
With `bool` a comparison yields 0 or 1 instead of dropping what does not satisfy it.\n\
An alert fires for every element whatever its value, so that this one fires for the zeros too.\n\
Leave `bool` out.",
    bad: "- alert: Slow\n  expr: latency_seconds > bool 5\n",
    good: "- alert: Slow\n  expr: latency_seconds > 5\n",
};

impl Lint for BoolInAlert {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        if rule.alert().is_some() {
            check_condition(rule, rule.expr(), findings);
        }
    }
}

/// Looks at every operand that decides by being there.
fn check_condition(rule: &RuleContext<'_>, expr: &Expr, findings: &mut Findings) {
    let Expr::Binary(node) = expr.without_parens() else { return };
    match node.op {
        BinaryOp::Or | BinaryOp::And | BinaryOp::Unless => {
            check_condition(rule, &node.lhs, findings);
            check_condition(rule, &node.rhs, findings);
        }
        _ => report(rule, node, findings),
    }
}

fn report(rule: &RuleContext<'_>, node: &Binary, findings: &mut Findings) {
    let Some(span) = node.bool_modifier else { return };
    let is_vector = |expr: &Expr| expr.value_type() == Some(ValueType::InstantVector);
    if !is_vector(&node.lhs) && !is_vector(&node.rhs) {
        return;
    }
    let finding = rule.in_expr(&SPEC, "`bool` keeps what does not satisfy the comparison", span);
    let gap = narthex_diag::Span { start: node.op_span.end, end: span.end };
    let fix = rule.expr_suggestion("leave `bool` out", &[(gap, "")], Applicability::Unsafe);
    findings.push(
        finding.with_note("an alert fires for every element, also for those that are 0").with_suggestion(fix),
    );
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn conditions_with_bool() {
        check("VAL007", "a > bool 1", &["bool"]);
        check("VAL007", "(a > bool 1) and b > bool 2", &["bool", "bool"]);
        check_fix("VAL007", "a > bool 1", "a > 1");
    }

    #[test]
    fn bool_that_is_compared_again() {
        for expr in ["(a > bool 1) == 1", "sum(a > bool 1) > 3", "a > 1", "(a > bool 1) * (b > bool 1) > 0"] {
            check("VAL007", expr, &[]);
        }
        check("VAL007", "- record: r\n  expr: a > bool 1", &[]);
    }
}
