//! One operator for several takers.

use std::sync::{Arc, Mutex};

use super::outlet::{Outlet, kept_bytes_max};
use super::{Producer, Sink, Supply, locked};
use crate::column::SeriesBatch;
use crate::memory::column_bytes;
use crate::physical::exchange::Workers;
use crate::physical::{BoxedOperator, SeriesMetadata};
use crate::{EvalError, EvalErrorKind, QueryContext};

/// Runs an operator for all who take its batches. It has one outlet.
pub(super) struct Hub<'a> {
    state: Mutex<State<'a>>,
    context: QueryContext,
    steps: usize,
}

struct State<'a> {
    input: BoxedOperator<'a>,
    outlet: Outlet<'a>,
    /// Known once the input was asked.
    series: Option<Result<Arc<[SeriesMetadata]>, EvalError>>,
    has_begun: bool,
    is_done: bool,
    failed: Option<EvalError>,
    batch: SeriesBatch,
}

impl<'a> Hub<'a> {
    /// `input` computes `steps` steps in surroundings whose annotations all takers hear.
    pub(super) fn new(input: BoxedOperator<'a>, context: QueryContext, steps: usize) -> Hub<'a> {
        let (outlet, batch) = (Outlet::default(), SeriesBatch::new());
        let (series, has_begun, is_done, failed) = (None, false, false, None);
        let state = State { input, outlet, series, has_begun, is_done, failed, batch };
        Hub { state: Mutex::new(state), context, steps }
    }

    /// Asks for the series when nobody has; takers that would make it keep too much are left behind before they know
    /// any.
    fn opened(&self, state: &mut State<'a>) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        if let Some(series) = &state.series {
            return series.clone();
        }
        let series = state.input.series(&self.context);
        if let Ok(series) = &series
            && series.len().saturating_mul(column_bytes(self.steps)) > kept_bytes_max(&self.context)
        {
            state.outlet.leave_behind_askers();
        }
        state.series = Some(series.clone());
        series
    }

    /// Computes the next batch and hands it out; `false` after the last.
    fn advance(&self, state: &mut State<'a>) -> Result<bool, EvalError> {
        let State { input, outlet, batch, .. } = state;
        if !input.next_batch(&self.context, batch)? {
            state.is_done = true;
            return Ok(false);
        }
        for (series, column) in batch.iter() {
            outlet.feed(series, column);
        }
        if outlet.is_asked() {
            outlet.keep(batch.first, std::mem::take(&mut batch.columns), &self.context)?;
        }
        Ok(true)
    }

    /// Sinks know the series before the first batch goes by.
    fn begin(&self, state: &mut State<'a>) -> Result<(), EvalError> {
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        if !std::mem::replace(&mut state.has_begun, true) {
            let series = self.opened(state)?;
            state.outlet.begin(&series);
        }
        Ok(())
    }

    fn run(
        &self,
        state: &mut State<'a>,
        mut step: impl FnMut(&mut State<'a>) -> Result<Option<bool>, EvalError>,
    ) -> Result<bool, EvalError> {
        self.begin(state)?;
        loop {
            let outcome = step(state).and_then(|answer| match answer {
                Some(has_more) => Ok(Some(has_more)),
                None if state.is_done => Ok(Some(false)),
                None => self.advance(state).map(|_| None),
            });
            match outcome {
                Ok(Some(has_more)) => return Ok(has_more),
                Ok(None) => {}
                Err(error) => {
                    state.failed = Some(error.clone());
                    return Err(error);
                }
            }
        }
    }
}

impl<'a> Producer<'a> for Hub<'a> {
    fn join(&self, _: usize) -> usize {
        locked(&self.state).outlet.join()
    }

    fn join_sink(&self, _: usize, sink: Arc<Mutex<dyn Sink + 'a>>) -> usize {
        locked(&self.state).outlet.join_sink(sink)
    }

    fn leave(&self, _: usize, taker: usize) {
        locked(&self.state).outlet.leave(taker);
    }

    fn series(&self, _: usize, taker: usize) -> Result<Supply<Arc<[SeriesMetadata]>>, EvalError> {
        let state = &mut *locked(&self.state);
        match self.opened(state) {
            Ok(series) if state.outlet.serves(taker) => Ok(Supply::Shared(series)),
            Ok(_) => Ok(Supply::Alone),
            Err(error) if error.kind() == EvalErrorKind::Limit => Ok(Supply::Alone),
            Err(error) => Err(error),
        }
    }

    fn next(&self, _: usize, taker: usize, batch: &mut SeriesBatch) -> Result<Supply<bool>, EvalError> {
        let state = &mut *locked(&self.state);
        let has_more = self.run(state, |state| {
            if state.outlet.take(taker, batch) {
                return Ok(Some(true));
            }
            if state.is_done || !state.outlet.is_sole(taker) {
                return Ok(None);
            }
            let has_more = state.input.next_batch(&self.context, batch)?;
            state.is_done = !has_more;
            Ok(Some(has_more))
        })?;
        if !has_more {
            batch.start(0);
        }
        Ok(Supply::Shared(has_more))
    }

    fn finish(&self, _: usize) -> Result<(), EvalError> {
        let state = &mut *locked(&self.state);
        self.run(state, |_| Ok(None)).map(drop)
    }

    /// Nobody is left behind once there are batches.
    fn next_alone(
        &self,
        _: usize,
        _: usize,
        _: (&mut Workers, &QueryContext),
        batch: &mut SeriesBatch,
    ) -> Result<bool, EvalError> {
        batch.start(0);
        Ok(false)
    }
}
