//! Walking a plan.

use super::{LogicalNode, Selector};

impl LogicalNode {
    /// The nodes right below, in evaluation order.
    pub fn children(&self) -> Vec<&LogicalNode> {
        match self {
            LogicalNode::Number { .. }
            | LogicalNode::Text { .. }
            | LogicalNode::VectorSelector { .. }
            | LogicalNode::MatrixSelector { .. } => Vec::new(),
            LogicalNode::Subquery { expr, .. }
            | LogicalNode::Absent { expr, .. }
            | LogicalNode::Negate { expr, .. }
            | LogicalNode::StepInvariant { expr }
            | LogicalNode::Shared { expr, .. } => vec![expr],
            LogicalNode::Call { args, .. } => args.iter().collect(),
            LogicalNode::Aggregate { parameter, expr, .. } => {
                parameter.as_deref().into_iter().chain([&**expr]).collect()
            }
            LogicalNode::Binary { lhs, rhs, .. } => vec![lhs, rhs],
        }
    }

    /// The nodes right below, to change them in place.
    pub fn children_mut(&mut self) -> Vec<&mut LogicalNode> {
        match self {
            LogicalNode::Number { .. }
            | LogicalNode::Text { .. }
            | LogicalNode::VectorSelector { .. }
            | LogicalNode::MatrixSelector { .. } => Vec::new(),
            LogicalNode::Subquery { expr, .. }
            | LogicalNode::Absent { expr, .. }
            | LogicalNode::Negate { expr, .. }
            | LogicalNode::StepInvariant { expr }
            | LogicalNode::Shared { expr, .. } => vec![expr],
            LogicalNode::Call { args, .. } => args.iter_mut().collect(),
            LogicalNode::Aggregate { parameter, expr, .. } => {
                parameter.as_deref_mut().into_iter().chain([&mut **expr]).collect()
            }
            LogicalNode::Binary { lhs, rhs, .. } => vec![lhs, rhs],
        }
    }

    /// The selector of a leaf.
    pub fn selector(&self) -> Option<&Selector> {
        match self {
            LogicalNode::VectorSelector { selector, .. } | LogicalNode::MatrixSelector { selector, .. } => {
                Some(selector)
            }
            _ => None,
        }
    }

    /// The selector of a leaf, to change it in place.
    pub fn selector_mut(&mut self) -> Option<&mut Selector> {
        match self {
            LogicalNode::VectorSelector { selector, .. } | LogicalNode::MatrixSelector { selector, .. } => {
                Some(selector)
            }
            _ => None,
        }
    }

    /// Calls `visit` for every node, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a LogicalNode)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}
