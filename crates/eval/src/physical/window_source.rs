//! Windows of samples: what range functions read.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::sample::is_stale_nan;
use narthex_model::{StepGrid, TimeRange};
use narthex_plan::logical::{Selector, TimeShift};
use narthex_promql::ast::RangeExtension;
use narthex_storage::{Outline, Querier, SampleBuffer, SelectHints, SeriesSet, SummaryNeed, WindowGrid};

use super::exchange::{Buffer, Workers};
use super::histogram_stats::HistogramDetail;
use super::{Description, SeriesMetadata, selected, series_per_batch, window_text};
use crate::column::{SegmentGrid, Segments, SeriesBatch, WindowBounds, lag};
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// What becomes of one series: its number, its samples without stale markers, and the column to fill.
pub(super) type WindowKernel<'k> =
    dyn Fn(usize, &SampleBuffer, &mut StepColumn) -> Result<(), EvalError> + Sync + 'k;

/// Computes from what samples amount to where that is known, so that the store need not decode them.
pub(super) struct SummaryKernel<'k> {
    /// What has to be known.
    pub(super) need: SummaryNeed,
    /// As a [`WindowKernel`], of a series without histograms; `false` when it has to see every sample after all.
    pub(super) compute: &'k (dyn Fn(usize, &Segments<'_>, &mut StepColumn) -> bool + Sync),
}

/// Kernels copy a window, or keep a list beside it, of two numbers per sample at the most.
pub(super) const SCRATCH_BYTES: usize = 2 * size_of::<f64>();

/// Reads the samples of series after series, for kernels that see them through a window per step.
///
/// [`WindowSource::series`] is called once, first; then [`WindowSource::next_batch`] until it says that there is no more.
pub(super) trait WindowSource: Send {
    /// Every series, in order.
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError>;

    /// Reads the next series and fills a column of `batch` with what `kernel` makes of each; `false` after the last.
    fn next_batch(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        kernel: &WindowKernel<'_>,
    ) -> Result<bool, EvalError>;

    /// As [`WindowSource::next_batch`], with `summarised` instead of `kernel` where that is less work.
    fn next_batch_summarised(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        _summarised: &SummaryKernel<'_>,
        kernel: &WindowKernel<'_>,
    ) -> Result<bool, EvalError> {
        self.next_batch(context, batch, kernel)
    }

    /// The window of each step.
    fn bounds(&self) -> Arc<[WindowBounds]>;

    /// Length of the windows.
    fn range_ms(&self) -> i64;

    /// How borders are treated.
    fn extension(&self) -> Option<RangeExtension> {
        None
    }

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

/// The window of every step, with what the list takes.
pub(super) struct CountedBounds {
    pub(super) windows: Arc<[WindowBounds]>,
    /// After how many steps a window starts where an earlier one ended; see [`lag`].
    pub(super) lag: Option<usize>,
    _held: Reservation,
}

impl CountedBounds {
    pub(super) fn new(windows: Arc<[WindowBounds]>, held: Reservation) -> CountedBounds {
        CountedBounds { lag: lag(&windows), windows, _held: held }
    }
}

/// Samples straight from the store.
pub(super) struct MatrixSource<'a> {
    lookup: WindowLookup<'a>,
    bounds: CountedBounds,
    series: Reservation,
    querier: &'a dyn Querier,
    set: Option<Box<dyn SeriesSet + 'a>>,
    /// The windows, as a store may know them.
    windows: Option<WindowGrid>,
    /// The same in pieces, with what they take, made when it is asked for.
    segments: Option<(SegmentGrid, Reservation)>,
    next: usize,
    workers: Workers,
}

/// What is read: the same for every series.
#[derive(Clone, Copy)]
pub(super) struct WindowLookup<'a> {
    pub(super) selector: &'a Selector,
    pub(super) range_ms: i64,
    /// How far beyond the borders an extended window looks.
    pub(super) lookback_ms: i64,
    pub(super) span: Span,
    pub(super) histograms: HistogramDetail,
}

