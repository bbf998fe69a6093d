//! Quantiles and fractions of classic histograms: cumulative counts per upper bound, one series each.

/// A classic bucket at one step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClassicBucket {
    /// Its upper bound, inclusive.
    pub upper: f64,
    /// Observations up to there.
    pub count: f64,
}

/// What was changed to make counts rise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MonotonicityRepair {
    /// Lowest bound of a repaired bucket.
    pub bound_min: f64,
    /// Highest bound of a repaired bucket.
    pub bound_max: f64,
    /// Largest fall of a count.
    pub fall_max: f64,
}

/// A quantile, and what had to be repaired to have it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClassicQuantile {
    /// The quantile.
    pub value: f64,
    /// `None` when counts rose.
    pub repair: Option<MonotonicityRepair>,
}

/// Relative difference up to which a falling count is rounding.
const ROUNDING_TOLERANCE: f64 = 1e-12;

/// The φ-quantile, linearly interpolated within a bucket: −Inf for φ below 0, +Inf above 1, NaN for NaN, without
/// observations, or without a bucket that ends at +Inf. Sorts `buckets` and changes them.
pub fn classic_quantile(phi: f64, buckets: &mut Vec<ClassicBucket>) -> ClassicQuantile {
    let plain = |value| ClassicQuantile { value, repair: None };
    if phi < 0.0 {
        return plain(f64::NEG_INFINITY);
    }
    if phi > 1.0 {
        return plain(f64::INFINITY);
    }
    if phi.is_nan() || !prepare(buckets) {
        return plain(f64::NAN);
    }
    let repair = make_monotonic(buckets);
    ClassicQuantile { value: interpolated(phi, buckets), repair }
}

fn interpolated(phi: f64, buckets: &[ClassicBucket]) -> f64 {
    let [.., highest_finite, last] = buckets else { return f64::NAN };
    if last.count == 0.0 {
        return f64::NAN;
    }
    let rank = phi * last.count;
    let at = buckets[..buckets.len() - 1].partition_point(|bucket| bucket.count < rank);
    let bucket = buckets[at];
    let before = at.checked_sub(1).map(|before| buckets[before]);
    match before {
        _ if at == buckets.len() - 1 => highest_finite.upper,
        None if bucket.upper <= 0.0 => bucket.upper,
        None => bucket.upper * (rank / bucket.count),
        Some(before) => {
            let fraction = (rank - before.count) / (bucket.count - before.count);
            before.upper + (bucket.upper - before.upper) * fraction
        }
    }
}

/// Sorts buckets and merges those of equal bounds; says whether the last one ends at +Inf.
fn prepare(buckets: &mut Vec<ClassicBucket>) -> bool {
    // They rise already unless a bound is written in two ways.
    if buckets.is_sorted_by(|a, b| a.upper < b.upper) {
        return buckets.last().is_some_and(|last| last.upper == f64::INFINITY);
    }
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    buckets.dedup_by(|later, earlier| {
        let is_same = later.upper == earlier.upper;
        if is_same {
            earlier.count += later.count;
        }
        is_same
    });
    buckets.last().is_some_and(|last| last.upper == f64::INFINITY)
}

/// Lifts every count that falls to the one before; a fall within rounding is not reported.
fn make_monotonic(buckets: &mut [ClassicBucket]) -> Option<MonotonicityRepair> {
    let (first, rest) = buckets.split_first_mut()?;
    let mut previous = first.count;
    let mut repair: Option<MonotonicityRepair> = None;
    for bucket in rest {
        let is_rounding = is_almost_equal(previous, bucket.count);
        if !is_rounding && bucket.count < previous {
            let fall = previous - bucket.count;
            repair = Some(MonotonicityRepair {
                bound_min: repair.map_or(bucket.upper, |known| known.bound_min),
                bound_max: bucket.upper,
                fall_max: repair.map_or(fall, |known| known.fall_max.max(fall)),
            });
            bucket.count = previous;
        } else if is_rounding {
            bucket.count = previous;
        } else {
            previous = bucket.count;
        }
    }
    repair
}

fn is_almost_equal(a: f64, b: f64) -> bool {
    if a == b || a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    // Far apart by any rounding: no need to divide.
    if difference > sum * (2.0 * ROUNDING_TOLERANCE) && sum > f64::MIN_POSITIVE / ROUNDING_TOLERANCE {
        return false;
    }
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < ROUNDING_TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < ROUNDING_TOLERANCE
}

