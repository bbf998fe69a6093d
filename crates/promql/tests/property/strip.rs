//! Trees without places, to compare trees of different texts.

use narthex_diag::{Span, Spanned};
use narthex_promql::Expr;
use narthex_promql::ast::{DurationExpr, LabelMatcher, Modifiers, VectorSelector, walk_mut};

/// The tree with every span empty, and the matchers of each selector in the order of their texts.
pub(crate) fn stripped(mut expr: Expr) -> Expr {
    walk_mut(&mut expr, &mut node);
    expr
}

fn labels(labels: &mut [Spanned<Box<str>>]) {
    labels.iter_mut().for_each(|label| label.span = Span::default());
}

fn node(expr: &mut Expr) {
    const NONE: Span = Span { start: 0, end: 0 };
    match expr {
        Expr::Number(node) => node.span = NONE,
        Expr::String(node) => node.span = NONE,
        Expr::Selector(node) => selector(node),
        Expr::Matrix(node) => {
            (node.span, node.brackets) = (NONE, NONE);
            selector(&mut node.selector);
            duration(&mut node.range);
        }
        Expr::Subquery(node) => {
            (node.span, node.brackets) = (NONE, NONE);
            duration(&mut node.range);
            node.step.iter_mut().for_each(duration);
            modifiers(&mut node.modifiers);
        }
        Expr::Call(node) => (node.span, node.name, node.parens) = (NONE, NONE, NONE),
        Expr::Aggregate(node) => {
            (node.span, node.op_span, node.parens) = (NONE, NONE, NONE);
            if let Some(grouping) = &mut node.grouping {
                (grouping.span, grouping.keyword.span) = (NONE, NONE);
                labels(&mut grouping.labels);
            }
        }
        Expr::Binary(node) => {
            (node.span, node.op_span) = (NONE, NONE);
            node.bool_modifier = node.bool_modifier.map(|_| NONE);
            for fill in [&mut node.fill.left, &mut node.fill.right].into_iter().flatten() {
                fill.span = NONE;
            }
            if let Some(matching) = &mut node.matching {
                matching.keyword.span = NONE;
                labels(&mut matching.labels);
                if let Some(group) = &mut matching.group {
                    group.keyword.span = NONE;
                    labels(&mut group.labels);
                }
            }
        }
        Expr::Unary(node) => (node.span, node.op.span) = (NONE, NONE),
        Expr::Paren(node) => node.span = NONE,
        Expr::Error(span) => *span = NONE,
    }
}

fn selector(node: &mut VectorSelector) {
    const NONE: Span = Span { start: 0, end: 0 };
    node.span = NONE;
    node.braces = None;
    if let Some(name) = &mut node.name {
        name.span = NONE;
    }
    for LabelMatcher { span, name, op, value, .. } in &mut node.matchers {
        (*span, *name, *op, *value) = (NONE, NONE, NONE, NONE);
    }
    node.matchers.sort_by_key(|matcher| format!("{:?}", matcher.matcher));
    modifiers(&mut node.modifiers);
}

fn modifiers(modifiers: &mut Modifiers) {
    const NONE: Span = Span { start: 0, end: 0 };
    if let Some(offset) = &mut modifiers.offset {
        (offset.span, offset.keyword) = (NONE, NONE);
        duration(&mut offset.value);
    }
    if let Some(at) = &mut modifiers.at {
        at.span = NONE;
    }
    if let Some(extension) = &mut modifiers.extension {
        extension.span = NONE;
    }
}

fn duration(expr: &mut DurationExpr) {
    match expr {
        DurationExpr::Step(span) | DurationExpr::Range(span) | DurationExpr::Literal { span, .. } => {
            *span = Span::default();
        }
        DurationExpr::Signed { expr, span, .. } | DurationExpr::Paren { expr, span } => {
            *span = Span::default();
            duration(expr);
        }
        DurationExpr::Binary { lhs, rhs, span, .. } => {
            *span = Span::default();
            duration(lhs);
            duration(rhs);
        }
    }
}
