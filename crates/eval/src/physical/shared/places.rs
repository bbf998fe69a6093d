//! Where the same thing stands for another one who reads it.

use std::collections::HashMap;
use std::sync::Arc;

use narthex_diag::Span;
use narthex_plan::LogicalNode;

/// From the spans of one expression to those of an equal one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// `None` when they are the same.
    moved: Option<Arc<HashMap<Span, Span>>>,
}

impl Places {
    /// From the places of `from` to those of `to`, which is equal but for them.
    pub(super) fn new(from: &LogicalNode, to: &LogicalNode) -> Places {
        let (before, after) = (spans(from), spans(to));
        if before == after {
            return Places::default();
        }
        Places { moved: Some(Arc::new(before.into_iter().zip(after).collect())) }
    }

    /// Where what stands at `span` stands for the other.
    pub(crate) fn moved(&self, span: Span) -> Span {
        match &self.moved {
            Some(moved) => moved.get(&span).copied().unwrap_or(span),
            None => span,
        }
    }
}

fn spans(node: &LogicalNode) -> Vec<Span> {
    let mut spans = Vec::new();
    node.walk(&mut |node| {
        spans.push(node.span());
        if let LogicalNode::MatrixSelector { selector, .. } = node {
            spans.push(selector.span);
        }
    });
    spans
}
