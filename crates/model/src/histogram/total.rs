//! Adding histograms of any two layouts: both are brought to one grid, then counts are added bucket by bucket.

use super::bounds::{custom_bound, exponential_bound};
use super::compensated::Count;
use super::custom_buckets::{common_bounds, index_among};
use super::spans::{SpanBuilder, bucket_count, indices, same_layout, spread, union};
use super::{BucketSpan, CounterResetHint, FloatHistogram, IncompatibleSchemas, Reconciliation};

/// The buckets on one side of zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Side<C> {
    pub(super) spans: Vec<BucketSpan>,
    pub(super) counts: Vec<C>,
}

/// A histogram whose counts are `C`; the fields are those of [`FloatHistogram`].
#[derive(Clone, Debug)]
pub(super) struct Total<C> {
    pub(super) counter_reset_hint: CounterResetHint,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: C,
    pub(super) count: C,
    pub(super) sum: C,
    pub(super) positive: Side<C>,
    pub(super) negative: Side<C>,
    pub(super) custom_values: Vec<f64>,
}

impl<C: Count> Side<C> {
    /// Moves every bucket to the index that `place` gives it, which must not fall; buckets that meet are added.
    fn regroup(&mut self, place: impl Fn(i32) -> i32) {
        let mut builder = SpanBuilder::default();
        let mut counts: Vec<C> = Vec::with_capacity(self.counts.len());
        let mut last = None;
        for (index, &count) in indices(&self.spans).map(place).zip(&self.counts) {
            match counts.last_mut() {
                Some(sum) if last == Some(index) => sum.merge(count),
                _ => {
                    builder.push(index);
                    counts.push(count);
                }
            }
            last = Some(index);
        }
        *self = Side { spans: builder.finish(), counts };
    }

    /// Number of buckets that begin below `threshold`.
    fn reach(&self, schema: i32, threshold: f64) -> usize {
        let begins_below = |index: &i32| exponential_bound(index.wrapping_sub(1), schema) < threshold;
        indices(&self.spans).zip(&self.counts).take_while(|(index, _)| begins_below(index)).count()
    }

    /// `threshold`, or the end of the populated bucket that it lies in.
    fn widened(&self, schema: i32, threshold: f64) -> f64 {
        let buckets = indices(&self.spans).zip(&self.counts).take(self.reach(schema, threshold));
        let populated = buckets.filter(|(_, count)| count.value() != 0.0);
        populated.map(|(index, _)| exponential_bound(index, schema)).fold(threshold, f64::max)
    }

    /// Takes away the first `buckets` buckets and gives them.
    fn take_first(&mut self, buckets: usize) -> Vec<C> {
        let rest = indices(&self.spans).skip(buckets).collect::<SpanBuilder>().finish();
        self.spans = rest;
        self.counts.drain(..buckets.min(self.counts.len())).collect()
    }

    /// Applies `change` to the counts of the buckets that `spans` names, which are created as needed.
    fn combine(&mut self, spans: &[BucketSpan], counts: &[f64], change: impl Fn(&mut C, f64)) {
        if spans == self.spans {
            self.counts.iter_mut().zip(counts).for_each(|(count, &other)| change(count, other));
            return;
        }
        if !same_layout(&self.spans, spans) {
            let both = union(&self.spans, spans);
            self.counts = spread(&self.counts, &self.spans, &both);
            self.spans = both;
        }
        let mut own = indices(&self.spans).zip(&mut self.counts);
        for (index, &other) in indices(spans).zip(counts) {
            if let Some((_, count)) = own.by_ref().find(|place| place.0 == index) {
                change(count, other);
            }
        }
    }
}

impl<C: Count> Total<C> {
    /// Applies `change` (adding, subtracting) to every count and the matching one of `other`, after bringing both to
    /// one grid.
    pub(super) fn combine(
        &mut self,
        other: &FloatHistogram,
        change: impl Fn(&mut C, f64),
    ) -> Result<Reconciliation, IncompatibleSchemas> {
        if self.uses_custom_buckets() != other.uses_custom_buckets() {
            return Err(IncompatibleSchemas);
        }
        let counter_resets_collide = self.merge_hint(other.counter_reset_hint);
        let same_grid = self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
            && self.custom_values == other.custom_values;
        if same_grid {
            self.combine_counts(other, change);
            return Ok(Reconciliation { counter_resets_collide, custom_bounds_differ: false });
        }
        let mut other = Total::<f64>::from(other.clone());
        let custom_bounds_differ = self.share_grid(&mut other);
        self.combine_counts(&FloatHistogram::from(other), change);
        Ok(Reconciliation { counter_resets_collide, custom_bounds_differ })
    }

    fn combine_counts(&mut self, other: &FloatHistogram, change: impl Fn(&mut C, f64)) {
        change(&mut self.zero_count, other.zero_count);
        change(&mut self.count, other.count);
        change(&mut self.sum, other.sum);
        self.positive.combine(&other.positive_spans, &other.positive_buckets, &change);
        self.negative.combine(&other.negative_spans, &other.negative_buckets, &change);
    }

