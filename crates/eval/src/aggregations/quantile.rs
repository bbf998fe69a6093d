//! `quantile`.

use narthex_promql::Interrupt;

use super::{Accumulator, AggregateContext, for_each_float};
use crate::StepColumn;
use crate::quantile::quantile;

/// All floats of the group in order of arrival. Few large lists: a list per step would be very many small ones.
pub(super) struct Quantile {
    steps: usize,
    /// The step of each value.
    places: Vec<u32>,
    values: Vec<f64>,
}

impl Quantile {
    pub(super) fn new(steps: usize) -> Quantile {
        Quantile { steps, places: Vec::new(), values: Vec::new() }
    }

    /// Where the values of each step end, and all values step after step.
    fn by_step(&self, interrupt: &Interrupt) -> (Vec<usize>, Vec<f64>) {
        let mut ends = vec![0; self.steps];
        self.places.iter().for_each(|&step| ends[step as usize] += 1);
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        let mut sorted = vec![0.0; total];
        let placed = self.places.iter().zip(&self.values).take_while(|_| !interrupt.is_set());
        for (&step, &value) in placed {
            let end = &mut ends[step as usize];
            sorted[*end] = value;
            *end += 1;
        }
        (ends, sorted)
    }
}

impl Accumulator for Quantile {
    fn add(&mut self, column: &StepColumn, _: &str, context: &AggregateContext<'_>) {
        let (places, values) = (&mut self.places, &mut self.values);
        for_each_float(column, "quantile", context, |step, value| {
            places.push(step as u32);
            values.push(value);
        });
    }

    /// Sorting by step takes as much again as the values.
    fn size_bytes(&self) -> usize {
        let values = 2 * self.values.capacity() * size_of::<f64>();
        self.steps * size_of::<usize>() + self.places.capacity() * size_of::<u32>() + values
    }

    fn finish(&mut self, context: &AggregateContext<'_>, out: &mut StepColumn) {
        let interrupt = context.query.interrupt();
        let (ends, mut sorted) = self.by_step(interrupt);
        let mut start = 0;
        for (step, &end) in ends.iter().enumerate().take_while(|_| !interrupt.is_set()) {
            let values = &mut sorted[std::mem::replace(&mut start, end)..end];
            if !values.is_empty() {
                let phi = context.parameter.float(step).unwrap_or(f64::NAN);
                out.set_float(step, quantile(phi, values));
            }
        }
    }
}
