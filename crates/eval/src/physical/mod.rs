//! The operators: each owns state, none owns arithmetic.

use std::sync::Arc;

use narthex_model::Labels;

use crate::column::SeriesBatch;
use crate::{EvalError, QueryContext};

/// One series of an operator's output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeriesMetadata {
    /// Its labels.
    pub labels: Labels,
    /// Whether metric name, type and unit go at the end of the query (delayed name removal).
    pub drops_name: bool,
}

/// Computes one node of a plan over its grid.
///
/// The contract: [`Operator::series`] is called exactly once, before any batch; it works out every output label set
/// (grouping, join slots) so that batches only move numbers. Then [`Operator::next_batch`] is called until it says that
/// there is no more. Series come in the order of `series()`, each exactly once. An operator is used by one thread at a
/// time; only `exchange` spreads work.
pub trait Operator: Send {
    /// Every series that will be yielded, in order. A series may turn out to have no sample at any step. A scalar is
    /// one series without labels, present at every step.
    ///
    /// # Errors
    /// When the store fails, a limit is reached, or labels of the output collide.
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError>;

    /// Fills `batch`, which the caller owns and hands in again and again, with the next series; `false` and an empty
    /// batch after the last.
    ///
    /// # Errors
    /// As [`Operator::series`], and what the data make impossible.
    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError>;
}