impl<'a> MatrixSource<'a> {
    pub(super) fn new(
        lookup: WindowLookup<'a>,
        bounds: CountedBounds,
        querier: &'a dyn Querier,
    ) -> MatrixSource<'a> {
        MatrixSource {
            lookup,
            bounds,
            series: Reservation::default(),
            querier,
            set: None,
            windows: None,
            segments: None,
            next: 0,
            workers: Workers::default(),
        }
    }

    /// Every instant that some window, or the neighbourhood of its borders, covers.
    fn range(&self) -> TimeRange {
        let (Some(first), Some(last)) = (self.bounds.windows.first(), self.bounds.windows.last()) else {
            return TimeRange::new(0, -1);
        };
        let (before_ms, after_ms) = match self.lookup.selector.extension {
            None => (0, 0),
            Some(RangeExtension::Anchored) => (self.lookup.lookback_ms, 0),
            Some(RangeExtension::Smoothed) => (self.lookup.lookback_ms, self.lookup.lookback_ms),
        };
        TimeRange::left_open(first.start_ms.saturating_sub(before_ms), last.end_ms.saturating_add(after_ms))
    }
}

impl WindowSource for MatrixSource<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let step_ms = match &*self.bounds.windows {
            [first, second, ..] => second.step_ms - first.step_ms,
            _ => 0,
        };
        // Neighbours of borders are looked at by extended windows, and start times are compared between any samples.
        let is_plain = self.lookup.selector.extension.is_none() && !context.options.start_timestamps;
        self.windows = if is_plain { window_grid(&self.bounds.windows, self.lookup.range_ms) } else { None };
        let (range_ms, windows) = (self.lookup.range_ms, self.windows);
        let hints = SelectHints { step_ms, range_ms, windows, ..SelectHints::default() };
        let set = self.querier.select(&self.lookup.selector.matchers, self.range(), &hints)?;
        let (series, held) = selected(&*set, context, self.bounds.windows.len(), self.lookup.span)?;
        self.series = held;
        self.set = Some(set);
        Ok(series)
    }

    fn next_batch(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        kernel: &WindowKernel<'_>,
    ) -> Result<bool, EvalError> {
        context.check()?;
        let (range, steps, histograms) = (self.range(), self.bounds.windows.len(), self.lookup.histograms);
        let Some(set) = &self.set else { return Ok(false) };
        let end = set.len().min(self.next + series_per_batch(steps));
        self.workers.fill(context, batch, self.next..end, steps, |series, buffer, column| {
            let samples = &mut buffer.samples;
            set.read(series, range, samples)?;
            histograms.reduce(samples);
            remove_stale(samples);
            buffer.count(context, SCRATCH_BYTES)?;
            kernel(series, &buffer.samples, column)
        })?;
        self.next = end;
        Ok(!batch.columns.is_empty())
    }

    fn next_batch_summarised(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        summarised: &SummaryKernel<'_>,
        kernel: &WindowKernel<'_>,
    ) -> Result<bool, EvalError> {
        let steps = self.bounds.windows.len();
        if self.segments.is_none()
            && self.windows.is_some_and(|windows| has_few_segments(windows.range_ms, windows.step_ms))
        {
            let held = context.reserve(SegmentGrid::size_bytes(steps))?;
            self.segments = Some((SegmentGrid::new(&self.bounds.windows), held));
        }
        let (Some((grid, _)), Some(set)) = (&self.segments, &self.set) else {
            return self.next_batch(context, batch, kernel);
        };
        context.check()?;
        let (range, histograms) = (self.range(), self.lookup.histograms);
        let end = set.len().min(self.next + series_per_batch(steps));
        self.workers.fill(context, batch, self.next..end, steps, |series, buffer, column| {
            read_outline(&**set, series, range, summarised.need, buffer)?;
            remove_stale(&mut buffer.samples);
            let samples = &buffer.samples;
            if !buffer.runs.is_empty() {
                if samples.histograms.timestamps.is_empty() {
                    let segments = Segments::of(&samples.floats, &buffer.runs, summarised.need, grid);
                    buffer.count(context, SCRATCH_BYTES)?;
                    buffer.settle(context, SegmentGrid::size_bytes(steps))?;
                    if (summarised.compute)(series, &segments, column) {
                        return Ok(());
                    }
                    column.reset(steps);
                }
                set.read(series, range, &mut buffer.samples)?;
                remove_stale(&mut buffer.samples);
            }
            histograms.reduce(&mut buffer.samples);
            buffer.count(context, SCRATCH_BYTES)?;
            kernel(series, &buffer.samples, column)
        })?;
        self.next = end;
        Ok(!batch.columns.is_empty())
    }

    fn bounds(&self) -> Arc<[WindowBounds]> {
        Arc::clone(&self.bounds.windows)
    }

    fn range_ms(&self) -> i64 {
        self.lookup.range_ms
    }

    fn extension(&self) -> Option<RangeExtension> {
        self.lookup.selector.extension
    }

    fn describe(&self) -> Description<'_> {
        let line = window_text(self.lookup.range_ms, self.lookup.selector);
        Description { line, inputs: Vec::new() }
    }
}

