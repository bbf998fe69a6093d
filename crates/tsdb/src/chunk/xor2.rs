//! Encoding 4: floats with start timestamps, and stale markers in few bits.
//!
//! Values are compared with the last one that was no stale marker. Signed fields are two's complement here.

use narthex_model::Timestamp;
use narthex_model::sample::{STALE_NAN_BITS, is_stale_nan, stale_nan};
use narthex_storage::FloatColumn;

use super::bitstream::{BitReader, BitWriter};
use super::start::{StartReader, StartStream};
use super::window::{Fit, Window};
use super::{CorruptChunk, sample_count};

/// Length of the sample count and the start timestamps' byte.
const HEADER_BYTES: usize = 3;

/// Builds a chunk sample by sample.
#[derive(Clone, Debug)]
pub struct Xor2Encoder {
    writer: BitWriter,
    count: u16,
    at_ms: Timestamp,
    delta_ms: i64,
    /// Bits of the last value that was not stale.
    baseline: u64,
    window: Window,
    starts: StartStream,
}

impl Default for Xor2Encoder {
    fn default() -> Xor2Encoder {
        Xor2Encoder::new()
    }
}

impl Xor2Encoder {
    /// A chunk without samples.
    pub fn new() -> Xor2Encoder {
        Xor2Encoder {
            writer: BitWriter::new(vec![0; HEADER_BYTES]),
            count: 0,
            at_ms: 0,
            delta_ms: 0,
            baseline: 0,
            window: Window::default(),
            starts: StartStream::default(),
        }
    }

    /// Appends a sample; `start_ms` is 0 for unknown. Does nothing and says so when the chunk has as many samples as
    /// its count can tell.
    #[must_use]
    pub fn push(&mut self, at_ms: Timestamp, value: f64, start_ms: Timestamp) -> bool {
        let Some(count) = self.count.checked_add(1) else { return false };
        let delta_ms = at_ms.wrapping_sub(self.at_ms);
        match self.count {
            0 => self.write_first(at_ms, value),
            1 => {
                self.writer.write_uvarint(delta_ms as u64);
                self.write_value(value);
            }
            _ => self.write_later(delta_ms.wrapping_sub(self.delta_ms), value),
        }
        if self.count > 0 {
            self.delta_ms = delta_ms;
        }
        self.starts.write(&mut self.writer, self.count, at_ms, start_ms);
        self.at_ms = at_ms;
        self.count = count;
        let [high, low] = count.to_be_bytes();
        self.writer.bytes_mut()[..HEADER_BYTES].copy_from_slice(&[high, low, self.starts.header()]);
        true
    }

    fn write_first(&mut self, at_ms: Timestamp, value: f64) {
        self.writer.write_varint(at_ms);
        self.writer.write(value.to_bits(), 64);
        self.baseline = if is_stale_nan(value) { 0 } else { value.to_bits() };
    }

    fn write_later(&mut self, change_ms: i64, value: f64) {
        if change_ms != 0 {
            self.write_delta_change(change_ms);
            self.write_value(value);
            return;
        }
        let difference = self.baseline ^ value.to_bits();
        if is_stale_nan(value) {
            self.writer.write(0b11111, 5);
        } else if difference == 0 {
            self.writer.write(0, 1);
        } else {
            let fit = self.window.fit(difference);
            self.writer.write(if fit == Fit::Present { 0b100 } else { 0b101 }, 3);
            self.window.write(&mut self.writer, fit, difference);
            self.baseline = value.to_bits();
        }
    }

    fn write_delta_change(&mut self, change_ms: i64) {
        let (prefix, prefix_bits, width) = match change_ms {
            -4096..4096 => (0b110, 3, 13),
            -524_288..524_288 => (0b1110, 4, 20),
            _ => (0b11110, 5, 64),
        };
        self.writer.write(prefix, prefix_bits);
        self.writer.write(change_ms as u64, width);
    }

