//! What is computed once and read by several operators, of one query or of all queries of a group.
//!
//! A [`Producer`] has outlets, each a stream of batches; takers join an outlet while operators are made. A taker is an
//! aggregation, which is handed every column while it goes by and so takes no memory for its input, or an operator that
//! asks for batches at its own pace: what it has not asked for yet is kept for it, up to a bound, beyond which it goes on
//! alone. There are two producers: the [`hub`] of any operator, and the [`scan`] that reads each series once and cuts
//! all windows from it.
//!
//! Whoever takes part has its own annotations and errors, at its own places of its own query. Memory, samples and
//! points of what is shared count once, for the query or, in a group, for all of its queries together; a query whose
//! shared part is refused for that reason before anything was read computes it alone.
//!
//! Reading order: this file, `outlet`, `hub`, `scan`, `kernel`, then the takers `reader` and `aggregate`.

mod aggregate;
mod hub;
mod kernel;
mod listeners;
mod outlet;
mod outline;
mod places;
mod reader;
mod scan;
mod sharing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use narthex_plan::LogicalNode;
use narthex_plan::logical::Selector;

use super::exchange::Workers;
use super::{BoxedOperator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::{EvalError, QueryContext};

pub(super) use aggregate::{Fed, SharedAggregate};
pub(super) use kernel::{Kernel, RangeKernel, constant_column};
pub(crate) use listeners::Listeners;
pub(super) use outline::Outline;
use places::Places;
pub(super) use reader::SharedReader;
pub(super) use sharing::{Key, Source};
pub(crate) use sharing::{Outlines, Sharing};

/// What a taker gets: its share, or the advice to compute it alone.
pub(super) enum Supply<T> {
    Shared(T),
    Alone,
}

/// What several operators read from. Used by one thread at a time.
pub(super) trait Producer<'a>: Send + Sync {
    /// Joins an outlet as one who asks for batches; returns the number of the taker.
    fn join(&self, outlet: usize) -> usize;

    /// Joins an outlet as one who is handed all columns.
    fn join_sink(&self, outlet: usize, sink: Arc<Mutex<dyn Sink + 'a>>) -> usize;

    /// Nothing more is wanted.
    fn leave(&self, outlet: usize, taker: usize);

    /// The series of an outlet.
    fn series(&self, outlet: usize, taker: usize) -> Result<Supply<Arc<[SeriesMetadata]>>, EvalError>;

    /// Fills `batch` with what comes next for a taker.
    fn next(&self, outlet: usize, taker: usize, batch: &mut SeriesBatch) -> Result<Supply<bool>, EvalError>;

    /// Hands everything to the sinks of an outlet.
    fn finish(&self, outlet: usize) -> Result<(), EvalError>;

    /// What comes behind the first `from` series of an outlet, for a taker who goes on alone.
    fn next_alone(
        &self,
        outlet: usize,
        from: usize,
        alone: (&mut Workers, &QueryContext),
        batch: &mut SeriesBatch,
    ) -> Result<bool, EvalError>;
}

/// An aggregation that is fed. What goes wrong concerns nobody else: it keeps its errors to itself.
pub(super) trait Sink: Send {
    /// Learns the series, before any column of them; again without effect.
    fn begin(&mut self, series: &Arc<[SeriesMetadata]>);

    /// Takes in the column of the series of this number.
    fn accept(&mut self, series: usize, column: &crate::StepColumn);
}

/// Makes the operator of a taker that computes alone.
pub(super) type Alone<'a> = Box<dyn Fn() -> Result<BoxedOperator<'a>, EvalError> + Send + 'a>;

/// How a taker is connected.
pub(super) struct Link<'a> {
    pub(super) producer: Arc<dyn Producer<'a> + 'a>,
    pub(super) outlet: usize,
    pub(super) taker: usize,
    /// From the places of whoever is computed for all to those of this taker.
    pub(super) places: Places,
}

impl Link<'_> {
    pub(super) fn series(&self) -> Result<Supply<Arc<[SeriesMetadata]>>, EvalError> {
        self.producer.series(self.outlet, self.taker).map_err(|error| self.here(error))
    }

    /// The error at the place it has for this taker.
    pub(super) fn here(&self, error: EvalError) -> EvalError {
        error.moved(|span| self.places.moved(span))
    }
}

impl Drop for Link<'_> {
    fn drop(&mut self) {
        self.producer.leave(self.outlet, self.taker);
    }
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The selector of a node that is computed from samples alone.
pub(super) fn selector_of(node: &LogicalNode) -> Option<&Selector> {
    match node {
        LogicalNode::VectorSelector { selector, .. } | LogicalNode::MatrixSelector { selector, .. } => {
            Some(selector)
        }
        LogicalNode::Call { args, .. } => args.iter().find_map(|arg| match arg {
            LogicalNode::MatrixSelector { selector, .. } => Some(selector),
            _ => None,
        }),
        _ => None,
    }
}
