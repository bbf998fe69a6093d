//! Chunks: the samples of one series over a stretch of time, packed into bytes.
//!
//! The encodings are those of Prometheus, bit for bit; `FORMAT.md` describes them. Each has an encoder that keeps its
//! write position, so that a head appends sample by sample, and a decoder that appends a whole chunk to columns.
//!
//! Reading order: [`bitstream`], [`varbit`], `window`, [`xor`], `xor_decoder`, `start`, [`xor2`], `layout`,
//! `histogram_encoder`, `histogram_decoder`, [`histogram`], [`float_histogram`].

pub mod bitstream;
mod counts;
pub mod float_histogram;
pub mod histogram;
mod histogram_decoder;
mod histogram_encoder;
mod layout;
mod start;
pub mod varbit;
mod window;
pub mod xor;
pub mod xor2;
mod xor_decoder;

use std::fmt;

use narthex_model::Timestamp;
use narthex_storage::SampleBuffer;

pub use counts::CountCoding;
pub use histogram_encoder::{HistogramEncoder, Refusal};

/// Finest schema that a histogram may come with; those above 8 are made coarser on the way in.
pub(crate) const STORED_SCHEMA_MAX: i32 = 52;

/// How the bytes of a chunk are to be read; the number is the one that stands in files.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Encoding {
    /// Floats.
    Xor = 1,
    /// Native histograms with whole counts.
    Histogram = 2,
    /// Native histograms with float counts.
    FloatHistogram = 3,
    /// Floats with start timestamps.
    Xor2 = 4,
    /// Native histograms with whole counts and start timestamps.
    HistogramWithStart = 5,
    /// Native histograms with float counts and start timestamps.
    FloatHistogramWithStart = 6,
}

impl Encoding {
    /// All encodings, by number.
    pub const ALL: [Encoding; 6] = [
        Encoding::Xor,
        Encoding::Histogram,
        Encoding::FloatHistogram,
        Encoding::Xor2,
        Encoding::HistogramWithStart,
        Encoding::FloatHistogramWithStart,
    ];

    /// The encoding with that number in files.
    pub fn from_number(number: u8) -> Option<Encoding> {
        Encoding::ALL.into_iter().find(|encoding| *encoding as u8 == number)
    }

    /// The number of samples that `chunk` says it has; 0 of bytes that are no chunk.
    pub fn sample_count(self, chunk: &[u8]) -> u16 {
        let count = chunk.first_chunk().map_or(0, |count| u16::from_be_bytes(*count));
        match self {
            Encoding::HistogramWithStart | Encoding::FloatHistogramWithStart => {
                count & histogram_decoder::COUNT_WITH_START_MAX
            }
            Encoding::Xor | Encoding::Xor2 | Encoding::Histogram | Encoding::FloatHistogram => count,
        }
    }

    /// Appends all samples of `chunk` to the column of their kind.
    ///
    /// # Errors
    /// When the bytes contradict the encoding; what was appended by then is of no use.
    pub fn decode_into(self, chunk: &[u8], samples: &mut SampleBuffer) -> Result<(), CorruptChunk> {
        self.decode_until(Timestamp::MAX, chunk, samples)
    }

    /// Appends the samples of `chunk` up to `max_ms`, and perhaps some behind it: decoding stops where it can.
    ///
    /// # Errors
    /// As [`Encoding::decode_into`], as far as the chunk is looked at.
    pub fn decode_until(
        self,
        max_ms: Timestamp,
        chunk: &[u8],
        samples: &mut SampleBuffer,
    ) -> Result<(), CorruptChunk> {
        match self {
            Encoding::Xor => xor::decode_until(max_ms, chunk, &mut samples.floats),
            Encoding::Xor2 => xor2::decode_into(chunk, &mut samples.floats),
            Encoding::Histogram => histogram::decode_into(chunk, &mut samples.histograms),
            Encoding::FloatHistogram => float_histogram::decode_into(chunk, &mut samples.histograms),
            Encoding::HistogramWithStart => histogram::decode_with_start_into(chunk, &mut samples.histograms),
            Encoding::FloatHistogramWithStart => {
                float_histogram::decode_with_start_into(chunk, &mut samples.histograms)
            }
        }
    }
}

/// Why bytes are no chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CorruptChunk {
    /// The bytes end before the last sample does.
    Truncated,
    /// A variable-length integer has more than 64 bits.
    Varint,
    /// The significant bits of a float do not fit into 64 bits.
    Window,
    /// The schema is none that a stored histogram can have.
    Schema,
    /// Spans overlap or reach too far.
    Spans,
    /// The histograms would take more memory than any real chunk does.
    TooLarge,
}

impl fmt::Display for CorruptChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CorruptChunk::Truncated => "chunk ends within a sample",
            CorruptChunk::Varint => "variable-length integer has more than 64 bits",
            CorruptChunk::Window => "float has more than 64 bits",
            CorruptChunk::Schema => "histogram schema is unknown",
            CorruptChunk::Spans => "histogram spans overlap or reach too far",
            CorruptChunk::TooLarge => "histograms of the chunk are too large",
        })
    }
}

impl std::error::Error for CorruptChunk {}

/// The number of samples in front of a chunk.
fn sample_count(chunk: &[u8]) -> Result<usize, CorruptChunk> {
    chunk.first_chunk().map(|count| usize::from(u16::from_be_bytes(*count))).ok_or(CorruptChunk::Truncated)
}
