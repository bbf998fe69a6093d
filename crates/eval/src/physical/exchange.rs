//! Series-parallel computation: the only place of this crate that spawns work.
//!
//! A batch is cut into as many runs of series as there are workers. Each worker has a buffer of its own and writes
//! columns that nobody else touches; the order of series, and so every result, is the same with any number of workers.

use rayon::prelude::*;

use narthex_storage::{Run, SampleBuffer};

use crate::column::SeriesBatch;
use crate::limits::buffer_samples;
use crate::memory::{Reservation, buffer_bytes};
use crate::{EvalError, QueryContext, StepColumn};

/// Work for less time than this is not worth waking another worker for.
const WORK_PER_WORKER_MIN_NS: usize = 100_000;
/// What finding, reading and decoding a series takes at least, and what a step of it takes: rough, and rather too low.
const SERIES_NS: usize = 1_000;
const STEP_NS: usize = 10;

/// The sample buffers of all workers, kept from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Workers {
    buffers: Vec<Buffer>,
}

/// The samples of one worker, with what they take.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// The samples of the present series.
    pub(super) samples: SampleBuffer,
    /// What lies between them and was not read one by one.
    pub(super) runs: Vec<Run>,
    /// Some of them, where they are looked at in several ways.
    pub(super) part: SampleBuffer,
    held: Reservation,
    /// What the largest series of the batch counts as.
    held_samples: usize,
}

impl Buffer {
    /// Counts the samples, until the batch is full, and so many bytes beside each of them. Costs nothing unless this
    /// series is larger than those before.
    ///
    /// # Errors
    /// When the query would hold more than it may.
    pub(super) fn count(&mut self, context: &QueryContext, bytes_per_sample: usize) -> Result<(), EvalError> {
        let samples = buffer_samples(&self.samples);
        if samples > self.held_samples {
            context.hold_samples(samples - self.held_samples)?;
            self.held_samples = samples;
        }
        self.settle(context, bytes_per_sample * self.samples.len())
    }

    /// Reserves what the buffer takes now, and `more` bytes; what was reserved for a larger series stays reserved.
    ///
    /// # Errors
    /// When the query would hold more than it may.
    pub(super) fn settle(&mut self, context: &QueryContext, more: usize) -> Result<(), EvalError> {
        if !self.held.is_attached() {
            self.held = context.reserve(0)?;
        }
        self.held.grow_to(self.bytes() + more)
    }

    fn bytes(&self) -> usize {
        buffer_bytes(&self.samples) + self.runs.capacity() * size_of::<Run>()
    }

    /// The batch is full: nothing but the buffer is held until the next one.
    fn release(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        context.release_samples(std::mem::take(&mut self.held_samples));
        self.held.resize(self.bytes())
    }
}

impl Workers {
    /// Fills `batch` with the columns of `series`, each of `steps` steps. `compute` gets the number of a series, a buffer
    /// to read samples into, and to count them with, and the column to fill; it must not depend on the order of calls.
    ///
    /// # Errors
    /// The error of the first series that has one, that of a limit or of a query told to stop included.
    pub(super) fn fill(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        series: std::ops::Range<usize>,
        steps: usize,
        compute: impl Fn(usize, &mut Buffer, &mut StepColumn) -> Result<(), EvalError> + Sync,
    ) -> Result<(), EvalError> {
        let first = series.start;
        batch.start(first);
        series.for_each(|_| {
            batch.push_column(steps);
        });
        self.each(context, first, &mut batch.columns, steps, compute)
    }

    /// Computes `rows`, one for each series from number `first` on, of so many steps in all; otherwise as
    /// [`Workers::fill`].
    ///
    /// # Errors
    /// As [`Workers::fill`].
    pub(super) fn each<Row: Send>(
        &mut self,
        context: &QueryContext,
        first: usize,
        rows: &mut [Row],
        steps: usize,
        compute: impl Fn(usize, &mut Buffer, &mut Row) -> Result<(), EvalError> + Sync,
    ) -> Result<(), EvalError> {
        let workers = self.wanted(rows.len(), steps);
        let run = rows.len().div_ceil(workers).max(1);
        let work = |at: usize, buffer: &mut Buffer, rows: &mut [Row]| {
            let mut numbered = (first + at * run..).zip(rows);
            numbered.try_for_each(|(series, row)| {
                compute(series, buffer, row)?;
                context.check()?;
                buffer.settle(context, 0)
            })?;
            buffer.release(context)
        };
        if workers == 1 {
            return work(0, &mut self.buffers[0], rows);
        }
        let runs = rows.par_chunks_mut(run).zip(&mut self.buffers).enumerate();
        let outcomes: Vec<Result<(), EvalError>> =
            runs.map(|(at, (rows, buffer))| work(at, buffer, rows)).collect();
        outcomes.into_iter().collect()
    }

    /// How many workers share `columns` columns of `steps` steps; there is a buffer for each of them.
    fn wanted(&mut self, columns: usize, steps: usize) -> usize {
        let work_ns = columns.saturating_mul(SERIES_NS + steps.saturating_mul(STEP_NS));
        // Asking for the threads starts them.
        let workers = match work_ns / WORK_PER_WORKER_MIN_NS {
            0 | 1 => 1,
            wanted => wanted.min(rayon::current_num_threads()).min(columns).max(1),
        };
        if self.buffers.len() < workers {
            self.buffers.resize_with(workers, Buffer::default);
        }
        workers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::EvalOptions;
    use narthex_diag::Span;
    use narthex_plan::QueryParameters;

    fn context() -> QueryContext {
        QueryContext::new(QueryParameters::instant(0, 1, 1), crate::Limits::DEFAULT, EvalOptions::STABLE)
    }

    #[test]
    fn every_series_is_computed_once_in_order() {
        let (context, mut workers) = (context(), Workers::default());
        let mut batch = SeriesBatch::new();
        for count in [0, 1, 7, 8, 100, 3] {
            let outcome = workers.fill(&context, &mut batch, 5..5 + count, 1, |series, _, column| {
                column.set_float(0, series as f64);
                Ok(())
            });
            outcome.unwrap();
            let seen: Vec<(usize, Option<f64>)> =
                batch.iter().map(|(series, column)| (series, column.float(0))).collect();
            assert_eq!(seen, (5..5 + count).map(|series| (series, Some(series as f64))).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_error_wins() {
        let mut batch = SeriesBatch::new();
        let outcome = Workers::default().fill(&context(), &mut batch, 0..100, 1, |series, _, _| {
            if series < 17 { Ok(()) } else { Err(EvalError::execution(format!("{series}"), Span::default())) }
        });
        assert_eq!(outcome.unwrap_err().to_string(), "17");
    }
}
