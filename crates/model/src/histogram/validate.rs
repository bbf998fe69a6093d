//! Which histograms are acceptable as input.

use std::fmt;

use super::spans::bucket_count;
use super::{BucketSpan, EXPONENTIAL_SCHEMA_MAX, EXPONENTIAL_SCHEMA_MIN, FloatHistogram};

/// Why a histogram is not acceptable.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum InvalidHistogram {
    /// The schema is neither in −4…8 nor −53.
    Schema(i32),
    /// A span begins before the one in front of it ends, or a custom span before bucket 0.
    SpanOffset(i32),
    /// A span begins or ends where no 32-bit bucket index reaches.
    SpanReach(i64),
    /// Spans and counts speak of different numbers of buckets.
    BucketNumber {
        /// Buckets that the spans cover.
        spans: usize,
        /// Counts there are.
        counts: usize,
    },
    /// A bucket has a negative number of observations.
    NegativeCount(f64),
    /// A custom bound is NaN, +Inf or not above the one before it.
    CustomBound(f64),
    /// There are custom buckets behind the last one, which ends at +Inf.
    CustomBucketNumber,
    /// Custom buckets together with a zero bucket or negative buckets.
    CustomWithZeroOrNegative,
    /// Exponential buckets together with custom bounds.
    ExponentialWithBounds,
}

impl fmt::Display for InvalidHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidHistogram::Schema(schema) => {
                write!(f, "schema {schema} is neither within -4 to 8 nor -53")
            }
            InvalidHistogram::SpanOffset(offset) => write!(f, "span offset {offset} is negative"),
            InvalidHistogram::SpanReach(index) => write!(f, "span reaches bucket {index}, beyond 32 bits"),
            InvalidHistogram::BucketNumber { spans, counts } => {
                write!(f, "spans cover {spans} buckets, but there are {counts} counts")
            }
            InvalidHistogram::NegativeCount(count) => write!(f, "bucket count {count} is negative"),
            InvalidHistogram::CustomBound(bound) => {
                write!(f, "custom bound {bound} is no finite number above the one before")
            }
            InvalidHistogram::CustomBucketNumber => f.write_str("more custom buckets than bounds"),
            InvalidHistogram::CustomWithZeroOrNegative => {
                f.write_str("custom buckets together with a zero bucket or negative buckets")
            }
            InvalidHistogram::ExponentialWithBounds => {
                f.write_str("exponential buckets together with custom bounds")
            }
        }
    }
}

impl std::error::Error for InvalidHistogram {}

impl FloatHistogram {
    /// Says whether this is acceptable as input. That `count` is at least the sum of the buckets is not demanded,
    /// because rounding can break it.
    ///
    /// # Errors
    /// The first thing found wrong.
    pub fn validate(&self) -> Result<(), InvalidHistogram> {
        if self.uses_custom_buckets() {
            self.validate_custom()?;
        } else {
            self.validate_exponential()?;
        }
        check_spans(&self.positive_spans, self.positive_buckets.len())?;
        check_spans(&self.negative_spans, self.negative_buckets.len())?;
        let counts = self.positive_buckets.iter().chain(&self.negative_buckets);
        refuse(counts.copied().find(|count| *count < 0.0), InvalidHistogram::NegativeCount)
    }

    fn validate_exponential(&self) -> Result<(), InvalidHistogram> {
        if !(EXPONENTIAL_SCHEMA_MIN..=EXPONENTIAL_SCHEMA_MAX).contains(&self.schema) {
            return Err(InvalidHistogram::Schema(self.schema));
        }
        refuse(self.custom_values.first().copied(), |_| InvalidHistogram::ExponentialWithBounds)
    }

