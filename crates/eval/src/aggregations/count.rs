//! `count`, and `group`, which says only that there is something.

use super::{Accumulator, AggregateContext};
use crate::StepColumn;
use crate::column::Presence;

/// The number of elements of either kind.
pub(super) struct Count {
    counts: Vec<u32>,
}

impl Count {
    pub(super) fn new(steps: usize) -> Count {
        Count { counts: vec![0; steps] }
    }
}

impl Accumulator for Count {
    fn add(&mut self, column: &StepColumn, _: &str, _: &AggregateContext<'_>) {
        column.presence().iter().for_each(|step| self.counts[step] += 1);
    }

    fn size_bytes(&self) -> usize {
        self.counts.len() * size_of::<u32>()
    }

    fn finish(&mut self, _: &AggregateContext<'_>, out: &mut StepColumn) {
        for (step, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            out.set_float(step, f64::from(count));
        }
    }
}

/// 1 where there is an element.
pub(super) struct Group {
    present: Presence,
}

impl Group {
    pub(super) fn new(steps: usize) -> Group {
        let mut present = Presence::default();
        present.reset(steps);
        Group { present }
    }
}

impl Accumulator for Group {
    fn add(&mut self, column: &StepColumn, _: &str, _: &AggregateContext<'_>) {
        self.present.union_with(column.presence());
    }

    fn size_bytes(&self) -> usize {
        self.present.size_bytes()
    }

    fn finish(&mut self, _: &AggregateContext<'_>, out: &mut StepColumn) {
        self.present.iter().for_each(|step| out.set_float(step, 1.0));
    }
}
