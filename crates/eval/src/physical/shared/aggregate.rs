//! An aggregation that is fed by what several take.

use std::sync::{Arc, Mutex};

use super::{Alone, Link, Outline, Sink, Supply, locked};
use crate::aggregations::groups::grouping_text;
use crate::column::SeriesBatch;
use crate::physical::aggregate_state::AggregateState;
use crate::physical::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::{EvalError, QueryContext, StepColumn};

/// Takes in columns while they go by. In step with all other aggregations of the same input, it needs no more of it
/// than a batch at a time.
pub(in crate::physical) struct SharedAggregate<'a> {
    link: Link<'a>,
    fed: Arc<Mutex<Fed<'a>>>,
    alone: Alone<'a>,
    /// The operator that computes alone.
    operator: Option<BoxedOperator<'a>>,
    has_finished: bool,
    line: String,
    input: Outline,
}

/// What is fed.
pub(in crate::physical) struct Fed<'a> {
    state: AggregateState<'a>,
    context: QueryContext,
    series: Option<Arc<[SeriesMetadata]>>,
    failed: Option<EvalError>,
}

impl<'a> Fed<'a> {
    /// `context` is the view for the aggregation.
    pub(in crate::physical) fn new(state: AggregateState<'a>, context: QueryContext) -> Fed<'a> {
        Fed { state, context, series: None, failed: None }
    }

    fn failure(&self) -> Result<(), EvalError> {
        self.failed.clone().map_or(Ok(()), Err)
    }
}

impl Sink for Fed<'_> {
    fn begin(&mut self, series: &Arc<[SeriesMetadata]>) {
        if self.series.is_none() && self.failed.is_none() {
            match self.state.group(Arc::clone(series), &self.context) {
                Ok(groups) => self.series = Some(groups),
                Err(error) => self.failed = Some(error),
            }
        }
    }

    fn accept(&mut self, series: usize, column: &StepColumn) {
        if self.failed.is_none() {
            self.failed = self.state.add(series, column, &self.context).err();
        }
    }
}

impl<'a> SharedAggregate<'a> {
    /// `fed` is what was joined to the producer of `link`; `input` describes what is taken.
    pub(in crate::physical) fn new(
        link: Link<'a>,
        fed: Arc<Mutex<Fed<'a>>>,
        alone: Alone<'a>,
        input: Outline,
    ) -> SharedAggregate<'a> {
        let line = {
            let state = &locked(&fed).state;
            format!("{}{}", state.op.as_str(), grouping_text(state.grouping))
        };
        SharedAggregate { link, fed, alone, operator: None, has_finished: false, line, input }
    }
}

impl Operator for SharedAggregate<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        match self.link.series()? {
            Supply::Shared(series) => {
                let mut fed = locked(&self.fed);
                fed.begin(&series);
                fed.failure()?;
                Ok(fed.series.clone().unwrap_or_else(|| Arc::new([])))
            }
            Supply::Alone => {
                let mut operator = (self.alone)()?;
                let series = operator.series(context);
                self.operator = Some(operator);
                series
            }
        }
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        if let Some(operator) = &mut self.operator {
            return operator.next_batch(context, batch);
        }
        if !std::mem::replace(&mut self.has_finished, true) {
            let finished = self.link.producer.finish(self.link.outlet);
            finished.map_err(|error| self.link.here(error))?;
        }
        let mut fed = locked(&self.fed);
        fed.failure()?;
        Ok(fed.state.hand_out(context, batch))
    }

    fn describe(&self) -> Description<'_> {
        Description { line: self.line.clone(), inputs: vec![&self.input] }
    }
}
