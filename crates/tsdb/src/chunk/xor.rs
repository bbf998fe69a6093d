//! Encoding 1: floats, timestamps as differences of differences, values as differences of bits.

use narthex_model::Timestamp;
use narthex_storage::FloatColumn;

use super::bitstream::{BitReader, BitWriter};
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
    decode_columns(reader, &mut column.timestamps[held..], &mut column.values[held..])
}

/// Reads as many samples as the columns, both equally long, have places.
fn decode_columns(
    mut reader: BitReader<'_>,
    timestamps: &mut [Timestamp],
    values: &mut [f64],
) -> Result<(), CorruptChunk> {
    let mut places = timestamps.iter_mut().zip(values);
    let Some((at_place, value_place)) = places.next() else { return Ok(()) };
    let mut at_ms = reader.read_varint()?;
    let mut value = XorStream::read_start(&mut reader);
    (*at_place, *value_place) = (at_ms, f64::from_bits(value.bits));
    reader.check()?;

    let Some((at_place, value_place)) = places.next() else { return Ok(()) };
    let mut delta_ms = reader.read_uvarint()? as i64;
    at_ms = at_ms.wrapping_add(delta_ms);
    (*at_place, *value_place) = (at_ms, value.read(&mut reader)?);
    reader.check()?;

    for (at_place, value_place) in places {
        delta_ms = delta_ms.wrapping_add(read_delta_change(&mut reader));
        at_ms = at_ms.wrapping_add(delta_ms);
        (*at_place, *value_place) = (at_ms, value.read(&mut reader)?);
        reader.check()?;
    }
    Ok(())
}

#[inline(always)]
fn read_delta_change(reader: &mut BitReader<'_>) -> i64 {
    let word = reader.peek();
    if word >> 63 == 0 {
        reader.skip(1);
        return 0;
    }
    if word >> 62 == 0b10 {
        reader.skip(16);
        return signed((word << 2) >> 50, 14);
    }
    let (change_ms, behind) = read_large_delta_change(*reader);
    *reader = behind;
    change_ms
}

#[cold]
fn read_large_delta_change(mut reader: BitReader<'_>) -> (i64, BitReader<'_>) {
    let ones = reader.peek().leading_ones().min(4);
    reader.skip((ones + 1).min(4));
    let change_ms = match ones {
        2 => signed(reader.read(17), 17),
        3 => signed(reader.read(20), 20),
        _ => reader.read(64) as i64,
    };
    (change_ms, reader)
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
