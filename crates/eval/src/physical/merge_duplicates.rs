//! Series that became identical: one series if they never collide, an error if they do.

use std::collections::HashMap;
use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::Labels;

use super::{Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::memory::{Reservation, column_bytes, list_bytes, table_bytes};
use crate::{EvalError, QueryContext, StepColumn};

/// What makes two identical series a collision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Collision {
    /// Samples at the same step.
    SameStep,
    /// Samples at all.
    AnyStep,
}

/// Merges the input's series of equal labels. Without such series batches pass through.
pub(super) struct MergeDuplicates<'a> {
    input: Box<dyn Operator + 'a>,
    collision: Collision,
    span: Span,
    /// The output series of each input series; empty when each has its own.
    slots: Vec<usize>,
    is_done: bool,
    steps: usize,
    held: Reservation,
    /// The merged columns, where the marks of the output had to be learned from them.
    early: Option<(Vec<StepColumn>, Reservation)>,
}

/// What came of the input.
struct Merged {
    columns: Vec<StepColumn>,
    held: Reservation,
    /// By output series: whether the one loses its name that has the first sample.
    drops_name: Vec<bool>,
}

impl<'a> MergeDuplicates<'a> {
    pub(super) fn new(
        input: Box<dyn Operator + 'a>,
        collision: Collision,
        steps: usize,
        span: Span,
    ) -> MergeDuplicates<'a> {
        let held = Reservation::default();
        MergeDuplicates {
            input,
            collision,
            span,
            slots: Vec::new(),
            is_done: false,
            steps,
            held,
            early: None,
        }
    }

    /// The distinct series of `input`. Apart from `series`, which nesting makes recurse.
    fn distinct(
        &mut self,
        input: Arc<[SeriesMetadata]>,
        context: &QueryContext,
    ) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        // What comes from a store is sorted, and stays so where all series lose the same name.
        if input.is_sorted_by(|left, right| left.labels < right.labels) {
            return Ok(input);
        }
        let _places_held = context.reserve(table_bytes::<&Labels, usize>(input.len()))?;
        let mut places: HashMap<&Labels, usize> = HashMap::with_capacity(input.len());
        let mut output: Vec<SeriesMetadata> = Vec::new();
        let mut slots = Vec::with_capacity(input.len());
        let mut marks_differ = false;
        for series in input.iter() {
            context.check()?;
            let slot = *places.entry(&series.labels).or_insert_with(|| {
                output.push(series.clone());
                output.len() - 1
            });
            marks_differ |= output[slot].drops_name != series.drops_name;
            slots.push(slot);
        }
        if output.len() == input.len() {
            return Ok(input);
        }
        self.held = context.reserve(list_bytes(output.len()) + slots.len() * size_of::<usize>())?;
        self.slots = slots;
        if marks_differ {
            let merged = self.merge_all(&input, context)?;
            for (series, drops_name) in output.iter_mut().zip(merged.drops_name) {
                series.drops_name = drops_name;
            }
            self.early = Some((merged.columns, merged.held));
        }
        Ok(output.into())
    }

    /// Of series that are the same but for their marks, that of the first sample counts, as upstream has it.
    fn merge_all(&mut self, input: &[SeriesMetadata], context: &QueryContext) -> Result<Merged, EvalError> {
        let outputs = self.slots.iter().max().map_or(0, |last| last + 1);
        let held = context.reserve(outputs * column_bytes(self.steps))?;
        let mut merged = vec![StepColumn::new(self.steps); outputs];
        let mut first_steps = vec![usize::MAX; outputs];
        let mut drops_name = vec![false; outputs];
        let mut batch = SeriesBatch::new();
        while self.input.next_batch(context, &mut batch)? {
            for (series, column) in batch.iter() {
                let slot = self.slots[series];
                self.merge(column, &mut merged[slot])?;
                let first_step = column.presence().iter().next().unwrap_or(usize::MAX);
                if first_step < first_steps[slot] {
                    first_steps[slot] = first_step;
                    drops_name[slot] = input.get(series).is_some_and(|series| series.drops_name);
                }
            }
        }
        Ok(Merged { columns: merged, held, drops_name })
    }

    fn merge(&self, column: &StepColumn, target: &mut StepColumn) -> Result<(), EvalError> {
        let collides = match self.collision {
            Collision::SameStep => target.presence().intersects(column.presence()),
            Collision::AnyStep => !target.is_absent() && !column.is_absent(),
        };
        if collides {
            return Err(same_labelset(self.span));
        }
        for (step, value) in column.iter() {
            target.set_ref(step, value);
        }
        Ok(())
    }
}

/// The error of two series that cannot be told apart.
fn same_labelset(span: Span) -> EvalError {
    EvalError::execution("vector cannot contain metrics with the same labelset", span)
}

impl Operator for MergeDuplicates<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        self.distinct(input, context)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        if self.slots.is_empty() {
            return self.input.next_batch(context, batch);
        }
        batch.start(0);
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(false);
        }
        // The batch counts from here on.
        batch.columns = match self.early.take() {
            Some((merged, _)) => merged,
            None => self.merge_all(&[], context)?.columns,
        };
        Ok(true)
    }

    fn describe(&self) -> Description<'_> {
        Description { line: "merge duplicates".into(), inputs: vec![&*self.input] }
    }
}
