//! The operators: each owns state, none owns arithmetic.
//!
//! Reading order: this file, `build` (which operator computes which node), `window_source` and `exchange` (what range
//! functions read, and who computes in parallel), then one file per operator.

mod absent;
mod aggregate;
mod aggregate_state;
pub(crate) mod build;
mod computed;
mod count_values;
mod exchange;
mod explain;
mod histogram_function;
mod histogram_slots;
pub(crate) mod histogram_stats;
mod info;
mod info_series;
mod instant_function;
mod label_function;
mod limit_aggregate;
mod matrix_root;
mod merge_duplicates;
mod metered;
mod name_removal;
pub(crate) mod profiled;
mod range_function;
mod rank_aggregate;
pub(crate) mod relabel;
mod scalar;
mod scalar_binary;
mod set_operation;
pub(crate) mod shared;
mod smoothed;
mod sort;
mod step_invariant;
mod step_notes;
mod subquery;
pub(crate) mod tally;
mod unary;
mod vector_binary;
mod vector_selector;
mod window_source;

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::{Labels, PromDuration};
use narthex_plan::logical::{Selector, TimeShift};
use narthex_storage::SeriesSet;

pub(crate) use explain::explain;
pub(crate) use matrix_root::matrix_root;

use crate::column::SeriesBatch;
use crate::limits::LimitKind;
use crate::memory::{Reservation, list_bytes};
use crate::profile::Figures;
use crate::{AnnotationKind, EvalError, QueryContext, StepColumn};

/// One series of an operator's output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeriesMetadata {
    /// Its labels.
    pub labels: Labels,
    /// Whether metric name, type and unit go at the end of the query (delayed name removal).
    pub drops_name: bool,
}

impl SeriesMetadata {
    /// The only series of an operator that yields a scalar or a vector without labels.
    pub fn unlabeled() -> SeriesMetadata {
        SeriesMetadata { labels: Labels::empty(), drops_name: false }
    }

    /// The labels in the result of the query.
    pub fn final_labels(&self) -> Labels {
        if self.drops_name { self.labels.without_metric_identity() } else { self.labels.clone() }
    }

    /// The series of a new quantity made of this one: its name, type and unit go, now or at the end of the query.
    #[must_use]
    pub fn without_name(&self, context: &QueryContext) -> SeriesMetadata {
        if context.options.delayed_name_removal {
            SeriesMetadata { labels: self.labels.clone(), drops_name: true }
        } else {
            SeriesMetadata { labels: self.labels.without_metric_identity(), drops_name: false }
        }
    }
}

/// An operator that reads from a store for as long as `'a`.
pub type BoxedOperator<'a> = Box<dyn Operator + 'a>;

/// What an operator does, for `explain`.
pub struct Description<'a> {
    /// One line without its inputs.
    pub line: String,
    /// The operators it reads from, in order.
    pub inputs: Vec<&'a (dyn Operator + 'a)>,
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

    /// What it does and from what. May be asked at any time.
    fn describe(&self) -> Description<'_>;

    /// What it took so far, its own time apart; `None` unless it is measured.
    fn figures(&self) -> Option<Figures> {
        None
    }
}

/// How many series of `steps` steps make a batch: enough to keep workers busy, few enough to stay in a cache.
pub(crate) fn series_per_batch(steps: usize) -> usize {
    const VALUES_PER_BATCH: usize = 32 * 1024;
    (VALUES_PER_BATCH / steps.max(1)).clamp(1, 1024)
}

/// The series of a selection and what the list takes, within the limits of what `steps` steps of them cost.
fn selected(
    set: &dyn SeriesSet,
    context: &QueryContext,
    steps: usize,
    span: Span,
) -> Result<(Arc<[SeriesMetadata]>, Reservation), EvalError> {
    let (series, max) = (set.len(), context.limits.series_max);
    if series > max {
        let message = format!("selector matches {series} series, more than the limit of {max}");
        return Err(EvalError::limit(LimitKind::Series, message, span));
    }
    context.add_points(series, steps, span)?;
    // The labels are shared with the store.
    let held = context.reserve(list_bytes(series))?;
    let metadata = |at| SeriesMetadata { labels: set.labels(at).clone(), drops_name: false };
    Ok(((0..series).map(metadata).collect(), held))
}

/// Computes what is left of an input of which nothing is taken: its errors and annotations count nevertheless.
fn drain(input: &mut dyn Operator, context: &QueryContext) -> Result<(), EvalError> {
    let mut batch = SeriesBatch::new();
    while input.next_batch(context, &mut batch)? {
        context.check()?;
    }
    Ok(())
}

/// Warns of quantiles outside of [0, 1], each value once.
pub(crate) fn annotate_quantiles(column: &StepColumn, span: Span, context: &QueryContext) {
    for quantile in (0..column.len()).filter_map(|step| column.float(step)) {
        if !(0.0..=1.0).contains(&quantile) {
            context.annotate(AnnotationKind::QuantileOutOfRange(quantile), span);
        }
    }
}

/// What a selector asks for, for `explain`.
fn selector_text(selector: &Selector) -> String {
    let matchers: Vec<String> = selector.matchers.iter().map(|matcher| format!("{matcher:?}")).collect();
    let extension = selector.extension.map_or(String::new(), |extension| format!(" {}", extension.as_str()));
    format!("{{{}}}{extension}{}", matchers.join(", "), shift_text(selector.shift))
}

/// What a window holds, for `explain`.
fn window_text(range_ms: i64, selector: &Selector) -> String {
    format!("windows of {} of {}", PromDuration::from_ms(range_ms), selector_text(selector))
}

/// From when a selector or subquery looks, for `explain`.
fn shift_text(shift: TimeShift) -> String {
    let at = shift.at_ms.map_or(String::new(), |at_ms| format!(" @ {at_ms} ms"));
    let offset = PromDuration::from_ms(shift.offset_ms);
    if shift.offset_ms == 0 { at } else { format!("{at} offset {offset}") }
}
