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
        add_values(&mut self.sums, &mut self.compensations, values);
    }

    /// Adds the floats of a column without histograms.
    pub(crate) fn add_present(&mut self, column: &StepColumn) {
        let sums = self.sums.chunks_mut(64).zip(self.compensations.chunks_mut(64));
        let columns = column.values().chunks(64).zip(column.presence().words());
        for ((sums, compensations), (values, &word)) in sums.zip(columns) {
            if word.count_ones() as usize == values.len() {
                add_values(sums, compensations, values);
                continue;
            }
            let mut rest = word;
            while rest != 0 {
                let at = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                (sums[at], compensations[at]) = added(sums[at], compensations[at], values[at]);
            }
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

/// Adds a value to each sum; a loop that vectorizes.
fn add_values(sums: &mut [f64], compensations: &mut [f64], values: &[f64]) {
    for ((sum, compensation), &value) in sums.iter_mut().zip(compensations).zip(values) {
        (*sum, *compensation) = added(*sum, *compensation, value);
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
