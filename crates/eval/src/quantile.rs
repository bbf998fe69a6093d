//! The φ-quantile of some numbers.

/// Linear interpolation between the ranks around `phi · (n − 1)`; NaN sorts lowest. −Inf for φ below 0, +Inf above 1,
/// NaN for NaN or without values. In linear time; reorders `values`.
pub fn quantile(phi: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    let order = |left: &f64, right: &f64| match (left.is_nan(), right.is_nan()) {
        (false, false) => left.total_cmp(right),
        (left, right) => right.cmp(&left),
    };
    let rank = phi * (values.len() - 1) as f64;
    let lower = (rank.floor() as usize).min(values.len() - 1);
    let (_, &mut low, above) = values.select_nth_unstable_by(lower, order);
    let high = above.iter().copied().min_by(order).unwrap_or(low);
    let weight = rank - rank.floor();
    low * (1.0 - weight) + high * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_interpolated_and_nan_is_lowest() {
        assert_eq!(quantile(0.5, &mut [3.0, 1.0, 2.0, 4.0]), 2.5);
        assert_eq!(quantile(1.0, &mut [f64::NAN, 1.0, 0.0]), 1.0);
        assert!(quantile(0.0, &mut [1.0, f64::NAN]).is_nan());
        assert_eq!(
            (quantile(-1.0, &mut [1.0]), quantile(2.0, &mut [1.0])),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
        assert!(quantile(0.5, &mut []).is_nan());
    }
}
