//! Integers as so many bytes as they need: groups of 7 bits, the lowest first; signed ones folded, so that small ones of
//! either sign are short.

/// Why bytes do not begin with an integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoInteger {
    /// They end within it.
    Truncated,
    /// It has more than 64 bits.
    TooLong,
}

/// Appends an integer.
#[inline]
pub(crate) fn push_uvarint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer.
#[inline]
pub(crate) fn push_varint(out: &mut Vec<u8>, value: i64) {
    push_uvarint(out, folded(value));
}

/// Appends a text behind its length.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_uvarint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// The integer that `bytes` begin with, and its length.
#[inline]
pub(crate) fn read_uvarint(bytes: &[u8]) -> Result<(u64, usize), NoInteger> {
    match bytes.first() {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), 1)),
        _ => read_long_uvarint(bytes),
    }
}

fn read_long_uvarint(bytes: &[u8]) -> Result<(u64, usize), NoInteger> {
    const MARKS: u64 = 0x8080_8080_8080_8080;
    if let Some(word) = bytes.first_chunk() {
        let word = u64::from_le_bytes(*word);
        let ends = !word & MARKS;
        if ends != 0 {
            let up_to_first = ends ^ (ends - 1);
            return Ok((joined(word & up_to_first & !MARKS), ends.trailing_zeros() as usize / 8 + 1));
        }
    }
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(10) {
        // The tenth byte has room for one bit.
        if at == 9 && byte > 1 {
            return Err(NoInteger::TooLong);
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Ok((value, at + 1));
        }
    }
    Err(NoInteger::Truncated)
}

/// One number of eight groups of 7 bits, each in a byte, the lowest first.
fn joined(groups: u64) -> u64 {
    let of_14 = groups & 0x007f_007f_007f_007f | (groups & 0x7f00_7f00_7f00_7f00) >> 1;
    let of_28 = of_14 & 0x0000_3fff_0000_3fff | (of_14 & 0x3fff_0000_3fff_0000) >> 2;
    of_28 & 0x0fff_ffff | of_28 >> 32 << 28
}

/// A signed integer as one without a sign: 0, −1, 1, −2, …
#[inline]
pub(crate) fn folded(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// The signed integer of a [`folded`] one.
#[inline]
pub(crate) fn unfolded(stored: u64) -> i64 {
    (stored >> 1) as i64 ^ -((stored & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_integer_has_at_most_64_bits() {
        assert_eq!(read_uvarint(&[0xff; 9]), Err(NoInteger::Truncated));
        assert_eq!(read_uvarint(&[0xff; 10]), Err(NoInteger::TooLong));
        let largest = [[0xff; 9].as_slice(), &[1]].concat();
        assert_eq!(read_uvarint(&largest), Ok((u64::MAX, 10)));
    }

    proptest! {
        #[test]
        fn integers_are_read_as_written(unsigned: u64, signed: i64, shift in 0..64u32, behind: [u8; 9]) {
            let mut bytes = Vec::new();
            push_uvarint(&mut bytes, unsigned >> shift);
            let length = bytes.len();
            for cut in 0..length {
                prop_assert_eq!(read_uvarint(&bytes[..cut]), Err(NoInteger::Truncated));
            }
            bytes.extend(behind);
            prop_assert_eq!(read_uvarint(&bytes), Ok((unsigned >> shift, length)));
            prop_assert_eq!(unfolded(folded(signed >> shift)), signed >> shift);
        }
    }
}
