//! The values of an expression at inner steps, as windows.

use std::sync::Arc;

use narthex_model::{CounterResetHint, FloatHistogram, PromDuration, StepGrid};
use narthex_plan::logical::TimeShift;
use narthex_storage::SampleBuffer;

use super::exchange::Workers;
use super::window_source::{CountedBounds, SCRATCH_BYTES, WindowKernel, WindowSource};
use super::{Description, Operator, SeriesMetadata, shift_text};
use crate::column::{SeriesBatch, WindowBounds};
use crate::limits::column_samples;
use crate::{EvalError, QueryContext, SampleRef, StepColumn};

/// The steps at which a subquery evaluates its expression: all multiples of its step, counted from the epoch, that some
/// step of the outer grid sees. Division truncates towards zero, as upstream's does.
pub(super) fn inner_grid(grid: StepGrid, shift: TimeShift, range_ms: i64, step_ms: i64) -> StepGrid {
    let start_ms = shift.reference(grid.start_ms).saturating_sub(range_ms);
    let end_ms = shift.reference(grid.end_ms());
    let mut first_ms = start_ms / step_ms * step_ms;
    if first_ms <= start_ms {
        first_ms = first_ms.saturating_add(step_ms);
    }
    StepGrid::range(first_ms, end_ms, step_ms)
}

/// The expression of a subquery that has no steps: no series.
pub(super) struct Nothing;

impl Operator for Nothing {
    fn series(&mut self, _: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        Ok(Arc::new([]))
    }

    fn next_batch(&mut self, _: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        batch.start(0);
        Ok(false)
    }

    fn describe(&self) -> Description<'_> {
        Description { line: "nothing".into(), inputs: Vec::new() }
    }
}

/// Turns each column of the inner operator into samples.
pub(super) struct SubquerySource<'a> {
    inner: Box<dyn Operator + 'a>,
    grid: StepGrid,
    range_ms: i64,
    shift: TimeShift,
    bounds: CountedBounds,
    values: SeriesBatch,
    workers: Workers,
}

impl<'a> SubquerySource<'a> {
    /// `inner` evaluates on `inner_grid`, each of the windows `bounds` sees `range_ms` of it.
    pub(super) fn new(
        inner: Box<dyn Operator + 'a>,
        inner_grid: StepGrid,
        bounds: CountedBounds,
        shift: TimeShift,
        range_ms: i64,
    ) -> SubquerySource<'a> {
        SubquerySource {
            inner,
            grid: inner_grid,
            range_ms,
            shift,
            bounds,
            values: SeriesBatch::new(),
            workers: Workers::default(),
        }
    }
}

impl WindowSource for SubquerySource<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        self.inner.series(context)
    }

    fn next_batch(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        kernel: &WindowKernel<'_>,
    ) -> Result<bool, EvalError> {
        context.check()?;
        let has_more = self.inner.next_batch(context, &mut self.values)?;
        let (first, grid, values) = (self.values.first, self.grid, &self.values.columns);
        let held = values.iter().map(column_samples).sum();
        context.hold_samples(held)?;
        self.workers.fill(
            context,
            batch,
            first..first + values.len(),
            self.bounds.windows.len(),
            |series, buffer, column| {
                transpose(&values[series - first], grid, &mut buffer.samples);
                buffer.settle(context, SCRATCH_BYTES * buffer.samples.len())?;
                kernel(series, &buffer.samples, column)
            },
        )?;
        context.release_samples(held);
        Ok(has_more)
    }

    fn bounds(&self) -> Arc<[WindowBounds]> {
        Arc::clone(&self.bounds.windows)
    }

    fn range_ms(&self) -> i64 {
        self.range_ms
    }

    fn describe(&self) -> Description<'_> {
        let (range, step) = (PromDuration::from_ms(self.range_ms), PromDuration::from_ms(self.grid.step_ms));
        Description {
            line: format!("windows of {range}, steps of {step}{}", shift_text(self.shift)),
            inputs: vec![&*self.inner],
        }
    }
}

/// Values at steps as samples at instants. Start times are lost, and so is what a hint said of the sample before.
fn transpose(column: &StepColumn, grid: StepGrid, samples: &mut SampleBuffer) {
    samples.clear();
    for (step, value) in column.iter() {
        let at_ms = grid.timestamp(step);
        match value {
            SampleRef::Float(value) => samples.floats.push(at_ms, value, 0),
            SampleRef::Histogram(value) => samples.histograms.push(at_ms, without_hint(value), 0),
        }
    }
}

fn without_hint(histogram: &Arc<FloatHistogram>) -> Arc<FloatHistogram> {
    match histogram.counter_reset_hint {
        CounterResetHint::Reset | CounterResetHint::NotReset => {
            let mut copy = FloatHistogram::clone(histogram);
            copy.counter_reset_hint = CounterResetHint::Unknown;
            Arc::new(copy)
        }
        CounterResetHint::Unknown | CounterResetHint::Gauge => Arc::clone(histogram),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_steps_are_multiples_counted_from_the_epoch() {
        let grid = inner_grid(StepGrid::instant(250_000), TimeShift::default(), 180_000, 45_000);
        assert_eq!(grid.timestamps().collect::<Vec<_>>(), [90_000, 135_000, 180_000, 225_000]);
        let at_border = inner_grid(StepGrid::instant(60_000), TimeShift::default(), 60_000, 30_000);
        assert_eq!(at_border.timestamps().collect::<Vec<_>>(), [30_000, 60_000]);
    }
}
