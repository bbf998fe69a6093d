//! `quantile`.

use super::{Accumulator, AggregateContext, for_each_float};
use crate::StepColumn;
use crate::quantile::quantile;

/// All floats of every step; a quantile needs them at once.
pub(super) struct Quantile {
    values: Vec<Vec<f64>>,
}

impl Quantile {
    pub(super) fn new(steps: usize) -> Quantile {
        Quantile { values: vec![Vec::new(); steps] }
    }
}

impl Accumulator for Quantile {
    fn add(&mut self, column: &StepColumn, _: &str, context: &AggregateContext<'_>) {
        let values = &mut self.values;
        for_each_float(column, "quantile", context, |step, value| values[step].push(value));
    }

    fn finish(&mut self, context: &AggregateContext<'_>, out: &mut StepColumn) {
        for (step, values) in self.values.iter_mut().enumerate().filter(|(_, values)| !values.is_empty()) {
            let phi = context.parameter.float(step).unwrap_or(f64::NAN);
            out.set_float(step, quantile(phi, values));
        }
    }
}
