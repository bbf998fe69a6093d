//! What a transfer function sees of the nodes below.

use narthex_promql::Expr;
use narthex_promql::ast::Call;

use super::Node;

/// The facts of everything below a node, in the order of a walk that leaves nodes upwards.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a, 'e> {
    below: &'a [Node<'e>],
}

impl<'a, 'e> Operands<'a, 'e> {
    pub(super) fn new(below: &'a [Node<'e>]) -> Operands<'a, 'e> {
        Operands { below }
    }

    /// The last child: the operand of a sign, the aggregated expression, the right side.
    pub(super) fn last(self) -> Option<&'a Node<'e>> {
        self.below.last()
    }

    /// The children from the last to the first.
    pub(super) fn reversed(self) -> impl Iterator<Item = &'a Node<'e>> {
        let mut rest = self.below;
        std::iter::from_fn(move || {
            let last = rest.last()?;
            rest = rest.get(..rest.len().saturating_sub(last.size))?;
            Some(last)
        })
    }

    /// Both operands.
    pub(super) fn pair(self) -> Option<(&'a Node<'e>, &'a Node<'e>)> {
        let mut reversed = self.reversed();
        let rhs = reversed.next()?;
        Some((reversed.next()?, rhs))
    }

    /// An argument of a call.
    pub(super) fn argument(self, call: &Call, at: usize) -> Option<&'a Node<'e>> {
        let from_end = call.args.len().checked_sub(at + 1)?;
        self.reversed().nth(from_end)
    }
}

/// The string an argument is written as.
pub(super) fn text_argument(expr: &Expr) -> Option<&str> {
    match expr.without_parens() {
        Expr::String(text) => text.value.as_str(),
        _ => None,
    }
}