    fn validate_custom(&self) -> Result<(), InvalidHistogram> {
        let has_other = !self.negative_spans.is_empty() || !self.negative_buckets.is_empty();
        if has_other || self.zero_count != 0.0 || self.zero_threshold != 0.0 {
            return Err(InvalidHistogram::CustomWithZeroOrNegative);
        }
        if let Some(first) = self.positive_spans.first().filter(|span| span.offset < 0) {
            return Err(InvalidHistogram::SpanOffset(first.offset));
        }
        let end = self.positive_spans.iter().fold(0i64, |end, span| {
            end.saturating_add(i64::from(span.offset)).saturating_add(i64::from(span.length))
        });
        if usize::try_from(end).is_ok_and(|end| end > self.custom_values.len() + 1) {
            return Err(InvalidHistogram::CustomBucketNumber);
        }
        let bad_first = self.custom_values.first().filter(|bound| bound.is_nan() || **bound == f64::INFINITY);
        let is_bad = |pair: &&[f64]| pair[1].is_nan() || pair[1] <= pair[0] || pair[1] == f64::INFINITY;
        let bad_later = self.custom_values.windows(2).find(is_bad).map(|pair| pair[1]);
        refuse(bad_first.copied().or(bad_later), InvalidHistogram::CustomBound)
    }
}

fn check_spans(spans: &[BucketSpan], counts: usize) -> Result<(), InvalidHistogram> {
    if let Some(span) = spans.iter().skip(1).find(|span| span.offset < 0) {
        return Err(InvalidHistogram::SpanOffset(span.offset));
    }
    refuse(index_out_of_reach(spans), InvalidHistogram::SpanReach)?;
    let covered = bucket_count(spans);
    if covered == counts { Ok(()) } else { Err(InvalidHistogram::BucketNumber { spans: covered, counts }) }
}

/// Where a span begins or ends that does so beyond 32 bits; chunks hold no such spans.
fn index_out_of_reach(spans: &[BucketSpan]) -> Option<i64> {
    let mut end = 0i64;
    spans.iter().find_map(|span| {
        let begin = end.saturating_add(i64::from(span.offset));
        end = begin.saturating_add(i64::from(span.length));
        [begin, end].into_iter().find(|index| i32::try_from(*index).is_err())
    })
}

fn refuse<T>(found: Option<T>, reason: impl Fn(T) -> InvalidHistogram) -> Result<(), InvalidHistogram> {
    found.map_or(Ok(()), |found| Err(reason(found)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::CUSTOM_BUCKETS_SCHEMA;

    fn one_bucket() -> FloatHistogram {
        FloatHistogram {
            positive_spans: vec![BucketSpan { offset: 0, length: 1 }],
            positive_buckets: vec![1.0],
            ..FloatHistogram::default()
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let custom = |bounds: &[f64]| FloatHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            custom_values: bounds.to_vec(),
            ..one_bucket()
        };
        assert_eq!(one_bucket().validate(), Ok(()));
        assert_eq!(custom(&[]).validate(), Ok(()));
        let spans = vec![BucketSpan { offset: 0, length: 1 }, BucketSpan { offset: -1, length: 1 }];
        let rows = [
            (FloatHistogram { schema: 9, ..one_bucket() }, InvalidHistogram::Schema(9)),
            (
                FloatHistogram {
                    positive_spans: vec![BucketSpan { offset: i32::MAX, length: 1 }],
                    ..one_bucket()
                },
                InvalidHistogram::SpanReach(1 << 31),
            ),
            (
                FloatHistogram { custom_values: vec![1.0], ..one_bucket() },
                InvalidHistogram::ExponentialWithBounds,
            ),
            (
                FloatHistogram { positive_buckets: vec![-1.0], ..one_bucket() },
                InvalidHistogram::NegativeCount(-1.0),
            ),
            (
                FloatHistogram { negative_buckets: vec![1.0], ..one_bucket() },
                InvalidHistogram::BucketNumber { spans: 0, counts: 1 },
            ),
            (FloatHistogram { positive_spans: spans, ..one_bucket() }, InvalidHistogram::SpanOffset(-1)),
            (custom(&[1.0, 1.0]), InvalidHistogram::CustomBound(1.0)),
            (custom(&[f64::INFINITY]), InvalidHistogram::CustomBound(f64::INFINITY)),
            (FloatHistogram { zero_count: 1.0, ..custom(&[]) }, InvalidHistogram::CustomWithZeroOrNegative),
            (
                FloatHistogram { positive_spans: vec![BucketSpan { offset: 1, length: 1 }], ..custom(&[]) },
                InvalidHistogram::CustomBucketNumber,
            ),
        ];
        for (histogram, expected) in rows {
            assert_eq!(histogram.validate(), Err(expected));
        }
    }
}
