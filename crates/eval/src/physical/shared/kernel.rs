//! What a scan makes of the samples of one series for one of its outlets.

use narthex_diag::Span;
use narthex_model::{Labels, TimeRange};
use narthex_storage::{SampleBuffer, SeriesSet};

use crate::column::WindowBounds;
use crate::functions::SeriesContext;
use crate::physical::SeriesMetadata;
use crate::physical::histogram_stats::HistogramDetail;
use crate::physical::range_function::{Call, RangeFunction};
use crate::physical::vector_selector::Lookup;
use crate::physical::window_source::{CountedBounds, has_stale, remove_stale};
use crate::{EvalError, QueryContext, StepColumn};

/// How a column is computed from samples.
pub(in crate::physical) enum Kernel<'a> {
    /// The newest sample of each step.
    Instant(Lookup<'a>),
    /// A function of the window of each step.
    Range(RangeKernel),
}

/// A function of windows, its borders not extended.
pub(in crate::physical) struct RangeKernel {
    pub(in crate::physical) function: RangeFunction,
    pub(in crate::physical) range_ms: i64,
    pub(in crate::physical) bounds: CountedBounds,
    pub(in crate::physical) parameters: Vec<StepColumn>,
    pub(in crate::physical) call_span: Span,
    pub(in crate::physical) arg_span: Span,
    pub(in crate::physical) histograms: HistogramDetail,
}

/// One series of a scan, and which of its samples are there.
pub(super) struct Scanned<'s> {
    pub(super) set: &'s dyn SeriesSet,
    pub(super) series: usize,
    pub(super) range: TimeRange,
    /// Whether there are stale markers among its floats, or histograms: what kernels take out.
    is_mixed: bool,
}

impl<'s> Scanned<'s> {
    /// Series number `series`, whose samples within `range` are `samples`.
    pub(super) fn new(
        set: &'s dyn SeriesSet,
        series: usize,
        range: TimeRange,
        samples: &SampleBuffer,
    ) -> Scanned<'s> {
        let is_mixed = !samples.histograms.timestamps.is_empty() || has_stale(&samples.floats.values);
        Scanned { set, series, range, is_mixed }
    }
}

impl Kernel<'_> {
    /// Every instant that is looked at.
    pub(super) fn range(&self) -> TimeRange {
        match self {
            Kernel::Instant(lookup) => lookup.range(),
            Kernel::Range(kernel) => match (kernel.windows().first(), kernel.windows().last()) {
                (Some(first), Some(last)) => TimeRange::left_open(first.start_ms, last.end_ms),
                _ => TimeRange::new(0, -1),
            },
        }
    }

    /// Length of the windows; 0 of an instant selector.
    pub(super) fn range_ms(&self) -> i64 {
        match self {
            Kernel::Instant(_) => 0,
            Kernel::Range(kernel) => kernel.range_ms,
        }
    }

    /// The output series of a series.
    pub(super) fn renamed(&self, series: &SeriesMetadata, context: &QueryContext) -> SeriesMetadata {
        match self {
            Kernel::Range(kernel) if !kernel.function.keeps_name() => series.without_name(context),
            _ => series.clone(),
        }
    }

    /// Fills `column` from the samples of a series, of which `all` holds those of the range that was scanned. `part` is
    /// room for those that this kernel looks at.
    pub(super) fn evaluate(
        &self,
        context: &QueryContext,
        scanned: &Scanned<'_>,
        (all, part): (&mut SampleBuffer, &mut SampleBuffer),
        column: &mut StepColumn,
    ) -> Result<(), EvalError> {
        let samples = if scanned.range == self.range() && !scanned.is_mixed {
            all
        } else {
            self.cut(scanned, all, part)?;
            part
        };
        let labels = scanned.set.labels(scanned.series);
        match self {
            Kernel::Instant(lookup) => {
                lookup.histograms.reduce(samples);
                lookup.evaluate(context, samples, labels, column);
                Ok(())
            }
            Kernel::Range(kernel) => {
                if scanned.is_mixed {
                    kernel.histograms.reduce(samples);
                    remove_stale(samples);
                }
                kernel.evaluate(context, samples, labels, column)
            }
        }
    }

    /// Takes the samples within the own range. What a store says of histograms may depend on which are read together:
    /// they are read anew.
    fn cut(
        &self,
        scanned: &Scanned<'_>,
        all: &SampleBuffer,
        part: &mut SampleBuffer,
    ) -> Result<(), EvalError> {
        let range = self.range();
        if !all.histograms.timestamps.is_empty() {
            scanned.set.read(scanned.series, range, part)?;
            return Ok(());
        }
        part.clear();
        let floats = &all.floats;
        let from = floats.timestamps.partition_point(|&at_ms| at_ms < range.min_ms);
        let to = floats.timestamps.partition_point(|&at_ms| at_ms <= range.max_ms).max(from);
        part.floats.timestamps.extend_from_slice(&floats.timestamps[from..to]);
        part.floats.values.extend_from_slice(&floats.values[from..to]);
        // Not known of any sample when the column is empty, nor if none of these is.
        if let Some(starts) = floats.start_timestamps.get(from..to)
            && starts.iter().any(|&start_ms| start_ms != 0)
        {
            part.floats.start_timestamps.extend_from_slice(starts);
        }
        Ok(())
    }
}

impl RangeKernel {
    fn windows(&self) -> &[WindowBounds] {
        &self.bounds.windows
    }

    fn evaluate(
        &self,
        context: &QueryContext,
        samples: &SampleBuffer,
        labels: &Labels,
        column: &mut StepColumn,
    ) -> Result<(), EvalError> {
        let (call_span, arg_span) = (self.call_span, self.arg_span);
        let series =
            SeriesContext { query: context, metric: labels.metric_name(), labels, call_span, arg_span };
        let call = Call {
            function: self.function,
            extension: None,
            range_ms: self.range_ms,
            bounds: &self.bounds.windows,
            lag: self.bounds.lag,
            parameters: &self.parameters,
        };
        call.evaluate(samples, &series, column)
    }
}

/// Columns of numbers.
pub(in crate::physical) fn constant_column(value: f64, steps: usize) -> StepColumn {
    let mut column = StepColumn::new(steps);
    column.fill_floats(|_| Some(value));
    column
}

/// Whether every name stands for one series only, in order: then none of them has to be merged with another.
pub(super) fn are_distinct(series: &[SeriesMetadata]) -> bool {
    series.is_sorted_by(|left, right| left.labels < right.labels)
}