/// The share of observations between two bounds, linearly interpolated: NaN with a NaN bound, without observations, or
/// without a bucket that ends at +Inf; 0 when the bounds do not rise. Sorts `buckets`.
pub fn classic_fraction(lower: f64, upper: f64, buckets: &mut Vec<ClassicBucket>) -> f64 {
    if !prepare(buckets) || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    let count = buckets.last().map_or(0.0, |last| last.count);
    if count == 0.0 {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let rank = |value| rank_below(value, buckets).filter(|rank| *rank <= count).unwrap_or(count);
    (rank(upper) - rank(lower)) / count
}

/// Number of observations below `value`; `None` when it lies beyond all buckets. The first bucket begins at 0 if it
/// ends above; otherwise it has no lower bound, and a value in it counts all of it. A value in the last bucket, which
/// has no upper bound, counts nothing of it.
fn rank_below(value: f64, buckets: &[ClassicBucket]) -> Option<f64> {
    let mut rank = 0.0;
    let mut begin = match buckets.first() {
        Some(first) if first.upper > 0.0 => 0.0,
        _ => f64::NEG_INFINITY,
    };
    for bucket in buckets {
        if begin >= value {
            return Some(rank);
        }
        if bucket.upper > value {
            if begin == f64::NEG_INFINITY {
                return Some(bucket.count);
            }
            return Some(rank + (bucket.count - rank) * (value - begin) / (bucket.upper - begin));
        }
        rank = bucket.count;
        begin = bucket.upper;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = &'static [(f64, f64)];

    fn buckets(rows: &[(f64, f64)]) -> Vec<ClassicBucket> {
        rows.iter().map(|&(upper, count)| ClassicBucket { upper, count }).collect()
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_are_interpolated() {
        let rows: [(Rows, f64, f64); 9] = [
            (&[(1.0, 2.0), (3.0, 6.0), (INF, 8.0)], 0.125, 0.5),
            (&[(INF, 8.0), (3.0, 6.0), (1.0, 2.0)], 0.5, 2.0),
            (&[(1.0, 2.0), (3.0, 6.0), (INF, 8.0)], 0.9, 3.0),
            (&[(1.0, 1.0), (1.0, 1.0), (3.0, 6.0), (INF, 8.0)], 0.5, 2.0),
            (&[(-1.0, 2.0), (INF, 2.0)], 0.5, -1.0),
            (&[(1.0, 2.0), (3.0, 6.0)], 0.5, f64::NAN),
            (&[(INF, 2.0)], 0.5, f64::NAN),
            (&[(1.0, 0.0), (INF, 0.0)], 0.5, f64::NAN),
            (&[(1.0, 2.0), (INF, 2.0)], -1.0, f64::NEG_INFINITY),
        ];
        for (rows, phi, expected) in rows {
            let found = classic_quantile(phi, &mut buckets(rows));
            assert!(
                found.value == expected || found.value.is_nan() && expected.is_nan(),
                "{rows:?} {phi} {found:?}"
            );
            assert_eq!(found.repair, None);
        }
    }

    #[test]
    fn falling_counts_are_lifted_and_reported() {
        let mut falling = buckets(&[(1.0, 5.0), (2.0, 4.0), (3.0, 5.0), (4.0, 2.0), (INF, 10.0)]);
        let found = classic_quantile(0.5, &mut falling);
        assert_eq!(found.value, 1.0);
        let repair = MonotonicityRepair { bound_min: 2.0, bound_max: 4.0, fall_max: 3.0 };
        assert_eq!(found.repair, Some(repair));
        let mut rounded = buckets(&[(1.0, 5.0), (2.0, 5.0 - 1e-14), (INF, 10.0)]);
        assert_eq!(classic_quantile(0.5, &mut rounded).repair, None);
    }

    #[test]
    fn fractions_follow_ranks() {
        let rows = [
            (0.0, 1.0, 0.25),
            (0.5, 3.0, 0.625),
            (3.0, 99.0, 0.0),
            (3.0, INF, 0.25),
            (-INF, INF, 1.0),
            (2.0, 2.0, 0.0),
        ];
        for (lower, upper, expected) in rows {
            let mut buckets = buckets(&[(1.0, 2.0), (3.0, 6.0), (INF, 8.0)]);
            assert_eq!(classic_fraction(lower, upper, &mut buckets), expected, "{lower} {upper}");
        }
    }
}