    fn write_value(&mut self, value: f64) {
        let difference = self.baseline ^ value.to_bits();
        if is_stale_nan(value) {
            self.writer.write(0b111, 3);
        } else if difference == 0 {
            self.writer.write(0, 1);
        } else {
            let fit = self.window.fit(difference);
            match fit {
                Fit::Present => self.writer.write(0b10, 2),
                Fit::New => self.writer.write(0b110, 3),
            }
            self.window.write(&mut self.writer, fit, difference);
            self.baseline = value.to_bits();
        }
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

/// Appends all samples of a chunk to `column`.
///
/// # Errors
/// When the bytes are no such chunk; what was appended by then is of no use.
pub fn decode_into(chunk: &[u8], column: &mut FloatColumn) -> Result<(), CorruptChunk> {
    let count = sample_count(chunk)?;
    let (_, body) = chunk.split_at_checked(HEADER_BYTES).ok_or(CorruptChunk::Truncated)?;
    let mut decoder = Decoder {
        reader: BitReader::new(body),
        at_ms: 0,
        delta_ms: 0,
        baseline: 0,
        window: Window::default(),
    };
    // Each sample behind the first takes a bit or more.
    if count > 1 + decoder.reader.remaining() {
        return Err(CorruptChunk::Truncated);
    }
    let mut starts = StartReader::new(chunk[2]);
    let held = column.timestamps.len();
    column.timestamps.resize(held + count, 0);
    column.values.resize(held + count, 0.0);
    let places = column.timestamps[held..].iter_mut().zip(&mut column.values[held..]);
    if !starts.is_used() && column.start_timestamps.is_empty() {
        for (sample, (at_place, value_place)) in (0..).zip(places) {
            *value_place = decoder.read(sample)?;
            *at_place = decoder.at_ms;
            decoder.reader.check()?;
        }
        return Ok(());
    }
    column.start_timestamps.resize(held + count, 0);
    let places = places.zip(&mut column.start_timestamps[held..]);
    for (sample, ((at_place, value_place), start_place)) in (0..).zip(places) {
        *value_place = decoder.read(sample)?;
        *at_place = decoder.at_ms;
        *start_place = starts.read(&mut decoder.reader, sample, decoder.at_ms)?;
        decoder.reader.check()?;
    }
    Ok(())
}

struct Decoder<'a> {
    reader: BitReader<'a>,
    at_ms: Timestamp,
    delta_ms: i64,
    baseline: u64,
    window: Window,
}

impl Decoder<'_> {
    /// Reads time and value of a sample; the time is kept.
    #[inline(always)]
    fn read(&mut self, sample: u16) -> Result<f64, CorruptChunk> {
        match sample {
            0 => self.read_first(),
            1 => {
                self.delta_ms = self.reader.read_uvarint()? as i64;
                self.at_ms = self.at_ms.wrapping_add(self.delta_ms);
                self.read_value()
            }
            _ => self.read_later(),
        }
    }

    #[inline(always)]
    fn read_first(&mut self) -> Result<f64, CorruptChunk> {
        self.at_ms = self.reader.read_varint()?;
        let bits = self.reader.read(64);
        self.baseline = if bits == STALE_NAN_BITS { 0 } else { bits };
        Ok(f64::from_bits(bits))
    }

    #[inline(always)]
    fn read_later(&mut self) -> Result<f64, CorruptChunk> {
        let word = self.reader.peek();
        if word >> 63 == 0 {
            self.reader.skip(1);
            self.at_ms = self.at_ms.wrapping_add(self.delta_ms);
            return Ok(f64::from_bits(self.baseline));
        }
        if word >> 62 == 0b10 {
            self.reader.skip(3);
            self.at_ms = self.at_ms.wrapping_add(self.delta_ms);
            return self.apply(if word >> 61 == 0b101 { Fit::New } else { Fit::Present });
        }
        if word >> 59 == 0b11111 {
            self.reader.skip(5);
            self.at_ms = self.at_ms.wrapping_add(self.delta_ms);
            return Ok(stale_nan());
        }
        self.read_delta_change(word);
        self.at_ms = self.at_ms.wrapping_add(self.delta_ms);
        self.read_value()
    }

