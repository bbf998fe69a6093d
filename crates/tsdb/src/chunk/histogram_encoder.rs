//! Building chunks of native histograms, whatever their counts are: one layout in front, then per sample time, count,
//! zero count, sum and the counts of the buckets.

use narthex_model::Timestamp;
use narthex_model::histogram::spans::{spread, union};
use narthex_model::histogram::{BucketSpan, CounterResetHint, FloatHistogram};
use narthex_model::sample::is_stale_nan;
use narthex_storage::HistogramColumn;

use super::bitstream::BitWriter;
use super::histogram_decoder::{COUNT_WITH_START_MAX, HEADER_BYTES, decode_into, decode_with_start_into};
use super::layout::Layout;
use super::start::StartStream;
use super::window::XorStream;
use super::{CountCoding, varbit};

/// Why a histogram cannot go into a chunk and needs a new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The chunk has as many samples as its count can tell.
    Full,
    /// Schema, zero threshold or custom bounds are others.
    Grid,
    /// The counter was reset.
    Reset,
    /// Gauges and counters do not share a chunk.
    Gauge,
    /// After a stale marker only stale markers follow.
    Stale,
    /// A count is no whole number, and the encoding takes no others.
    NotWhole,
}

/// Builds a chunk of histograms sample by sample. All samples share one layout: a histogram with more buckets makes
/// the chunk be written anew, one with fewer gets empty ones.
#[derive(Clone, Debug)]
pub struct HistogramEncoder<C: CountCoding> {
    writer: BitWriter,
    count: u16,
    hint: CounterResetHint,
    layout: Layout,
    at_ms: Timestamp,
    delta_ms: i64,
    total: Option<(C::Stream, C::Stream)>,
    sum: XorStream,
    buckets: Vec<C::Stream>,
    /// The last histogram, with the buckets of the layout.
    last: FloatHistogram,
    /// Start timestamps, in encodings that have them.
    starts: Option<StartStream>,
}

impl<C: CountCoding> HistogramEncoder<C> {
    /// A chunk without samples and without start timestamps. `hint` says how it follows the chunk before it.
    pub fn new(hint: CounterResetHint) -> HistogramEncoder<C> {
        HistogramEncoder {
            writer: BitWriter::new(vec![0; HEADER_BYTES]),
            count: 0,
            hint,
            layout: Layout::default(),
            at_ms: 0,
            delta_ms: 0,
            total: None,
            sum: XorStream::default(),
            buckets: Vec::new(),
            last: FloatHistogram::default(),
            starts: None,
        }
    }

