//! An operator that takes its batches from where several do.

use std::sync::Arc;

use super::{Alone, Link, Outline, Supply};
use crate::column::SeriesBatch;
use crate::physical::exchange::Workers;
use crate::physical::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::{EvalError, QueryContext};

/// Takes batches at its own pace.
pub(in crate::physical) struct SharedReader<'a> {
    link: Link<'a>,
    alone: Alone<'a>,
    state: State<'a>,
    /// Series taken so far.
    taken: usize,
    line: String,
    outline: Option<Outline>,
}

enum State<'a> {
    /// Takes what is shared.
    Together,
    /// Has an operator of its own.
    Alone(BoxedOperator<'a>),
    /// Goes on alone from where it was left behind.
    Behind(Workers),
}

impl<'a> SharedReader<'a> {
    /// Reads through `link`, or what `alone` makes. `line` and `outline` describe it.
    pub(in crate::physical) fn new(
        link: Link<'a>,
        alone: Alone<'a>,
        line: String,
        outline: Option<Outline>,
    ) -> SharedReader<'a> {
        SharedReader { link, alone, state: State::Together, taken: 0, line, outline }
    }
}

impl Operator for SharedReader<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        match self.link.series()? {
            Supply::Shared(series) => Ok(series),
            Supply::Alone => {
                let mut operator = (self.alone)()?;
                let series = operator.series(context);
                self.state = State::Alone(operator);
                series
            }
        }
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        if let State::Together = self.state {
            let supply = self.link.producer.next(self.link.outlet, self.link.taker, batch);
            match supply.map_err(|error| self.link.here(error))? {
                Supply::Shared(has_more) => {
                    self.taken = batch.first + batch.columns.len();
                    return Ok(has_more);
                }
                Supply::Alone => self.state = State::Behind(Workers::default()),
            }
        }
        match &mut self.state {
            State::Alone(operator) => operator.next_batch(context, batch),
            State::Behind(workers) => {
                let producer = &self.link.producer;
                let has_more =
                    producer.next_alone(self.link.outlet, self.taken, (workers, context), batch)?;
                self.taken += batch.columns.len();
                Ok(has_more)
            }
            State::Together => Ok(false),
        }
    }

    fn describe(&self) -> Description<'_> {
        let inputs = self.outline.iter().map(|outline| outline as &dyn Operator).collect();
        Description { line: self.line.clone(), inputs }
    }
}
