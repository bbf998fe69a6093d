//! The same arithmetic on several numbers side by side: what becomes vector instructions.

use std::ops::{Add, Div, Mul, Sub};

use narthex_model::Timestamp;
use narthex_model::histogram::Compensated;

/// One number of each of `W` windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes<const W: usize>(pub(super) [f64; W]);

impl<const W: usize> Lanes<W> {
    /// The same number in all of them.
    pub(super) fn all(value: f64) -> Lanes<W> {
        Lanes([value; W])
    }

    /// The values of `W` windows at one place, which all of them have.
    #[inline(always)]
    pub(super) fn at(windows: &[&[f64]; W], at: usize) -> Lanes<W> {
        let mut values = [0.0; W];
        // A loop, as the iterators of arrays do not become vector instructions.
        for lane in 0..W {
            values[lane] = windows[lane][at];
        }
        Lanes(values)
    }

    /// The times of `W` windows at one place, counted in milliseconds from an origin of each within [`EXACT_INTEGER`].
    #[inline(always)]
    pub(super) fn since(origins_ms: [Timestamp; W], timestamps: &[&[Timestamp]; W], at: usize) -> Lanes<W> {
        let mut times = [0.0; W];
        for lane in 0..W {
            times[lane] = exact(timestamps[lane][at].wrapping_sub(origins_ms[lane]));
        }
        Lanes(times)
    }
}

macro_rules! by_lane {
    ($($operation:ident, $method:ident, $op:tt;)*) => {$(
        impl<const W: usize> $operation for Lanes<W> {
            type Output = Lanes<W>;

            #[inline(always)]
            fn $method(self, other: Lanes<W>) -> Lanes<W> {
                let Lanes(mut values) = self;
                for lane in 0..W {
                    values[lane] $op other.0[lane];
                }
                Lanes(values)
            }
        }
    )*};
}

by_lane! {
    Add, add, +=;
    Sub, sub, -=;
    Mul, mul, *=;
    Div, div, /=;
}

/// Sums of which nothing is lost. What is lost by an addition is worked out without looking at which number is larger
/// (Knuth's two-sum): that is the exact error, so the bits are those of [`Compensated`] as long as all is finite.
#[derive(Clone, Copy, Debug)]
pub(super) struct CompensatedLanes<const W: usize> {
    sum: Lanes<W>,
    compensation: Lanes<W>,
}

impl<const W: usize> CompensatedLanes<W> {
    /// Sums of nothing.
    pub(super) fn new() -> CompensatedLanes<W> {
        CompensatedLanes { sum: Lanes::all(0.0), compensation: Lanes::all(0.0) }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, value: Lanes<W>) {
        let total = self.sum + value;
        let added = total - self.sum;
        self.compensation = self.compensation + ((self.sum - (total - added)) + (value - added));
        self.sum = total;
    }

    /// The best floats for the sums.
    #[inline(always)]
    pub(super) fn value(&self) -> Lanes<W> {
        self.sum + self.compensation
    }

    // Not inlined: that the lanes are written next to each other here is what makes the compiler keep them so in the loop.
    /// The sum of one lane; `None` if some number on the way was not finite, which must be added in another way.
    #[inline(never)]
    pub(super) fn lane(&self, lane: usize) -> Option<Compensated> {
        let (sum, compensation) = (self.sum.0[lane], self.compensation.0[lane]);
        (sum.is_finite() && compensation.is_finite()).then_some(Compensated { sum, compensation })
    }
}

/// A bound of integers, either sign, that [`exact`] takes.
pub(super) const EXACT_INTEGER: i64 = 1 << 51;

/// The float that is this integer, which lies within [`EXACT_INTEGER`]: there are vector instructions for what this does,
/// not for converting integers of 64 bits.
#[inline(always)]
pub(super) fn exact(integer: i64) -> f64 {
    // The last bit of floats of this size counts ones.
    const ONES: f64 = 1.5 * (1u64 << 52) as f64;
    f64::from_bits(ONES.to_bits().wrapping_add_signed(integer)) - ONES
}

/// Whether this is an integer within [`EXACT_INTEGER`].
#[inline(always)]
pub(super) fn is_exact_integer(value: f64) -> bool {
    const ONES: f64 = 1.5 * (1u64 << 52) as f64;
    (value + ONES) - ONES == value && value.abs() < EXACT_INTEGER as f64
}

/// As many leading values of each window as all of them have.
#[inline(always)]
pub(super) fn heads<'a, T, const W: usize>(windows: &[&'a [T]; W]) -> ([&'a [T]; W], usize) {
    let common = windows.iter().fold(usize::MAX, |least, window| least.min(window.len()));
    let mut heads = *windows;
    for head in &mut heads {
        *head = &head[..common];
    }
    (heads, common)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            8 => any::<f64>(),
            4 => -1e3..1e3,
            2 => (-5i32..5).prop_map(f64::from),
            1 => Just(-0.0),
            1 => prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::INFINITY), Just(f64::NAN)],
        ]
    }

    proptest! {
        #[test]
        fn two_sums_are_compensated_sums(values in prop::collection::vec((any_value(), any_value()), 0..40)) {
            let mut lanes = CompensatedLanes::<2>::new();
            let mut expected = [Compensated::default(); 2];
            for (left, right) in values {
                lanes.add(Lanes([left, right]));
                expected[0].add(left);
                expected[1].add(right);
            }
            for (lane, expected) in expected.into_iter().enumerate() {
                match lanes.lane(lane) {
                    Some(found) => {
                        prop_assert_eq!(found.sum.to_bits(), expected.sum.to_bits());
                        prop_assert_eq!(found.compensation.to_bits(), expected.compensation.to_bits());
                    }
                    None => prop_assert!(lanes.sum.0[lane].abs() > 1e300 || !expected.sum.is_finite()),
                }
            }
        }

        #[test]
        fn integers_become_floats(integer in -EXACT_INTEGER + 1..EXACT_INTEGER, value in any_value()) {
            prop_assert_eq!(exact(integer), integer as f64);
            let is_integer = value.trunc() == value && value.abs() < EXACT_INTEGER as f64;
            prop_assert_eq!(is_exact_integer(value), is_integer);
        }
    }
}