    /// Brings both to the finest grid that both can have; says whether custom bounds had to go.
    fn share_grid(&mut self, other: &mut Total<f64>) -> bool {
        if self.uses_custom_buckets() {
            let differ = self.custom_values != other.custom_values;
            if differ {
                let common = common_bounds(&self.custom_values, &other.custom_values);
                self.keep_bounds(&common);
                other.keep_bounds(&common);
            }
            return differ;
        }
        self.share_zero_bucket(other);
        let schema = self.schema.min(other.schema);
        self.reduce_to(schema);
        other.reduce_to(schema);
        false
    }

    /// Widens the narrower zero bucket until both are alike. Widening may overshoot, to the end of a populated bucket;
    /// then it is the other one's turn.
    fn share_zero_bucket(&mut self, other: &mut Total<f64>) {
        loop {
            if self.zero_threshold > other.zero_threshold {
                other.widen_zero_bucket(self.zero_threshold);
            } else if self.zero_threshold < other.zero_threshold {
                self.widen_zero_bucket(other.zero_threshold);
            } else {
                return;
            }
        }
    }

    /// Absorbs the buckets below `threshold` into the zero bucket, which ends there or, when `threshold` lies in a
    /// populated bucket, at its far end.
    pub(super) fn widen_zero_bucket(&mut self, threshold: f64) {
        let mut threshold = threshold;
        loop {
            let positive = self.positive.widened(self.schema, threshold);
            let wider = self.negative.widened(self.schema, positive);
            if wider <= threshold {
                break;
            }
            threshold = wider;
        }
        for side in [&mut self.positive, &mut self.negative] {
            let absorbed = side.take_first(side.reach(self.schema, threshold));
            absorbed.into_iter().for_each(|count| self.zero_count.merge(count));
        }
        self.zero_threshold = threshold;
    }

    /// Merges buckets to a coarser exponential schema.
    pub(super) fn reduce_to(&mut self, schema: i32) {
        let levels = self.schema.saturating_sub(schema).clamp(0, 31);
        if levels > 0 {
            self.positive.regroup(|index| (index.wrapping_sub(1) >> levels).wrapping_add(1));
            self.negative.regroup(|index| (index.wrapping_sub(1) >> levels).wrapping_add(1));
            self.schema = schema;
        }
    }

    /// Merges custom buckets until only `kept` bounds, which it has, are left.
    pub(super) fn keep_bounds(&mut self, kept: &[f64]) {
        let bounds = std::mem::take(&mut self.custom_values);
        self.positive.regroup(|index| index_among(kept, custom_bound(index, &bounds)));
        self.custom_values = kept.to_vec();
    }

    /// The hint of a sum; says whether one summand claims a reset and the other denies it.
    fn merge_hint(&mut self, other: CounterResetHint) -> bool {
        use CounterResetHint::{Gauge, Unknown};
        let own = self.counter_reset_hint;
        self.counter_reset_hint = match (own, other) {
            _ if own == other => own,
            (Gauge, _) | (_, Gauge) => Gauge,
            _ => Unknown,
        };
        own != other && ![own, other].iter().any(|hint| matches!(hint, Gauge | Unknown))
    }

    pub(super) fn map(&mut self, change: impl Fn(f64) -> f64) {
        let counts = self.positive.counts.iter_mut().chain(&mut self.negative.counts);
        for count in counts.chain([&mut self.zero_count, &mut self.count, &mut self.sum]) {
            *count = count.map(&change);
        }
    }

    fn uses_custom_buckets(&self) -> bool {
        self.schema == super::CUSTOM_BUCKETS_SCHEMA
    }

    /// As counts of another kind.
    pub(super) fn convert<D: Count>(self, change: impl Fn(C) -> D) -> Total<D> {
        let side = |side: Side<C>| Side {
            spans: side.spans,
            counts: side.counts.into_iter().map(&change).collect(),
        };
        Total {
            counter_reset_hint: self.counter_reset_hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: change(self.zero_count),
            count: change(self.count),
            sum: change(self.sum),
            positive: side(self.positive),
            negative: side(self.negative),
            custom_values: self.custom_values,
        }
    }
}

impl From<FloatHistogram> for Total<f64> {
    fn from(histogram: FloatHistogram) -> Total<f64> {
        let side = |spans: Vec<BucketSpan>, mut counts: Vec<f64>| {
            counts.resize(bucket_count(&spans).min(counts.len()), 0.0);
            Side { spans, counts }
        };
        Total {
            counter_reset_hint: histogram.counter_reset_hint,
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: histogram.zero_count,
            count: histogram.count,
            sum: histogram.sum,
            positive: side(histogram.positive_spans, histogram.positive_buckets),
            negative: side(histogram.negative_spans, histogram.negative_buckets),
            custom_values: histogram.custom_values,
        }
    }
}

impl From<Total<f64>> for FloatHistogram {
    fn from(total: Total<f64>) -> FloatHistogram {
        FloatHistogram {
            counter_reset_hint: total.counter_reset_hint,
            schema: total.schema,
            zero_threshold: total.zero_threshold,
            zero_count: total.zero_count,
            count: total.count,
            sum: total.sum,
            positive_spans: total.positive.spans,
            negative_spans: total.negative.spans,
            positive_buckets: total.positive.counts,
            negative_buckets: total.negative.counts,
            custom_values: total.custom_values,
        }
    }
}
