//! Whether histogram arithmetic agrees with plain maps from bucket index to count.

use std::collections::BTreeMap;

use narthex_model::histogram::{
    CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, HistogramSum, exponential_bound,
    spans::{SpanBuilder, indices},
};
use proptest::prelude::*;

type Buckets = BTreeMap<i32, u32>;

fn side(buckets: &Buckets) -> (Vec<narthex_model::BucketSpan>, Vec<f64>) {
    let spans = buckets.keys().copied().collect::<SpanBuilder>().finish();
    (spans, buckets.values().map(|&count| f64::from(count)).collect())
}

fn histogram(
    schema: i32,
    threshold: f64,
    zero: u32,
    positive: &Buckets,
    negative: &Buckets,
) -> FloatHistogram {
    let (positive_spans, positive_buckets) = side(positive);
    let (negative_spans, negative_buckets) = side(negative);
    let count = f64::from(zero) + positive_buckets.iter().chain(&negative_buckets).sum::<f64>();
    FloatHistogram {
        schema,
        zero_threshold: threshold,
        zero_count: f64::from(zero),
        count,
        sum: count,
        positive_spans,
        negative_spans,
        positive_buckets,
        negative_buckets,
        ..FloatHistogram::default()
    }
}

fn buckets() -> impl Strategy<Value = Buckets> {
    prop::collection::btree_map(-12..12i32, 0..9u32, 0..8)
}

prop_compose! {
    fn exponential()(
        schema in -2..=3i32,
        // The threshold is a bound of the schema, as it is in stored histograms.
        threshold in prop::option::of(-12..0i32),
        zero in 0..9u32,
        positive in buckets(),
        negative in buckets(),
    ) -> FloatHistogram {
        let edge = threshold.unwrap_or(-13);
        let above = |buckets: Buckets| buckets.into_iter().filter(|bucket| bucket.0 > edge).collect::<Buckets>();
        let width = threshold.map_or(0.0, |index| exponential_bound(index, schema));
        histogram(schema, width, zero, &above(positive), &above(negative))
    }
}

prop_compose! {
    fn custom()(
        bounds in prop::collection::btree_set(0..9i32, 0..6),
        counts in prop::collection::vec(0..9u32, 7),
    ) -> FloatHistogram {
        let buckets: Buckets = (0..=bounds.len() as i32).zip(counts).collect();
        let custom_values = bounds.into_iter().map(f64::from).collect();
        FloatHistogram { custom_values, ..histogram(CUSTOM_BUCKETS_SCHEMA, 0.0, 0, &buckets, &Buckets::new()) }
    }
}

/// Buckets by index at a coarser schema, without those that end within the zero bucket, which are its gain.
fn coarser(
    spans: &[narthex_model::BucketSpan],
    counts: &[f64],
    from: &FloatHistogram,
    to: &FloatHistogram,
) -> (BTreeMap<i32, f64>, f64) {
    let (mut map, mut gain) = (BTreeMap::new(), 0.0);
    for (index, &count) in indices(spans).zip(counts) {
        let width = 1 << (from.schema - to.schema);
        let target = (index - 1).div_euclid(width) + 1;
        if from.zero_threshold != to.zero_threshold
            && exponential_bound(index, from.schema) <= to.zero_threshold
        {
            gain += count;
        } else if count != 0.0 {
            *map.entry(target).or_insert(0.0) += count;
        }
    }
    (map, gain)
}

fn populated(spans: &[narthex_model::BucketSpan], counts: &[f64]) -> BTreeMap<i32, f64> {
    indices(spans)
        .zip(counts)
        .filter(|bucket| *bucket.1 != 0.0)
        .map(|(index, &count)| (index, count))
        .collect()
}

fn merged(mut left: BTreeMap<i32, f64>, right: BTreeMap<i32, f64>) -> BTreeMap<i32, f64> {
    right.into_iter().for_each(|(index, count)| *left.entry(index).or_insert(0.0) += count);
    left
}

