//! When two operands are filters over one and the same vector.

use narthex_model::labels::METRIC_NAME;
use narthex_promql::Expr;
use narthex_promql::ast::{Binary, ValueType};
use narthex_promql::operators::BinaryOp;

use super::Node;

/// Whether both operands of a set operator are filters over one vector, matched on all labels: an element on the left
/// and its partner on the right then are the same element with the same value.
///
/// The metric name takes no part in matching, so it must not be what tells elements apart.
pub(super) fn compares_the_same(node: &Binary, lhs: &Node<'_>, rhs: &Node<'_>) -> bool {
    if node.matching.as_ref().is_some_and(|matching| {
        matching.keyword.value == narthex_promql::ast::MatchingKind::On || !matching.labels.is_empty()
    }) {
        return false;
    }
    let (a, b) = (filtered(&node.lhs), filtered(&node.rhs));
    let is_filter =
        a.span() != node.lhs.without_parens().span() || b.span() != node.rhs.without_parens().span();
    let has_one_name = |node: &Node<'_>| node.labels.get(METRIC_NAME).values.exact().is_some();
    is_filter && has_one_name(lhs) && has_one_name(rhs) && is_same_text(a, b)
}

/// What the elements that pass are elements of: comparisons with scalars, and what `and` and `unless` only thin out,
/// are looked through.
pub(super) fn filtered(expr: &Expr) -> &Expr {
    let mut expr = expr.without_parens();
    while let Expr::Binary(node) = expr {
        let is_filter = node.op.is_comparison() && node.bool_modifier.is_none();
        let inner = match node.op {
            BinaryOp::And | BinaryOp::Unless => &node.lhs,
            _ if is_filter && node.rhs.value_type() == Some(ValueType::Scalar) => &node.lhs,
            _ if is_filter && node.lhs.value_type() == Some(ValueType::Scalar) => &node.rhs,
            _ => return expr,
        };
        expr = inner.without_parens();
    }
    expr
}

fn is_same_text(a: &Expr, b: &Expr) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b) && a.to_string() == b.to_string()
}
