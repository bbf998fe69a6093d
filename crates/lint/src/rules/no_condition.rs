//! VAL006: an alert whose query has no condition.

use narthex_diag::{Code, Severity};
use narthex_promql::Expr;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::walk;
use narthex_promql::functions::FunctionId;
use narthex_promql::operators::BinaryOp;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct NoCondition;

static SPEC: LintSpec = LintSpec {
    code: Code("VAL006"),
    name: "no-condition",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: None,
    summary: "an alert whose query has no condition",
    explanation: "\
An alert fires for every element of its query, whatever the value: zero and NaN count as well.\n\
Without a comparison the alert fires as long as the series exist.\n\
Add the threshold that is meant, often `> 0`.\n\
Queries of recorded series (with a colon in the name) are left alone, because the condition may be in the record, and so are plain selections by label, because the series may exist only while there is something to tell.",
    bad: "- alert: Errors\n  expr: rate(errors_total[5m])\n",
    good: "- alert: Errors\n  expr: rate(errors_total[5m]) > 0\n",
};

impl Lint for NoCondition {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        let expr = rule.expr();
        if rule.alert().is_none() || has_condition(expr) || selects_a_state(expr) || reads_conditions(rule) {
            return;
        }
        let finding = rule.in_expr(&SPEC, "this alert has no condition", rule.expr().span());
        findings.push(
            finding
                .with_note("it fires for every series the query finds, also where the value is 0")
                .with_help("compare with a threshold, such as `> 0`"),
        );
    }
}

/// Whether anything in the expression decides by value or by presence.
fn has_condition(expr: &Expr) -> bool {
    let mut found = false;
    walk(expr, &mut |node| {
        found |= match node {
            Expr::Binary(node) => {
                node.op.is_comparison() || matches!(node.op, BinaryOp::And | BinaryOp::Unless)
            }
            Expr::Call(node) => matches!(node.function, Some(FunctionId::Absent(_)) | None),
            _ => false,
        };
    });
    found
}

/// Whether series are picked by their labels: `node_state{state="down"}` may exist only while the state lasts.
fn selects_a_state(expr: &Expr) -> bool {
    match expr.without_parens() {
        Expr::Selector(selector) => !selector.matchers.is_empty(),
        Expr::Aggregate(node) => {
            let op = node.op;
            let is_about_presence = op.selects_elements()
                || matches!(
                    op,
                    AggregateOp::Group | AggregateOp::Count | AggregateOp::Min | AggregateOp::Max
                );
            is_about_presence && selects_a_state(&node.expr)
        }
        _ => false,
    }
}

/// Whether the series are recorded, or alerts, or there are none at all.
fn reads_conditions(rule: &RuleContext<'_>) -> bool {
    let is_conditional = |name: &str| {
        let is_recorded = !rule.group.file.records.of(&rule.group.file.parse.file, name).is_empty();
        name.contains(':') || name.starts_with("ALERTS") || is_recorded
    };
    rule.selectors
        .iter()
        .all(|selector| selector.name.as_ref().is_none_or(|name| is_conditional(&name.value)))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn queries_without_a_condition() {
        for expr in ["sum(rate(errors_total[5m]))", "errors", "a / b", "a or vector(0)"] {
            check("VAL006", expr, &[expr]);
        }
    }

    #[test]
    fn queries_that_decide() {
        for expr in [
            "a > 0",
            "a and b",
            "a unless b",
            "absent(a)",
            "job:errors:firing",
            "vector(1)",
            "ALERTS",
            "a > bool 1",
            "node_state{state=\"down\"}",
            "max by (x) (node_state{state=\"down\"})",
        ] {
            check("VAL006", expr, &[]);
        }
        check("VAL006", "- record: recorded\n  expr: a > 5\n- alert: B\n  expr: recorded", &[]);
    }
}
