//! Numbers of any number of bits, one behind the other, from the lowest bit of each byte on.

use super::fields::{Malformed, Read};

/// Writes numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedWriter {
    bytes: Vec<u8>,
    /// Bits that make no whole word yet, fewer than 64 between calls.
    rest: u128,
    rest_bits: u32,
}

impl PackedWriter {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.rest, self.rest_bits) = (0, 0);
    }

    /// Appends a number of at most `width` bits, of which there are at most 64.
    #[inline]
    pub(super) fn put(&mut self, number: u64, width: u8) {
        self.rest |= u128::from(number) << self.rest_bits;
        self.rest_bits += u32::from(width);
        if self.rest_bits >= 64 {
            self.bytes.extend_from_slice(&(self.rest as u64).to_le_bytes());
            self.rest >>= 64;
            self.rest_bits -= 64;
        }
    }

    /// Appends all that was put to `out`; the last byte is filled up with zeros.
    pub(super) fn finish(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
        out.extend_from_slice(&self.rest.to_le_bytes()[..self.rest_bits.div_ceil(8) as usize]);
    }
}

/// Reads numbers; behind the end it reads zeros, which [`PackedReader::finish`] tells.
#[derive(Clone, Debug)]
pub(super) struct PackedReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> PackedReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> PackedReader<'a> {
        PackedReader { bytes, position: 0 }
    }

    /// The next number of `width` bits.
    #[inline]
    pub(super) fn read(&mut self, width: u8) -> u64 {
        let (at, skipped) = (self.position / 8, self.position as u32 % 8);
        self.position += usize::from(width);
        let low = self.word(at) >> skipped;
        let is_within = skipped + u32::from(width) <= 64;
        let word = if is_within { low } else { low | self.word(at + 8) << (64 - skipped) };
        word & (1u64.checked_shl(u32::from(width)).unwrap_or(0)).wrapping_sub(1)
    }

    #[inline]
    fn word(&self, at: usize) -> u64 {
        let rest = self.bytes.get(at..).unwrap_or(&[]);
        match rest.first_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        }
    }

    /// Whether all was read, and no more than there is.
    pub(super) fn finish(&self) -> Read<()> {
        if self.position.div_ceil(8) == self.bytes.len() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_written(numbers in prop::collection::vec((any::<u64>(), 0..=64u8), 0..60)) {
            let low = |number: u64, width: u8| if width == 0 { 0 } else { number & (u64::MAX >> (64 - width)) };
            let (mut writer, mut bytes) = (PackedWriter::default(), Vec::new());
            numbers.iter().for_each(|&(number, width)| writer.put(low(number, width), width));
            writer.finish(&mut bytes);
            let mut reader = PackedReader::new(&bytes);
            for &(number, width) in &numbers {
                prop_assert_eq!(reader.read(width), low(number, width));
            }
            prop_assert_eq!(reader.finish(), Ok(()));
            let mut cut = PackedReader::new(&bytes[..bytes.len().saturating_sub(1)]);
            numbers.iter().for_each(|&(_, width)| { cut.read(width); });
            prop_assert_eq!(cut.finish().is_err(), !bytes.is_empty());
        }
    }
}
