//! Windows of samples, one series at a time: what range functions read.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::sample::is_stale_nan;
use narthex_model::{PromDuration, StepGrid, TimeRange};
use narthex_plan::logical::{Selector, TimeShift};
use narthex_promql::ast::RangeExtension;
use narthex_storage::{Querier, SampleBuffer, SelectHints, SeriesSet};

use super::{Description, SeriesMetadata, selected, selector_text};
use crate::column::WindowBounds;
use crate::{EvalError, QueryContext};

/// Yields the samples of series after series, with the window that each step sees of them.
///
/// [`WindowSource::series`] is called once, first; then [`WindowSource::read_next`] once per series, in that order.
pub(super) trait WindowSource: Send {
    /// Every series, in order.
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError>;

    /// The samples of the next series, without stale markers; valid until the next call. Not called past the last.
    fn read_next(&mut self, context: &QueryContext) -> Result<&SampleBuffer, EvalError>;

    /// The window of each step.
    fn bounds(&self) -> Arc<[WindowBounds]>;

    /// Length of the windows.
    fn range_ms(&self) -> i64;

    /// How borders are treated.
    fn extension(&self) -> Option<RangeExtension> {
        None
    }

    /// Where the argument stands.
    fn span(&self) -> Span;

    /// What it reads, and from which operators.
    fn describe(&self) -> Description<'_>;
}

/// The window of every step of a grid.
pub(super) fn window_bounds(grid: StepGrid, shift: TimeShift, range_ms: i64) -> Arc<[WindowBounds]> {
    let window = |step_ms| {
        let end_ms = shift.reference(step_ms);
        WindowBounds { start_ms: end_ms.saturating_sub(range_ms), end_ms, step_ms }
    };
    grid.timestamps().map(window).collect()
}

/// Samples straight from the store.
pub(super) struct MatrixSource<'a> {
    selector: &'a Selector,
    range_ms: i64,
    span: Span,
    bounds: Arc<[WindowBounds]>,
    lookback_ms: i64,
    querier: &'a dyn Querier,
    set: Option<Box<dyn SeriesSet + 'a>>,
    next: usize,
    samples: SampleBuffer,
}

impl<'a> MatrixSource<'a> {
    pub(super) fn new(
        selector: &'a Selector,
        range_ms: i64,
        span: Span,
        grid: StepGrid,
        lookback_ms: i64,
        querier: &'a dyn Querier,
    ) -> MatrixSource<'a> {
        let bounds = window_bounds(grid, selector.shift, range_ms);
        let samples = SampleBuffer::new();
        MatrixSource { selector, range_ms, span, bounds, lookback_ms, querier, set: None, next: 0, samples }
    }

    /// Every instant that some window, or the neighbourhood of its borders, covers.
    fn range(&self) -> TimeRange {
        let (Some(first), Some(last)) = (self.bounds.first(), self.bounds.last()) else {
            return TimeRange::new(0, -1);
        };
        let (before_ms, after_ms) = match self.selector.extension {
            None => (0, 0),
            Some(RangeExtension::Anchored) => (self.lookback_ms, 0),
            Some(RangeExtension::Smoothed) => (self.lookback_ms, self.lookback_ms),
        };
        TimeRange::left_open(first.start_ms.saturating_sub(before_ms), last.end_ms.saturating_add(after_ms))
    }
}

impl WindowSource for MatrixSource<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let hints = SelectHints { range_ms: self.range_ms, ..SelectHints::default() };
        let set = self.querier.select(&self.selector.matchers, self.range(), &hints)?;
        let series = selected(&*set, context, self.span)?;
        self.set = Some(set);
        Ok(series)
    }

    fn read_next(&mut self, context: &QueryContext) -> Result<&SampleBuffer, EvalError> {
        context.check()?;
        let range = self.range();
        if let Some(set) = &self.set {
            context.release_samples(self.samples.len());
            set.read(self.next, range, &mut self.samples)?;
            remove_stale(&mut self.samples);
            context.hold_samples(self.samples.len())?;
            self.next += 1;
        }
        Ok(&self.samples)
    }

    fn bounds(&self) -> Arc<[WindowBounds]> {
        Arc::clone(&self.bounds)
    }

    fn range_ms(&self) -> i64 {
        self.range_ms
    }

    fn extension(&self) -> Option<RangeExtension> {
        self.selector.extension
    }

    fn span(&self) -> Span {
        self.span
    }

    fn describe(&self) -> Description<'_> {
        let range = PromDuration::from_ms(self.range_ms);
        Description {
            line: format!("windows of {range} of {}", selector_text(self.selector)),
            inputs: Vec::new(),
        }
    }
}

/// Takes stale markers out: windows do not see them.
pub(super) fn remove_stale(samples: &mut SampleBuffer) {
    let floats = &mut samples.floats;
    if floats.values.iter().any(|&value| is_stale_nan(value)) {
        let keep: Vec<bool> = floats.values.iter().map(|&value| !is_stale_nan(value)).collect();
        retain(&mut floats.timestamps, &keep);
        retain(&mut floats.values, &keep);
        retain(&mut floats.start_timestamps, &keep);
    }
    let histograms = &mut samples.histograms;
    if histograms.values.iter().any(|value| is_stale_nan(value.sum)) {
        let keep: Vec<bool> = histograms.values.iter().map(|value| !is_stale_nan(value.sum)).collect();
        retain(&mut histograms.timestamps, &keep);
        retain(&mut histograms.values, &keep);
        retain(&mut histograms.start_timestamps, &keep);
    }
}

/// Keeps the elements marked; an empty column, which says nothing of any sample, stays empty.
fn retain<T>(column: &mut Vec<T>, keep: &[bool]) {
    let mut marks = keep.iter();
    column.retain(|_| *marks.next().unwrap_or(&true));
}
