//! What an aggregation makes of the elements of a group: one accumulator over whole columns per group.
//!
//! One file per way of accumulating; the operators of `physical` know the groups.

mod average;
mod count;
mod extremes;
pub(crate) mod groups;
mod histogram_group;
pub(crate) mod histogram_mean;
pub(crate) mod parameter;
mod quantile;
pub(crate) mod rank;
mod sum;
mod variance;

use narthex_diag::Span;
use narthex_promql::aggregations::AggregateOp;

use crate::{AnnotationKind, QueryContext, StepColumn};

/// What an accumulator knows of its surroundings.
#[derive(Clone, Copy)]
pub(crate) struct AggregateContext<'a> {
    /// The query.
    pub query: &'a QueryContext,
    /// The aggregated expression, where annotations point.
    pub span: Span,
    /// φ at every step, for `quantile`.
    pub parameter: &'a StepColumn,
}

impl AggregateContext<'_> {
    /// Says something about the aggregated expression.
    pub(crate) fn annotate(&self, kind: AnnotationKind) {
        self.query.annotate(kind, self.span);
    }
}

/// What is known so far of one group at every step.
pub(crate) trait Accumulator: Send {
    /// Takes in the next series; `metric` is its name.
    fn add(&mut self, column: &StepColumn, metric: &str, context: &AggregateContext<'_>);

    /// Bytes held, which never fall before the end.
    fn size_bytes(&self) -> usize;

    /// Puts the results into `out`, a column of absent steps.
    fn finish(&mut self, context: &AggregateContext<'_>, out: &mut StepColumn);
}

/// The accumulator of `op` over `steps` steps; `None` for operators that yield elements of their input, and for
/// `count_values`.
pub(crate) fn accumulator(op: AggregateOp, steps: usize) -> Option<Box<dyn Accumulator>> {
    Some(match op {
        AggregateOp::Sum => Box::new(sum::Sum::new(steps)),
        AggregateOp::Avg => Box::new(average::Average::new(steps)),
        AggregateOp::Count => Box::new(count::Count::new(steps)),
        AggregateOp::Group => Box::new(count::Group::new(steps)),
        AggregateOp::Min => Box::new(extremes::Extreme::smallest(steps)),
        AggregateOp::Max => Box::new(extremes::Extreme::largest(steps)),
        AggregateOp::Stddev => Box::new(variance::Variance::root(steps)),
        AggregateOp::Stdvar => Box::new(variance::Variance::plain(steps)),
        AggregateOp::Quantile => Box::new(quantile::Quantile::new(steps)),
        AggregateOp::Topk
        | AggregateOp::Bottomk
        | AggregateOp::CountValues
        | AggregateOp::Limitk
        | AggregateOp::LimitRatio => return None,
    })
}

/// Calls `take` with every float of a column; says once per column that histograms are left out.
fn for_each_float(
    column: &StepColumn,
    name: &'static str,
    context: &AggregateContext<'_>,
    mut take: impl FnMut(usize, f64),
) {
    if !column.has_histograms() {
        let values = column.values();
        column.presence().iter().for_each(|step| take(step, values[step]));
        return;
    }
    let mut ignores_histograms = false;
    for (step, value) in column.iter() {
        match value {
            crate::SampleRef::Float(value) => take(step, value),
            crate::SampleRef::Histogram(_) => ignores_histograms = true,
        }
    }
    if ignores_histograms {
        context.annotate(AnnotationKind::HistogramIgnoredInAggregation(name));
    }
}

#[cfg(test)]
mod tests;
