//! What is certain of an expression before any data is seen: an abstract interpreter over the tree.
//!
//! For every node the [`Analysis`] holds what its elements can be: their [labels], their [values], and
//! whether there [are any](presence). Facts over-approximate: whatever data there is, every element of the result is
//! within the facts. Each fact carries the [reason] that decides it, a place in the expression. Facts that hold
//! only if metrics are what their names say are marked as [declared](values::Basis).
//!
//! The tree that is analysed is that of the parser, because it knows the place of every label and matcher.
//!
//! ```
//! use narthex_plan::analysis::Analysis;
//! use narthex_promql::{ParseOptions, parse};
//!
//! let expr = parse("count by (job) (up == 1) == 0", &ParseOptions::STABLE).expr;
//! let analysis = Analysis::new(&expr);
//! assert!(analysis.root().presence.is_never());
//! assert!(analysis.root().labels.get("instance").values.is_absent());
//! ```
//!
//! Reading order: [`reason`], [`label_values`], [`labels`], [`interval`], [`values`], [`presence`].

mod correlation;
pub mod interval;
mod label_transfer;
pub mod label_values;
pub mod labels;
mod operands;
pub mod presence;
pub mod reason;
mod value_transfer;
pub mod values;

use narthex_promql::Expr;

use operands::Operands;

pub use interval::Interval;
pub use label_transfer::conflict;
pub use label_values::LabelValues;
pub use labels::{Conflict, Known, LabelFact, LabelFacts, Others};
pub use presence::{Emptiness, Presence};
pub use reason::{Reason, Why};
pub use value_transfer::mirrored;
pub use values::{Basis, ValueFacts, Verdict};

/// A node of an expression and what is certain of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Node<'e> {
    /// The node.
    pub expr: &'e Expr,
    /// The labels of its elements.
    pub labels: LabelFacts<'e>,
    /// The values of its elements.
    pub values: ValueFacts,
    /// Whether it has elements.
    pub presence: Presence<'e>,
    /// Number of nodes from here down.
    size: usize,
}

/// What is certain of every node of an expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Analysis<'e> {
    /// Children before their parents.
    nodes: Vec<Node<'e>>,
}

impl<'e> Analysis<'e> {
    /// Analyses an expression; also one with errors, of whose unreadable parts nothing is known. Time and memory are
    /// linear in its size.
    pub fn new(expr: &'e Expr) -> Analysis<'e> {
        let mut nodes = Vec::new();
        analyse(expr, &mut nodes);
        Analysis { nodes }
    }

    /// The whole expression.
    pub fn root(&self) -> &Node<'e> {
        self.nodes.last().expect("every expression has a node")
    }

    /// All nodes, children before their parents.
    pub fn nodes(&self) -> &[Node<'e>] {
        &self.nodes
    }

    /// Every node with what is below it, children before their parents.
    pub fn views(&self) -> impl DoubleEndedIterator<Item = View<'_, 'e>> {
        (0..self.nodes.len()).map(|at| View { nodes: &self.nodes, at })
    }

    /// The whole expression with what is below it.
    pub fn view(&self) -> View<'_, 'e> {
        View { nodes: &self.nodes, at: self.nodes.len() - 1 }
    }
}

/// A node together with those below it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, 'e> {
    nodes: &'a [Node<'e>],
    at: usize,
}

impl<'a, 'e> View<'a, 'e> {
    /// The node itself.
    pub fn node(self) -> &'a Node<'e> {
        &self.nodes[self.at]
    }

    /// The children in the order written.
    pub fn children(self) -> Vec<View<'a, 'e>> {
        let mut children: Vec<View<'a, 'e>> = self.reversed().collect();
        children.reverse();
        children
    }

    /// Both children of a node that has two.
    pub fn pair(self) -> Option<(View<'a, 'e>, View<'a, 'e>)> {
        let mut reversed = self.reversed();
        let second = reversed.next()?;
        Some((reversed.next()?, second))
    }

    /// The last child: the right side, the aggregated expression.
    pub fn last(self) -> Option<View<'a, 'e>> {
        self.reversed().next()
    }

    fn reversed(self) -> impl Iterator<Item = View<'a, 'e>> {
        let first = self.at + 1 - self.node().size;
        let mut end = self.at;
        std::iter::from_fn(move || {
            let at = end.checked_sub(1).filter(|at| *at >= first)?;
            end = end.saturating_sub(self.nodes[at].size);
            Some(View { nodes: self.nodes, at })
        })
    }
}

fn analyse<'e>(expr: &'e Expr, nodes: &mut Vec<Node<'e>>) {
    let first = nodes.len();
    for child in expr.children() {
        analyse(child, nodes);
    }
    let operands = Operands::new(&nodes[first..]);
    let labels = label_transfer::labels_of(expr, operands);
    let values = value_transfer::values_of(expr, operands);
    let presence = presence::presence_of(expr, &labels, &values, operands);
    let size = nodes.len() - first + 1;
    nodes.push(Node { expr, labels, values, presence, size });
}
