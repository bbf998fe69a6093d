//! What surrounds the operator of every node: it may be stopped before each batch, and its memory is counted.

use std::sync::Arc;

use narthex_plan::LogicalNode;

use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::memory::column_bytes;
use crate::{EvalError, QueryContext};

/// Hands out what its operator computes, in a view of the query in which all memory is that of its node.
pub(super) struct Metered<'a> {
    inner: BoxedOperator<'a>,
    context: QueryContext,
    steps: usize,
}

impl<'a> Metered<'a> {
    /// `inner` computes `steps` steps; `context` is the view for its node.
    pub(super) fn new(inner: BoxedOperator<'a>, context: QueryContext, steps: usize) -> Metered<'a> {
        Metered { inner, context, steps }
    }
}

impl Operator for Metered<'_> {
    fn series(&mut self, _: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        self.context.check()?;
        self.inner.series(&self.context)
    }

    fn next_batch(&mut self, _: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        self.context.check()?;
        // A single column may be too much: find out before it is made.
        let room = if batch.is_unused() { column_bytes(self.steps) } else { 0 };
        drop(self.context.reserve(room)?);
        let has_more = self.inner.next_batch(&self.context, batch)?;
        // Kernels that are told to stop leave their work unfinished.
        self.context.check()?;
        batch.settle(&self.context)?;
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        self.inner.describe()
    }
}

/// What to call a part of a query in errors.
pub(super) fn name_of(node: &LogicalNode) -> &'static str {
    match node {
        LogicalNode::Number { .. } => "number",
        LogicalNode::Text { .. } => "string",
        LogicalNode::VectorSelector { .. } | LogicalNode::MatrixSelector { .. } => "selector",
        LogicalNode::Subquery { .. } => "subquery",
        LogicalNode::Call { function, .. } => function.as_str(),
        LogicalNode::Absent { .. } => "absent",
        LogicalNode::Aggregate { op, .. } => op.as_str(),
        LogicalNode::Binary { op, .. } => op.as_str(),
        LogicalNode::Negate { .. } => "negation",
        LogicalNode::StepInvariant { expr } | LogicalNode::Shared { expr, .. } => name_of(expr),
    }
}