    /// A chunk without samples, with start timestamps.
    pub fn with_starts(hint: CounterResetHint) -> HistogramEncoder<C> {
        HistogramEncoder { starts: Some(StartStream::default()), ..HistogramEncoder::new(hint) }
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

    /// Appends a sample. `start_ms` is 0 for unknown, and not kept by encodings without start timestamps. Of a stale
    /// marker only the sum is kept.
    ///
    /// # Errors
    /// When it needs a new chunk; this one stays as it is.
    pub fn push(
        &mut self,
        at_ms: Timestamp,
        value: &FloatHistogram,
        start_ms: Timestamp,
    ) -> Result<(), Refusal> {
        self.check(value)?;
        if is_stale_nan(value.sum) {
            let marker = FloatHistogram { sum: value.sum, ..FloatHistogram::default() };
            self.write_sample(at_ms, &marker, start_ms);
            return Ok(());
        }
        if self.count == 0 {
            self.layout = Layout::of(value);
            self.write_sample(at_ms, value, start_ms);
            return Ok(());
        }
        let wider = self.layout_with(value);
        let widened = widen(value, &wider);
        if self.hint != CounterResetHint::Gauge && self.counts_fall(&widened, &wider) {
            return Err(Refusal::Reset);
        }
        if !self.layout.has_buckets_of(&wider) {
            self.recode(wider)?;
        }
        self.write_sample(at_ms, &widened, start_ms);
        Ok(())
    }

    /// All reasons to refuse but falling bucket counts.
    fn check(&self, value: &FloatHistogram) -> Result<(), Refusal> {
        let count_max = if self.starts.is_some() { COUNT_WITH_START_MAX } else { u16::MAX };
        if self.count >= count_max {
            return Err(Refusal::Full);
        }
        let is_stale = is_stale_nan(value.sum);
        if !is_stale && !C::accepts(value) {
            return Err(Refusal::NotWhole);
        }
        if self.count == 0 {
            return Ok(());
        }
        let is_gauge = self.hint == CounterResetHint::Gauge;
        if (value.counter_reset_hint == CounterResetHint::Gauge) != is_gauge {
            return Err(Refusal::Gauge);
        }
        if value.counter_reset_hint == CounterResetHint::Reset {
            return Err(Refusal::Reset);
        }
        if is_stale {
            return Ok(());
        }
        if is_stale_nan(self.last.sum) {
            return Err(Refusal::Stale);
        }
        if !is_gauge && value.count < self.last.count {
            return Err(Refusal::Reset);
        }
        if self.layout.has_grid_of(value) { Ok(()) } else { Err(Refusal::Grid) }
    }

    fn layout_with(&self, value: &FloatHistogram) -> Layout {
        if self.layout.positive == value.positive_spans && self.layout.negative == value.negative_spans {
            return self.layout.clone();
        }
        Layout {
            positive: union(&self.layout.positive, &value.positive_spans),
            negative: union(&self.layout.negative, &value.negative_spans),
            ..self.layout.clone()
        }
    }

    /// Whether a count of `value`, which has the layout `wider`, is below the last one.
    fn counts_fall(&self, value: &FloatHistogram, wider: &Layout) -> bool {
        let last = widen(&self.last, wider);
        let falls = |(now, before): (&f64, &f64)| now < before;
        value.zero_count < last.zero_count
            || value.positive_buckets.iter().zip(&last.positive_buckets).any(falls)
            || value.negative_buckets.iter().zip(&last.negative_buckets).any(falls)
    }

    /// Writes the samples anew with a layout that has more buckets.
    fn recode(&mut self, wider: Layout) -> Result<(), Refusal> {
        let mut column = HistogramColumn::default();
        let decoded = match self.starts {
            Some(_) => decode_with_start_into::<C>(self.bytes(), &mut column),
            None => decode_into::<C>(self.bytes(), &mut column),
        };
        // What was written can be read, unless it is more than a reader takes.
        decoded.map_err(|_| Refusal::Full)?;
        column.start_timestamps.resize(column.timestamps.len(), 0);
        let starts = self.starts.map(|_| StartStream::default());
        *self = HistogramEncoder { layout: wider, starts, ..HistogramEncoder::new(self.hint) };
        let times = column.timestamps.iter().zip(&column.start_timestamps);
        for ((&at_ms, &start_ms), value) in times.zip(&column.values) {
            let widened = widen(value, &self.layout);
            self.write_sample(at_ms, &widened, start_ms);
        }
        Ok(())
    }

    /// Appends a histogram that has the buckets of the layout, or is stale.
    fn write_sample(&mut self, at_ms: Timestamp, value: &FloatHistogram, start_ms: Timestamp) {
        let delta_ms = at_ms.wrapping_sub(self.at_ms);
        match self.total {
            None => self.write_first(at_ms, value),
            Some(total) => {
                varbit::write_int(&mut self.writer, delta_ms.wrapping_sub(self.delta_ms));
                self.delta_ms = delta_ms;
                self.write_later(total, value);
            }
        }
        if let Some(starts) = &mut self.starts {
            starts.write(&mut self.writer, self.count, at_ms, start_ms);
        }
        self.at_ms = at_ms;
        self.count += 1;
        self.last.clone_from(value);
        self.write_header();
    }

    fn write_first(&mut self, at_ms: Timestamp, value: &FloatHistogram) {
        let writer = &mut self.writer;
        self.layout.write(writer);
        varbit::write_int(writer, at_ms);
        let count = C::start_total(writer, C::total(value.count));
        let zero_count = C::start_total(writer, C::total(value.zero_count));
        self.total = Some((count, zero_count));
        self.sum = XorStream::start(writer, value.sum);
        let numbers = bucket_numbers::<C>(value);
        self.buckets = numbers.map(|number| C::start_bucket(writer, number)).collect();
    }

    fn write_later(&mut self, total: (C::Stream, C::Stream), value: &FloatHistogram) {
        let writer = &mut self.writer;
        let (mut count, mut zero_count) = total;
        if is_stale_nan(value.sum) {
            C::write_stale(&mut count, writer);
            C::write_stale(&mut zero_count, writer);
            self.sum.write(writer, value.sum);
        } else {
            C::write(&mut count, writer, C::total(value.count));
            C::write(&mut zero_count, writer, C::total(value.zero_count));
            self.sum.write(writer, value.sum);
            let numbers = bucket_numbers::<C>(value);
            self.buckets
                .iter_mut()
                .zip(numbers)
                .for_each(|(stream, number)| C::write(stream, writer, number));
        }
        self.total = Some((count, zero_count));
    }

    fn write_header(&mut self) {
        let flags = hint_flags(self.hint);
        let [high, low] = self.count.to_be_bytes();
        let header = match self.starts {
            Some(starts) => [flags | high, low, starts.header()],
            None => [high, low, flags],
        };
        self.writer.bytes_mut()[..HEADER_BYTES].copy_from_slice(&header);
    }
}

fn bucket_numbers<C: CountCoding>(value: &FloatHistogram) -> impl Iterator<Item = C::Number> {
    C::buckets(&value.positive_buckets).into_iter().chain(C::buckets(&value.negative_buckets))
}

/// The histogram with the buckets of `wider`, which has all of its own.
fn widen(value: &FloatHistogram, wider: &Layout) -> FloatHistogram {
    let mut widened = value.clone();
    let side = |spans: &mut Vec<BucketSpan>, counts: &mut Vec<f64>, to: &[BucketSpan]| {
        if spans != to {
            *counts = spread(counts, spans, to);
            *spans = to.to_vec();
        }
    };
    side(&mut widened.positive_spans, &mut widened.positive_buckets, &wider.positive);
    side(&mut widened.negative_spans, &mut widened.negative_buckets, &wider.negative);
    widened
}

fn hint_flags(hint: CounterResetHint) -> u8 {
    match hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::NotReset => 0x40,
        CounterResetHint::Reset => 0x80,
        CounterResetHint::Gauge => 0xc0,
    }
}