proptest! {
    #[test]
    fn addition_equals_adding_maps(left in exponential(), right in exponential()) {
        let mut sum = left.clone();
        sum.add(&right).unwrap();
        prop_assert_eq!(sum.schema, left.schema.min(right.schema));
        prop_assert!(sum.zero_threshold >= left.zero_threshold.max(right.zero_threshold));
        let (left_positive, left_gain) = coarser(&left.positive_spans, &left.positive_buckets, &left, &sum);
        let (right_positive, right_gain) = coarser(&right.positive_spans, &right.positive_buckets, &right, &sum);
        let (left_negative, more_left) = coarser(&left.negative_spans, &left.negative_buckets, &left, &sum);
        let (right_negative, more_right) = coarser(&right.negative_spans, &right.negative_buckets, &right, &sum);
        let zero = left.zero_count + right.zero_count + left_gain + right_gain + more_left + more_right;
        prop_assert_eq!(sum.zero_count, zero);
        prop_assert_eq!(populated(&sum.positive_spans, &sum.positive_buckets), merged(left_positive, right_positive));
        prop_assert_eq!(populated(&sum.negative_spans, &sum.negative_buckets), merged(left_negative, right_negative));
        let buckets = sum.positive_buckets.iter().chain(&sum.negative_buckets).sum::<f64>() + sum.zero_count;
        prop_assert_eq!(sum.count, buckets);
    }

    #[test]
    fn the_compensated_sum_of_whole_numbers_is_the_plain_one(all in prop::collection::vec(exponential(), 1..5)) {
        let mut plain = all[0].clone();
        let mut compensated = HistogramSum::new(&all[0]);
        for other in &all[1..] {
            plain.add(other).unwrap();
            compensated.add(other).unwrap();
        }
        prop_assert!(compensated.finish().equals(&plain));
    }

    #[test]
    fn what_was_added_can_be_subtracted(left in exponential(), right in exponential()) {
        let mut sum = left.clone();
        sum.add(&right).unwrap();
        let mut aligned = left;
        aligned.add(&FloatHistogram { ..empty_like(&right) }).unwrap();
        sum.sub(&right).unwrap();
        if sum.zero_threshold == aligned.zero_threshold {
            sum.compact(0);
            aligned.compact(0);
            prop_assert_eq!(sum, aligned);
        }
    }

    #[test]
    fn custom_buckets_keep_counts_up_to_common_bounds(left in custom(), right in custom()) {
        let mut sum = left.clone();
        let outcome = sum.add(&right).unwrap();
        prop_assert_eq!(outcome.custom_bounds_differ, left.custom_values != right.custom_values);
        prop_assert_eq!(sum.validate(), Ok(()));
        let up_to = |one: &FloatHistogram, bound: f64| -> f64 {
            one.positive().filter(|bucket| bucket.upper <= bound).map(|bucket| bucket.count).sum()
        };
        for bound in sum.custom_values.iter().copied().chain([f64::INFINITY]) {
            prop_assert_eq!(up_to(&sum, bound), up_to(&left, bound) + up_to(&right, bound));
        }
    }

    #[test]
    fn growth_is_no_reset_and_loss_is(base in exponential(), gain in exponential()) {
        let mut later = base.clone();
        later.add(&gain).unwrap();
        later.counter_reset_hint = CounterResetHint::Unknown;
        prop_assert!(!later.detect_reset(&base));
        prop_assert_eq!(base.detect_reset(&later), !later_equals(&base, &later));
    }

    #[test]
    fn compaction_keeps_populated_buckets(histogram in exponential(), empty_max in 0..4u32) {
        let mut compacted = histogram.clone();
        compacted.compact(empty_max);
        prop_assert_eq!(compacted.validate(), Ok(()));
        let before = populated(&histogram.positive_spans, &histogram.positive_buckets);
        prop_assert_eq!(populated(&compacted.positive_spans, &compacted.positive_buckets), before);
        let again = compacted.clone();
        compacted.compact(empty_max);
        prop_assert_eq!(compacted, again);
    }

    #[test]
    fn trimming_splits_counts(histogram in exponential(), value in -20.0..20.0f64) {
        use narthex_model::histogram::Keep;
        let below = histogram.trimmed(Keep::Below, value);
        let above = histogram.trimmed(Keep::Above, value);
        let total = below.count + above.count;
        prop_assert!((total - histogram.count).abs() < 1e-9, "{} and {}", below, above);
    }
}

/// No observations on the same grid.
fn empty_like(histogram: &FloatHistogram) -> FloatHistogram {
    FloatHistogram {
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        ..FloatHistogram::default()
    }
}

/// Whether nothing was observed in between and the grid is the same.
fn later_equals(base: &FloatHistogram, later: &FloatHistogram) -> bool {
    base.count == later.count && base.schema == later.schema && base.zero_threshold == later.zero_threshold
}
