//! The operators behind a shared value, for `explain`: whoever runs them cannot be looked into.

use std::sync::Arc;

use crate::column::SeriesBatch;
use crate::physical::{Description, Operator, SeriesMetadata};
use crate::{EvalError, QueryContext};

/// The tree of an operator as text. Yields nothing.
pub(in crate::physical) struct Outline {
    line: String,
    inputs: Vec<Outline>,
}

impl Outline {
    /// An operator of this line that reads from `input`.
    pub(in crate::physical) fn new(line: String, input: Option<Outline>) -> Outline {
        Outline { line, inputs: input.into_iter().collect() }
    }

    pub(super) fn of(operator: &dyn Operator) -> Outline {
        let Description { line, inputs } = operator.describe();
        Outline { line, inputs: inputs.into_iter().map(Outline::of).collect() }
    }
}

impl Operator for Outline {
    fn series(&mut self, _: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        Ok(Arc::new([]))
    }

    fn next_batch(&mut self, _: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        batch.start(0);
        Ok(false)
    }

    fn describe(&self) -> Description<'_> {
        let inputs = self.inputs.iter().map(|input| input as &dyn Operator).collect();
        Description { line: self.line.clone(), inputs }
    }
}
