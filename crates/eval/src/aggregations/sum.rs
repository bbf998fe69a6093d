//! `sum`.

use super::histogram_group::{HistogramGroup, HistogramResult};
use super::{Accumulator, AggregateContext};
use crate::column::Presence;
use crate::kahan::CompensatedColumn;
use crate::{AnnotationKind, SampleRef, StepColumn};

/// Compensated sums of floats, or of histograms; a step with both has no result.
pub(super) struct Sum {
    floats: CompensatedColumn,
    present: Presence,
    histograms: HistogramGroup,
    steps: usize,
}

impl Sum {
    pub(super) fn new(steps: usize) -> Sum {
        let mut present = Presence::default();
        present.reset(steps);
        let histograms = HistogramGroup::new(HistogramResult::Sum);
        Sum { floats: CompensatedColumn::new(steps), present, histograms, steps }
    }

    fn add_mixed(&mut self, column: &StepColumn, metric: &str, context: &AggregateContext<'_>) {
        for (step, value) in column.iter() {
            match value {
                SampleRef::Float(_) if self.histograms.is_incompatible(step) => {}
                SampleRef::Float(value) => {
                    self.floats.add(step, value);
                    self.present.set(step);
                }
                SampleRef::Histogram(value) => self.histograms.add(step, self.steps, value, metric, context),
            }
        }
    }
}

impl Accumulator for Sum {
    fn add(&mut self, column: &StepColumn, metric: &str, context: &AggregateContext<'_>) {
        if column.has_histograms() || self.histograms.is_used() {
            self.add_mixed(column, metric, context);
            return;
        }
        if column.presence().is_all() {
            self.floats.add_all(column.values());
        } else {
            self.floats.add_present(column);
        }
        self.present.union_with(column.presence());
    }

    fn size_bytes(&self) -> usize {
        self.floats.size_bytes() + self.present.size_bytes() + self.histograms.size_bytes()
    }

    fn finish(&mut self, context: &AggregateContext<'_>, out: &mut StepColumn) {
        if !self.histograms.is_used() {
            out.fill_floats(|step| self.present.get(step).then(|| self.floats.value(step)));
            return;
        }
        for step in 0..self.steps {
            match (self.present.get(step), self.histograms.is_present(step)) {
                (true, true) => context.annotate(AnnotationKind::MixedFloatsHistogramsAggregation),
                (true, false) => out.set_float(step, self.floats.value(step)),
                (false, true) => self.histograms.finish(step, context, out),
                (false, false) => {}
            }
        }
    }
}
