//! Sums and means of the native histograms of a group.

use std::sync::Arc;

use narthex_model::histogram::{HistogramSum, IncompatibleSchemas};
use narthex_model::{CounterResetHint, FloatHistogram};

use super::AggregateContext;
use crate::{AnnotationKind, StepColumn};

/// The histograms of a group at one step.
#[derive(Clone)]
struct Slot {
    /// `None` once exponential and custom buckets met.
    total: Option<HistogramSum>,
    count: f64,
    /// Whether `total` is already a mean, since the sum would overflow.
    is_mean: bool,
    has_reset: bool,
    has_no_reset: bool,
}

impl Slot {
    fn new(first: &FloatHistogram) -> Slot {
        let total = Some(HistogramSum::new(first));
        let mut slot = Slot { total, count: 1.0, is_mean: false, has_reset: false, has_no_reset: false };
        slot.note_hint(first);
        slot
    }

    fn note_hint(&mut self, histogram: &FloatHistogram) {
        self.has_reset |= histogram.counter_reset_hint == CounterResetHint::Reset;
        self.has_no_reset |= histogram.counter_reset_hint == CounterResetHint::NotReset;
    }
}

/// What the histograms of a group are made into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HistogramResult {
    Sum,
    Mean,
}

/// The histograms of a group; nothing is held until the first one comes.
pub(super) struct HistogramGroup {
    result: HistogramResult,
    slots: Vec<Option<Box<Slot>>>,
}

impl HistogramGroup {
    pub(super) fn new(result: HistogramResult) -> HistogramGroup {
        HistogramGroup { result, slots: Vec::new() }
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
            self.slots[step] = Some(Box::new(Slot::new(histogram)));
            return;
        };
        slot.note_hint(histogram);
        let Some(total) = &mut slot.total else { return };
        slot.count += 1.0;
        let added = match self.result {
            HistogramResult::Sum => total.add(histogram).map(|outcome| outcome.custom_bounds_differ),
            HistogramResult::Mean => add_to_mean(total, &mut slot.is_mean, slot.count, histogram),
        };
        match added {
            Ok(false) => {}
            Ok(true) => context.annotate(AnnotationKind::CustomBucketsReconciled("aggregation")),
            Err(IncompatibleSchemas) => {
                slot.total = None;
                context.annotate(AnnotationKind::MixedExponentialCustom(metric.to_owned()));
            }
        }
    }

    /// Puts the result of `step` into `out`.
    pub(super) fn finish(&mut self, step: usize, context: &AggregateContext<'_>, out: &mut StepColumn) {
        let Some(slot) = self.slots.get_mut(step).and_then(Option::take) else { return };
        let Some(mut total) = slot.total else { return };
        if slot.has_reset && slot.has_no_reset {
            context.annotate(AnnotationKind::CounterResetCollision("aggregation"));
        }
        if self.result == HistogramResult::Mean && !slot.is_mean {
            total.div(slot.count);
        }
        let mut result = total.finish();
        result.compact(0);
        out.set_histogram(step, Arc::new(result));
    }
}

/// Adds the `count`-th histogram. As long as the sum does not overflow it stays a sum, from then on it is a mean. Says
/// whether custom bounds had to be reconciled.
fn add_to_mean(
    total: &mut HistogramSum,
    is_mean: &mut bool,
    count: f64,
    histogram: &FloatHistogram,
) -> Result<bool, IncompatibleSchemas> {
    if !*is_mean {
        let mut tried = total.clone();
        let outcome = tried.add(histogram)?;
        if !tried.has_overflowed() {
            *total = tried;
            return Ok(outcome.custom_bounds_differ);
        }
        *is_mean = true;
        total.div(count - 1.0);
    }
    let mut share = histogram.clone();
    share.div(count);
    total.mul((count - 1.0) / count);
    total.add(&share).map(|outcome| outcome.custom_bounds_differ)
}
