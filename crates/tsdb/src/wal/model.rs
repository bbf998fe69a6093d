//! What a series is expected to be: a line through its values, and how many bits it strays from it.
//!
//! A float is told as a whole number of steps: of hundredths, of a power of two, or of the floats themselves, which are
//! in the order of their bits. What the line does not say of the number is left over, and that is what a scrape stores.

use narthex_model::sample::STALE_NAN_BITS;

use super::fields::{Fields, Malformed, Read};
use crate::integers::{push_uvarint, push_varint};

/// Numbers of steps up to this are told from their neighbours by floats.
const NUMBER_MAX: f64 = (1u64 << 51) as f64;
/// Added and taken away again it rounds to the nearest whole number what is no greater than [`NUMBER_MAX`].
const ROUNDING: f64 = (3u64 << 51) as f64;
/// Powers of ten, by the number of decimals.
const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Widest difference.
pub(super) const WIDTH_MAX: u8 = 64;

/// The scale is stored in these bits of a model's first byte.
const SCALE_BITS: u8 = 0x0f;
/// A shift follows.
const HAS_SHIFT: u8 = 0x10;
/// A slope follows.
const HAS_SLOPE: u8 = 0x20;

/// What the steps of a value are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Scale(u8);

impl Scale {
    /// Every value has a number: its bits.
    pub(super) const BITS: Scale = Scale(15);
    /// Whole numbers.
    pub(super) const WHOLE: Scale = Scale(0);

    /// The first scale in which a value has a number.
    pub(super) fn of(value: u64) -> Scale {
        let decimals = (0..POWERS.len() as u8).map(Scale);
        decimals.into_iter().find(|scale| scale.number(value).is_some()).unwrap_or(Scale::BITS)
    }

    /// The number that stands for exactly this value.
    #[inline]
    pub(super) fn number(self, value: u64) -> Option<i64> {
        let Some(power) = POWERS.get(usize::from(self.0)) else { return Some(value as i64) };
        let scaled = f64::from_bits(value) * power;
        if scaled.abs() > NUMBER_MAX || scaled.is_nan() {
            return None;
        }
        let rounded = (scaled + ROUNDING) - ROUNDING;
        // The sum with zero makes the negative zero a positive one, which then is not the value.
        let number = rounded as i64;
        ((number as f64 / power).to_bits() == value).then_some(number)
    }

    #[inline]
    fn value(self, number: i64) -> u64 {
        match POWERS.get(usize::from(self.0)) {
            Some(power) => (number as f64 / power).to_bits(),
            None => number as u64,
        }
    }

    /// How many steps of this scale are a step of `before`, a coarser one; `None` when they cannot be compared.
    pub(super) fn steps_of(self, before: Scale) -> Option<f64> {
        if self == before {
            return Some(1.0);
        }
        let decimals = usize::from(self.0.checked_sub(before.0)?);
        POWERS.get(decimals).copied().filter(|_| self != Scale::BITS)
    }
}

/// What is expected of a series from the time of its key on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Model {
    /// The number expected at the time of the key, without the bits that `shift` leaves out.
    pub(super) base: i64,
    /// How much more is expected per millisecond.
    pub(super) slope: f32,
    pub(super) scale: Scale,
    /// Lowest bits of a number that are zero.
    pub(super) shift: u8,
    /// Bits of a folded difference to what is expected, if it is no exception.
    pub(super) width: u8,
}

impl Model {
    /// The number expected after so long.
    #[inline]
    pub(super) fn expected(&self, elapsed_ms: i64) -> i64 {
        self.base.wrapping_add((f64::from(self.slope) * elapsed_ms as f64) as i64)
    }

    /// How much more than expected a value is; `None` when it has no number.
    #[inline]
    pub(super) fn difference(&self, value: u64, elapsed_ms: i64) -> Option<i64> {
        let number = self.scale.number(value).filter(|_| !is_stale(value))?;
        let shifted = number >> self.shift;
        (shifted << self.shift == number).then(|| shifted.wrapping_sub(self.expected(elapsed_ms)))
    }

