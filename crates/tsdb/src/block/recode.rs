//! Samples into chunks again, where chunks cannot be handed on as they are.

use narthex_model::histogram::{CounterResetHint, FloatHistogram};
use narthex_model::{TimeRange, Timestamp};
use narthex_storage::{FloatColumn, HistogramColumn, SampleBuffer};

use super::{ChunkBytes, EncodedChunk};
use crate::chunk::float_histogram::FloatHistogramEncoder;
use crate::chunk::histogram::WholeHistogramEncoder;
use crate::chunk::xor::XorEncoder;
use crate::chunk::xor2::Xor2Encoder;
use crate::chunk::{Encoding, Refusal};

/// Most samples in a chunk, as Prometheus aims at.
const SAMPLES_MAX: usize = 120;
/// A chunk of histograms with so many bytes is full if it has [`HISTOGRAMS_MIN`].
const HISTOGRAM_BYTES: usize = 1024;
const HISTOGRAMS_MIN: usize = 10;

/// Which encodings to choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Recoding {
    /// Counts of histograms were whole in every chunk.
    has_whole_counts: bool,
}

impl Recoding {
    /// For samples that were in chunks of these encodings.
    pub(crate) fn of(encodings: impl IntoIterator<Item = Encoding>) -> Recoding {
        let is_float =
            |encoding| matches!(encoding, Encoding::FloatHistogram | Encoding::FloatHistogramWithStart);
        Recoding { has_whole_counts: !encodings.into_iter().any(is_float) }
    }
}

/// Puts samples into chunks.
#[derive(Debug)]
pub(crate) struct Recoder {
    recoding: Recoding,
    open: Option<(TimeRange, Encoder)>,
}

#[derive(Debug)]
enum Encoder {
    Xor(XorEncoder),
    Xor2(Xor2Encoder),
    Whole(WholeHistogramEncoder, HasStarts),
    Float(FloatHistogramEncoder, HasStarts),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum HasStarts {
    No,
    Yes,
}

impl Recoder {
    pub(crate) fn new(recoding: Recoding) -> Recoder {
        Recoder { recoding, open: None }
    }

    /// Appends chunks with all of the samples.
    pub(crate) fn encode(&mut self, samples: &SampleBuffer, chunks: &mut Vec<EncodedChunk>) {
        let SampleBuffer { floats, histograms } = samples;
        let (mut float, mut histogram) = (0, 0);
        loop {
            let next_float = floats.timestamps.get(float);
            let next_histogram = histograms.timestamps.get(histogram);
            match (next_float, next_histogram) {
                (None, None) => break,
                (Some(at_ms), other) if other.is_none_or(|other| at_ms <= other) => {
                    self.push_float(floats, float, chunks);
                    float += 1;
                }
                _ => {
                    self.push_histogram(histograms, histogram, chunks);
                    histogram += 1;
                }
            }
        }
        self.close(chunks);
    }

    fn push_float(&mut self, column: &FloatColumn, place: usize, chunks: &mut Vec<EncodedChunk>) {
        let (at_ms, value) = (column.timestamps[place], column.values[place]);
        let start_ms = column.start_timestamps.get(place).copied().unwrap_or(0);
        let is_taken = match &mut self.open {
            Some((_, encoder)) if encoder.len() >= SAMPLES_MAX => false,
            Some((_, Encoder::Xor(encoder))) => start_ms == 0 && encoder.push(at_ms, value),
            Some((_, Encoder::Xor2(encoder))) => encoder.push(at_ms, value, start_ms),
            _ => false,
        };
        if !is_taken {
            self.close(chunks);
            self.open = Some((TimeRange::new(at_ms, at_ms), first_float(at_ms, value, start_ms)));
        }
        self.reach(at_ms);
    }

    fn push_histogram(&mut self, column: &HistogramColumn, place: usize, chunks: &mut Vec<EncodedChunk>) {
        let (at_ms, value) = (column.timestamps[place], &*column.values[place]);
        let start_ms = column.start_timestamps.get(place).copied().unwrap_or(0);
        let refusal = match &mut self.open {
            Some((_, encoder)) if encoder.is_full_of_histograms() => None,
            Some((_, Encoder::Whole(_, HasStarts::No) | Encoder::Float(_, HasStarts::No)))
                if start_ms != 0 =>
            {
                None
            }
            Some((_, Encoder::Whole(encoder, _))) => Some(encoder.push(at_ms, value, start_ms)),
            Some((_, Encoder::Float(encoder, _))) => Some(encoder.push(at_ms, value, start_ms)),
            _ => None,
        };
        if refusal != Some(Ok(())) {
            self.close(chunks);
            let hint = first_hint(value, refusal.and_then(Result::err));
            let first = self.first_histogram(at_ms, value, start_ms, hint);
            self.open = Some((TimeRange::new(at_ms, at_ms), first));
        }
        self.reach(at_ms);
    }

