//! What differs between chunks of histograms with whole counts and with float counts.

use narthex_model::histogram::FloatHistogram;

use super::CorruptChunk;
use super::bitstream::{BitReader, BitWriter};

/// How the counts of a histogram are stored over time.
pub trait CountCoding {
    /// A count as it is stored.
    type Number: Copy;
    /// One count over time.
    type Stream: Copy;

    /// Whether all counts can be stored.
    fn accepts(histogram: &FloatHistogram) -> bool;
    /// Count or zero count as stored.
    fn total(value: f64) -> Self::Number;
    /// What is stored for the buckets of one side.
    fn buckets(counts: &[f64]) -> impl Iterator<Item = Self::Number>;
    /// Count or zero count from what is stored.
    fn total_value(number: Self::Number) -> f64;
    /// The counts of one side from what is stored.
    fn bucket_values(numbers: impl Iterator<Item = Self::Number>) -> Vec<f64>;

    /// Appends a count or zero count of the first sample.
    fn start_total(writer: &mut BitWriter, number: Self::Number) -> Self::Stream;
    /// Appends a bucket of the first sample.
    fn start_bucket(writer: &mut BitWriter, number: Self::Number) -> Self::Stream;
    /// Appends a number of a later sample.
    fn write(stream: &mut Self::Stream, writer: &mut BitWriter, number: Self::Number);
    /// Appends what stands for count and zero count of a stale marker.
    fn write_stale(stream: &mut Self::Stream, writer: &mut BitWriter);

    /// Reads a count or zero count of the first sample.
    fn read_start_total(reader: &mut BitReader<'_>) -> Self::Stream;
    /// Reads a bucket of the first sample.
    fn read_start_bucket(reader: &mut BitReader<'_>) -> Self::Stream;
    /// The last number.
    fn last(stream: &Self::Stream) -> Self::Number;
    /// Reads a number of a later sample.
    ///
    /// # Errors
    /// When the bits are none.
    fn read(stream: &mut Self::Stream, reader: &mut BitReader<'_>) -> Result<Self::Number, CorruptChunk>;
}
