//! Keeping only the observations on one side of a value: the operators `</` and `>/`.

use super::FloatHistogram;
use super::buckets::Bucket;

/// Which observations a trim keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Those below the value: `</`.
    Below,
    /// Those above the value: `>/`.
    Above,
}

/// How observations are thought to lie within a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spread {
    /// Evenly.
    Linear,
    /// Evenly by logarithm.
    Logarithmic,
}

/// What is left of a bucket: how many observations, and where they are thought to be.
#[derive(Clone, Copy, Debug)]
struct Kept {
    count: f64,
    center: f64,
}

impl Kept {
    const NOTHING: Kept = Kept { count: 0.0, center: 0.0 };
}

impl FloatHistogram {
    /// The histogram of the observations below or above `value`, estimated: whole buckets are kept or dropped, the one
    /// that holds `value` is split, evenly for custom and zero buckets, evenly by logarithm for the others.
    ///
    /// When anything was dropped, the count is what is left and the sum is estimated from the middles of the buckets;
    /// the result is compacted. The hint stays.
    pub fn trimmed(&self, keep: Keep, value: f64) -> FloatHistogram {
        let spread = if self.uses_custom_buckets() { Spread::Linear } else { Spread::Logarithmic };
        let mut trimmed = self.clone();
        let mut kept = Vec::with_capacity(self.positive_buckets.len() + self.negative_buckets.len() + 1);
        for (bucket, count) in self.positive().zip(&mut trimmed.positive_buckets) {
            kept.push(replace(count, trim_bucket(&bucket, keep, value, spread)));
        }
        for (bucket, count) in self.negative().zip(&mut trimmed.negative_buckets) {
            kept.push(replace(count, trim_bucket(&bucket, keep, value, spread)));
        }
        if self.zero_count > 0.0 {
            kept.push(replace(&mut trimmed.zero_count, self.trim_zero_bucket(keep, value)));
        }
        if kept.iter().all(|(_, changed)| !changed) {
            return trimmed;
        }
        trimmed.count = kept.iter().fold(0.0, |count, (part, _)| count + part.count);
        let populated = kept.iter().filter(|(part, _)| part.count != 0.0);
        trimmed.sum = populated.fold(0.0, |sum, (part, _)| sum + part.center * part.count);
        trimmed.compact(0);
        trimmed
    }

    /// The zero bucket reaches only to the side on which there are other observations.
    fn trim_zero_bucket(&self, keep: Keep, value: f64) -> Kept {
        let populated = |buckets: &[f64]| buckets.iter().any(|count| *count != 0.0);
        let (mut lower, mut upper) = (-self.zero_threshold, self.zero_threshold);
        match (populated(&self.negative_buckets), populated(&self.positive_buckets)) {
            (true, false) => upper = 0.0,
            (false, true) => lower = 0.0,
            _ => {}
        }
        let range = Bucket { lower, upper, ..self.zero_bucket() };
        match keep {
            Keep::Below if value <= lower => Kept::NOTHING,
            Keep::Above if value <= lower => Kept { count: range.count, center: f64::midpoint(lower, upper) },
            Keep::Below if value >= upper => Kept { count: range.count, center: f64::midpoint(lower, upper) },
            Keep::Above if value >= upper => Kept::NOTHING,
            _ => split(&range, keep, value, Spread::Linear),
        }
    }
}

/// Stores the kept count; says whether it is another one.
fn replace(count: &mut f64, kept: Kept) -> (Kept, bool) {
    let changed = *count != kept.count;
    *count = kept.count;
    (kept, changed)
}

fn trim_bucket(bucket: &Bucket, keep: Keep, value: f64, spread: Spread) -> Kept {
    let is_inside = match keep {
        Keep::Below => bucket.upper <= value,
        Keep::Above => bucket.lower >= value,
    };
    let is_outside = match keep {
        Keep::Below => bucket.lower >= value || value.is_nan(),
        Keep::Above => bucket.upper <= value || value.is_nan(),
    };
    if bucket.count == 0.0 {
        Kept::NOTHING
    } else if is_inside {
        Kept { count: bucket.count, center: center(bucket.lower, bucket.upper, spread) }
    } else if is_outside {
        Kept::NOTHING
    } else if bucket.lower == f64::NEG_INFINITY {
        split_open_below(bucket, keep, value)
    } else if bucket.upper == f64::INFINITY {
        split_open_above(bucket, keep, value)
    } else {
        split(bucket, keep, value, spread)
    }
}

/// Splits a bucket with finite bounds at a value inside.
fn split(bucket: &Bucket, keep: Keep, value: f64, spread: Spread) -> Kept {
    let below = bucket.count * fraction_below(bucket, value, spread);
    match keep {
        Keep::Below => Kept { count: below, center: center(bucket.lower, value, spread) },
        Keep::Above => Kept { count: bucket.count - below, center: center(value, bucket.upper, spread) },
    }
}

fn fraction_below(bucket: &Bucket, value: f64, spread: Spread) -> f64 {
    if spread == Spread::Linear {
        return (value - bucket.lower) / (bucket.upper - bucket.lower);
    }
    let [lower, upper, value] = [bucket.lower, bucket.upper, value].map(|bound| bound.abs().log2());
    if bucket.upper > 0.0 {
        (value - lower) / (upper - lower)
    } else {
        1.0 - (value - upper) / (lower - upper)
    }
}

