//! Encoding 1: floats, timestamps as differences of differences, values as differences of bits.

use narthex_model::Timestamp;
use narthex_storage::FloatColumn;

use super::bitstream::{BitReader, BitWriter, PEEK_BITS, PaddedBytes, Words};
use super::varbit::{fits_signed, signed};
use super::window::XorStream;
use super::{CorruptChunk, sample_count};

/// Length of the sample count in front.
const HEADER_BYTES: usize = 2;

/// Builds a chunk sample by sample.
#[derive(Clone, Debug)]
pub struct XorEncoder {
    writer: BitWriter,
    count: u16,
    at_ms: Timestamp,
    delta_ms: i64,
    value: XorStream,
}

impl Default for XorEncoder {
    fn default() -> XorEncoder {
        XorEncoder::new()
    }
}

impl XorEncoder {
    /// A chunk without samples.
    pub fn new() -> XorEncoder {
        let writer = BitWriter::new(vec![0; HEADER_BYTES]);
        XorEncoder { writer, count: 0, at_ms: 0, delta_ms: 0, value: XorStream::default() }
    }

    /// Appends a sample; does nothing and says so when the chunk has as many as its count can tell.
    #[must_use]
    pub fn push(&mut self, at_ms: Timestamp, value: f64) -> bool {
        let Some(count) = self.count.checked_add(1) else { return false };
        let delta_ms = at_ms.wrapping_sub(self.at_ms);
        match self.count {
            0 => {
                self.writer.write_varint(at_ms);
                self.value = XorStream::start(&mut self.writer, value);
            }
            1 => self.writer.write_uvarint(delta_ms as u64),
            _ => write_delta_change(&mut self.writer, delta_ms.wrapping_sub(self.delta_ms)),
        }
        if self.count > 0 {
            self.value.write(&mut self.writer, value);
            self.delta_ms = delta_ms;
        }
        self.at_ms = at_ms;
        self.count = count;
        self.writer.bytes_mut()[..HEADER_BYTES].copy_from_slice(&count.to_be_bytes());
        true
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The chunk so far; complete after every sample.
    pub fn bytes(&self) -> &[u8] {
        self.writer.bytes()
    }

    /// The chunk.
    pub fn into_bytes(self) -> Vec<u8> {
        self.writer.into_bytes()
    }
}

fn write_delta_change(writer: &mut BitWriter, change_ms: i64) {
    if change_ms == 0 {
        writer.write(0, 1);
        return;
    }
    let (prefix, prefix_bits, width) = match change_ms {
        _ if fits_signed(change_ms, 14) => (0b10, 2, 14),
        _ if fits_signed(change_ms, 17) => (0b110, 3, 17),
        _ if fits_signed(change_ms, 20) => (0b1110, 4, 20),
        _ => (0b1111, 4, 64),
    };
    writer.write(prefix, prefix_bits);
    writer.write(change_ms as u64, width);
}

/// Appends all samples of a chunk to `column`.
///
/// # Errors
/// When the bytes are no such chunk; what was appended by then is of no use.
pub fn decode_into(chunk: &[u8], column: &mut FloatColumn) -> Result<(), CorruptChunk> {
    decode_until(Timestamp::MAX, chunk, column)
}

/// Appends the samples of a chunk up to the first one behind `max_ms`, if there is such a one.
///
/// # Errors
/// When the bytes up to there are no such chunk; what was appended by then is of no use.
pub fn decode_until(max_ms: Timestamp, chunk: &[u8], column: &mut FloatColumn) -> Result<(), CorruptChunk> {
    let count = sample_count(chunk)?;
    let reader = BitReader::new(&chunk[HEADER_BYTES..]);
    // The first sample takes 9 bytes or more, each later one 2 bits or more.
    if count > 1 + reader.remaining() / 2 {
        return Err(CorruptChunk::Truncated);
    }
    let held = column.timestamps.len();
    column.timestamps.resize(held + count, 0);
    column.values.resize(held + count, 0.0);
    if !column.start_timestamps.is_empty() {
        column.start_timestamps.resize(held + count, 0);
    }
    let (timestamps, values) = (&mut column.timestamps[held..], &mut column.values[held..]);
    let decoded = match PaddedBytes::new(&chunk[HEADER_BYTES..]) {
        Some(padded) => decode_columns(reader, &padded, max_ms, timestamps, values)?,
        None => decode_columns(reader, &&chunk[HEADER_BYTES..], max_ms, timestamps, values)?,
    };
    column.timestamps.truncate(held + decoded);
    column.values.truncate(held + decoded);
    column.start_timestamps.truncate(held + decoded);
    Ok(())
}

/// Reads as many samples as the columns, both equally long, have places, or up to the first one behind `max_ms`; their
/// number. `reader` stands at the start of `words`.
#[inline(always)]
fn decode_columns(
    mut reader: BitReader<'_>,
    words: &impl Words,
    max_ms: Timestamp,
    timestamps: &mut [Timestamp],
    values: &mut [f64],
) -> Result<usize, CorruptChunk> {
    let count = timestamps.len();
    let mut places = timestamps.iter_mut().zip(values);
    let Some((at_place, value_place)) = places.next() else { return Ok(0) };
    let mut at_ms = reader.read_varint()?;
    let bits = reader.read(64);
    (*at_place, *value_place) = (at_ms, f64::from_bits(bits));
    reader.check()?;

    let Some((at_place, value_place)) = places.next() else { return Ok(1) };
    let mut delta_ms = reader.read_uvarint()? as i64;
    at_ms = at_ms.wrapping_add(delta_ms);
    let mut value =
        ValueState { position: reader.position(), bits, window: PackedWindow::WHOLE, is_possible: true };
    value.read_next(words, words.word(value.position), PEEK_BITS);
    (*at_place, *value_place) = (at_ms, f64::from_bits(value.bits));

    while at_ms <= max_ms
        && let Some((at_place, value_place)) = places.next()
    {
        let word = words.word(value.position);
        // Enough is left of one look for nearly every value, unless the time is a rare one.
        match word >> 62 {
            0b10 => {
                delta_ms = delta_ms.wrapping_add(signed((word << 2) >> 50, 14));
                value.position += 16;
                value.read_next(words, word << 16, PEEK_BITS - 16);
            }
            0b00 | 0b01 => {
                value.position += 1;
                value.read_next(words, word << 1, PEEK_BITS - 1);
            }
            _ => {
                let (change_ms, time_bits) = read_large_delta_change(words, value.position);
                delta_ms = delta_ms.wrapping_add(change_ms);
                value.position += time_bits;
                value.read_next(words, words.word(value.position), PEEK_BITS);
            }
        }
        at_ms = at_ms.wrapping_add(delta_ms);
        (*at_place, *value_place) = (at_ms, f64::from_bits(value.bits));
    }
    value.check(reader.position() + reader.remaining())?;
    Ok(count - places.len())
}

/// Where a decoder is, and the value it has read last.
///
/// A loop owns one and lends it to inlined functions only, others take and return a copy: a state whose address is
/// taken lives in memory, which doubles the time of a sample.
#[derive(Clone, Copy)]
struct ValueState {
    position: usize,
    bits: u64,
    window: PackedWindow,
    /// Whether every window so far had at most 64 bits.
    is_possible: bool,
}

/// Which bits of a difference are stored, in one register: the zeros behind them times 64, and how many bits they are
/// short of 64.
#[derive(Clone, Copy)]
struct PackedWindow(u32);

impl PackedWindow {
    const WHOLE: PackedWindow = PackedWindow(0);

