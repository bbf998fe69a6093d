//! Unary minus.

use std::sync::Arc;

use narthex_promql::ValueType;

use super::relabel::renamed;
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// Changes the sign of every element of its input; of a histogram that of all counts and the sum.
pub(super) struct Negate<'a> {
    input: BoxedOperator<'a>,
    input_type: ValueType,
    output: Reservation,
}

impl<'a> Negate<'a> {
    /// The opposite of `input`, a scalar or an instant vector.
    pub(super) fn new(input: BoxedOperator<'a>, input_type: ValueType) -> Negate<'a> {
        Negate { input, input_type, output: Reservation::default() }
    }
}

impl Operator for Negate<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        if self.input_type == ValueType::Scalar {
            return Ok(input);
        }
        let (series, held) = renamed(&input, context, |series| series.without_name(context))?;
        self.output = held;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.input.next_batch(context, batch)?;
        batch.columns.iter_mut().for_each(negate);
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        Description { line: "negate".into(), inputs: vec![&*self.input] }
    }
}

fn negate(column: &mut StepColumn) {
    column.values_mut().iter_mut().for_each(|value| *value = -*value);
    if !column.has_histograms() {
        return;
    }
    for step in 0..column.len() {
        if let Some(histogram) = column.histogram(step) {
            let mut opposite = (**histogram).clone();
            opposite.negate();
            column.set_histogram(step, Arc::new(opposite));
        }
    }
}

#[cfg(test)]
mod tests {
    use narthex_model::{CounterResetHint, FloatHistogram};

    use super::*;

    #[test]
    fn signs_change_and_histograms_become_gauges() {
        let mut column = StepColumn::new(3);
        column.set_float(0, 2.0);
        column.set_histogram(2, Arc::new(FloatHistogram { count: 3.0, ..FloatHistogram::default() }));
        negate(&mut column);
        let histogram = column.histogram(2).unwrap();
        assert_eq!((column.float(0), histogram.count), (Some(-2.0), -3.0));
        assert_eq!(histogram.counter_reset_hint, CounterResetHint::Gauge);
        assert!(!column.is_present(1));
    }
}
