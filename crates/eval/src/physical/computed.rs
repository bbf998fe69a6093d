//! Results that had to be computed before their series could be named.

use crate::column::SeriesBatch;
use crate::limits::column_samples;
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// All columns of an operator, handed out as one batch. They count as held until then.
#[derive(Debug, Default)]
pub(super) struct Computed {
    columns: Vec<StepColumn>,
    held_samples: usize,
    /// What the columns take.
    bytes: Reservation,
    /// What the series take, which stay named when their columns are gone.
    _series: Reservation,
}

impl Computed {
    /// Keeps the columns of all series, which take `bytes`; their names take `series`.
    pub(super) fn new(
        columns: Vec<StepColumn>,
        bytes: Reservation,
        series: Reservation,
        context: &QueryContext,
    ) -> Result<Computed, EvalError> {
        let held_samples = columns.iter().map(column_samples).sum();
        context.hold_samples(held_samples)?;
        Ok(Computed { columns, held_samples, bytes, _series: series })
    }

    /// The only batch, then none.
    pub(super) fn hand_out(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> bool {
        batch.start(0);
        batch.columns = std::mem::take(&mut self.columns);
        // From here on the batch counts.
        drop(std::mem::take(&mut self.bytes));
        context.release_samples(std::mem::take(&mut self.held_samples));
        !batch.columns.is_empty()
    }
}
