//! `histogram_count`, `_sum`, `_avg`, `_stddev`, `_stdvar`, and quantiles and fractions of native histograms.
//!
//! Within a bucket observations are taken to lie evenly (custom buckets, the zero bucket) or evenly by logarithm.

use narthex_model::FloatHistogram;
use narthex_model::histogram::{Bucket, Compensated};
use narthex_promql::functions::HistogramFunction;

pub use super::histogram_classic::{
    ClassicBucket, ClassicQuantile, MonotonicityRepair, classic_fraction, classic_quantile,
};
use crate::{SampleRef, StepColumn};

/// Replaces every histogram by what `function`, one of those with a histogram as only argument, says of it; floats are
/// removed.
pub fn evaluate(function: HistogramFunction, column: &mut StepColumn) {
    for step in 0..column.len() {
        let value = match column.get(step) {
            Some(SampleRef::Histogram(histogram)) => summary(function, histogram),
            _ => None,
        };
        match value {
            Some(value) => column.set_float(step, value),
            None => column.remove(step),
        }
    }
}

/// `None` for functions that need more than a histogram.
fn summary(function: HistogramFunction, histogram: &FloatHistogram) -> Option<f64> {
    match function {
        HistogramFunction::Count => Some(histogram.count),
        HistogramFunction::Sum => Some(histogram.sum),
        HistogramFunction::Avg => Some(histogram.sum / histogram.count),
        HistogramFunction::Stddev => Some(variance(histogram).sqrt()),
        HistogramFunction::Stdvar => Some(variance(histogram)),
        HistogramFunction::Fraction | HistogramFunction::Quantile | HistogramFunction::Quantiles => None,
    }
}

/// The population variance when all observations lie in the middle of their buckets: at the arithmetic mean of custom
/// bounds, at 0 in a bucket around it, otherwise at the geometric mean.
fn variance(histogram: &FloatHistogram) -> f64 {
    let mean = histogram.sum / histogram.count;
    let mut squares = Compensated::default();
    for bucket in histogram.ascending() {
        let middle = if histogram.uses_custom_buckets() {
            f64::midpoint(bucket.upper, bucket.lower)
        } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
            0.0
        } else {
            (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
        };
        let distance = middle - mean;
        squares.add(bucket.count * distance * distance);
    }
    squares.value() / histogram.count
}

/// What NaN observations, which are in no bucket, do to a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NanObservations {
    /// There are none, or the result does not depend on them.
    Irrelevant,
    /// The quantile lies among them: it is NaN.
    Result,
    /// They make the quantile too high.
    Skew,
    /// They are in no fraction.
    Excluded,
}

/// The φ-quantile: −Inf for φ below 0, +Inf above 1, NaN for NaN or without observations.
pub fn quantile(phi: f64, histogram: &FloatHistogram) -> (f64, NanObservations) {
    let has_nan = histogram.sum.is_nan();
    let trivial = if phi < 0.0 {
        f64::NEG_INFINITY
    } else if phi > 1.0 {
        f64::INFINITY
    } else if histogram.count == 0.0 || phi.is_nan() {
        f64::NAN
    } else if has_nan || phi < 0.5 {
        return forward_quantile(phi * histogram.count, histogram);
    } else {
        return (backward_quantile((1.0 - phi) * histogram.count, histogram), NanObservations::Irrelevant);
    };
    (trivial, NanObservations::Irrelevant)
}

/// Walks up to the bucket of a rank counted from the lowest observation.
fn forward_quantile(rank: f64, histogram: &FloatHistogram) -> (f64, NanObservations) {
    let mut buckets = histogram.ascending();
    let (found, count) = walk(&mut buckets, rank, || histogram.positive().last());
    let has_nan = histogram.sum.is_nan();
    if found.is_none() && has_nan {
        return (f64::NAN, NanObservations::Result);
    }
    let Some(bucket) = found else { return (0.0, NanObservations::Irrelevant) };
    let count_in_range = count.min(histogram.count);
    if count_in_range < rank && has_nan {
        return (f64::NAN, NanObservations::Result);
    }
    let total = count + buckets.map(|bucket| bucket.count).sum::<f64>();
    let nan =
        if has_nan && total < histogram.count { NanObservations::Skew } else { NanObservations::Irrelevant };
    let rank_in_bucket = rank - (count_in_range - bucket.count);
    (place(bucket, histogram, count_in_range < rank, rank_in_bucket), nan)
}

