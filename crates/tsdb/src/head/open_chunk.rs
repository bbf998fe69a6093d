//! The chunk that grows: its encoding, and when it takes no more.
//!
//! The policy is that of Prometheus. Floats: 120 samples are aimed at; when a quarter of them is there, the end of the
//! chunk is set so that the stretch up to the next multiple of the chunk range is cut into even parts. Histograms: the
//! same with bytes.

use std::sync::Arc;

use narthex_model::histogram::{CounterResetHint, FloatHistogram};
use narthex_model::{SampleValue, TimeRange, Timestamp};

use crate::chunk::float_histogram::FloatHistogramEncoder;
use crate::chunk::histogram::{WholeCounts, WholeHistogramEncoder};
use crate::chunk::xor::XorEncoder;
use crate::chunk::xor2::Xor2Encoder;
use crate::chunk::{CountCoding, Encoding, Refusal};

/// Samples of floats that a chunk aims at.
pub const CHUNK_SAMPLES: usize = 120;
/// A chunk of floats with so many samples takes no more even before its end.
const SAMPLES_MAX: usize = 2 * CHUNK_SAMPLES;
/// A chunk of floats with more bytes takes no more: the next sample, of at most 19 bytes, ends within a kibibyte.
const FLOAT_BYTES_MAX: usize = 1024 - 19;
/// Bytes that a chunk of histograms aims at.
const HISTOGRAM_BYTES: usize = 1024;
/// A chunk of histograms with fewer samples grows beyond that, up to twice as much.
const HISTOGRAM_SAMPLES_MIN: usize = 10;

/// A chunk that takes no more samples.
#[derive(Clone, Debug)]
pub(super) struct FullChunk {
    pub(super) bytes: Arc<[u8]>,
    pub(super) range: TimeRange,
    pub(super) samples: u16,
    pub(super) encoding: Encoding,
}

/// The chunk that takes the next sample, if it can.
#[derive(Debug)]
pub(super) struct OpenChunk {
    pub(super) range: TimeRange,
    /// The chunk takes no sample at this time or later.
    end_ms: Timestamp,
    encoder: Encoder,
}

/// Boxed where it is large: most series are plain floats.
#[derive(Debug)]
enum Encoder {
    Xor(XorEncoder),
    Xor2(Box<Xor2Encoder>),
    Whole(Box<WholeHistogramEncoder>),
    Float(Box<FloatHistogramEncoder>),
    WholeWithStart(Box<WholeHistogramEncoder>),
    FloatWithStart(Box<FloatHistogramEncoder>),
}

/// Why a chunk does not take a sample; `None`: it is full or of another kind.
type NotPushed = Option<Refusal>;

impl OpenChunk {
    /// A chunk with one sample. `before` is the encoding of the chunk before it, `refusal` why that one did not take the
    /// sample.
    pub(super) fn start(
        sample: (Timestamp, &SampleValue, Timestamp),
        chunk_range_ms: i64,
        before: Option<Encoding>,
        refusal: Option<Refusal>,
    ) -> OpenChunk {
        let (at_ms, value, start_ms) = sample;
        let mut encoder = Encoder::for_value(value, start_ms, before, refusal);
        let pushed = encoder.push(at_ms, value, start_ms);
        debug_assert_eq!(pushed, Ok(()), "an empty chunk takes any sample of its kind");
        let end_ms = range_end(at_ms, chunk_range_ms);
        OpenChunk { range: TimeRange::new(at_ms, at_ms), end_ms, encoder }
    }

    #[inline]
    pub(super) fn push(
        &mut self,
        at_ms: Timestamp,
        value: &SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), NotPushed> {
        if self.is_full(at_ms) {
            return Err(None);
        }
        let (before, quarter) = self.progress();
        self.encoder.push(at_ms, value, start_ms)?;
        self.range.max_ms = at_ms;
        if before < quarter && self.progress().0 >= quarter {
            self.end_ms = even_end(self.range, self.end_ms);
        }
        Ok(())
    }

    /// Whether a sample at this time goes into another chunk whatever it is.
    fn is_full(&self, at_ms: Timestamp) -> bool {
        let (samples, bytes) = (self.encoder.len(), self.encoder.bytes().len());
        match self.encoder {
            Encoder::Xor(_) | Encoder::Xor2(_) => {
                at_ms >= self.end_ms || samples >= SAMPLES_MAX || bytes > FLOAT_BYTES_MAX
            }
            _ => {
                let bytes_max =
                    if samples < HISTOGRAM_SAMPLES_MIN { 2 * HISTOGRAM_BYTES } else { HISTOGRAM_BYTES };
                at_ms >= self.end_ms || bytes >= bytes_max
            }
        }
    }