/// Splits a custom bucket that begins at −Inf. With a positive end it is thought to begin at 0; otherwise nothing is
/// known of where its observations are, and it is kept or dropped as a whole.
fn split_open_below(bucket: &Bucket, keep: Keep, value: f64) -> Kept {
    let is_measurable = bucket.upper > 0.0 && bucket.upper.is_finite();
    match keep {
        Keep::Below if value > 0.0 && is_measurable => {
            Kept { count: bucket.count * value / bucket.upper, center: value / 2.0 }
        }
        Keep::Below if bucket.upper <= 0.0 => Kept { count: bucket.count, center: value },
        Keep::Above if value >= 0.0 && is_measurable => Kept {
            count: bucket.count * (1.0 - value / bucket.upper),
            center: f64::midpoint(value, bucket.upper),
        },
        _ => Kept::NOTHING,
    }
}

/// Splits a bucket that ends at +Inf: nothing of it is surely below a value, what is above is thought to be all.
fn split_open_above(bucket: &Bucket, keep: Keep, value: f64) -> Kept {
    match keep {
        Keep::Below => Kept::NOTHING,
        Keep::Above => Kept { count: bucket.count, center: value },
    }
}

/// Where the observations between two bounds are thought to be in the mean.
fn center(lower: f64, upper: f64, spread: Spread) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => 0.0,
        (true, false) if upper > 0.0 => upper / 2.0,
        (true, false) => upper,
        (false, true) => lower,
        (false, false) if spread == Spread::Linear => f64::midpoint(lower, upper),
        (false, false) => (lower * upper).abs().sqrt().copysign(lower + upper),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{BucketSpan, CUSTOM_BUCKETS_SCHEMA};

    /// One span from bucket 0 (positive, custom) or 1 (as `bound` needs) on.
    fn custom(bounds: &[f64], buckets: &[f64]) -> FloatHistogram {
        FloatHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: buckets.iter().sum(),
            sum: 77.0,
            custom_values: bounds.to_vec(),
            positive_spans: vec![BucketSpan { offset: 0, length: buckets.len() as u32 }],
            positive_buckets: buckets.to_vec(),
            ..FloatHistogram::default()
        }
    }

    fn two_sided() -> FloatHistogram {
        FloatHistogram {
            count: 16.0,
            sum: 77.0,
            zero_threshold: 0.5,
            zero_count: 4.0,
            positive_spans: vec![BucketSpan { offset: 1, length: 2 }],
            positive_buckets: vec![2.0, 4.0],
            negative_spans: vec![BucketSpan { offset: 1, length: 2 }],
            negative_buckets: vec![2.0, 4.0],
            ..FloatHistogram::default()
        }
    }

    fn shown(histogram: &FloatHistogram, keep: Keep, value: f64) -> String {
        let mut trimmed = histogram.trimmed(keep, value);
        trimmed.sum = (trimmed.sum * 1e6).round() / 1e6;
        trimmed.to_string()
    }

    #[test]
    fn exponential_buckets_split_by_logarithm() {
        let histogram = two_sided();
        let rows = [
            (Keep::Below, f64::INFINITY, histogram.to_string()),
            (Keep::Above, 2.0, "{count:4, sum:11.313708, (2,4]:4}".into()),
            (Keep::Above, 8f64.sqrt(), "{count:2, sum:6.727171, (2,4]:2}".into()),
            (Keep::Below, -(8f64.sqrt()), "{count:2, sum:-6.727171, [-4,-2):2}".into()),
            (Keep::Above, 0.25, "{count:7, sum:14.517136, [-0.5,0.5]:1, (1,2]:2, (2,4]:4}".into()),
            (Keep::Below, -5.0, "{count:0, sum:0}".into()),
        ];
        for (keep, value, expected) in rows {
            assert_eq!(shown(&histogram, keep, value), expected, "{keep:?} {value}");
        }
    }

    #[test]
    fn a_one_sided_zero_bucket_ends_at_zero() {
        let histogram =
            FloatHistogram { negative_spans: Vec::new(), negative_buckets: Vec::new(), ..two_sided() };
        assert_eq!(shown(&histogram, Keep::Below, 0.125), "{count:1, sum:0.0625, [-0.5,0.5]:1}");
        assert_eq!(shown(&histogram, Keep::Above, 0.0), histogram.to_string());
        let zeros = FloatHistogram { zero_threshold: 0.0, ..histogram };
        assert_eq!(shown(&zeros, Keep::Above, 0.0), zeros.to_string());
        assert_eq!(shown(&zeros, Keep::Below, 0.0), "{count:0, sum:0}");
    }

    #[test]
    fn custom_buckets_split_evenly_and_open_ones_by_rule() {
        let histogram = custom(&[5.0, 10.0], &[2.0, 4.0, 8.0]);
        let rows = [
            (Keep::Below, 2.5, "{count:1, sum:1.25, [-Inf,5]:1}"),
            (Keep::Above, 2.5, "{count:13, sum:113.75, [-Inf,5]:1, (5,10]:4, (10,+Inf]:8}"),
            (Keep::Below, -1.0, "{count:0, sum:0}"),
            (Keep::Below, 6.25, "{count:3, sum:10.625, [-Inf,5]:2, (5,10]:1}"),
            (Keep::Below, 99.0, "{count:6, sum:35, [-Inf,5]:2, (5,10]:4}"),
            (Keep::Above, 99.0, "{count:8, sum:792, (10,+Inf]:8}"),
            (Keep::Above, -1.0, "{count:12, sum:110, (5,10]:4, (10,+Inf]:8}"),
            (Keep::Above, f64::INFINITY, "{count:0, sum:0}"),
        ];
        for (keep, value, expected) in rows {
            assert_eq!(shown(&histogram, keep, value), expected, "{keep:?} {value}");
        }
        let negative = custom(&[-5.0], &[2.0, 0.0]);
        assert_eq!(shown(&negative, Keep::Below, -9.0), negative.to_string());
        assert_eq!(shown(&custom(&[], &[3.0]), Keep::Below, 1.0), "{count:0, sum:0}");
    }
}