    /// The value that is so much more than expected.
    #[inline]
    pub(super) fn value(&self, difference: i64, elapsed_ms: i64) -> u64 {
        self.scale.value(self.expected(elapsed_ms).wrapping_add(difference) << self.shift)
    }

    /// First byte and all that follows the width.
    pub(super) fn first_byte(&self) -> u8 {
        let shift = if self.shift == 0 { 0 } else { HAS_SHIFT };
        let slope = if self.slope == 0.0 { 0 } else { HAS_SLOPE };
        self.scale.0 | shift | slope
    }

    pub(super) fn put_rest(&self, out: &mut Vec<u8>) {
        push_varint(out, self.base);
        if self.shift != 0 {
            out.push(self.shift);
        }
        if self.slope != 0.0 {
            push_uvarint(out, u64::from(self.slope.to_bits().reverse_bits()));
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>, first: u8, width: u8) -> Read<Model> {
        let scale = Scale(first & SCALE_BITS);
        let base = fields.varint()?;
        let shift = if first & HAS_SHIFT == 0 { 0 } else { fields.u8()? };
        let slope = if first & HAS_SLOPE == 0 { 0 } else { fields.uvarint()? };
        let slope = u32::try_from(slope).map_err(|_| Malformed)?.reverse_bits();
        let is_known = usize::from(scale.0) < POWERS.len() || scale == Scale::BITS;
        if !is_known || shift > 63 || width > WIDTH_MAX {
            return Err(Malformed);
        }
        Ok(Model { base, slope: f32::from_bits(slope), scale, shift, width })
    }
}

/// Bits that a number takes.
#[inline]
pub(super) fn width(number: u64) -> u8 {
    (64 - number.leading_zeros()) as u8
}

/// Whether a value says that there is none from now on.
#[inline]
pub(super) fn is_stale(value: u64) -> bool {
    value == STALE_NAN_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            any::<i64>().prop_map(|number| (number as f64).to_bits()),
            any::<i32>().prop_map(|number| (f64::from(number) / 1000.0).to_bits()),
            any::<i64>().prop_map(|number| (number as f64 / 1e9).to_bits()),
            any::<f32>().prop_map(|number| f64::from(number).to_bits()),
            Just(STALE_NAN_BITS),
            Just((-0.0f64).to_bits()),
            Just(f64::NEG_INFINITY.to_bits()),
        ]
    }

    proptest! {
        #[test]
        fn values_are_what_is_expected_and_the_difference(
            value in value(),
            (base, slope, elapsed_ms) in (any::<i64>(), any::<f32>().prop_map(|slope| slope + 0.0), any::<i64>()),
            (scale, shift) in (0..11u8, 0..64u8),
        ) {
            let scale = if scale == 10 { Scale::BITS } else { Scale(scale) };
            let model = Model { base, slope, scale, shift, width: 9 };
            if let Some(difference) = model.difference(value, elapsed_ms) {
                prop_assert_eq!(model.value(difference, elapsed_ms), value);
            }
            prop_assert!(Scale::of(value).number(value).is_some());
            let mut out = Vec::new();
            model.put_rest(&mut out);
            let read = Model::read(&mut Fields::new(&out), model.first_byte(), 9).unwrap();
            prop_assert_eq!(format!("{read:?}"), format!("{model:?}"));
        }
    }

    #[test]
    fn scales_are_the_coarsest_that_do() {
        let scale = |value: f64| Scale::of(value.to_bits());
        assert_eq!([1e15, 0.5, 12.34, 1e-9].map(scale), [0, 1, 2, 9].map(Scale));
        assert_eq!([-0.0, 1e300, f64::NAN, 1.0 / 3.0].map(scale), [Scale::BITS; 4]);
        assert_eq!(Scale(3).steps_of(Scale(1)), Some(100.0));
        assert_eq!([Scale(1).steps_of(Scale(3)), Scale::BITS.steps_of(Scale(14))], [None, None]);
    }
}
