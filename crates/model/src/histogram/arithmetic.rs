//! Sums, differences and multiples of histograms.

use std::fmt;

use super::compensated::{Compensated, Count};
use super::total::Total;
use super::{CounterResetHint, FloatHistogram};

/// What had to be given up to add two histograms.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reconciliation {
    /// One of the two claims a counter reset, the other denies it.
    pub counter_resets_collide: bool,
    /// Custom bounds differed; only the common ones are left.
    pub custom_bounds_differ: bool,
}

impl Reconciliation {
    /// What was given up in either of two additions.
    pub fn or(self, other: Reconciliation) -> Reconciliation {
        Reconciliation {
            counter_resets_collide: self.counter_resets_collide || other.counter_resets_collide,
            custom_bounds_differ: self.custom_bounds_differ || other.custom_bounds_differ,
        }
    }
}

/// A histogram with exponential buckets and one with custom buckets have no sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IncompatibleSchemas;

impl fmt::Display for IncompatibleSchemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("exponential and custom buckets cannot be combined")
    }
}

impl std::error::Error for IncompatibleSchemas {}

impl FloatHistogram {
    /// Adds `other`. The result has the coarser schema, the wider zero bucket, the common custom bounds; its hint is
    /// gauge if one is, unknown if one is or if they contradict each other.
    ///
    /// # Errors
    /// When only one of the two has custom buckets; nothing is changed.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Reconciliation, IncompatibleSchemas> {
        self.combine(other, |count, value| *count += value)
    }

    /// Subtracts `other`, otherwise as [`FloatHistogram::add`]. Counts may become negative, which a caller will want
    /// to mark as a gauge.
    ///
    /// # Errors
    /// When only one of the two has custom buckets; nothing is changed.
    pub fn sub(&mut self, other: &FloatHistogram) -> Result<Reconciliation, IncompatibleSchemas> {
        self.combine(other, |count, value| *count -= value)
    }

    fn combine(
        &mut self,
        other: &FloatHistogram,
        change: impl Fn(&mut f64, f64),
    ) -> Result<Reconciliation, IncompatibleSchemas> {
        let mut total = Total::<f64>::from(std::mem::take(self));
        let outcome = total.combine(other, change);
        *self = total.into();
        outcome
    }

    /// Multiplies sum and all counts. A negative factor makes a gauge.
    pub fn mul(&mut self, factor: f64) {
        self.map(|value| value * factor);
        self.mark_gauge_if(factor < 0.0);
    }

    /// Divides sum and all counts. A negative divisor makes a gauge; division by zero leaves no buckets, and ±Inf or
    /// NaN in sum, count and zero count.
    pub fn div(&mut self, divisor: f64) {
        self.map(|value| value / divisor);
        self.mark_gauge_if(divisor < 0.0);
        if divisor == 0.0 {
            self.clear_buckets();
        }
    }

    /// All counts and the sum with the other sign, as a gauge.
    pub fn negate(&mut self) {
        self.mul(-1.0);
    }

    fn clear_buckets(&mut self) {
        self.positive_spans.clear();
        self.negative_spans.clear();
        self.positive_buckets.clear();
        self.negative_buckets.clear();
    }

    fn mark_gauge_if(&mut self, becomes_gauge: bool) {
        if becomes_gauge {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    fn map(&mut self, change: impl Fn(f64) -> f64) {
        let counts = self.positive_buckets.iter_mut().chain(&mut self.negative_buckets);
        for count in counts.chain([&mut self.zero_count, &mut self.count, &mut self.sum]) {
            *count = change(*count);
        }
    }
}

/// A sum of histograms in the making, every count compensated.
#[derive(Clone, Debug)]
pub struct HistogramSum(Total<Compensated>);

impl HistogramSum {
    /// The sum of one histogram.
    pub fn new(first: &FloatHistogram) -> HistogramSum {
        HistogramSum(Total::from(first.clone()).convert(|sum| Compensated { sum, compensation: 0.0 }))
    }

    /// Adds `other`, with the rules of [`FloatHistogram::add`].
    ///
    /// # Errors
    /// When only one of the two has custom buckets; nothing is changed.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Reconciliation, IncompatibleSchemas> {
        self.0.combine(other, Compensated::add)
    }

    /// Multiplies everything summed so far by a factor that is not negative.
    pub fn mul(&mut self, factor: f64) {
        self.0.map(|value| value * factor);
    }

    /// Divides everything summed so far by a divisor that is positive.
    pub fn div(&mut self, divisor: f64) {
        self.0.map(|value| value / divisor);
    }

    /// Whether the sum or a count has become infinite.
    pub fn has_overflowed(&self) -> bool {
        let total = &self.0;
        let counts = total.positive.counts.iter().chain(&total.negative.counts);
        counts.chain([&total.zero_count, &total.count, &total.sum]).any(|count| count.sum.is_infinite())
    }

    /// The sum, not compacted.
    pub fn finish(self) -> FloatHistogram {
        self.0.convert(Count::value).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{BucketSpan, CUSTOM_BUCKETS_SCHEMA};

    fn one(value: f64) -> FloatHistogram {
        FloatHistogram {
            count: value,
            sum: value,
            positive_spans: vec![BucketSpan { offset: 0, length: 1 }],
            positive_buckets: vec![value],
            ..FloatHistogram::default()
        }
    }

    #[test]
    fn hints_of_a_sum() {
        use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
        let rows = [
            (Reset, Reset, Reset, false),
            (Reset, Gauge, Gauge, false),
            (Unknown, Reset, Unknown, false),
            (Gauge, Unknown, Gauge, false),
            (Reset, NotReset, Unknown, true),
            (NotReset, Reset, Unknown, true),
        ];
        for (left, right, expected, collides) in rows {
            let mut sum = FloatHistogram { counter_reset_hint: left, ..one(1.0) };
            let other = FloatHistogram { counter_reset_hint: right, ..one(1.0) };
            assert_eq!(sum.add(&other).map(|outcome| outcome.counter_resets_collide), Ok(collides));
            assert_eq!(sum.counter_reset_hint, expected);
        }
    }

    #[test]
    fn mixed_schemas_are_refused_and_change_nothing() {
        let custom = FloatHistogram { schema: CUSTOM_BUCKETS_SCHEMA, ..one(1.0) };
        let mut sum = one(2.0);
        assert_eq!(sum.add(&custom), Err(IncompatibleSchemas));
        assert_eq!(sum, one(2.0));
    }

    #[test]
    fn scaling_marks_gauges_and_division_by_zero_empties() {
        let mut histogram = one(2.0);
        histogram.mul(-0.5);
        assert_eq!(
            (histogram.positive_buckets[0], histogram.counter_reset_hint),
            (-1.0, CounterResetHint::Gauge)
        );
        let mut divided = one(2.0);
        divided.div(0.0);
        assert!(
            divided.count == f64::INFINITY
                && divided.zero_count.is_nan()
                && divided.positive_spans.is_empty()
        );
    }

    #[test]
    fn a_compensated_sum_keeps_small_summands() {
        let mut sum = HistogramSum::new(&one(1.0));
        for value in [1e100, 1.0, -1e100] {
            assert_eq!(sum.add(&one(value)), Ok(Reconciliation::default()));
        }
        sum.div(2.0);
        assert_eq!(sum.clone().finish(), one(1.0));
        sum.mul(4.0);
        assert_eq!(sum.clone().finish(), one(4.0));
        let largest = [one(f64::MAX), one(f64::MAX)].map(|value| sum.add(&value));
        assert!(largest.iter().all(Result::is_ok) && sum.has_overflowed());
    }
}
