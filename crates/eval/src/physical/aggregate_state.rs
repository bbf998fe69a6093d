//! What an aggregation knows while its input goes by, whoever hands it the columns.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_plan::logical::Grouping;
use narthex_promql::aggregations::AggregateOp;

use super::{SeriesMetadata, series_per_batch};
use crate::aggregations::groups::Groups;
use crate::aggregations::{Accumulator, AggregateContext, accumulator};
use crate::column::SeriesBatch;
use crate::limits::column_samples;
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// One accumulator per group: [`AggregateState::group`] first, then [`AggregateState::add`] for every series in order,
/// then [`AggregateState::hand_out`].
pub(super) struct AggregateState<'a> {
    pub(super) op: AggregateOp,
    pub(super) grouping: &'a Grouping,
    steps: usize,
    input_span: Span,
    /// φ of `quantile`.
    pub(super) parameter: StepColumn,
    input_series: Arc<[SeriesMetadata]>,
    groups: Groups,
    accumulators: Vec<Box<dyn Accumulator>>,
    /// Samples in the accumulators, which of most operators hold none.
    held_samples: usize,
    /// What the accumulators take.
    bytes: Reservation,
    /// Groups handed out.
    next: usize,
}

impl<'a> AggregateState<'a> {
    /// `op` over the groups of an input that stands at `input_span`, over `steps` steps.
    pub(super) fn new(
        op: AggregateOp,
        grouping: &'a Grouping,
        steps: usize,
        input_span: Span,
    ) -> AggregateState<'a> {
        AggregateState {
            op,
            grouping,
            steps,
            input_span,
            parameter: StepColumn::default(),
            input_series: Arc::new([]),
            groups: Groups::default(),
            accumulators: Vec::new(),
            held_samples: 0,
            bytes: Reservation::default(),
            next: 0,
        }
    }

    /// Learns the input series; yields one series per group.
    ///
    /// # Errors
    /// When the query would hold more bytes than it may, or was told to stop.
    pub(super) fn group(
        &mut self,
        series: Arc<[SeriesMetadata]>,
        context: &QueryContext,
    ) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        self.groups = Groups::new(&series, self.grouping, context)?;
        self.input_series = series;
        Ok(self.groups.metadata.as_slice().into())
    }

    /// Takes in the column of the input series of this number.
    ///
    /// # Errors
    /// When the query would hold more than it may.
    pub(super) fn add(
        &mut self,
        series: usize,
        column: &StepColumn,
        context: &QueryContext,
    ) -> Result<(), EvalError> {
        self.make_accumulators(context)?;
        if self.op == AggregateOp::Quantile {
            let held = column_samples(column);
            context.hold_samples(held)?;
            self.held_samples += held;
        }
        let metric = self.input_series[series].labels.metric_name();
        let accumulator = &mut self.accumulators[self.groups.of_series[series]];
        let before = accumulator.size_bytes();
        let surroundings =
            AggregateContext { query: context, span: self.input_span, parameter: &self.parameter };
        accumulator.add(column, metric, &surroundings);
        self.bytes.grow(accumulator.size_bytes() - before)
    }

    /// Not before the first column: an aggregation that waits for its turn takes no memory.
    fn make_accumulators(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        if self.bytes.is_attached() {
            return Ok(());
        }
        self.bytes = context.reserve(0)?;
        for _ in 0..self.groups.len() {
            let made = accumulator(self.op, self.steps);
            self.bytes.grow(made.iter().map(|one| one.size_bytes()).sum())?;
            self.accumulators.extend(made);
        }
        Ok(())
    }

    /// Fills `batch` with the next groups; `false` after the last.
    pub(super) fn hand_out(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> bool {
        let first = self.next;
        batch.start(first);
        self.next = (first + series_per_batch(self.steps)).min(self.accumulators.len());
        let surroundings =
            AggregateContext { query: context, span: self.input_span, parameter: &self.parameter };
        for accumulator in &mut self.accumulators[first..self.next] {
            accumulator.finish(&surroundings, batch.push_column(self.steps));
        }
        if first == self.next {
            context.release_samples(std::mem::take(&mut self.held_samples));
        }
        first < self.next
    }
}
