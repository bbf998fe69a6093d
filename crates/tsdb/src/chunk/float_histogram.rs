//! Encodings 3 and 6: native histograms with float counts, each count a stream of its own.

use narthex_model::FloatHistogram;
use narthex_storage::HistogramColumn;

use super::bitstream::{BitReader, BitWriter};
use super::window::XorStream;
use super::{CorruptChunk, CountCoding, HistogramEncoder, histogram_decoder};

/// Builds a chunk of histograms with float counts.
pub type FloatHistogramEncoder = HistogramEncoder<FloatCounts>;

/// Counts as floats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FloatCounts {}

/// Appends all samples of a chunk without start timestamps to `column`.
///
/// # Errors
/// When the bytes are no such chunk; what was appended by then is of no use.
pub fn decode_into(chunk: &[u8], column: &mut HistogramColumn) -> Result<(), CorruptChunk> {
    histogram_decoder::decode_into::<FloatCounts>(chunk, column)
}

/// Appends all samples of a chunk with start timestamps to `column`.
///
/// # Errors
/// When the bytes are no such chunk; what was appended by then is of no use.
pub fn decode_with_start_into(chunk: &[u8], column: &mut HistogramColumn) -> Result<(), CorruptChunk> {
    histogram_decoder::decode_with_start_into::<FloatCounts>(chunk, column)
}

impl CountCoding for FloatCounts {
    type Number = f64;
    type Stream = XorStream;

    fn accepts(_: &FloatHistogram) -> bool {
        true
    }

    fn total(value: f64) -> f64 {
        value
    }

    fn buckets(counts: &[f64]) -> impl Iterator<Item = f64> {
        counts.iter().copied()
    }

    fn total_value(number: f64) -> f64 {
        number
    }

    fn bucket_values(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
        numbers.collect()
    }

    fn start_total(writer: &mut BitWriter, number: f64) -> XorStream {
        XorStream::start(writer, number)
    }

    fn start_bucket(writer: &mut BitWriter, number: f64) -> XorStream {
        XorStream::start(writer, number)
    }

    fn write(stream: &mut XorStream, writer: &mut BitWriter, number: f64) {
        stream.write(writer, number);
    }

    fn write_stale(stream: &mut XorStream, writer: &mut BitWriter) {
        stream.write(writer, 0.0);
    }

    fn read_start_total(reader: &mut BitReader<'_>) -> XorStream {
        XorStream::read_start(reader)
    }

    fn read_start_bucket(reader: &mut BitReader<'_>) -> XorStream {
        XorStream::read_start(reader)
    }

    fn last(stream: &XorStream) -> f64 {
        f64::from_bits(stream.bits)
    }

    fn read(stream: &mut XorStream, reader: &mut BitReader<'_>) -> Result<f64, CorruptChunk> {
        stream.read(reader)
    }
}