    /// Reads `110`, `1110` or `11110` and what follows.
    #[inline(always)]
    fn read_delta_change(&mut self, word: u64) {
        if word >> 61 == 0b110 {
            self.reader.skip(3);
            self.change_delta(13);
        } else if word >> 60 == 0b1110 {
            self.reader.skip(4);
            self.change_delta(20);
        } else {
            self.reader.skip(5);
            self.change_delta(64);
        }
    }

    #[inline(always)]
    fn change_delta(&mut self, width: u32) {
        let bits = self.reader.read(width);
        let change_ms = ((bits << (64 - width)) as i64) >> (64 - width);
        self.delta_ms = self.delta_ms.wrapping_add(change_ms);
    }

    #[inline(always)]
    fn read_value(&mut self) -> Result<f64, CorruptChunk> {
        let word = self.reader.peek();
        if word >> 63 == 0 {
            self.reader.skip(1);
            Ok(f64::from_bits(self.baseline))
        } else if word >> 62 == 0b10 {
            self.reader.skip(2);
            self.apply(Fit::Present)
        } else {
            self.reader.skip(3);
            if word >> 61 == 0b110 { self.apply(Fit::New) } else { Ok(stale_nan()) }
        }
    }

    #[inline(always)]
    fn apply(&mut self, fit: Fit) -> Result<f64, CorruptChunk> {
        self.baseline ^= match fit {
            Fit::Present => self.window.read_present(&mut self.reader),
            Fit::New => self.window.read_new(&mut self.reader)?,
        };
        Ok(f64::from_bits(self.baseline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Sample = (i64, u64, i64);

    fn encode(samples: &[Sample]) -> Vec<u8> {
        let mut encoder = Xor2Encoder::new();
        assert!(samples.iter().all(|&(at_ms, bits, start_ms)| encoder.push(
            at_ms,
            f64::from_bits(bits),
            start_ms
        )));
        encoder.into_bytes()
    }

    fn decode(chunk: &[u8]) -> Result<Vec<Sample>, CorruptChunk> {
        let mut column = FloatColumn::default();
        decode_into(chunk, &mut column)?;
        column.start_timestamps.resize(column.timestamps.len(), 0);
        let values = column.values.into_iter().map(f64::to_bits);
        let times = column.timestamps.into_iter().zip(column.start_timestamps);
        Ok(times.zip(values).map(|((at_ms, start_ms), bits)| (at_ms, bits, start_ms)).collect())
    }

    fn bits() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            Just(STALE_NAN_BITS),
            (0..9u32).prop_map(|value| f64::from(value).to_bits())
        ]
    }

    fn sample() -> impl Strategy<Value = Sample> {
        (any::<i64>(), bits(), prop_oneof![Just(0), any::<i64>(), Just(7)])
    }

    proptest! {
        #[test]
        fn samples_are_read_as_written(samples in prop::collection::vec(sample(), 0..50)) {
            prop_assert_eq!(decode(&encode(&samples)), Ok(samples));
        }

        #[test]
        fn long_steady_chunks_are_read_as_written(count in 120..140i64, start in 0..2i64, change_at in 0..140i64) {
            let samples: Vec<_> = (0..count).map(|number| {
                let start_ms = if number < change_at { start } else { 99 };
                (1000 * number + 1, f64::to_bits(number as f64), start_ms)
            }).collect();
            prop_assert_eq!(decode(&encode(&samples)), Ok(samples));
        }

        #[test]
        fn hostile_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(samples) = decode(&bytes) {
                prop_assert!(samples.len() <= 1 + bytes.len() * 8);
            }
        }
    }
}