/// Walks down to the bucket of a rank counted from the highest observation.
fn backward_quantile(rank: f64, histogram: &FloatHistogram) -> f64 {
    let (found, count) = walk(&mut histogram.descending(), rank, || histogram.negative().last());
    let Some(bucket) = found else { return 0.0 };
    let count = count.min(histogram.count);
    place(bucket, histogram, count < rank, count - rank)
}

/// The bucket in which `rank` observations are reached, and the observations up to its end. A histogram without populated
/// buckets is taken as one of zeros. Only what is no histogram, such as a negated one, has fewer observations; then it
/// is the last bucket, be it populated or not.
fn walk(
    buckets: &mut impl Iterator<Item = Bucket>,
    rank: f64,
    last_of_all: impl FnOnce() -> Option<Bucket>,
) -> (Option<Bucket>, f64) {
    let mut count = 0.0;
    let mut last = None;
    for bucket in buckets {
        count += bucket.count;
        last = Some(bucket);
        if count >= rank {
            return (last, count);
        }
    }
    (last.and_then(|last| last_of_all().or(Some(last))), count)
}

/// The observation with `rank` others of its bucket below it; the end of the bucket when all buckets are exhausted.
fn place(bucket: Bucket, histogram: &FloatHistogram, is_beyond: bool, rank: f64) -> f64 {
    let bucket = one_sided(bucket, histogram);
    if histogram.uses_custom_buckets() {
        if bucket.lower == f64::NEG_INFINITY {
            return bucket.upper;
        }
        if bucket.upper == f64::INFINITY {
            return bucket.lower;
        }
    }
    if is_beyond {
        return bucket.upper;
    }
    let fraction = rank / bucket.count;
    if histogram.uses_custom_buckets() || bucket.lower <= 0.0 && bucket.upper >= 0.0 {
        return bucket.lower + (bucket.upper - bucket.lower) * fraction;
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    if bucket.lower > 0.0 {
        (lower + (upper - lower) * fraction).exp2()
    } else {
        -(upper + (lower - upper) * (1.0 - fraction)).exp2()
    }
}

/// The bucket without the part where no observation can be: a zero bucket ends at 0 when there are buckets on one side
/// only, the first custom bucket begins at 0 when it ends above.
fn one_sided(mut bucket: Bucket, histogram: &FloatHistogram) -> Bucket {
    let (has_negative, has_positive) =
        (!histogram.negative_buckets.is_empty(), !histogram.positive_buckets.is_empty());
    if histogram.uses_custom_buckets() {
        if bucket.lower == f64::NEG_INFINITY && bucket.upper > 0.0 {
            bucket.lower = 0.0;
        }
    } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
        match (has_negative, has_positive) {
            (false, true) => bucket.lower = 0.0,
            (true, false) => bucket.upper = 0.0,
            _ => {}
        }
    }
    bucket
}

/// The share of observations between two bounds: NaN without observations or with a NaN bound, 0 when the bounds do
/// not rise.
pub fn fraction(lower: f64, upper: f64, histogram: &FloatHistogram) -> (f64, NanObservations) {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return (f64::NAN, NanObservations::Irrelevant);
    }
    if lower >= upper {
        return (0.0, NanObservations::Irrelevant);
    }
    let total: f64 = histogram.ascending().map(|bucket| bucket.count).sum();
    let has_nan = histogram.sum.is_nan() && total < histogram.count;
    let count = if has_nan { total } else { histogram.count };
    let rank = |value| rank_below(value, histogram).unwrap_or(count).min(count);
    let nan = if has_nan { NanObservations::Excluded } else { NanObservations::Irrelevant };
    ((rank(upper) - rank(lower)) / histogram.count, nan)
}

/// Number of observations below `value`; `None` when it lies beyond all buckets.
fn rank_below(value: f64, histogram: &FloatHistogram) -> Option<f64> {
    let mut rank = 0.0;
    for bucket in histogram.ascending() {
        let bucket = one_sided(bucket, histogram);
        if bucket.lower >= value {
            return Some(rank);
        }
        if bucket.upper > value {
            let is_even = histogram.uses_custom_buckets() || bucket.lower <= 0.0 && bucket.upper >= 0.0;
            return Some(
                rank + bucket.count * if is_even { even(&bucket, value) } else { by_log(&bucket, value) },
            );
        }
        rank += bucket.count;
    }
    None
}

/// The part of a bucket below a value in it, observations lying evenly. All of a bucket without a lower bound, nothing
/// of one without an upper bound.
fn even(bucket: &Bucket, value: f64) -> f64 {
    if bucket.lower == f64::NEG_INFINITY {
        1.0
    } else {
        (value - bucket.lower) / (bucket.upper - bucket.lower)
    }
}

