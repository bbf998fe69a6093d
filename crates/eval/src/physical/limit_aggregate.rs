//! `limitk` and `limit_ratio`.

use std::sync::Arc;

use narthex_plan::logical::Grouping;
use narthex_promql::aggregations::AggregateOp;

use super::scalar::ScalarInput;
use super::{BoxedOperator, Description, Operator, SeriesMetadata, drain};
use crate::aggregations::groups::{Groups, grouping_text};
use crate::aggregations::parameter::{element_counts, element_shares};
use crate::column::SeriesBatch;
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// What is let through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    /// The first elements of each group: `limitk`.
    Count,
    /// Elements by the hash of their labels: `limit_ratio`.
    Ratio,
}

/// What has been worked out before any element is seen.
enum Rule {
    Nothing,
    Count {
        groups: Groups,
        counts: Vec<usize>,
        /// Elements let through, by group and step.
        taken: Vec<usize>,
    },
    Ratio {
        shares: Vec<f64>,
        /// Where each series stands among all, in [0, 1).
        offsets: Vec<f64>,
    },
}

/// Removes elements from its input's columns in place.
pub(super) struct LimitAggregate<'a> {
    limit: Limit,
    grouping: &'a Grouping,
    parameter: ScalarInput<'a>,
    input: BoxedOperator<'a>,
    steps: usize,
    rule: Rule,
    held: Reservation,
}

impl<'a> LimitAggregate<'a> {
    /// As much of `input` as `parameter` says.
    pub(super) fn new(
        limit: Limit,
        grouping: &'a Grouping,
        parameter: ScalarInput<'a>,
        input: BoxedOperator<'a>,
        steps: usize,
    ) -> LimitAggregate<'a> {
        LimitAggregate {
            limit,
            grouping,
            parameter,
            input,
            steps,
            rule: Rule::Nothing,
            held: Reservation::default(),
        }
    }

    fn rule(&mut self, input: &[SeriesMetadata], context: &QueryContext) -> Result<Rule, EvalError> {
        let parameter = self.parameter.column(context)?;
        let span = self.parameter.span();
        Ok(match self.limit {
            Limit::Count => match element_counts(&parameter, span)? {
                None => Rule::Nothing,
                Some(counts) => {
                    let groups = Groups::new(input, self.grouping, context)?;
                    self.held = context.reserve(groups.len() * self.steps * size_of::<usize>())?;
                    let taken = vec![0; groups.len() * self.steps];
                    Rule::Count { groups, counts, taken }
                }
            },
            Limit::Ratio => match element_shares(&parameter, span, context)? {
                None => Rule::Nothing,
                Some(shares) => {
                    let offset = |series: &SeriesMetadata| series.labels.xxh64() as f64 / u64::MAX as f64;
                    self.held = context.reserve(input.len() * size_of::<f64>())?;
                    Rule::Ratio { shares, offsets: input.iter().map(offset).collect() }
                }
            },
        })
    }
}

impl Rule {
    fn apply(&mut self, series: usize, column: &mut StepColumn) {
        for step in 0..column.len() {
            if column.is_present(step) && !self.takes(series, step, column.len()) {
                column.remove(step);
            }
        }
    }

    fn takes(&mut self, series: usize, step: usize, steps: usize) -> bool {
        match self {
            Rule::Nothing => false,
            Rule::Count { groups, counts, taken } => {
                let taken = &mut taken[groups.of_series[series] * steps + step];
                let is_taken = *taken < counts[step];
                *taken += usize::from(is_taken);
                is_taken
            }
            Rule::Ratio { shares, offsets } => is_in_share(offsets[series], shares[step]),
        }
    }
}

/// A share of r and one of r − 1 complete each other.
fn is_in_share(offset: f64, share: f64) -> bool {
    if share >= 0.0 { offset < share } else { offset >= 1.0 + share }
}

impl Operator for LimitAggregate<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        self.rule = self.rule(&input, context)?;
        if matches!(self.rule, Rule::Nothing) {
            drain(&mut *self.input, context)?;
            return Ok(Arc::new([]));
        }
        Ok(input)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        if matches!(self.rule, Rule::Nothing) {
            batch.start(0);
            return Ok(false);
        }
        let has_more = self.input.next_batch(context, batch)?;
        for (series, column) in (batch.first..).zip(&mut batch.columns) {
            self.rule.apply(series, column);
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        let op = match self.limit {
            Limit::Count => AggregateOp::Limitk,
            Limit::Ratio => AggregateOp::LimitRatio,
        };
        let line = format!("{}{}", op.as_str(), grouping_text(self.grouping));
        Description { line, inputs: vec![self.parameter.operator(), &*self.input] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_complete_each_other() {
        for offset in [0.0, 0.25, 0.5, 0.999] {
            for share in [0.0, 0.25, 0.5, 1.0] {
                assert_ne!(is_in_share(offset, share), is_in_share(offset, share - 1.0) && share < 1.0);
            }
        }
    }
}
