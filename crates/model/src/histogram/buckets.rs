//! The buckets of a histogram with their bounds.

use std::fmt;

use super::FloatHistogram;
use super::bounds::bound;
use super::spans::{indices, indices_backward};
use crate::number::format_g;

/// One bucket of a histogram.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    /// Where it begins.
    pub lower: f64,
    /// Where it ends.
    pub upper: f64,
    /// Whether `lower` itself belongs to it.
    pub lower_inclusive: bool,
    /// Whether `upper` itself belongs to it.
    pub upper_inclusive: bool,
    /// Observations in it.
    pub count: f64,
    /// Its number; 0 for the zero bucket.
    pub index: i32,
}

impl Bucket {
    /// The number by which HTTP results tell which ends are open: 0 `(lower, upper]`, 1 `[lower, upper)`, 2 neither end
    /// belongs to it, 3 both do.
    pub fn boundary_code(&self) -> u8 {
        match (self.lower_inclusive, self.upper_inclusive) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        }
    }
}

/// As in `(0.5,1]:3`.
impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        let [lower, upper, count] = [self.lower, self.upper, self.count].map(format_g);
        write!(f, "{open}{lower},{upper}{close}:{count}")
    }
}

impl FloatHistogram {
    /// Positive or custom buckets, empty ones included, from the lowest bounds to the highest.
    pub fn positive(&self) -> impl Iterator<Item = Bucket> + '_ {
        indices(&self.positive_spans)
            .zip(&self.positive_buckets)
            .map(|(index, &count)| self.positive_bucket(index, count))
    }

    /// Negative buckets, empty ones included, from zero to the lowest bounds.
    pub fn negative(&self) -> impl Iterator<Item = Bucket> + '_ {
        indices(&self.negative_spans)
            .zip(&self.negative_buckets)
            .map(|(index, &count)| self.negative_bucket(index, count))
    }

    /// The bucket around zero.
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
            index: 0,
        }
    }

    /// All populated buckets from the lowest to the highest; those that overlap the zero bucket end where it begins.
    ///
    /// The zero bucket counts as populated only above 0, as upstream has it: a negated histogram seems to have none.
    pub fn ascending(&self) -> impl Iterator<Item = Bucket> + '_ {
        let negative = indices_backward(&self.negative_spans).zip(self.negative_buckets.iter().rev());
        let negative = negative.map(|(index, &count)| self.negative_bucket(index, count));
        let clipped = |bucket| self.clipped(bucket);
        negative
            .map(clipped)
            .chain(self.zero_bucket_if_populated())
            .chain(self.positive().map(clipped))
            .filter(|bucket| bucket.count != 0.0)
    }

    /// [`FloatHistogram::ascending`] backward.
    pub fn descending(&self) -> impl Iterator<Item = Bucket> + '_ {
        let positive = indices_backward(&self.positive_spans).zip(self.positive_buckets.iter().rev());
        let positive = positive.map(|(index, &count)| self.positive_bucket(index, count));
        let clipped = |bucket| self.clipped(bucket);
        positive
            .map(clipped)
            .chain(self.zero_bucket_if_populated())
            .chain(self.negative().map(clipped))
            .filter(|bucket| bucket.count != 0.0)
    }

    fn zero_bucket_if_populated(&self) -> Option<Bucket> {
        (self.zero_count > 0.0).then(|| self.zero_bucket())
    }

    fn positive_bucket(&self, index: i32, count: f64) -> Bucket {
        let lower = bound(index.wrapping_sub(1), self.schema, &self.custom_values);
        let upper = bound(index, self.schema, &self.custom_values);
        let lower_inclusive = self.uses_custom_buckets() && index == 0;
        Bucket { lower, upper, lower_inclusive, upper_inclusive: true, count, index }
    }

    fn negative_bucket(&self, index: i32, count: f64) -> Bucket {
        let lower = -bound(index, self.schema, &self.custom_values);
        let upper = -bound(index.wrapping_sub(1), self.schema, &self.custom_values);
        Bucket { lower, upper, lower_inclusive: true, upper_inclusive: false, count, index }
    }

    fn clipped(&self, mut bucket: Bucket) -> Bucket {
        let edge = self.zero_threshold;
        if self.uses_custom_buckets() || edge == 0.0 {
            return bucket;
        }
        if bucket.upper_inclusive && bucket.lower < edge {
            bucket.lower = edge.min(bucket.upper);
        } else if bucket.lower_inclusive && bucket.upper > -edge {
            bucket.upper = (-edge).max(bucket.lower);
        }
        bucket
    }
}

/// As in `{count:4, sum:4, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:1}`: populated buckets in ascending order.
impl fmt::Display for FloatHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", format_g(self.count), format_g(self.sum))?;
        let negative = indices_backward(&self.negative_spans).zip(self.negative_buckets.iter().rev());
        let negative = negative.map(|(index, &count)| self.negative_bucket(index, count));
        let all = negative.chain(std::iter::once(self.zero_bucket())).chain(self.positive());
        all.filter(|bucket| bucket.count != 0.0).try_for_each(|bucket| write!(f, ", {bucket}"))?;
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{BucketSpan, CUSTOM_BUCKETS_SCHEMA};

    fn two_sided() -> FloatHistogram {
        FloatHistogram {
            count: 12.0,
            sum: -1.5,
            zero_threshold: 0.75,
            zero_count: 2.0,
            positive_spans: vec![BucketSpan { offset: 0, length: 1 }, BucketSpan { offset: 1, length: 1 }],
            positive_buckets: vec![3.0, 1.0],
            negative_spans: vec![BucketSpan { offset: 0, length: 3 }],
            negative_buckets: vec![1.0, 0.0, 5.0],
            ..FloatHistogram::default()
        }
    }

    #[test]
    fn text_shows_populated_buckets_from_the_lowest() {
        let expected = "{count:12, sum:-1.5, [-4,-2):5, [-1,-0.5):1, [-0.75,0.75]:2, (0.5,1]:3, (2,4]:1}";
        assert_eq!(two_sided().to_string(), expected);
    }

    #[test]
    fn both_directions_agree_and_leave_the_zero_bucket_alone() {
        let histogram = two_sided();
        let ascending: Vec<_> = histogram.ascending().collect();
        let mut descending: Vec<_> = histogram.descending().collect();
        descending.reverse();
        assert_eq!(ascending, descending);
        let shown: Vec<_> =
            ascending.iter().map(|bucket| (bucket.boundary_code(), bucket.to_string())).collect();
        let expected =
            [(1, "[-4,-2):5"), (1, "[-1,-0.75):1"), (3, "[-0.75,0.75]:2"), (0, "(0.75,1]:3"), (0, "(2,4]:1")];
        assert_eq!(shown, expected.map(|(code, text)| (code, text.to_owned())));
    }

    #[test]
    fn a_negative_zero_bucket_is_in_the_text_only() {
        let mut negated = two_sided();
        negated.negate();
        assert!(negated.to_string().contains("[-0.75,0.75]:-2"));
        assert_eq!(negated.ascending().count(), 4);
        assert_eq!(negated.descending().count(), 4);
    }

    #[test]
    fn custom_buckets_reach_both_infinities() {
        let histogram = FloatHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            custom_values: vec![0.0, 2.5],
            positive_spans: vec![BucketSpan { offset: 0, length: 3 }],
            positive_buckets: vec![1.0, 2.0, 3.0],
            ..FloatHistogram::default()
        };
        assert_eq!(histogram.to_string(), "{count:0, sum:0, [-Inf,0]:1, (0,2.5]:2, (2.5,+Inf]:3}");
    }
}
