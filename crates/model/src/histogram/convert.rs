//! Classic histograms, a float per cumulative bucket, as histograms with custom buckets.

use std::fmt;

use super::{BucketSpan, CUSTOM_BUCKETS_SCHEMA, FloatHistogram};

/// The parts of a classic histogram at one instant, in any order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassicHistogram {
    /// Upper bound and number of observations up to it.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// Why classic buckets are no histogram.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum InvalidClassic {
    /// A bucket bound is NaN.
    Bound,
    /// A bucket has fewer observations than the one below it, or a negative number.
    NotCumulative {
        /// Its upper bound.
        upper: f64,
    },
    /// The count is not that of the +Inf bucket.
    CountMismatch {
        /// The count.
        count: f64,
        /// Observations in all buckets.
        buckets: f64,
    },
}

impl fmt::Display for InvalidClassic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidClassic::Bound => f.write_str("bucket bound is not a number"),
            InvalidClassic::NotCumulative { upper } => {
                write!(f, "bucket up to {upper} has fewer observations than the one below it")
            }
            InvalidClassic::CountMismatch { count, buckets } => {
                write!(f, "count is {count}, but the buckets have {buckets} observations")
            }
        }
    }
}

impl std::error::Error for InvalidClassic {}

impl ClassicHistogram {
    /// Nothing known yet.
    pub fn new() -> ClassicHistogram {
        ClassicHistogram::default()
    }

    /// Sets the number of observations up to `upper`; of equal bounds the last one set counts.
    pub fn set_bucket(&mut self, upper: f64, cumulative_count: f64) {
        match self.buckets.iter_mut().find(|bucket| bucket.0 == upper) {
            Some(bucket) => bucket.1 = cumulative_count,
            None => self.buckets.push((upper, cumulative_count)),
        }
    }

    /// Sets the number of all observations.
    pub fn set_count(&mut self, count: f64) {
        self.count = Some(count);
    }

    /// Sets the sum of all observations.
    pub fn set_sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The histogram with custom buckets, compacted. A missing count is that of the highest bucket, a missing +Inf
    /// bucket has the count.
    ///
    /// # Errors
    /// When bounds, counts and total contradict each other.
    pub fn to_custom(&self) -> Result<FloatHistogram, InvalidClassic> {
        let mut buckets = self.buckets.clone();
        if buckets.iter().any(|bucket| bucket.0.is_nan()) {
            return Err(InvalidClassic::Bound);
        }
        buckets.sort_by(|left, right| left.0.total_cmp(&right.0));
        let highest = buckets.last().map_or(0.0, |bucket| bucket.1);
        let count = self.count.unwrap_or(highest);
        if buckets.last().is_none_or(|bucket| bucket.0 != f64::INFINITY) {
            buckets.push((f64::INFINITY, count));
        }
        let counts = separate_counts(&buckets)?;
        let total = buckets.last().map_or(0.0, |bucket| bucket.1);
        if total != count {
            return Err(InvalidClassic::CountMismatch { count, buckets: total });
        }
        buckets.pop();
        let mut histogram = FloatHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count,
            sum: self.sum,
            positive_spans: vec![BucketSpan {
                offset: 0,
                length: u32::try_from(counts.len()).unwrap_or(u32::MAX),
            }],
            positive_buckets: counts,
            custom_values: buckets.into_iter().map(|bucket| bucket.0).collect(),
            ..FloatHistogram::default()
        };
        histogram.compact(0);
        Ok(histogram)
    }
}

/// Counts of the single buckets from cumulative ones.
fn separate_counts(buckets: &[(f64, f64)]) -> Result<Vec<f64>, InvalidClassic> {
    let mut below = 0.0;
    let separate = |&(upper, cumulative): &(f64, f64)| {
        let count = cumulative - below;
        below = cumulative;
        if count >= 0.0 { Ok(count) } else { Err(InvalidClassic::NotCumulative { upper }) }
    };
    buckets.iter().map(separate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classic(buckets: &[(f64, f64)], count: Option<f64>) -> Result<String, InvalidClassic> {
        let mut classic = ClassicHistogram::new();
        buckets.iter().for_each(|bucket| classic.set_bucket(bucket.0, bucket.1));
        count.into_iter().for_each(|count| classic.set_count(count));
        classic.set_sum(5.0);
        let custom = classic.to_custom()?;
        assert_eq!(custom.validate(), Ok(()));
        Ok(custom.to_string())
    }

    #[test]
    fn missing_parts_are_completed() {
        let infinite = f64::INFINITY;
        let full = "{count:6, sum:5, [-Inf,1]:1, (2,+Inf]:5}";
        assert_eq!(classic(&[(infinite, 6.0), (1.0, 1.0), (2.0, 1.0)], Some(6.0)).as_deref(), Ok(full));
        assert_eq!(classic(&[(1.0, 1.0), (2.0, 1.0)], Some(6.0)).as_deref(), Ok(full));
        assert_eq!(
            classic(&[(1.0, 1.0), (2.0, 3.0)], None).as_deref(),
            Ok("{count:3, sum:5, [-Inf,1]:1, (1,2]:2}")
        );
        assert_eq!(classic(&[], Some(2.0)).as_deref(), Ok("{count:2, sum:5, [-Inf,+Inf]:2}"));
    }

    #[test]
    fn contradictions_are_refused() {
        assert_eq!(
            classic(&[(1.0, 2.0), (2.0, 1.0)], None),
            Err(InvalidClassic::NotCumulative { upper: 2.0 })
        );
        assert_eq!(classic(&[(1.0, -2.0)], None), Err(InvalidClassic::NotCumulative { upper: 1.0 }));
        let mismatch = InvalidClassic::CountMismatch { count: 3.0, buckets: 2.0 };
        assert_eq!(classic(&[(f64::INFINITY, 2.0)], Some(3.0)), Err(mismatch));
        assert_eq!(classic(&[(f64::NAN, 2.0)], None), Err(InvalidClassic::Bound));
    }
}