/// The part of a bucket below a value in it, observations lying evenly by logarithm.
fn by_log(bucket: &Bucket, value: f64) -> f64 {
    let [lower, upper, at] = [bucket.lower, bucket.upper, value].map(|bound| bound.abs().log2());
    if value > 0.0 { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) }
}

#[cfg(test)]
mod tests {
    use narthex_model::BucketSpan;

    use super::*;

    /// `[-1, -0.5): 1`, `[-0.25, 0.25]: 2`, `(1, 2]: 1`.
    fn two_sided() -> FloatHistogram {
        FloatHistogram {
            count: 4.0,
            sum: 1.0,
            zero_threshold: 0.25,
            zero_count: 2.0,
            positive_spans: vec![BucketSpan { offset: 1, length: 1 }],
            positive_buckets: vec![1.0],
            negative_spans: vec![BucketSpan { offset: 0, length: 1 }],
            negative_buckets: vec![1.0],
            ..FloatHistogram::default()
        }
    }

    fn custom() -> FloatHistogram {
        FloatHistogram {
            schema: narthex_model::histogram::CUSTOM_BUCKETS_SCHEMA,
            count: 8.0,
            sum: 20.0,
            custom_values: vec![2.0, 4.0],
            positive_spans: vec![BucketSpan { offset: 0, length: 3 }],
            positive_buckets: vec![2.0, 4.0, 2.0],
            ..FloatHistogram::default()
        }
    }

    #[test]
    fn quantiles_are_interpolated_within_buckets() {
        let histogram = two_sided();
        let rows = [
            (-0.1, f64::NEG_INFINITY),
            (0.0, -1.0),
            (0.5, 0.0),
            (0.625, 0.125),
            (1.0, 2.0),
            (1.1, f64::INFINITY),
        ];
        for (phi, expected) in rows {
            assert_eq!(quantile(phi, &histogram).0, expected, "{phi}");
        }
        assert!((quantile(0.875, &histogram).0 - 2f64.sqrt()).abs() < 1e-12);
        assert!((quantile(0.125, &histogram).0 + 0.5f64.sqrt()).abs() < 1e-12);
        let rows = [(0.125, 1.0), (0.5, 3.0), (0.75, 4.0), (0.9, 4.0)];
        for (phi, expected) in rows {
            assert_eq!(quantile(phi, &custom()).0, expected, "{phi}");
        }
    }

    #[test]
    fn nan_observations_are_above_everything() {
        let histogram = FloatHistogram { count: 8.0, sum: f64::NAN, ..two_sided() };
        assert_eq!(quantile(0.25, &histogram), (0.0, NanObservations::Skew));
        let (value, nan) = quantile(0.9, &histogram);
        assert!(value.is_nan() && nan == NanObservations::Result);
        assert_eq!(fraction(-1.0, 2.0, &histogram), (0.5, NanObservations::Excluded));
    }

    #[test]
    fn fractions_are_differences_of_ranks() {
        let rows = [
            (f64::NEG_INFINITY, f64::INFINITY, 1.0),
            (-0.25, 0.25, 0.5),
            (0.0, 2f64.sqrt(), 0.375),
            (3.0, 9.0, 0.0),
        ];
        for (lower, upper, expected) in rows {
            let (found, _) = fraction(lower, upper, &two_sided());
            assert!((found - expected).abs() < 1e-12, "{lower} {upper} {found}");
        }
        assert_eq!(fraction(0.0, 1.0, &custom()).0, 0.125);
        assert_eq!(fraction(4.0, 99.0, &custom()).0, 0.0);
        assert_eq!(fraction(2.0, 1.0, &custom()).0, 0.0);
        assert!(fraction(f64::NAN, 1.0, &custom()).0.is_nan());
    }

    #[test]
    fn summaries_replace_histograms_and_remove_floats() {
        let mut column = StepColumn::new(2);
        column.set_float(0, 1.0);
        column.set_histogram(1, std::sync::Arc::new(two_sided()));
        evaluate(HistogramFunction::Stdvar, &mut column);
        let expected = ((0.5f64.sqrt() + 0.25).powi(2) + 2.0 * 0.0625 + (2f64.sqrt() - 0.25).powi(2)) / 4.0;
        assert!((column.float(1).unwrap() - expected).abs() < 1e-12);
        assert!(!column.is_present(0));
    }
}
