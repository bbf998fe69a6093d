//! The best few of many floats: `topk` and `bottomk`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Best {
    /// Larger floats: `topk`.
    Largest,
    /// Smaller floats: `bottomk`.
    Smallest,
}

impl Best {
    /// A number that is larger for better floats. NaN is the worst both ways, zeros are equal.
    fn merit(self, value: f64) -> i64 {
        if value.is_nan() {
            return i64::MIN;
        }
        let value = match self {
            Best::Largest => value,
            Best::Smallest => -value,
        };
        let bits = (value + 0.0).to_bits().cast_signed();
        // Sign and magnitude to two's complement, so that integers sort as the floats do.
        if bits < 0 { i64::MIN - bits } else { bits }
    }
}

/// The best elements so far of one group at one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranking {
    /// The worst on top: the least merit, of equals the latest series.
    kept: BinaryHeap<(Reverse<i64>, usize, u64)>,
}

impl Ranking {
    /// Takes in the element of a series, unless `kept_max` better ones are there. Of equal elements that of the earlier
    /// series stays. Yields by how many bytes the ranking has grown.
    pub(crate) fn offer(&mut self, best: Best, kept_max: usize, series: usize, value: f64) -> usize {
        let before = self.kept.capacity();
        let candidate = (Reverse(best.merit(value)), series, value.to_bits());
        if self.kept.len() < kept_max {
            self.kept.push(candidate);
        } else if let Some(mut worst) = self.kept.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
        (self.kept.capacity() - before) * size_of::<(Reverse<i64>, usize, u64)>()
    }

    /// Series and values, best first.
    pub(crate) fn into_sorted(self) -> impl Iterator<Item = (usize, f64)> {
        self.kept.into_sorted_vec().into_iter().map(|(_, series, bits)| (series, f64::from_bits(bits)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranked(best: Best, kept_max: usize, values: &[f64]) -> Vec<usize> {
        let mut ranking = Ranking::default();
        for (series, value) in values.iter().enumerate() {
            ranking.offer(best, kept_max, series, *value);
        }
        ranking.into_sorted().map(|(series, _)| series).collect()
    }

    #[test]
    fn nan_is_last_and_of_equals_the_first_stays() {
        let values = [f64::NAN, 1.0, -0.0, 0.0, f64::NEG_INFINITY, 1.0];
        assert_eq!(ranked(Best::Largest, 6, &values), [1, 5, 2, 3, 4, 0]);
        assert_eq!(ranked(Best::Smallest, 6, &values), [4, 2, 3, 1, 5, 0]);
        assert_eq!(ranked(Best::Largest, 1, &values), [1]);
        assert_eq!(ranked(Best::Largest, 0, &values), [0; 0]);
    }

    proptest! {
        #[test]
        fn a_ranking_is_the_head_of_the_sorted_list(
            values in prop::collection::vec(-5..5_i8, 0..20),
            kept_max in 0_usize..10,
        ) {
            let values: Vec<f64> = values.iter().map(|value| f64::from(*value) / 2.0).collect();
            let mut expected: Vec<usize> = (0..values.len()).collect();
            expected.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
            expected.truncate(kept_max);
            prop_assert_eq!(ranked(Best::Largest, kept_max, &values), expected);
        }
    }
}
