//! `stddev` and `stdvar`: of a population, by Welford's recurrence.

use super::{Accumulator, AggregateContext, for_each_float};
use crate::StepColumn;

/// Mean and sum of squared distances so far, without compensation, as upstream computes them.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// A group whose first value is not finite stays NaN.
    fn first(value: f64) -> Moments {
        Moments { count: 1.0, mean: value, squares: if value.is_finite() { 0.0 } else { f64::NAN } }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }
}

/// The variance or its root.
pub(super) struct Variance {
    moments: Vec<Moments>,
    name: &'static str,
    result: fn(f64) -> f64,
}

impl Variance {
    pub(super) fn plain(steps: usize) -> Variance {
        Variance { moments: vec![Moments::default(); steps], name: "stdvar", result: |variance| variance }
    }

    pub(super) fn root(steps: usize) -> Variance {
        Variance { moments: vec![Moments::default(); steps], name: "stddev", result: f64::sqrt }
    }
}

impl Accumulator for Variance {
    fn add(&mut self, column: &StepColumn, _: &str, context: &AggregateContext<'_>) {
        let moments = &mut self.moments;
        for_each_float(column, self.name, context, |step, value| {
            if moments[step].count == 0.0 {
                moments[step] = Moments::first(value);
            } else {
                moments[step].add(value);
            }
        });
    }

    fn size_bytes(&self) -> usize {
        self.moments.len() * size_of::<Moments>()
    }

    fn finish(&mut self, _: &AggregateContext<'_>, out: &mut StepColumn) {
        for (step, moments) in self.moments.iter().enumerate().filter(|(_, moments)| moments.count > 0.0) {
            out.set_float(step, (self.result)(moments.squares / moments.count));
        }
    }
}
