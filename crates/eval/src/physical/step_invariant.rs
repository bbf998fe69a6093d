//! A value computed once and repeated at every step.

use std::sync::Arc;

use super::{Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::{EvalError, QueryContext};

/// Evaluates its input on a grid of one step.
pub(super) struct StepInvariant<'a> {
    input: Box<dyn Operator + 'a>,
    steps: usize,
    once: SeriesBatch,
}

impl<'a> StepInvariant<'a> {
    /// `input` evaluates on one step, what it yields is repeated `steps` times.
    pub(super) fn new(input: Box<dyn Operator + 'a>, steps: usize) -> StepInvariant<'a> {
        StepInvariant { input, steps, once: SeriesBatch::new() }
    }
}

impl Operator for StepInvariant<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        self.input.series(context)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.input.next_batch(context, &mut self.once)?;
        batch.start(self.once.first);
        for once in &self.once.columns {
            let column = batch.push_column(self.steps);
            if let Some(value) = once.get(0) {
                (0..self.steps).for_each(|step| column.set_ref(step, value));
            }
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        Description { line: "repeat one step".into(), inputs: vec![&*self.input] }
    }
}