    /// How near the chunk is to what it aims at: samples or bytes, and a quarter of the aim.
    fn progress(&self) -> (usize, usize) {
        match self.encoder {
            Encoder::Xor(_) | Encoder::Xor2(_) => (self.encoder.len(), CHUNK_SAMPLES / 4),
            _ => (self.encoder.bytes().len(), HISTOGRAM_BYTES / 4),
        }
    }

    pub(super) fn close(self) -> FullChunk {
        let (encoding, samples) = (self.encoding(), self.encoder.len() as u16);
        FullChunk { encoding, range: self.range, samples, bytes: self.encoder.bytes().into() }
    }

    /// The chunk so far.
    pub(super) fn snapshot(&self) -> FullChunk {
        FullChunk {
            encoding: self.encoding(),
            range: self.range,
            samples: self.len() as u16,
            bytes: self.bytes().into(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.encoder.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.encoder.bytes()
    }

    pub(super) fn encoding(&self) -> Encoding {
        match self.encoder {
            Encoder::Xor(_) => Encoding::Xor,
            Encoder::Xor2(_) => Encoding::Xor2,
            Encoder::Whole(_) => Encoding::Histogram,
            Encoder::Float(_) => Encoding::FloatHistogram,
            Encoder::WholeWithStart(_) => Encoding::HistogramWithStart,
            Encoder::FloatWithStart(_) => Encoding::FloatHistogramWithStart,
        }
    }
}

/// The end of the stretch of `chunk_range_ms` that holds `at_ms`.
fn range_end(at_ms: Timestamp, chunk_range_ms: i64) -> Timestamp {
    let chunk_range_ms = chunk_range_ms.max(1);
    at_ms.saturating_sub(at_ms.rem_euclid(chunk_range_ms)).saturating_add(chunk_range_ms)
}

/// The end that cuts what is left before `end_ms` into chunks of equal length, when `range` is a quarter of one.
fn even_end(range: TimeRange, end_ms: Timestamp) -> Timestamp {
    let left_ms = end_ms.saturating_sub(range.min_ms);
    let expected_ms = range.max_ms.saturating_sub(range.min_ms).saturating_add(1).saturating_mul(4);
    match left_ms / expected_ms.max(1) {
        0 | 1 => end_ms,
        parts => range.min_ms.saturating_add(left_ms / parts),
    }
}

/// Samples in time order as chunks.
#[derive(Debug)]
pub(super) struct ChunkBuilder {
    chunk_range_ms: i64,
    full: Vec<FullChunk>,
    open: Option<OpenChunk>,
}

impl ChunkBuilder {
    pub(super) fn new(chunk_range_ms: i64) -> ChunkBuilder {
        ChunkBuilder { chunk_range_ms, full: Vec::new(), open: None }
    }

    /// Adds a sample that is later than all before it.
    pub(super) fn push(&mut self, at_ms: Timestamp, value: &SampleValue, start_ms: Timestamp) {
        let refusal = match &mut self.open {
            Some(chunk) => match chunk.push(at_ms, value, start_ms) {
                Ok(()) => return,
                Err(refusal) => refusal,
            },
            None => None,
        };
        let before = self.open.as_ref().map(OpenChunk::encoding);
        self.full.extend(self.open.take().map(OpenChunk::close));
        self.open = Some(OpenChunk::start((at_ms, value, start_ms), self.chunk_range_ms, before, refusal));
    }

    pub(super) fn finish(mut self) -> Vec<FullChunk> {
        self.full.extend(self.open.take().map(OpenChunk::close));
        self.full
    }
}

/// What a new chunk says of a reset before its first sample.
fn first_hint(value: &FloatHistogram, refusal: Option<Refusal>) -> CounterResetHint {
    match value.counter_reset_hint {
        CounterResetHint::Gauge => CounterResetHint::Gauge,
        CounterResetHint::Reset => CounterResetHint::Reset,
        _ if refusal == Some(Refusal::Reset) => CounterResetHint::Reset,
        _ => CounterResetHint::Unknown,
    }
}

impl Encoder {
    /// Whole counts take less; a series that had others keeps float counts.
    fn for_value(
        value: &SampleValue,
        start_ms: Timestamp,
        before: Option<Encoding>,
        refusal: Option<Refusal>,
    ) -> Encoder {
        let SampleValue::Histogram(value) = value else {
            return if start_ms == 0 {
                Encoder::Xor(XorEncoder::new())
            } else {
                Encoder::Xor2(Box::default())
            };
        };
        let had_floats = matches!(before, Some(Encoding::FloatHistogram | Encoding::FloatHistogramWithStart));
        let hint = first_hint(value, refusal);
        match (!had_floats && WholeCounts::accepts(value), start_ms == 0) {
            (true, true) => Encoder::Whole(Box::new(WholeHistogramEncoder::new(hint))),
            (false, true) => Encoder::Float(Box::new(FloatHistogramEncoder::new(hint))),
            (true, false) => Encoder::WholeWithStart(Box::new(WholeHistogramEncoder::with_starts(hint))),
            (false, false) => Encoder::FloatWithStart(Box::new(FloatHistogramEncoder::with_starts(hint))),
        }
    }

    /// Appends a sample, unless it is of another kind, has a start timestamp that cannot be kept, or is refused.
    #[inline]
    fn push(&mut self, at_ms: Timestamp, value: &SampleValue, start_ms: Timestamp) -> Result<(), NotPushed> {
        let is_taken = match (self, value) {
            (Encoder::Xor(encoder), SampleValue::Float(value)) if start_ms == 0 => {
                encoder.push(at_ms, *value)
            }
            (Encoder::Xor2(encoder), SampleValue::Float(value)) => encoder.push(at_ms, *value, start_ms),
            (Encoder::Whole(encoder), SampleValue::Histogram(value)) if start_ms == 0 => {
                return encoder.push(at_ms, value, 0).map_err(Some);
            }
            (Encoder::Float(encoder), SampleValue::Histogram(value)) if start_ms == 0 => {
                return encoder.push(at_ms, value, 0).map_err(Some);
            }
            (Encoder::WholeWithStart(encoder), SampleValue::Histogram(value)) => {
                return encoder.push(at_ms, value, start_ms).map_err(Some);
            }
            (Encoder::FloatWithStart(encoder), SampleValue::Histogram(value)) => {
                return encoder.push(at_ms, value, start_ms).map_err(Some);
            }
            _ => false,
        };
        if is_taken { Ok(()) } else { Err(None) }
    }

    fn len(&self) -> usize {
        match self {
            Encoder::Xor(encoder) => encoder.len(),
            Encoder::Xor2(encoder) => encoder.len(),
            Encoder::Whole(encoder) | Encoder::WholeWithStart(encoder) => encoder.len(),
            Encoder::Float(encoder) | Encoder::FloatWithStart(encoder) => encoder.len(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Encoder::Xor(encoder) => encoder.bytes(),
            Encoder::Xor2(encoder) => encoder.bytes(),
            Encoder::Whole(encoder) | Encoder::WholeWithStart(encoder) => encoder.bytes(),
            Encoder::Float(encoder) | Encoder::FloatWithStart(encoder) => encoder.bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(times: impl IntoIterator<Item = Timestamp>, value: impl Fn(i64) -> f64) -> Vec<u16> {
        let mut builder = ChunkBuilder::new(7_200_000);
        times.into_iter().for_each(|at_ms| builder.push(at_ms, &value(at_ms).into(), 0));
        builder.finish().iter().map(|chunk| chunk.samples).collect()
    }

    #[test]
    fn a_block_range_is_cut_into_even_chunks() {
        assert_eq!(lengths((0..480).map(|scrape| scrape * 15_000), |_| 1.0), [120; 4]);
        assert_eq!(lengths((0..240).map(|scrape| scrape * 60_000), |_| 1.0), [120; 2]);
        assert_eq!(lengths((0..400).map(|scrape| 3_600_000 + scrape * 15_000), |_| 1.0), [120, 120, 120, 40]);
    }

    #[test]
    fn chunks_end_at_multiples_of_the_range_before_the_epoch_too() {
        assert_eq!(lengths((-3..3).map(|step| step * 3_600_000), |_| 1.0), [1, 2, 2, 1]);
        assert_eq!(lengths([i64::MIN, 0, i64::MAX], |_| 1.0), [1, 1, 1]);
    }

    #[test]
    fn dense_and_wild_samples_are_cut_by_number_and_size() {
        let dense = (0..30).map(|scrape| scrape * 60_000).chain(1_800_000..1_800_300);
        assert_eq!(lengths(dense, |_| 1.0), [240, 90]);
        let jittered = (0..200).map(|scrape| scrape * 10_000 + scrape * 7919 % 5000);
        let wild =
            lengths(jittered, |at_ms| f64::from_bits((at_ms as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        assert!(wild.iter().all(|&samples| samples < 110), "{wild:?}");
    }
}
