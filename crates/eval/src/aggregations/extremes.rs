//! `min` and `max`.

use super::{Accumulator, AggregateContext, for_each_float};
use crate::StepColumn;

/// The smallest or largest float; NaN only if there is nothing else.
pub(super) struct Extreme {
    best: StepColumn,
    name: &'static str,
    is_better: fn(f64, f64) -> bool,
}

impl Extreme {
    pub(super) fn smallest(steps: usize) -> Extreme {
        Extreme { best: StepColumn::new(steps), name: "min", is_better: |value, best| value < best }
    }

    pub(super) fn largest(steps: usize) -> Extreme {
        Extreme { best: StepColumn::new(steps), name: "max", is_better: |value, best| value > best }
    }
}

impl Accumulator for Extreme {
    fn add(&mut self, column: &StepColumn, _: &str, context: &AggregateContext<'_>) {
        let (best, is_better) = (&mut self.best, self.is_better);
        for_each_float(column, self.name, context, |step, value| {
            let is_replaced = |best: f64| best.is_nan() || is_better(value, best);
            if best.float(step).is_none_or(is_replaced) {
                best.set_float(step, value);
            }
        });
    }

    fn size_bytes(&self) -> usize {
        self.best.size_bytes()
    }

    fn finish(&mut self, _: &AggregateContext<'_>, out: &mut StepColumn) {
        *out = std::mem::take(&mut self.best);
    }
}
