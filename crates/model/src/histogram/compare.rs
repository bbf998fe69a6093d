//! Whether histograms are equal, and whether a counter was reset between two of them.

use super::custom_buckets::common_bounds;
use super::spans::{indices, same_layout};
use super::total::{Side, Total};
use super::{CounterResetHint, FloatHistogram};

impl FloatHistogram {
    /// Whether everything but the counter reset hint is the same, floats compared by their bits.
    pub fn equals(&self, other: &FloatHistogram) -> bool {
        let numbers =
            |one: &FloatHistogram| [one.count, one.sum, one.zero_count, one.zero_threshold].map(f64::to_bits);
        self.schema == other.schema
            && numbers(self) == numbers(other)
            && same_bits(&self.custom_values, &other.custom_values)
            && same_layout(&self.positive_spans, &other.positive_spans)
            && same_layout(&self.negative_spans, &other.negative_spans)
            && same_bits(&self.positive_buckets, &other.positive_buckets)
            && same_bits(&self.negative_buckets, &other.negative_buckets)
    }

    /// Whether a counter was reset between `previous` and this one. A definite hint decides; otherwise there was a
    /// reset if this one cannot have come from `previous` by adding observations and making buckets coarser.
    pub fn detect_reset(&self, previous: &FloatHistogram) -> bool {
        match self.counter_reset_hint {
            CounterResetHint::Reset => return true,
            CounterResetHint::NotReset => return false,
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
        if self.count < previous.count || self.uses_custom_buckets() && !previous.uses_custom_buckets() {
            return true;
        }
        if self.uses_custom_buckets() && self.custom_values != previous.custom_values {
            return self.custom_counts_fell(previous);
        }
        if self.schema == previous.schema && self.zero_threshold == previous.zero_threshold {
            return self.counts_fell(previous);
        }
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        self.counts_fell_on_coarser_grid(previous)
    }

    fn counts_fell(&self, previous: &FloatHistogram) -> bool {
        self.zero_count < previous.zero_count
            || fell(
                (&self.positive_spans, &self.positive_buckets),
                (&previous.positive_spans, &previous.positive_buckets),
            )
            || fell(
                (&self.negative_spans, &self.negative_buckets),
                (&previous.negative_spans, &previous.negative_buckets),
            )
    }

    fn counts_fell_on_coarser_grid(&self, previous: &FloatHistogram) -> bool {
        let mut before = Total::<f64>::from(previous.clone());
        if self.zero_threshold > before.zero_threshold {
            before.widen_zero_bucket(self.zero_threshold);
            if before.zero_threshold != self.zero_threshold {
                return true;
            }
        }
        before.reduce_to(self.schema);
        self.counts_fell(&before.into())
    }

    /// Compares the numbers of observations between common bounds.
    fn custom_counts_fell(&self, previous: &FloatHistogram) -> bool {
        let common = common_bounds(&self.custom_values, &previous.custom_values);
        let on_common = |histogram: &FloatHistogram| -> Side<f64> {
            let mut total = Total::<f64>::from(histogram.clone());
            total.keep_bounds(&common);
            total.positive
        };
        let (now, before) = (on_common(self), on_common(previous));
        fell((&now.spans, &now.counts), (&before.spans, &before.counts))
    }
}

type Buckets<'a> = (&'a [super::BucketSpan], &'a [f64]);

/// Whether a bucket has less than before.
fn fell(now: Buckets<'_>, before: Buckets<'_>) -> bool {
    if now.0 == before.0 {
        return now.1.iter().zip(before.1).any(|(now, before)| now < before);
    }
    let mut now = indices(now.0).zip(now.1).peekable();
    let mut present = |index: i32| {
        while now.next_if(|next| next.0 < index).is_some() {}
        now.next_if(|next| next.0 == index).map_or(0.0, |next| *next.1)
    };
    indices(before.0).zip(before.1).any(|(index, before)| present(index) < *before)
}

fn same_bits(left: &[f64], right: &[f64]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.to_bits() == right.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{BucketSpan, CUSTOM_BUCKETS_SCHEMA};

    fn exponential(schema: i32, zero: (f64, f64), offset: i32, buckets: &[f64]) -> FloatHistogram {
        FloatHistogram {
            schema,
            zero_threshold: zero.0,
            zero_count: zero.1,
            count: zero.1 + buckets.iter().sum::<f64>(),
            positive_spans: vec![BucketSpan { offset, length: buckets.len() as u32 }],
            positive_buckets: buckets.to_vec(),
            ..FloatHistogram::default()
        }
    }

    fn custom(bounds: &[f64], buckets: &[f64]) -> FloatHistogram {
        let schema = CUSTOM_BUCKETS_SCHEMA;
        FloatHistogram { custom_values: bounds.to_vec(), ..exponential(schema, (0.0, 0.0), 0, buckets) }
    }

    #[test]
    fn resets_by_counts_and_layout() {
        let base = exponential(1, (0.25, 1.0), 1, &[1.0, 2.0, 3.0]);
        let rows = [
            (exponential(1, (0.25, 1.0), 1, &[1.0, 2.0, 3.0]), false),
            (exponential(1, (0.25, 1.0), 0, &[9.0, 1.0, 2.0, 3.0]), false),
            (exponential(1, (0.25, 1.0), 1, &[1.0, 1.0, 9.0]), true),
            (exponential(1, (0.25, 9.0), 2, &[2.0, 3.0]), true),
            (exponential(1, (0.25, 0.0), 1, &[1.0, 2.0, 9.0]), true),
            (exponential(2, (0.25, 1.0), 1, &[1.0, 2.0, 9.0]), true),
            (exponential(0, (0.25, 1.0), 1, &[3.0, 3.0]), false),
            (exponential(0, (0.25, 1.0), 1, &[2.0, 9.0]), true),
            (exponential(1, (0.125, 1.0), 1, &[1.0, 2.0, 9.0]), true),
            (exponential(1, (0.5, 1.0), 1, &[1.0, 2.0, 3.0]), false),
            (exponential(1, (1.2, 9.0), 1, &[1.0, 2.0, 3.0]), true),
            (exponential(0, (2.0, 4.0), 2, &[3.0]), false),
            (exponential(0, (2.0, 3.0), 2, &[9.0]), true),
        ];
        for (number, (current, expected)) in rows.into_iter().enumerate() {
            assert_eq!(current.detect_reset(&base), expected, "row {number}");
        }
    }

    #[test]
    fn a_definite_hint_decides() {
        let base = exponential(0, (0.0, 0.0), 0, &[5.0]);
        let hinted = |hint, count| FloatHistogram {
            counter_reset_hint: hint,
            ..exponential(0, (0.0, 0.0), 0, &[count])
        };
        assert!(hinted(CounterResetHint::Reset, 9.0).detect_reset(&base));
        assert!(!hinted(CounterResetHint::NotReset, 1.0).detect_reset(&base));
        assert!(hinted(CounterResetHint::Gauge, 1.0).detect_reset(&base));
    }

    #[test]
    fn resets_of_custom_buckets_look_at_common_bounds() {
        let base = custom(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
        assert!(!custom(&[2.0, 3.0], &[3.0, 0.0, 7.0]).detect_reset(&base));
        assert!(custom(&[2.0, 3.0], &[2.0, 9.0, 9.0]).detect_reset(&base));
        assert!(custom(&[1.0], &[99.0]).detect_reset(&exponential(0, (0.0, 0.0), 0, &[1.0])));
        assert!(exponential(0, (0.0, 0.0), 0, &[99.0]).detect_reset(&base));
    }

    #[test]
    fn equality_is_by_bits_and_ignores_hints() {
        let base = exponential(0, (0.5, 1.0), 0, &[0.0, 2.0]);
        let mut other = FloatHistogram { counter_reset_hint: CounterResetHint::Gauge, ..base.clone() };
        assert!(base.equals(&other));
        other.positive_buckets[0] = -0.0;
        assert!(!base.equals(&other));
        let nan = FloatHistogram { sum: f64::NAN, ..base };
        assert!(nan.equals(&nan));
    }
}
