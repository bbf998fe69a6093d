//! Compensated sums of many steps at once.

use crate::StepColumn;

/// A running sum per step with Neumaier's compensation. Sums and compensations lie apart, so that one step of the
/// summation is a loop without branches over whole columns.
#[derive(Clone, Debug)]
pub(crate) struct CompensatedColumn {
    sums: Vec<f64>,
    compensations: Vec<f64>,
}

impl CompensatedColumn {
    /// Nothing added yet at `steps` steps. The sum begins at −0, the only number to which any other, −0 included, can
    /// be added without changing it.
    pub(crate) fn new(steps: usize) -> CompensatedColumn {
        CompensatedColumn { sums: vec![-0.0; steps], compensations: vec![0.0; steps] }
    }

    /// Bytes held.
    pub(crate) fn size_bytes(&self) -> usize {
        2 * self.sums.len() * size_of::<f64>()
    }

    /// Adds a column that has a float at every step.
    pub(crate) fn add_all(&mut self, values: &[f64]) {
        for ((sum, compensation), &value) in self.sums.iter_mut().zip(&mut self.compensations).zip(values) {
            (*sum, *compensation) = added(*sum, *compensation, value);
        }
    }

    /// Adds the floats of a column without histograms.
    pub(crate) fn add_present(&mut self, column: &StepColumn) {
        for step in column.presence().iter() {
            self.add(step, column.values()[step]);
        }
    }

    /// Adds a number at one step.
    pub(crate) fn add(&mut self, step: usize, value: f64) {
        let (sum, compensation) = (&mut self.sums[step], &mut self.compensations[step]);
        (*sum, *compensation) = added(*sum, *compensation, value);
    }

    /// The best float for the sum at `step`.
    pub(crate) fn value(&self, step: usize) -> f64 {
        self.sums[step] + self.compensations[step]
    }
}

/// One step of Neumaier's summation; once the sum is infinite nothing is compensated.
#[inline]
fn added(sum: f64, compensation: f64, value: f64) -> (f64, f64) {
    let total = sum + value;
    let (larger, smaller) = if sum.abs() >= value.abs() { (sum, value) } else { (value, sum) };
    let lost = (larger - total) + smaller;
    (total, if total.is_infinite() { 0.0 } else { compensation + lost })
}

#[cfg(test)]
mod tests {
    use narthex_model::histogram::Compensated;
    use proptest::prelude::*;

    use super::*;

    fn any_number() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), -1e3..1e3, Just(1e100), Just(-1e100), Just(f64::INFINITY), Just(-0.0)]
    }

    proptest! {
        #[test]
        fn columns_sum_as_single_numbers_do(values in prop::collection::vec(any_number(), 1..20)) {
            let mut single = Compensated { sum: values[0], compensation: 0.0 };
            values[1..].iter().for_each(|value| single.add(*value));
            let mut column = CompensatedColumn::new(2);
            for value in &values {
                column.add_all(&[*value, 1.0]);
            }
            let (found, expected) = (column.value(0), single.value());
            prop_assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
            prop_assert_eq!(column.value(1), values.len() as f64);
        }
    }
}
