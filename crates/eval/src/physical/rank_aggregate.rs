//! `topk` and `bottomk`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use narthex_diag::Span;
use narthex_plan::logical::Grouping;
use narthex_promql::aggregations::AggregateOp;

use super::computed::Computed;
use super::scalar::ScalarInput;
use super::{BoxedOperator, Description, Operator, SeriesMetadata, drain};
use crate::aggregations::groups::{Groups, grouping_text};
use crate::aggregations::parameter::element_counts;
pub(super) use crate::aggregations::rank::Best;
use crate::aggregations::rank::Ranking;
use crate::column::SeriesBatch;
use crate::memory::{Reservation, column_bytes, list_bytes};
use crate::{AnnotationKind, EvalError, QueryContext, SampleRef, StepColumn};

/// What keeping a series takes besides its column: its place in the map and in the order.
const KEPT_BYTES: usize = 2 * (size_of::<usize>() + size_of::<StepColumn>());

/// Keeps the best elements of each group. Which series these are from is known only after all input is read, so that
/// happens before the series are named; of the input no more is held than is kept.
pub(super) struct RankAggregate<'a> {
    best: Best,
    grouping: &'a Grouping,
    parameter: ScalarInput<'a>,
    input: BoxedOperator<'a>,
    steps: usize,
    input_span: Span,
    computed: Computed,
}

impl<'a> RankAggregate<'a> {
    /// The best `parameter` elements per group of `input`, which stands at `input_span`.
    pub(super) fn new(
        best: Best,
        grouping: &'a Grouping,
        parameter: ScalarInput<'a>,
        input: BoxedOperator<'a>,
        steps: usize,
        input_span: Span,
    ) -> RankAggregate<'a> {
        RankAggregate { best, grouping, parameter, input, steps, input_span, computed: Computed::default() }
    }

    fn op(&self) -> AggregateOp {
        match self.best {
            Best::Largest => AggregateOp::Topk,
            Best::Smallest => AggregateOp::Bottomk,
        }
    }

    /// Reads the input; one ranking per group and step.
    fn rank(
        &mut self,
        groups: &Groups,
        counts: &[usize],
        context: &QueryContext,
    ) -> Result<(Vec<Ranking>, Reservation), EvalError> {
        let mut held = context.reserve(groups.len() * self.steps * size_of::<Ranking>())?;
        let mut rankings = vec![Ranking::default(); groups.len() * self.steps];
        let mut batch = SeriesBatch::new();
        let mut ignores_histograms = false;
        while self.input.next_batch(context, &mut batch)? {
            context.check()?;
            for (series, column) in batch.iter() {
                let mut taken = 0;
                let of_group = &mut rankings[groups.of_series[series] * self.steps..][..self.steps];
                for (step, value) in column.iter() {
                    match value {
                        SampleRef::Float(value) => {
                            taken += of_group[step].offer(self.best, counts[step], series, value);
                        }
                        SampleRef::Histogram(_) => ignores_histograms = true,
                    }
                }
                held.grow(taken)?;
            }
        }
        if ignores_histograms {
            let kind = AnnotationKind::HistogramIgnoredInAggregation(self.op().as_str());
            context.annotate(kind, self.input_span);
        }
        Ok((rankings, held))
    }
}

impl Operator for RankAggregate<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        let parameter = self.parameter.column(context)?;
        let Some(counts) = element_counts(&parameter, self.parameter.span())? else {
            drain(&mut *self.input, context)?;
            return Ok(Arc::new([]));
        };
        let groups = Groups::new(&input, self.grouping, context)?;
        let (rankings, _rankings_held) = self.rank(&groups, &counts, context)?;
        // The order of a single step is the ranking's, group by group; otherwise that of the input.
        let mut kept: BTreeMap<usize, StepColumn> = BTreeMap::new();
        let mut order = Vec::new();
        let mut bytes = context.reserve(0)?;
        for (at, ranking) in rankings.into_iter().enumerate() {
            context.check()?;
            for (series, value) in ranking.into_sorted() {
                if self.steps == 1 {
                    order.push(series);
                }
                if let Entry::Vacant(place) = kept.entry(series) {
                    bytes.grow(KEPT_BYTES + column_bytes(self.steps))?;
                    place.insert(StepColumn::new(self.steps));
                }
                if let Some(column) = kept.get_mut(&series) {
                    column.set_float(at % self.steps, value);
                }
            }
        }
        if self.steps > 1 {
            order = kept.keys().copied().collect();
        }
        let columns = order.iter().filter_map(|series| kept.remove(series)).collect();
        let list = context.reserve(2 * list_bytes(order.len()))?;
        self.computed = Computed::new(columns, bytes, list, context)?;
        Ok(order.iter().map(|&series| input[series].clone()).collect())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        Ok(self.computed.hand_out(context, batch))
    }

    fn describe(&self) -> Description<'_> {
        let line = format!("{}{}", self.op().as_str(), grouping_text(self.grouping));
        Description { line, inputs: vec![self.parameter.operator(), &*self.input] }
    }
}
