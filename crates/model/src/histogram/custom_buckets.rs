//! Bringing custom buckets with different bounds together.

/// The bounds that are in both lists; both rise.
pub fn common_bounds(left: &[f64], right: &[f64]) -> Vec<f64> {
    let mut right = right.iter().peekable();
    let mut is_common = |bound: &f64| {
        while right.next_if(|other| *other < bound).is_some() {}
        right.peek().is_some_and(|other| *other == bound)
    };
    left.iter().copied().filter(|bound| is_common(bound)).collect()
}

/// Index of the bucket among those that end at `bounds` (and +Inf) which holds all that lies below `upper`.
pub(super) fn index_among(bounds: &[f64], upper: f64) -> i32 {
    i32::try_from(bounds.partition_point(|bound| *bound < upper)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_bounds_keep_their_order() {
        assert_eq!(common_bounds(&[1.0, 2.0, 4.0], &[0.5, 2.0, 3.0, 4.0]), [2.0, 4.0]);
        assert_eq!(common_bounds(&[1.0], &[2.0]), [0.0; 0]);
        assert_eq!([0.5, 2.0, 3.0, f64::INFINITY].map(|upper| index_among(&[1.0, 2.0], upper)), [0, 1, 2, 2]);
    }
}