/// Windows that overlap more than this many others are put together from more pieces than it is worth.
const OVERLAPS_MAX: i64 = 16;

/// Whether windows at this distance, 0 where they are one, are worth being put together from pieces.
pub(super) fn has_few_segments(range_ms: i64, step_ms: i64) -> bool {
    step_ms == 0 || range_ms / step_ms <= OVERLAPS_MAX
}

/// Windows as ends at the same distance, which they are unless time itself ends.
fn window_grid(bounds: &[WindowBounds], range_ms: i64) -> Option<WindowGrid> {
    let (first, last) = (bounds.first()?, bounds.last()?);
    let step_ms = bounds.get(1).map_or(Some(0), |second| second.end_ms.checked_sub(first.end_ms))?;
    let length_ms = i64::try_from(bounds.len() - 1).ok()?.checked_mul(step_ms)?;
    let is_regular = first.end_ms.checked_add(length_ms) == Some(last.end_ms)
        && first.end_ms.checked_sub(range_ms) == Some(first.start_ms)
        && step_ms >= 0;
    is_regular.then_some(WindowGrid { end_ms: first.end_ms, step_ms, windows: bounds.len(), range_ms })
}

/// Reads a series in outline into the buffer of a worker.
fn read_outline(
    set: &dyn SeriesSet,
    series: usize,
    range: TimeRange,
    need: SummaryNeed,
    buffer: &mut Buffer,
) -> Result<(), EvalError> {
    let (samples, runs) = (std::mem::take(&mut buffer.samples), std::mem::take(&mut buffer.runs));
    let mut outline = Outline { samples, runs };
    let outcome = set.outline(series, range, need, &mut outline);
    (buffer.samples, buffer.runs) = (outline.samples, outline.runs);
    Ok(outcome?)
}

/// Takes stale markers out: windows do not see them.
pub(super) fn remove_stale(samples: &mut SampleBuffer) {
    let floats = &mut samples.floats;
    if has_stale(&floats.values) {
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

/// Whether there is a stale marker among floats; without a branch per value, as there is none nearly always.
pub(super) fn has_stale(values: &[f64]) -> bool {
    values.iter().fold(false, |has_stale, &value| has_stale | is_stale_nan(value))
}

/// Keeps the elements marked; an empty column, which says nothing of any sample, stays empty.
fn retain<T>(column: &mut Vec<T>, keep: &[bool]) {
    let mut marks = keep.iter();
    column.retain(|_| *marks.next().unwrap_or(&true));
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_model::FloatHistogram;
    use narthex_model::sample::stale_nan;

    #[test]
    fn stale_markers_go_and_start_times_stay_with_their_samples() {
        let mut samples = SampleBuffer::new();
        let histogram = |sum| FloatHistogram { sum, ..FloatHistogram::default() };
        for (at_ms, value) in [(1, 1.0), (2, stale_nan()), (3, f64::NAN), (4, stale_nan())] {
            samples.push(at_ms, value.into(), at_ms - 1);
            samples.push(at_ms + 10, histogram(value).into(), 0);
        }
        remove_stale(&mut samples);
        assert_eq!(samples.floats.timestamps, [1, 3]);
        assert_eq!(samples.floats.start_timestamps, [0, 2]);
        assert_eq!(samples.histograms.timestamps, [11, 13]);
        assert!(samples.histograms.start_timestamps.is_empty());
    }
}
