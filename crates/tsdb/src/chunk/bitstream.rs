//! Bits in bytes, most significant first.

use super::CorruptChunk;
use crate::integers::{NoInteger, folded, push_uvarint, read_uvarint, unfolded};

/// Longest run of bits that one [`BitReader::peek`] is sure to hold.
pub const PEEK_BITS: u32 = 57;

/// Appends bits to bytes; the last byte is filled up with zeros.
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are not written yet, 0…7.
    free_bits: u32,
}

impl BitWriter {
    /// Starts behind `bytes`.
    pub fn new(bytes: Vec<u8>) -> BitWriter {
        BitWriter { bytes, free_bits: 0 }
    }

    /// What is written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is written, to be changed in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// What is written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends the lowest `count` bits of `value`; `count` is at most 64.
    #[inline]
    pub fn write(&mut self, value: u64, count: u32) {
        if count == 0 {
            return;
        }
        let last = if self.free_bits > 0 { self.bytes.pop().unwrap_or(0) } else { 0 };
        let end = (8 - self.free_bits) % 8 + count;
        let bits = u128::from(last) << 120 | u128::from(low_bits(value, count)) << (128 - end);
        // A store of fixed length and a cut are faster than a copy of the right length.
        let length = self.bytes.len() + end.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&bits.to_be_bytes());
        self.bytes.truncate(length);
        self.free_bits = end.next_multiple_of(8) - end;
    }

    /// Appends an LEB128 integer.
    pub fn write_uvarint(&mut self, value: u64) {
        let start = self.bytes.len();
        push_uvarint(&mut self.bytes, value);
        if self.free_bits > 0 {
            let whole = self.bytes.split_off(start);
            whole.into_iter().for_each(|byte| self.write(byte.into(), 8));
        }
    }

    /// Appends a zigzag LEB128 integer.
    pub fn write_varint(&mut self, value: i64) {
        self.write_uvarint(folded(value));
    }
}

/// The lowest `count` bits, `count` from 1 to 64.
fn low_bits(value: u64, count: u32) -> u64 {
    value & (u64::MAX >> (64 - count))
}

/// Reads bits. Behind the end it reads zeros: whoever reads asks [`BitReader::check`] once per sample, which keeps the
/// bounds checks out of the way of single fields.
///
/// A decoder's loop owns its reader and lends it to inlined functions only, cold paths take and return a copy: a reader
/// whose address is taken lives in memory, which doubles the time of a sample.
#[derive(Clone, Copy, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits read.
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Reads `bytes` from the start.
    pub fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { bytes, position: 0 }
    }

    /// The next bits, left-aligned: at least [`PEEK_BITS`] of them.
    #[inline(always)]
    pub fn peek(&self) -> u64 {
        let rest = self.bytes.get(self.position >> 3..).unwrap_or(&[]);
        let word = rest.first_chunk().map_or_else(|| tail_word(rest), |word| u64::from_be_bytes(*word));
        word << (self.position & 7)
    }

    /// Leaves out `count` bits.
    #[inline(always)]
    pub fn skip(&mut self, count: u32) {
        self.position += count as usize;
    }

    /// Reads `count` bits, from 1 to 64.
    #[inline(always)]
    pub fn read(&mut self, count: u32) -> u64 {
        if count <= PEEK_BITS {
            let bits = self.peek() >> (64 - count);
            self.skip(count);
            return bits;
        }
        let high = self.peek() >> 32;
        self.skip(32);
        let low = self.peek() >> (96 - count);
        self.skip(count - 32);
        (high << (count - 32)) | low
    }

    /// Reads an LEB128 integer.
    ///
    /// # Errors
    /// When it has more than 64 bits.
    #[inline(always)]
    pub fn read_uvarint(&mut self) -> Result<u64, CorruptChunk> {
        let (value, behind) = uvarint(*self)?;
        *self = behind;
        Ok(value)
    }

    /// Reads a zigzag LEB128 integer.
    ///
    /// # Errors
    /// When it has more than 64 bits.
    #[inline(always)]
    pub fn read_varint(&mut self) -> Result<i64, CorruptChunk> {
        self.read_uvarint().map(unfolded)
    }

    /// Bits that are left; none behind the end.
    pub fn remaining(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.position)
    }

    /// Says whether all that was read was there.
    ///
    /// # Errors
    /// When bits behind the end were read.
    #[inline(always)]
    pub fn check(&self) -> Result<(), CorruptChunk> {
        if self.position <= self.bytes.len() * 8 { Ok(()) } else { Err(CorruptChunk::Truncated) }
    }
}

