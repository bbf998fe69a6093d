//! One series: full chunks, the chunk that grows, and the last sample.

use std::sync::Arc;

use narthex_model::histogram::{CounterResetHint, FloatHistogram};
use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, SampleValue, TimeRange, Timestamp};
use narthex_storage::SampleBuffer;

use super::CHUNK_SAMPLES_MAX;
use crate::chunk::float_histogram::FloatHistogramEncoder;
use crate::chunk::xor::XorEncoder;
use crate::chunk::xor2::Xor2Encoder;
use crate::chunk::{CorruptChunk, Encoding, Refusal};

/// A series of the head.
#[derive(Debug)]
pub(super) struct Series {
    labels: Labels,
    full: Vec<FullChunk>,
    open: Option<OpenChunk>,
    last: Option<(Timestamp, SampleValue)>,
}

/// A chunk that takes no more samples.
#[derive(Debug)]
struct FullChunk {
    encoding: Encoding,
    range: TimeRange,
    samples: usize,
    bytes: Box<[u8]>,
}

/// The chunk that takes the next sample, if it can.
#[derive(Debug)]
struct OpenChunk {
    range: TimeRange,
    encoder: Encoder,
}

#[derive(Debug)]
enum Encoder {
    Xor(XorEncoder),
    Xor2(Xor2Encoder),
    Histogram(FloatHistogramEncoder),
    HistogramWithStart(FloatHistogramEncoder),
}

/// Why a sample is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotTaken {
    /// The series has a later sample.
    OutOfOrder,
    /// The series has another value at this instant.
    Duplicate,
}

impl Series {
    pub(super) fn new(labels: Labels) -> Series {
        Series { labels, full: Vec::new(), open: None, last: None }
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(super) fn sample_count(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |chunk| chunk.encoder.len());
        self.full.iter().map(|chunk| chunk.samples).sum::<usize>() + open
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |chunk| chunk.encoder.bytes().len());
        self.full.iter().map(|chunk| chunk.bytes.len()).sum::<usize>() + open
    }

    /// From the first to the last sample; empty without samples.
    pub(super) fn range(&self) -> TimeRange {
        let open = self.open.as_ref().map(|chunk| chunk.range);
        let ends = self.full.first().map(|chunk| chunk.range).into_iter();
        let ends = ends.chain(self.full.last().map(|chunk| chunk.range)).chain(open);
        ends.reduce(TimeRange::union).unwrap_or(TimeRange::new(0, -1))
    }

    /// Adds a sample behind the last one; the last one once more is taken without effect.
    pub(super) fn append(
        &mut self,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), NotTaken> {
        let value = self.as_stored(value);
        if let Some((last_ms, last)) = &self.last {
            if *last_ms > at_ms {
                return Err(NotTaken::OutOfOrder);
            }
            if *last_ms == at_ms {
                return if same_value(last, &value) { Ok(()) } else { Err(NotTaken::Duplicate) };
            }
        }
        let refusal = match &mut self.open {
            Some(chunk) => chunk.push(at_ms, &value, start_ms),
            None => Err(None),
        };
        if let Err(refusal) = refusal {
            self.close();
            self.open = Some(OpenChunk::start(at_ms, &value, start_ms, refusal));
        }
        self.last = Some((at_ms, value));
        Ok(())
    }

    /// A float stale marker behind a histogram is a histogram stale marker.
    fn as_stored(&self, value: SampleValue) -> SampleValue {
        match (&self.last, value) {
            (Some((_, SampleValue::Histogram(_))), SampleValue::Float(sum)) if is_stale_nan(sum) => {
                FloatHistogram { sum, ..FloatHistogram::default() }.into()
            }
            (_, value) => value,
        }
    }

    fn close(&mut self) {
        if let Some(OpenChunk { range, encoder }) = self.open.take() {
            let (encoding, samples) = (encoder.encoding(), encoder.len());
            let bytes = encoder.into_bytes().into_boxed_slice();
            self.full.push(FullChunk { encoding, range, samples, bytes });
        }
    }

    /// Appends the samples of all chunks that overlap `range`, others in those chunks included.
    pub(super) fn decode_into(
        &self,
        range: TimeRange,
        samples: &mut SampleBuffer,
    ) -> Result<(), CorruptChunk> {
        let first = self.full.partition_point(|chunk| chunk.range.max_ms < range.min_ms);
        for chunk in self.full[first..].iter().take_while(|chunk| chunk.range.overlaps(range)) {
            chunk.encoding.decode_into(&chunk.bytes, samples)?;
        }
        match &self.open {
            Some(chunk) if chunk.range.overlaps(range) => {
                chunk.encoder.encoding().decode_into(chunk.encoder.bytes(), samples)
            }
            _ => Ok(()),
        }
    }
}

