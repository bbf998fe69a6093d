//! Where rising instants lie among timestamps.

use narthex_model::Timestamp;

/// A cursor over timestamps that moves forward only. Near instants are walked to, far ones searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    timestamps: &'a [Timestamp],
    /// So many are known to lie up to the last instant.
    passed: usize,
}

impl<'a> Places<'a> {
    /// A cursor in front of `timestamps`, which rise.
    pub(crate) fn new(timestamps: &'a [Timestamp]) -> Places<'a> {
        Places { timestamps, passed: 0 }
    }

    /// Number of timestamps up to `at_ms`, which is not before any instant asked for earlier.
    #[inline(always)]
    pub(crate) fn up_to(&mut self, at_ms: Timestamp) -> usize {
        const WALK: usize = 8;
        let is_passed =
            |place: usize| self.timestamps.get(place).is_some_and(|&sample_ms| sample_ms <= at_ms);
        let far = self.passed + WALK;
        if is_passed(far) {
            self.passed = far + self.timestamps[far..].partition_point(|&sample_ms| sample_ms <= at_ms);
            return self.passed;
        }
        let mut passed = self.passed;
        while is_passed(passed) {
            passed += 1;
        }
        self.passed = passed;
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_count_what_a_scan_counts(
            mut timestamps in prop::collection::vec(-50..200_i64, 0..60),
            mut instants in prop::collection::vec(-60..210_i64, 0..30),
        ) {
            timestamps.sort_unstable();
            instants.sort_unstable();
            let mut places = Places::new(&timestamps);
            for at_ms in instants {
                let expected = timestamps.iter().filter(|&&sample_ms| sample_ms <= at_ms).count();
                prop_assert_eq!(places.up_to(at_ms), expected);
            }
        }
    }
}
