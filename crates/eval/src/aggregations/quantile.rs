//! `quantile`.

use super::{Accumulator, AggregateContext, for_each_float};
use crate::StepColumn;
use crate::quantile::quantile;

/// All floats of every step; a quantile needs them at once.
pub(super) struct Quantile {
    values: Vec<Vec<f64>>,
    /// What the lists of values take.
    value_bytes: usize,
}

impl Quantile {
    pub(super) fn new(steps: usize) -> Quantile {
        Quantile { values: vec![Vec::new(); steps], value_bytes: 0 }
    }
}

impl Accumulator for Quantile {
    fn add(&mut self, column: &StepColumn, _: &str, context: &AggregateContext<'_>) {
        let (values, bytes) = (&mut self.values, &mut self.value_bytes);
        for_each_float(column, "quantile", context, |step, value| {
            let before = values[step].capacity();
            values[step].push(value);
            *bytes += (values[step].capacity() - before) * size_of::<f64>();
        });
    }

    fn size_bytes(&self) -> usize {
        self.values.len() * size_of::<Vec<f64>>() + self.value_bytes
    }

    fn finish(&mut self, context: &AggregateContext<'_>, out: &mut StepColumn) {
        for (step, values) in self.values.iter_mut().enumerate().filter(|(_, values)| !values.is_empty()) {
            let phi = context.parameter.float(step).unwrap_or(f64::NAN);
            out.set_float(step, quantile(phi, values));
        }
    }
}