/// Bytes that can be looked at anywhere; behind their end stands anything.
///
/// For loops that read millions of fields: they add up a position of their own, and look once at the end whether it
/// went too far.
pub(super) trait Words {
    /// The bits from `position` on, left-aligned: at least [`PEEK_BITS`] of them.
    fn word(&self, position: usize) -> u64;
}

/// A copy of a short stream with so much room that no place needs to be checked.
pub(super) struct PaddedBytes([u8; PADDED_BYTES + 8]);

/// Longest stream that fits; a power of two, so that a mask keeps every place within. Few chunks of 120 samples have
/// more.
const PADDED_BYTES: usize = 1024;

impl PaddedBytes {
    /// Room for a stream.
    pub(super) const EMPTY: PaddedBytes = PaddedBytes([0; PADDED_BYTES + 8]);

    /// Copies `bytes`; says so when there are too many.
    #[inline(always)]
    #[must_use]
    pub(super) fn fill(&mut self, bytes: &[u8]) -> bool {
        let room = self.0[..PADDED_BYTES].get_mut(..bytes.len());
        room.map(|room| room.copy_from_slice(bytes)).is_some()
    }
}

impl Words for PaddedBytes {
    #[inline(always)]
    fn word(&self, position: usize) -> u64 {
        let at = (position >> 3) & (PADDED_BYTES - 1);
        let word = self.0[at..at + 8].first_chunk().map_or(0, |word| u64::from_be_bytes(*word));
        word << (position & 7)
    }
}

/// Streams of any length.
impl Words for &[u8] {
    #[inline(always)]
    fn word(&self, position: usize) -> u64 {
        BitReader { bytes: self, position }.peek()
    }
}

#[inline(never)]
fn uvarint(mut reader: BitReader<'_>) -> Result<(u64, BitReader<'_>), CorruptChunk> {
    let mut gathered = [0; UVARINT_BYTES_MAX];
    let bytes = if reader.position.is_multiple_of(8) {
        reader.bytes.get(reader.position / 8..).unwrap_or(&[])
    } else {
        let mut bits = reader;
        gathered.fill_with(|| bits.read(8) as u8);
        &gathered
    };
    let (value, length) = read_uvarint(bytes)?;
    reader.position += 8 * length;
    Ok((value, reader))
}

/// Longest LEB128 integer.
const UVARINT_BYTES_MAX: usize = 10;

impl From<NoInteger> for CorruptChunk {
    fn from(reason: NoInteger) -> CorruptChunk {
        match reason {
            NoInteger::Truncated => CorruptChunk::Truncated,
            NoInteger::TooLong => CorruptChunk::Varint,
        }
    }
}

/// Fewer than eight bytes as the start of a word.
#[cold]
fn tail_word(rest: &[u8]) -> u64 {
    rest.iter().take(8).fold((0, 56), |(word, shift), &byte| (word | u64::from(byte) << shift, shift - 8)).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_stand_from_the_left() {
        let mut writer = BitWriter::default();
        writer.write(0b1, 1);
        writer.write(0b0110, 4);
        writer.write(0xffff_ffff_ffff_ff01, 8);
        assert_eq!(writer.bytes(), [0b1011_0000, 0b0000_1000]);
    }

    #[test]
    fn reading_behind_the_end_is_noticed() {
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!((reader.read(8), reader.check()), (0xff, Ok(())));
        assert_eq!((reader.read(64), reader.remaining()), (0, 0));
        assert_eq!(reader.check(), Err(CorruptChunk::Truncated));
        assert_eq!(BitReader::new(&[0xff; 11]).read_uvarint(), Err(CorruptChunk::Varint));
    }

    proptest! {
        #[test]
        fn fields_are_read_as_written(fields in prop::collection::vec((any::<u64>(), 1..=64u32), 0..40)) {
            let mut writer = BitWriter::default();
            fields.iter().for_each(|&(value, count)| writer.write(value, count));
            let mut reader = BitReader::new(writer.bytes());
            for (value, count) in fields {
                prop_assert_eq!(reader.read(count), low_bits(value, count));
            }
            prop_assert_eq!(reader.check(), Ok(()));
            prop_assert!(reader.remaining() < 8);
        }

        #[test]
        fn varints_are_read_as_written(bits in 0..3u32, signed in any::<i64>(), unsigned in any::<u64>()) {
            let mut writer = BitWriter::default();
            writer.write(0, bits);
            writer.write_varint(signed);
            writer.write_uvarint(unsigned);
            let mut reader = BitReader::new(writer.bytes());
            reader.skip(bits);
            prop_assert_eq!(reader.read_varint(), Ok(signed));
            prop_assert_eq!(reader.read_uvarint(), Ok(unsigned));
        }
    }
}