    #[inline(always)]
    fn new(width: u32, trailing: u32) -> PackedWindow {
        PackedWindow(trailing << 6 | (64 - width))
    }

    #[inline(always)]
    fn width(self) -> u32 {
        64 - (self.0 & 63)
    }

    /// The difference whose stored bits stand at the left of `word`.
    #[inline(always)]
    fn placed(self, word: u64) -> u64 {
        word.wrapping_shr(self.0) << (self.0 >> 6)
    }
}

impl ValueState {
    /// Reads the next value. `word` holds `held` of the bits from the position on.
    #[inline(always)]
    fn read_next(&mut self, words: &impl Words, word: u64, held: u32) {
        match word >> 62 {
            0b10 if self.window.width() <= held - 2 => {
                self.bits ^= self.window.placed(word << 2);
                self.position += 2 + self.window.width() as usize;
            }
            0b10 => {
                self.position += 2;
                *self = self.with_wide_difference(words);
            }
            0b00 | 0b01 => self.position += 1,
            _ => {
                let leading = (word >> 57) as u32 & 31;
                // A width of 64 is stored as 0: a window is never empty.
                let width = (((word >> 51) as u32).wrapping_sub(1) & 63) + 1;
                let trailing = 64u32.wrapping_sub(leading + width);
                self.is_possible &= trailing < 64;
                self.window = PackedWindow::new(width, trailing & 63);
                self.position += 13;
                if width <= held - 13 {
                    self.bits ^= self.window.placed(word << 13);
                    self.position += width as usize;
                } else {
                    *self = self.with_wide_difference(words);
                }
            }
        }
    }

    /// Reads the stored bits of a difference that may be too many for a single look.
    #[inline(never)]
    fn with_wide_difference(mut self, words: &impl Words) -> ValueState {
        let width = self.window.width();
        self.bits ^= self.window.placed(read_bits(words, self.position, width) << (64 - width));
        self.position += width as usize;
        self
    }

