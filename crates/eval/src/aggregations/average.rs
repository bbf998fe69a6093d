//! `avg`.

use narthex_model::histogram::Compensated;

use super::histogram_group::{HistogramGroup, HistogramResult};
use super::{Accumulator, AggregateContext};
use crate::{AnnotationKind, SampleRef, StepColumn};

/// The floats of a group at one step: their sum, or their mean once the sum would overflow.
#[derive(Clone, Copy, Default)]
struct Mean {
    total: Compensated,
    count: f64,
    is_mean: bool,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.total.sum = value;
            return;
        }
        if !self.is_mean {
            let mut tried = self.total;
            tried.add(value);
            if !tried.sum.is_infinite() {
                self.total = tried;
                return;
            }
            self.is_mean = true;
            self.total = self.scaled(|part| part / (self.count - 1.0));
        }
        let kept = (self.count - 1.0) / self.count;
        self.total = self.scaled(|part| part * kept);
        self.total.add(value / self.count);
    }

    fn scaled(&self, change: impl Fn(f64) -> f64) -> Compensated {
        Compensated { sum: change(self.total.sum), compensation: change(self.total.compensation) }
    }

    fn value(&self) -> f64 {
        if self.is_mean { self.total.value() } else { self.scaled(|part| part / self.count).value() }
    }
}

/// Means of floats, or of histograms; a step with both has no result.
pub(super) struct Average {
    floats: Vec<Mean>,
    histograms: HistogramGroup,
}

impl Average {
    pub(super) fn new(steps: usize) -> Average {
        let histograms = HistogramGroup::new(HistogramResult::Mean);
        Average { floats: vec![Mean::default(); steps], histograms }
    }
}

impl Accumulator for Average {
    fn add(&mut self, column: &StepColumn, metric: &str, context: &AggregateContext<'_>) {
        let steps = self.floats.len();
        for (step, value) in column.iter() {
            match value {
                SampleRef::Float(_) if self.histograms.is_incompatible(step) => {}
                SampleRef::Float(value) => self.floats[step].add(value),
                SampleRef::Histogram(value) => self.histograms.add(step, steps, value, metric, context),
            }
        }
    }

    fn size_bytes(&self) -> usize {
        self.floats.len() * size_of::<Mean>() + self.histograms.size_bytes()
    }

    fn finish(&mut self, context: &AggregateContext<'_>, out: &mut StepColumn) {
        for (step, mean) in self.floats.iter().enumerate() {
            match (mean.count > 0.0, self.histograms.is_present(step)) {
                (true, true) => context.annotate(AnnotationKind::MixedFloatsHistogramsAggregation),
                (true, false) => out.set_float(step, mean.value()),
                (false, true) => self.histograms.finish(step, context, out),
                (false, false) => {}
            }
        }
    }
}