fn same_value(left: &SampleValue, right: &SampleValue) -> bool {
    match (left, right) {
        (SampleValue::Float(left), SampleValue::Float(right)) => left.to_bits() == right.to_bits(),
        (SampleValue::Histogram(left), SampleValue::Histogram(right)) => {
            Arc::ptr_eq(left, right) || left.equals(right)
        }
        _ => false,
    }
}

impl OpenChunk {
    /// A chunk with one sample. `refusal` is why the chunk before it did not take the sample.
    fn start(
        at_ms: Timestamp,
        value: &SampleValue,
        start_ms: Timestamp,
        refusal: Option<Refusal>,
    ) -> OpenChunk {
        let mut encoder = match value {
            SampleValue::Float(_) if start_ms == 0 => Encoder::Xor(XorEncoder::new()),
            SampleValue::Float(_) => Encoder::Xor2(Xor2Encoder::new()),
            SampleValue::Histogram(value) => {
                let hint = first_hint(value, refusal);
                if start_ms == 0 {
                    Encoder::Histogram(FloatHistogramEncoder::new(hint))
                } else {
                    Encoder::HistogramWithStart(FloatHistogramEncoder::with_starts(hint))
                }
            }
        };
        let pushed = encoder.push(at_ms, value, start_ms);
        debug_assert_eq!(pushed, Ok(()), "an empty chunk takes any sample of its kind");
        OpenChunk { range: TimeRange::new(at_ms, at_ms), encoder }
    }

    fn push(
        &mut self,
        at_ms: Timestamp,
        value: &SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), Option<Refusal>> {
        if self.encoder.len() >= CHUNK_SAMPLES_MAX {
            return Err(None);
        }
        self.encoder.push(at_ms, value, start_ms)?;
        self.range.max_ms = at_ms;
        Ok(())
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
    fn encoding(&self) -> Encoding {
        match self {
            Encoder::Xor(_) => Encoding::Xor,
            Encoder::Xor2(_) => Encoding::Xor2,
            Encoder::Histogram(_) => Encoding::FloatHistogram,
            Encoder::HistogramWithStart(_) => Encoding::FloatHistogramWithStart,
        }
    }

    /// Appends a sample, unless it is of another kind, has a start timestamp that cannot be kept, or is refused.
    fn push(
        &mut self,
        at_ms: Timestamp,
        value: &SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), Option<Refusal>> {
        let taken = match (self, value) {
            (Encoder::Xor(encoder), SampleValue::Float(value)) if start_ms == 0 => {
                encoder.push(at_ms, *value)
            }
            (Encoder::Xor2(encoder), SampleValue::Float(value)) => encoder.push(at_ms, *value, start_ms),
            (Encoder::Histogram(encoder), SampleValue::Histogram(value)) if start_ms == 0 => {
                return encoder.push(at_ms, value, 0).map_err(Some);
            }
            (Encoder::HistogramWithStart(encoder), SampleValue::Histogram(value)) => {
                return encoder.push(at_ms, value, start_ms).map_err(Some);
            }
            _ => false,
        };
        if taken { Ok(()) } else { Err(None) }
    }

    fn len(&self) -> usize {
        match self {
            Encoder::Xor(encoder) => encoder.len(),
            Encoder::Xor2(encoder) => encoder.len(),
            Encoder::Histogram(encoder) | Encoder::HistogramWithStart(encoder) => encoder.len(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Encoder::Xor(encoder) => encoder.bytes(),
            Encoder::Xor2(encoder) => encoder.bytes(),
            Encoder::Histogram(encoder) | Encoder::HistogramWithStart(encoder) => encoder.bytes(),
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Encoder::Xor(encoder) => encoder.into_bytes(),
            Encoder::Xor2(encoder) => encoder.into_bytes(),
            Encoder::Histogram(encoder) | Encoder::HistogramWithStart(encoder) => encoder.into_bytes(),
        }
    }
}