    /// Whether what was read could be: all windows, and no bit behind `end`.
    fn check(self, end: usize) -> Result<(), CorruptChunk> {
        if !self.is_possible {
            return Err(CorruptChunk::Window);
        }
        if self.position <= end { Ok(()) } else { Err(CorruptChunk::Truncated) }
    }
}

/// `width` bits, from 1 to 64.
#[inline(always)]
fn read_bits(words: &impl Words, position: usize, width: u32) -> u64 {
    if width <= PEEK_BITS {
        return words.word(position) >> (64 - width);
    }
    let high = words.word(position) >> 32;
    let low = words.word(position + 32) >> (96 - width);
    (high << (width - 32)) | low
}

/// A change of the distance that takes more than 14 bits, and the length of it with its prefix.
#[cold]
fn read_large_delta_change(words: &impl Words, position: usize) -> (i64, usize) {
    match words.word(position).leading_ones() {
        2 => (signed(read_bits(words, position + 3, 17), 17), 20),
        3 => (signed(read_bits(words, position + 4, 20), 20), 24),
        _ => (read_bits(words, position + 4, 64) as i64, 68),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(samples: &[(i64, f64)]) -> Vec<u8> {
        let mut encoder = XorEncoder::new();
        assert!(samples.iter().all(|&(at_ms, value)| encoder.push(at_ms, value)));
        encoder.into_bytes()
    }

    fn decode(chunk: &[u8]) -> Result<Vec<(i64, u64)>, CorruptChunk> {
        let mut column = FloatColumn::default();
        decode_into(chunk, &mut column)?;
        Ok(column.timestamps.into_iter().zip(column.values.into_iter().map(f64::to_bits)).collect())
    }

    #[test]
    fn a_count_without_samples_is_refused_before_memory_is_taken() {
        assert_eq!(decode(&[0xff, 0xff, 0, 0]), Err(CorruptChunk::Truncated));
        assert_eq!(decode(&[0]), Err(CorruptChunk::Truncated));
        assert_eq!(decode(&[0, 0]), Ok(vec![]));
    }

    #[test]
    fn decoding_appends() {
        let mut column = FloatColumn::default();
        column.push(1, 1.0, 7);
        decode_into(&encode(&[(2, 2.0), (3, 3.0)]), &mut column).unwrap();
        assert_eq!((column.timestamps, column.start_timestamps), (vec![1, 2, 3], vec![7, 0, 0]));
    }

    #[test]
    fn a_full_chunk_takes_no_more() {
        let mut encoder = XorEncoder::new();
        let taken = (0..65_536).filter(|&at_ms| encoder.push(at_ms, 0.0)).count();
        assert_eq!((taken, encoder.len()), (65_535, 65_535));
        assert_eq!(decode(encoder.bytes()).map(|samples| samples.len()), Ok(65_535));
    }

    proptest! {
        #[test]
        fn decoding_stops_behind_the_last_sample_asked_for(
            gaps in prop::collection::vec(1..9i64, 0..40),
            max_ms in -5..200i64,
        ) {
            let times = gaps.iter().scan(0, |at_ms, gap_ms| { *at_ms += gap_ms; Some(*at_ms) });
            let samples: Vec<(i64, f64)> = times.map(|at_ms| (at_ms, at_ms as f64)).collect();
            let (mut whole, mut part) = (FloatColumn::default(), FloatColumn::default());
            let chunk = encode(&samples);
            decode_into(&chunk, &mut whole).unwrap();
            decode_until(max_ms, &chunk, &mut part).unwrap();
            let asked = samples.iter().filter(|sample| sample.0 <= max_ms).count();
            prop_assert!((asked..=asked + 2).contains(&part.values.len()));
            prop_assert_eq!(&part.timestamps[..], &whole.timestamps[..part.values.len()]);
            prop_assert_eq!(&part.values[..], &whole.values[..part.timestamps.len()]);
        }

        #[test]
        fn samples_are_read_as_written(samples in prop::collection::vec((any::<i64>(), any::<u64>()), 0..50)) {
            let floats: Vec<_> = samples.iter().map(|&(at_ms, bits)| (at_ms, f64::from_bits(bits))).collect();
            prop_assert_eq!(decode(&encode(&floats)), Ok(samples));
        }

        #[test]
        fn steady_samples_are_read_as_written(
            start in -10_000..10_000i64,
            steps in prop::collection::vec((14_900..15_100i64, -3..4i32), 0..130),
        ) {
            let mut at_ms = start;
            let samples: Vec<_> = steps.into_iter().map(|(step, value)| {
                at_ms += step;
                (at_ms, f64::from(value).to_bits())
            }).collect();
            let floats: Vec<_> = samples.iter().map(|&(at_ms, bits)| (at_ms, f64::from_bits(bits))).collect();
            prop_assert_eq!(decode(&encode(&floats)), Ok(samples));
        }

        #[test]
        fn hostile_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(samples) = decode(&bytes) {
                prop_assert!(samples.len() <= 1 + bytes.len() * 4);
            }
        }
    }
}
