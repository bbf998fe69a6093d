//! Series-parallel computation: the only place of this crate that spawns work.
//!
//! A batch is cut into as many runs of series as there are workers. Each worker has a buffer of its own and writes
//! columns that nobody else touches; the order of series, and so every result, is the same with any number of workers.

use rayon::prelude::*;

use narthex_storage::SampleBuffer;

use crate::column::SeriesBatch;
use crate::memory::{Reservation, buffer_bytes};
use crate::{EvalError, QueryContext, StepColumn};

/// Fewer series than this are not worth waking another worker for.
const SERIES_PER_WORKER_MIN: usize = 8;

/// The sample buffers of all workers, kept from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Workers {
    buffers: Vec<Buffer>,
}

/// The samples of one worker, with what they take.
#[derive(Debug, Default)]
struct Buffer {
    samples: SampleBuffer,
    held: Reservation,
}

impl Buffer {
    /// Counts what the buffer takes now, which changes where a series is larger than all before.
    fn settle(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        if !self.held.is_attached() {
            self.held = context.reserve(0)?;
        }
        self.held.resize(buffer_bytes(&self.samples))
    }
}

impl Workers {
    /// Fills `batch` with the columns of `series`, each of `steps` steps. `compute` gets the number of a series, a buffer
    /// to read samples into and the column to fill; it must not depend on the order of calls.
    ///
    /// # Errors
    /// The error of the first series that has one, that of a limit or of a query told to stop included.
    pub(super) fn fill(
        &mut self,
        context: &QueryContext,
        batch: &mut SeriesBatch,
        series: std::ops::Range<usize>,
        steps: usize,
        compute: impl Fn(usize, &mut SampleBuffer, &mut StepColumn) -> Result<(), EvalError> + Sync,
    ) -> Result<(), EvalError> {
        let first = series.start;
        batch.start(first);
        series.for_each(|_| {
            batch.push_column(steps);
        });
        let workers = self.wanted(batch.columns.len());
        let run = batch.columns.len().div_ceil(workers).max(1);
        let work = |at: usize, buffer: &mut Buffer, columns: &mut [StepColumn]| {
            let mut numbered = (first + at * run..).zip(columns);
            numbered.try_for_each(|(series, column)| {
                compute(series, &mut buffer.samples, column)?;
                context.check()?;
                buffer.settle(context)
            })
        };
        if workers == 1 {
            return work(0, &mut self.buffers[0], &mut batch.columns);
        }
        let runs = batch.columns.par_chunks_mut(run).zip(&mut self.buffers).enumerate();
        let outcomes: Vec<Result<(), EvalError>> =
            runs.map(|(at, (columns, buffer))| work(at, buffer, columns)).collect();
        outcomes.into_iter().collect()
    }

    /// How many workers share `columns` columns; there is a buffer for each of them.
    fn wanted(&mut self, columns: usize) -> usize {
        let workers = (columns / SERIES_PER_WORKER_MIN).clamp(1, rayon::current_num_threads());
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
