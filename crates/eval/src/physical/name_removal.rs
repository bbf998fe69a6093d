//! The end of delayed name removal: series that were marked on the way lose metric name, type and unit.

use std::sync::Arc;

use super::relabel::renamed;
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::memory::Reservation;
use crate::{EvalError, QueryContext};

/// Takes the names of marked series away; values pass through.
pub(super) struct NameRemoval<'a> {
    input: BoxedOperator<'a>,
    output: Reservation,
}

impl<'a> NameRemoval<'a> {
    pub(super) fn new(input: BoxedOperator<'a>) -> NameRemoval<'a> {
        NameRemoval { input, output: Reservation::default() }
    }
}

impl Operator for NameRemoval<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        if input.iter().all(|series| !series.drops_name) {
            return Ok(input);
        }
        let unmarked =
            |series: &SeriesMetadata| SeriesMetadata { labels: series.final_labels(), drops_name: false };
        let (series, held) = renamed(&input, context, unmarked)?;
        self.output = held;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        self.input.next_batch(context, batch)
    }

    fn describe(&self) -> Description<'_> {
        Description { line: "remove marked names".into(), inputs: vec![&*self.input] }
    }
}
