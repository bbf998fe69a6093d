//! Where rising instants lie among timestamps.

use std::slice;

use narthex_model::Timestamp;

/// A cursor over timestamps that moves forward only. It looks first where it would be if it moved on as far as it usually
/// does, which is where it is for regular samples and steps; else near instants are walked to, far ones searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    timestamps: &'a [Timestamp],
    /// So many are known to lie up to the last instant.
    passed: usize,
    /// How many more are expected to lie up to the next instant.
    stride: usize,
    /// How many more there were when last it was not as expected.
    strayed: usize,
}

impl<'a> Places<'a> {
    /// A cursor in front of `timestamps`, which rise.
    pub(crate) fn new(timestamps: &'a [Timestamp]) -> Places<'a> {
        Places { timestamps, passed: 0, stride: 0, strayed: 0 }
    }

    /// Number of timestamps up to `at_ms`, which is not before any instant asked for earlier.
    #[inline(always)]
    pub(crate) fn up_to(&mut self, at_ms: Timestamp) -> usize {
        let mut place = [0];
        self.fill([at_ms].iter(), |&at_ms| at_ms, &mut place);
        place[0]
    }

    /// The numbers of timestamps up to the instants that `at_ms` makes of rising items, as [`Places::up_to`] says them.
    #[inline(always)]
    pub(crate) fn fill<T>(
        &mut self,
        mut items: slice::Iter<'_, T>,
        at_ms: impl Fn(&T) -> Timestamp,
        places: &mut [usize],
    ) {
        let mut places = places.iter_mut();
        loop {
            self.fill_expected(&mut items, &at_ms, &mut places);
            let (Some(item), Some(place)) = (items.next(), places.next()) else { return };
            *place = self.find(at_ms(item));
        }
    }

    /// Goes on as long as instants are where they are expected.
    #[inline(always)]
    fn fill_expected<T>(
        &mut self,
        items: &mut slice::Iter<'_, T>,
        at_ms: impl Fn(&T) -> Timestamp,
        places: &mut slice::IterMut<'_, usize>,
    ) {
        let Some((_, behind)) = self.timestamps.split_first() else { return };
        // Both of one length: the check of one place is that of the other.
        let (Some(before), stride) = (self.timestamps.get(..behind.len()), self.stride) else { return };
        let mut expected = self.passed.wrapping_add(stride).wrapping_sub(1);
        while let (Some(item), true) = (items.as_slice().first(), expected < before.len()) {
            let at_ms = at_ms(item);
            if before[expected] > at_ms || behind[expected] <= at_ms {
                break;
            }
            let Some(place) = places.next() else { break };
            expected = expected.wrapping_add(1);
            *place = expected;
            expected = expected.wrapping_add(stride).wrapping_sub(1);
            items.next();
        }
        self.passed = expected.wrapping_add(1).wrapping_sub(stride);
    }

    /// As [`Places::up_to`], for an instant that is not where it was expected. What happens twice in a row is expected
    /// from then on.
    #[inline(never)]
    fn find(&mut self, at_ms: Timestamp) -> usize {
        const WALK: usize = 8;
        let is_passed =
            |place: usize| self.timestamps.get(place).is_some_and(|&sample_ms| sample_ms <= at_ms);
        let mut passed = self.passed;
        let far = passed + WALK;
        if is_passed(far) {
            passed = far + self.timestamps[far..].partition_point(|&sample_ms| sample_ms <= at_ms);
        } else {
            while is_passed(passed) {
                passed += 1;
            }
        }
        let moved = passed - self.passed;
        if moved == self.strayed {
            self.stride = moved;
        }
        self.strayed = moved;
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