    fn first_histogram(
        &self,
        at_ms: Timestamp,
        value: &FloatHistogram,
        start_ms: Timestamp,
        hint: CounterResetHint,
    ) -> Encoder {
        let has_starts = if start_ms == 0 { HasStarts::No } else { HasStarts::Yes };
        if self.recoding.has_whole_counts {
            let mut encoder = match has_starts {
                HasStarts::No => WholeHistogramEncoder::new(hint),
                HasStarts::Yes => WholeHistogramEncoder::with_starts(hint),
            };
            if encoder.push(at_ms, value, start_ms).is_ok() {
                return Encoder::Whole(encoder, has_starts);
            }
        }
        let mut encoder = match has_starts {
            HasStarts::No => FloatHistogramEncoder::new(hint),
            HasStarts::Yes => FloatHistogramEncoder::with_starts(hint),
        };
        let pushed = encoder.push(at_ms, value, start_ms);
        debug_assert_eq!(pushed, Ok(()), "an empty chunk takes any histogram");
        Encoder::Float(encoder, has_starts)
    }

    fn reach(&mut self, at_ms: Timestamp) {
        if let Some((range, _)) = &mut self.open {
            range.max_ms = at_ms;
        }
    }

    fn close(&mut self, chunks: &mut Vec<EncodedChunk>) {
        let Some((TimeRange { min_ms, max_ms }, encoder)) = self.open.take() else { return };
        let (samples, encoding) = (encoder.len() as u16, encoder.encoding());
        let bytes = ChunkBytes::from(encoder.into_bytes());
        chunks.push(EncodedChunk { encoding, min_ms, max_ms, samples, bytes });
    }
}

fn first_float(at_ms: Timestamp, value: f64, start_ms: Timestamp) -> Encoder {
    if start_ms == 0 {
        let mut encoder = XorEncoder::new();
        let is_taken = encoder.push(at_ms, value);
        debug_assert!(is_taken, "an empty chunk takes any sample");
        return Encoder::Xor(encoder);
    }
    let mut encoder = Xor2Encoder::new();
    let is_taken = encoder.push(at_ms, value, start_ms);
    debug_assert!(is_taken, "an empty chunk takes any sample");
    Encoder::Xor2(encoder)
}

/// What a new chunk says of a reset before its first sample.
fn first_hint(value: &FloatHistogram, refusal: Option<Refusal>) -> CounterResetHint {
    match value.counter_reset_hint {
        CounterResetHint::Gauge => CounterResetHint::Gauge,
        _ if refusal == Some(Refusal::Reset) => CounterResetHint::Reset,
        _ => CounterResetHint::Unknown,
    }
}

impl Encoder {
    fn len(&self) -> usize {
        match self {
            Encoder::Xor(encoder) => encoder.len(),
            Encoder::Xor2(encoder) => encoder.len(),
            Encoder::Whole(encoder, _) => encoder.len(),
            Encoder::Float(encoder, _) => encoder.len(),
        }
    }

    fn is_full_of_histograms(&self) -> bool {
        let bytes = match self {
            Encoder::Xor(_) | Encoder::Xor2(_) => return true,
            Encoder::Whole(encoder, _) => encoder.bytes(),
            Encoder::Float(encoder, _) => encoder.bytes(),
        };
        self.len() >= SAMPLES_MAX || self.len() >= HISTOGRAMS_MIN && bytes.len() >= HISTOGRAM_BYTES
    }

    fn encoding(&self) -> Encoding {
        match self {
            Encoder::Xor(_) => Encoding::Xor,
            Encoder::Xor2(_) => Encoding::Xor2,
            Encoder::Whole(_, HasStarts::No) => Encoding::Histogram,
            Encoder::Whole(_, HasStarts::Yes) => Encoding::HistogramWithStart,
            Encoder::Float(_, HasStarts::No) => Encoding::FloatHistogram,
            Encoder::Float(_, HasStarts::Yes) => Encoding::FloatHistogramWithStart,
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Encoder::Xor(encoder) => encoder.into_bytes(),
            Encoder::Xor2(encoder) => encoder.into_bytes(),
            Encoder::Whole(encoder, _) => encoder.into_bytes(),
            Encoder::Float(encoder, _) => encoder.into_bytes(),
        }
    }
}
