//! Encodings 2 and 5: native histograms whose counts are whole numbers.
//!
//! A bucket is stored as its difference to the bucket before it, everything as change of change over time.

use narthex_model::FloatHistogram;
use narthex_storage::HistogramColumn;

use super::bitstream::{BitReader, BitWriter};
use super::{CorruptChunk, CountCoding, HistogramEncoder, histogram_decoder, varbit};

/// Whole numbers below this are all floats, so that nothing is lost between the two.
const WHOLE_MAX: f64 = (1u64 << 53) as f64;

/// Builds a chunk of histograms with whole counts.
pub type WholeHistogramEncoder = HistogramEncoder<WholeCounts>;

/// Counts as whole numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WholeCounts {}

/// A whole number over time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WholeStream {
    value: i64,
    delta: i64,
}

/// Appends all samples of a chunk without start timestamps to `column`.
///
/// # Errors
/// When the bytes are no such chunk; what was appended by then is of no use.
pub fn decode_into(chunk: &[u8], column: &mut HistogramColumn) -> Result<(), CorruptChunk> {
    histogram_decoder::decode_into::<WholeCounts>(chunk, column)
}

/// Appends all samples of a chunk with start timestamps to `column`.
///
/// # Errors
/// When the bytes are no such chunk; what was appended by then is of no use.
pub fn decode_with_start_into(chunk: &[u8], column: &mut HistogramColumn) -> Result<(), CorruptChunk> {
    histogram_decoder::decode_with_start_into::<WholeCounts>(chunk, column)
}

impl CountCoding for WholeCounts {
    type Number = i64;
    type Stream = WholeStream;

    fn accepts(histogram: &FloatHistogram) -> bool {
        let buckets = histogram.positive_buckets.iter().chain(&histogram.negative_buckets);
        let is_whole = |count: &f64| count.trunc() == *count && (0.0..=WHOLE_MAX).contains(count);
        buckets.chain([&histogram.count, &histogram.zero_count]).all(is_whole)
    }

    fn total(value: f64) -> i64 {
        value as i64
    }

    fn buckets(counts: &[f64]) -> impl Iterator<Item = i64> {
        let difference = |last: &mut i64, &count: &f64| {
            let count = count as i64;
            Some(count.wrapping_sub(std::mem::replace(last, count)))
        };
        counts.iter().scan(0, difference)
    }

    fn total_value(number: i64) -> f64 {
        // Stored without sign.
        number as u64 as f64
    }

    fn bucket_values(numbers: impl Iterator<Item = i64>) -> Vec<f64> {
        let sum = |sum: &mut i64, number: i64| {
            *sum = sum.wrapping_add(number);
            Some(*sum as f64)
        };
        numbers.scan(0, sum).collect()
    }

    fn start_total(writer: &mut BitWriter, number: i64) -> WholeStream {
        varbit::write_uint(writer, number as u64);
        WholeStream { value: number, delta: 0 }
    }

    fn start_bucket(writer: &mut BitWriter, number: i64) -> WholeStream {
        varbit::write_int(writer, number);
        WholeStream { value: number, delta: 0 }
    }

    fn write(stream: &mut WholeStream, writer: &mut BitWriter, number: i64) {
        let delta = number.wrapping_sub(stream.value);
        varbit::write_int(writer, delta.wrapping_sub(stream.delta));
        *stream = WholeStream { value: number, delta };
    }

    fn write_stale(_: &mut WholeStream, writer: &mut BitWriter) {
        varbit::write_int(writer, 0);
    }

    fn read_start_total(reader: &mut BitReader<'_>) -> WholeStream {
        WholeStream { value: varbit::read_uint(reader) as i64, delta: 0 }
    }

    fn read_start_bucket(reader: &mut BitReader<'_>) -> WholeStream {
        WholeStream { value: varbit::read_int(reader), delta: 0 }
    }

    fn last(stream: &WholeStream) -> i64 {
        stream.value
    }

    fn read(stream: &mut WholeStream, reader: &mut BitReader<'_>) -> Result<i64, CorruptChunk> {
        stream.delta = stream.delta.wrapping_add(varbit::read_int(reader));
        stream.value = stream.value.wrapping_add(stream.delta);
        Ok(stream.value)
    }
}
