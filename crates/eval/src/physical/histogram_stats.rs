//! Native histograms of which only count, sum and reset hint matter: what `histogram_count(selector)` leaves of them.
//!
//! Buckets are dropped, but not before they have told whether the counter was reset: a hint that says nothing becomes
//! *reset* or *not reset* by comparison with the sample before. Aggregations can then see that hints contradict each
//! other, which they say in a warning.

use std::sync::Arc;

use narthex_model::sample::is_stale_nan;
use narthex_model::{CounterResetHint, FloatHistogram};
use narthex_promql::functions::{FunctionId, HistogramFunction};
use narthex_storage::SampleBuffer;

/// How much of a selector's histograms is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum HistogramDetail {
    /// Everything, as far as is known.
    Full,
    /// Count, sum and hint.
    Stats,
    /// Everything, whatever is called further down.
    AlwaysFull,
}

impl HistogramDetail {
    /// What the arguments of `function` need, when its result is looked at with this detail.
    pub(super) fn below_call(self, function: FunctionId) -> HistogramDetail {
        match function {
            FunctionId::Histogram(
                HistogramFunction::Count | HistogramFunction::Sum | HistogramFunction::Avg,
            ) if self != HistogramDetail::AlwaysFull => HistogramDetail::Stats,
            FunctionId::Histogram(
                HistogramFunction::Quantile | HistogramFunction::Quantiles | HistogramFunction::Fraction,
            ) => HistogramDetail::AlwaysFull,
            _ => self,
        }
    }

    /// Leaves no more of a series' histograms than is looked at.
    pub(super) fn reduce(self, samples: &mut SampleBuffer) {
        if self == HistogramDetail::Stats && !samples.histograms.values.is_empty() {
            keep_stats(&mut samples.histograms.values);
        }
    }
}

fn keep_stats(histograms: &mut [Arc<FloatHistogram>]) {
    let mut before: Option<Arc<FloatHistogram>> = None;
    for histogram in histograms {
        if is_stale_nan(histogram.sum) {
            continue;
        }
        let stats = FloatHistogram {
            counter_reset_hint: hint(histogram, before.as_deref()),
            schema: histogram.schema,
            count: histogram.count,
            sum: histogram.sum,
            zero_threshold: histogram.zero_threshold,
            custom_values: histogram.custom_values.clone(),
            ..FloatHistogram::default()
        };
        before = Some(std::mem::replace(histogram, Arc::new(stats)));
    }
}

fn hint(histogram: &FloatHistogram, before: Option<&FloatHistogram>) -> CounterResetHint {
    match (histogram.counter_reset_hint, before) {
        (CounterResetHint::Unknown, Some(before)) if histogram.detect_reset(before) => {
            CounterResetHint::Reset
        }
        (CounterResetHint::Unknown, Some(_)) => CounterResetHint::NotReset,
        (known, _) => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
    use narthex_model::BucketSpan;
    use narthex_model::sample::stale_nan;

    fn histogram(buckets: [f64; 2]) -> FloatHistogram {
        FloatHistogram {
            count: buckets.iter().sum(),
            sum: 1.0,
            positive_spans: vec![BucketSpan { offset: 0, length: 2 }],
            positive_buckets: buckets.to_vec(),
            ..FloatHistogram::default()
        }
    }

    #[test]
    fn hints_come_from_the_buckets_that_are_dropped() {
        let mut samples = SampleBuffer::new();
        let stale = FloatHistogram { sum: stale_nan(), ..FloatHistogram::default() };
        let gauge = FloatHistogram { counter_reset_hint: Gauge, ..histogram([1.0, 0.0]) };
        let series = [histogram([1.0, 1.0]), histogram([2.0, 1.0]), stale, histogram([1.0, 3.0]), gauge];
        (0..).zip(series).for_each(|(at_ms, value)| samples.push(at_ms, value.into(), 0));
        HistogramDetail::Full.reduce(&mut samples);
        assert_eq!(samples.histograms.values[0].positive_buckets.len(), 2);
        HistogramDetail::Stats.reduce(&mut samples);
        let hints: Vec<CounterResetHint> =
            samples.histograms.values.iter().map(|value| value.counter_reset_hint).collect();
        assert_eq!(hints, [Unknown, NotReset, Unknown, Reset, Gauge]);
        assert!(samples.histograms.values.iter().all(|value| value.positive_buckets.is_empty()));
        assert_eq!(samples.histograms.values[3].count, 4.0);
    }
}
