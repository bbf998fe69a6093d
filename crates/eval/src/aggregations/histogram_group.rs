//! Sums and means of the native histograms of a group.

use std::sync::Arc;

use narthex_model::histogram::{HistogramSum, IncompatibleSchemas, Reconciliation};
use narthex_model::{CounterResetHint, FloatHistogram};

use super::AggregateContext;
use super::histogram_mean::HistogramMean;
use crate::memory::histogram_bytes;
use crate::{AnnotationKind, StepColumn};

/// What the histograms of a group are made into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HistogramResult {
    Sum,
    Mean,
}

/// A result in the making.
#[derive(Clone)]
enum Total {
    Sum(HistogramSum),
    Mean(HistogramMean),
}

impl Total {
    fn new(result: HistogramResult, first: &FloatHistogram) -> Total {
        match result {
            HistogramResult::Sum => Total::Sum(HistogramSum::new(first)),
            HistogramResult::Mean => Total::Mean(HistogramMean::new(first)),
        }
    }

    fn add(&mut self, histogram: &FloatHistogram) -> Result<Reconciliation, IncompatibleSchemas> {
        match self {
            Total::Sum(sum) => sum.add(histogram),
            Total::Mean(mean) => mean.add(histogram),
        }
    }

    fn finish(self) -> FloatHistogram {
        match self {
            Total::Sum(sum) => {
                let mut sum = sum.finish();
                sum.compact(0);
                sum
            }
            Total::Mean(mean) => mean.finish(),
        }
    }
}

/// The histograms of a group at one step.
#[derive(Clone)]
struct Slot {
    /// `None` once exponential and custom buckets met.
    total: Option<Total>,
    has_reset: bool,
    has_no_reset: bool,
}

impl Slot {
    fn note_hint(&mut self, histogram: &FloatHistogram) {
        self.has_reset |= histogram.counter_reset_hint == CounterResetHint::Reset;
        self.has_no_reset |= histogram.counter_reset_hint == CounterResetHint::NotReset;
    }
}

/// The histograms of a group; nothing is held until the first one comes.
pub(super) struct HistogramGroup {
    result: HistogramResult,
    slots: Vec<Option<Box<Slot>>>,
    /// What the totals take.
    total_bytes: usize,
}

impl HistogramGroup {
    pub(super) fn new(result: HistogramResult) -> HistogramGroup {
        HistogramGroup { result, slots: Vec::new(), total_bytes: 0 }
    }

    /// Whether there was a histogram at any step.
    pub(super) fn is_used(&self) -> bool {
        !self.slots.is_empty()
    }

    /// Whether exponential and custom buckets met at `step`: then nothing more counts there.
    pub(super) fn is_incompatible(&self, step: usize) -> bool {
        self.slot(step).is_some_and(|slot| slot.total.is_none())
    }

    /// Whether there is a histogram at `step`.
    pub(super) fn is_present(&self, step: usize) -> bool {
        self.slot(step).is_some()
    }

    /// Bytes held.
    pub(super) fn size_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Option<Box<Slot>>>() + self.total_bytes
    }

    fn slot(&self, step: usize) -> Option<&Slot> {
        self.slots.get(step).and_then(Option::as_deref)
    }

    /// Takes in a histogram of series `metric` at `step` of `steps`.
    pub(super) fn add(
        &mut self,
        step: usize,
        steps: usize,
        histogram: &FloatHistogram,
        metric: &str,
        context: &AggregateContext<'_>,
    ) {
        if self.slots.is_empty() {
            self.slots.resize(steps, None);
        }
        let Some(slot) = &mut self.slots[step] else {
            let total = Some(Total::new(self.result, histogram));
            let mut slot = Slot { total, has_reset: false, has_no_reset: false };
            slot.note_hint(histogram);
            // Sum and compensation.
            self.total_bytes += size_of::<Slot>() + 2 * histogram_bytes(histogram);
            self.slots[step] = Some(Box::new(slot));
            return;
        };
        slot.note_hint(histogram);
        let Some(total) = &mut slot.total else { return };
        match total.add(histogram) {
            Ok(outcome) if outcome.custom_bounds_differ => {
                context.annotate(AnnotationKind::CustomBucketsReconciled("aggregation"));
            }
            Ok(_) => {}
            Err(IncompatibleSchemas) => {
                slot.total = None;
                context.annotate(AnnotationKind::MixedExponentialCustom(metric.to_owned()));
            }
        }
    }

    /// Puts the result of `step` into `out`.
    pub(super) fn finish(&mut self, step: usize, context: &AggregateContext<'_>, out: &mut StepColumn) {
        let Some(slot) = self.slots.get_mut(step).and_then(Option::take) else { return };
        let Some(total) = slot.total else { return };
        if slot.has_reset && slot.has_no_reset {
            context.annotate(AnnotationKind::CounterResetCollision("aggregation"));
        }
        out.set_histogram(step, Arc::new(total.finish()));
    }
}
