//! Walking a tree.

use super::{Expr, MatrixSelector, VectorSelector};

/// What to do after a node was entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Descend {
    /// Visit its children.
    Into,
    /// Leave them out.
    Past,
}

/// Sees every node of a tree, parents first.
pub trait Visitor {
    /// Before the children of `expr`; whether to visit them.
    fn enter(&mut self, expr: &Expr) -> Descend;

    /// After the children of `expr`, also when they were left out.
    fn leave(&mut self, expr: &Expr) {
        let _ = expr;
    }
}

/// Shows every node of `expr` to `visitor`.
pub fn visit(expr: &Expr, visitor: &mut impl Visitor) {
    if visitor.enter(expr) == Descend::Into {
        for child in expr.children() {
            visit(child, visitor);
        }
    }
    visitor.leave(expr);
}

/// Calls `see` for every node, parents first, children in the order written.
pub fn walk<'a>(expr: &'a Expr, see: &mut impl FnMut(&'a Expr)) {
    see(expr);
    for child in expr.children() {
        walk(child, see);
    }
}

/// Calls `change` for every node, parents first; the children that are walked are those after the change.
pub fn walk_mut(expr: &mut Expr, change: &mut impl FnMut(&mut Expr)) {
    change(expr);
    match expr {
        Expr::Number(_) | Expr::String(_) | Expr::Selector(_) | Expr::Matrix(_) | Expr::Error(_) => {}
        Expr::Subquery(node) => walk_mut(&mut node.expr, change),
        Expr::Call(node) => node.args.iter_mut().for_each(|arg| walk_mut(arg, change)),
        Expr::Aggregate(node) => {
            if let Some(parameter) = &mut node.parameter {
                walk_mut(parameter, change);
            }
            walk_mut(&mut node.expr, change);
        }
        Expr::Binary(node) => {
            walk_mut(&mut node.lhs, change);
            walk_mut(&mut node.rhs, change);
        }
        Expr::Unary(node) => walk_mut(&mut node.expr, change),
        Expr::Paren(node) => walk_mut(&mut node.expr, change),
    }
}

impl Expr {
    /// The expressions directly below, in the order written; the selector of a range is none.
    pub fn children(&self) -> impl Iterator<Item = &Expr> {
        let (first, second, rest): (Option<&Expr>, Option<&Expr>, &[Expr]) = match self {
            Expr::Number(_) | Expr::String(_) | Expr::Selector(_) | Expr::Matrix(_) | Expr::Error(_) => {
                (None, None, &[])
            }
            Expr::Subquery(node) => (Some(&node.expr), None, &[]),
            Expr::Call(node) => (None, None, &node.args),
            Expr::Aggregate(node) => (node.parameter.as_ref(), Some(&node.expr), &[]),
            Expr::Binary(node) => (Some(&node.lhs), Some(&node.rhs), &[]),
            Expr::Unary(node) => (Some(&node.expr), None, &[]),
            Expr::Paren(node) => (Some(&node.expr), None, &[]),
        };
        first.into_iter().chain(second).chain(rest)
    }

    /// The selector of a selector or a range.
    pub fn selector(&self) -> Option<&VectorSelector> {
        match self {
            Expr::Selector(selector) => Some(selector),
            Expr::Matrix(matrix) => {
                let MatrixSelector { selector, .. } = &**matrix;
                Some(selector)
            }
            _ => None,
        }
    }

    /// The selector of a selector or a range, to be changed.
    pub fn selector_mut(&mut self) -> Option<&mut VectorSelector> {
        match self {
            Expr::Selector(selector) => Some(selector),
            Expr::Matrix(matrix) => Some(&mut matrix.selector),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParseOptions, parse};

    const QUERY: &str = "sum by (job) (rate(a[5m])) / topk(3, -(b + max_over_time(c[1h:])))";

    #[test]
    fn walks_go_parents_first_in_written_order() {
        let mut expr = parse(QUERY, &ParseOptions::STABLE).expr;
        let mut seen = Vec::new();
        walk(&expr, &mut |node| seen.push(node.span()));
        let mut changed = Vec::new();
        walk_mut(&mut expr, &mut |node| changed.push(node.span()));
        assert_eq!(seen, changed);
        assert_eq!(seen.len(), 13);
    }

    #[test]
    fn a_visitor_can_leave_children_out() {
        struct Selectors(Vec<String>, usize);
        impl Visitor for Selectors {
            fn enter(&mut self, expr: &Expr) -> Descend {
                self.0.extend(
                    expr.selector().and_then(|selector| Some(selector.name.as_ref()?.value.to_string())),
                );
                if matches!(expr, Expr::Subquery(_)) { Descend::Past } else { Descend::Into }
            }
            fn leave(&mut self, _: &Expr) {
                self.1 += 1;
            }
        }
        let mut selectors = Selectors(Vec::new(), 0);
        visit(&parse(QUERY, &ParseOptions::STABLE).expr, &mut selectors);
        assert_eq!((selectors.0.join(" "), selectors.1), ("a b".to_owned(), 12));
    }
}
