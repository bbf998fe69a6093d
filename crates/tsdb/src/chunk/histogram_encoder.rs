//! Building chunks of native histograms, whatever their counts are: one layout in front, then per sample time, count,
//! zero count, sum and the counts of the buckets.

use narthex_model::Timestamp;
use narthex_model::histogram::spans::{spread, union};
use narthex_model::histogram::{CounterResetHint, FloatHistogram};
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
    last: Last,
    /// Start timestamps, in encodings that have them.
    starts: Option<StartStream>,
}

/// The counts of the last histogram, in the buckets of the layout.
#[derive(Clone, Debug, Default)]
struct Last {
    count: f64,
    zero_count: f64,
    sum: f64,
    positive: Vec<f64>,
    negative: Vec<f64>,
}

/// The counts of a histogram to be written, in the buckets of a layout.
#[derive(Clone, Copy, Debug)]
struct Counts<'a> {
    count: f64,
    zero_count: f64,
    sum: f64,
    positive: &'a [f64],
    negative: &'a [f64],
}

impl Last {
    fn set(&mut self, counts: Counts<'_>) {
        (self.count, self.zero_count, self.sum) = (counts.count, counts.zero_count, counts.sum);
        self.positive.clear();
        self.positive.extend_from_slice(counts.positive);
        self.negative.clear();
        self.negative.extend_from_slice(counts.negative);
    }

    /// The same counts in a layout with more buckets.
    fn widened(&self, from: &Layout, to: &Layout) -> Last {
        let positive = spread(&self.positive, &from.positive, &to.positive);
        let negative = spread(&self.negative, &from.negative, &to.negative);
        Last { positive, negative, ..*self }
    }

    /// Whether a count is now below what it was.
    fn is_above(&self, now: Counts<'_>) -> bool {
        let fell = |(now, before): (&f64, &f64)| now < before;
        now.zero_count < self.zero_count
            || now.positive.iter().zip(&self.positive).any(fell)
            || now.negative.iter().zip(&self.negative).any(fell)
    }
}

impl<'a> Counts<'a> {
    fn of(value: &'a FloatHistogram) -> Counts<'a> {
        Counts {
            count: value.count,
            zero_count: value.zero_count,
            sum: value.sum,
            positive: &value.positive_buckets,
            negative: &value.negative_buckets,
        }
    }

    fn stale(sum: f64) -> Counts<'a> {
        Counts { count: 0.0, zero_count: 0.0, sum, positive: &[], negative: &[] }
    }
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
            last: Last::default(),
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
            self.write_sample(at_ms, Counts::stale(value.sum), start_ms);
            return Ok(());
        }
        if self.count == 0 {
            self.layout = Layout::of(value);
            self.write_sample(at_ms, Counts::of(value), start_ms);
            return Ok(());
        }
        let has_same_spans =
            self.layout.positive == value.positive_spans && self.layout.negative == value.negative_spans;
        if !has_same_spans {
            return self.push_other_buckets(at_ms, value, start_ms);
        }
        if self.is_counter() && self.last.is_above(Counts::of(value)) {
            return Err(Refusal::Reset);
        }
        self.write_sample(at_ms, Counts::of(value), start_ms);
        Ok(())
    }

    /// Appends a histogram that lists other buckets than the layout does.
    fn push_other_buckets(
        &mut self,
        at_ms: Timestamp,
        value: &FloatHistogram,
        start_ms: Timestamp,
    ) -> Result<(), Refusal> {
        let wider = Layout {
            positive: union(&self.layout.positive, &value.positive_spans),
            negative: union(&self.layout.negative, &value.negative_spans),
            ..self.layout.clone()
        };
        let positive = spread(&value.positive_buckets, &value.positive_spans, &wider.positive);
        let negative = spread(&value.negative_buckets, &value.negative_spans, &wider.negative);
        let counts = Counts { positive: &positive, negative: &negative, ..Counts::of(value) };
        if self.is_counter() && self.last.widened(&self.layout, &wider).is_above(counts) {
            return Err(Refusal::Reset);
        }
        if !self.layout.has_buckets_of(&wider) {
            self.recode(wider)?;
        }
        self.write_sample(at_ms, counts, start_ms);
        Ok(())
    }

    fn is_counter(&self) -> bool {
        self.hint != CounterResetHint::Gauge
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
        if (value.counter_reset_hint == CounterResetHint::Gauge) == self.is_counter() {
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
        if self.is_counter() && value.count < self.last.count {
            return Err(Refusal::Reset);
        }
        if self.layout.has_grid_of(value) { Ok(()) } else { Err(Refusal::Grid) }
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
            let positive = spread(&value.positive_buckets, &value.positive_spans, &self.layout.positive);
            let negative = spread(&value.negative_buckets, &value.negative_spans, &self.layout.negative);
            let counts = Counts { positive: &positive, negative: &negative, ..Counts::of(value) };
            self.write_sample(at_ms, counts, start_ms);
        }
        Ok(())
    }

    /// Appends counts in the buckets of the layout, or a stale marker.
    fn write_sample(&mut self, at_ms: Timestamp, counts: Counts<'_>, start_ms: Timestamp) {
        let delta_ms = at_ms.wrapping_sub(self.at_ms);
        match self.total {
            None => self.write_first(at_ms, counts),
            Some(total) => {
                varbit::write_int(&mut self.writer, delta_ms.wrapping_sub(self.delta_ms));
                self.delta_ms = delta_ms;
                self.write_later(total, counts);
            }
        }
        if let Some(starts) = &mut self.starts {
            starts.write(&mut self.writer, self.count, at_ms, start_ms);
        }
        self.at_ms = at_ms;
        self.count += 1;
        self.last.set(counts);
        self.write_header();
    }

    fn write_first(&mut self, at_ms: Timestamp, counts: Counts<'_>) {
        let writer = &mut self.writer;
        self.layout.write(writer);
        varbit::write_int(writer, at_ms);
        let count = C::start_total(writer, C::total(counts.count));
        let zero_count = C::start_total(writer, C::total(counts.zero_count));
        self.total = Some((count, zero_count));
        self.sum = XorStream::start(writer, counts.sum);
        let numbers = C::buckets(counts.positive).chain(C::buckets(counts.negative));
        self.buckets = numbers.map(|number| C::start_bucket(writer, number)).collect();
    }

    fn write_later(&mut self, total: (C::Stream, C::Stream), counts: Counts<'_>) {
        let writer = &mut self.writer;
        let (mut count, mut zero_count) = total;
        if is_stale_nan(counts.sum) {
            C::write_stale(&mut count, writer);
            C::write_stale(&mut zero_count, writer);
            self.sum.write(writer, counts.sum);
        } else {
            C::write(&mut count, writer, C::total(counts.count));
            C::write(&mut zero_count, writer, C::total(counts.zero_count));
            self.sum.write(writer, counts.sum);
            let numbers = C::buckets(counts.positive).chain(C::buckets(counts.negative));
            for (stream, number) in self.buckets.iter_mut().zip(numbers) {
                C::write(stream, writer, number);
            }
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

fn hint_flags(hint: CounterResetHint) -> u8 {
    match hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::NotReset => 0x40,
        CounterResetHint::Reset => 0x80,
        CounterResetHint::Gauge => 0xc0,
    }
}
