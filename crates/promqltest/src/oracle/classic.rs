//! Distributions told by classic buckets: pairs of a bound and the number of observations up to it.

/// Differences below this share of two counts are rounding.
const ROUNDING: f64 = 1e-12;

/// Rising by bound, the counts of equal bounds added; `None` unless the last bound is infinite.
fn ordered(buckets: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    let mut sorted = buckets.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ordered: Vec<(f64, f64)> = Vec::new();
    for (bound, count) in sorted {
        match ordered.last_mut() {
            Some(last) if last.0 == bound => last.1 += count,
            _ => ordered.push((bound, count)),
        }
    }
    (ordered.last()?.0 == f64::INFINITY).then_some(ordered)
}

pub(super) fn quantile(buckets: &[(f64, f64)], q: f64) -> f64 {
    match q {
        _ if q.is_nan() => return f64::NAN,
        _ if q < 0.0 => return f64::NEG_INFINITY,
        _ if q > 1.0 => return f64::INFINITY,
        _ => {}
    }
    let Some(mut buckets) = ordered(buckets) else { return f64::NAN };
    let mut accepted = buckets[0].1;
    for bucket in &mut buckets[1..] {
        if bucket.1 < accepted || is_same(bucket.1, accepted) {
            bucket.1 = accepted;
        } else {
            accepted = bucket.1;
        }
    }
    let [.., below, last] = buckets.as_slice() else { return f64::NAN };
    if last.1 == 0.0 {
        return f64::NAN;
    }
    let rank = q * last.1;
    let Some(at) = buckets.iter().position(|bucket| bucket.1 >= rank) else { return below.0 };
    let (upper, count) = buckets[at];
    match at {
        _ if upper == f64::INFINITY => below.0,
        0 if upper <= 0.0 => upper,
        0 => upper * (rank / count),
        _ => {
            let (lower, before) = buckets[at - 1];
            lower + (upper - lower) * ((rank - before) / (count - before))
        }
    }
}

fn is_same(a: f64, b: f64) -> bool {
    a == b || (a != 0.0 && b != 0.0 && (a - b).abs() / (a.abs() + b.abs()) < ROUNDING)
}

pub(super) fn fraction(buckets: &[(f64, f64)], lower: f64, upper: f64) -> f64 {
    let Some(buckets) = ordered(buckets) else { return f64::NAN };
    let total = buckets[buckets.len() - 1].1;
    if total == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_at(&buckets, upper) - rank_at(&buckets, lower)) / total
}

/// How many observations are below `value`.
fn rank_at(buckets: &[(f64, f64)], value: f64) -> f64 {
    let total = buckets[buckets.len() - 1].1;
    let mut before = (if buckets[0].0 > 0.0 { 0.0 } else { f64::NEG_INFINITY }, 0.0);
    for &(upper, count) in buckets {
        let (lower, rank) = before;
        if lower >= value {
            return if rank > total { total } else { rank };
        }
        if upper > value {
            let share = if lower == f64::NEG_INFINITY { 1.0 } else { (value - lower) / (upper - lower) };
            let rank = rank + (count - rank) * share;
            return if rank > total { total } else { rank };
        }
        before = (upper, count);
    }
    total
}
