//! Encoding 1: floats, timestamps as differences of differences, values as differences of bits.

use narthex_model::Timestamp;
use narthex_storage::FloatColumn;

use super::bitstream::BitWriter;
use super::varbit::fits_signed;
use super::window::XorStream;
use super::{CorruptChunk, sample_count, xor_decoder};

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

/// Appends the samples of a chunk up to `max_ms`, and perhaps a few behind it.
///
/// # Errors
/// When the bytes up to there are no such chunk; what was appended by then is of no use.
pub fn decode_until(max_ms: Timestamp, chunk: &[u8], column: &mut FloatColumn) -> Result<(), CorruptChunk> {
    let count = sample_count(chunk)?;
    let body = &chunk[HEADER_BYTES..];
    // The first sample takes 9 bytes or more, each later one 2 bits or more.
    if count > 1 + body.len() * 4 {
        return Err(CorruptChunk::Truncated);
    }
    let held = column.timestamps.len();
    column.timestamps.resize(held + count, 0);
    column.values.resize(held + count, 0.0);
    if !column.start_timestamps.is_empty() {
        column.start_timestamps.resize(held + count, 0);
    }
    let (timestamps, values) = (&mut column.timestamps[held..], &mut column.values[held..]);
    let decoded = xor_decoder::decode(body, max_ms, timestamps, values)?;
    column.timestamps.truncate(held + decoded);
    column.values.truncate(held + decoded);
    column.start_timestamps.truncate(held + decoded);
    Ok(())
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
            prop_assert!((asked..=asked + xor_decoder::STRIDE + 1).contains(&part.values.len()));
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
        fn differences_of_every_width_are_read_as_written(
            steps in prop::collection::vec((0..6usize, any::<u64>(), 0..64u32, 0..64u32), 0..200),
        ) {
            let (mut at_ms, mut delta_ms, mut bits) = (0i64, 0i64, 0u64);
            let samples: Vec<_> = steps.into_iter().map(|(change, difference, left, right)| {
                delta_ms += [0, 0, 1, 8192, -8191, 8193][change];
                at_ms += delta_ms;
                bits ^= difference >> left >> right.min(63 - left) << right.min(63 - left);
                (at_ms, bits)
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
