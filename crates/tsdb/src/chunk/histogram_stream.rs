//! Chunks of native histograms, whatever their counts are: one layout in front, then per sample time, count, zero
//! count, sum and the counts of the buckets.

use std::sync::Arc;

use narthex_model::Timestamp;
use narthex_model::histogram::spans::{spread, union};
use narthex_model::histogram::{BucketSpan, CounterResetHint, EXPONENTIAL_SCHEMA_MAX, FloatHistogram};
use narthex_model::sample::is_stale_nan;
use narthex_storage::HistogramColumn;

use super::bitstream::{BitReader, BitWriter};
use super::layout::Layout;
use super::start::{StartReader, StartStream};
use super::window::XorStream;
use super::{CorruptChunk, sample_count, varbit};

/// Length of the sample count and the flags (or the start timestamps' byte).
const HEADER_BYTES: usize = 3;
/// Most samples in a chunk with start timestamps, whose flags share two bytes with the count.
const COUNT_WITH_START_MAX: u16 = 0x3fff;
/// Most memory that the histograms of one chunk may take. A real chunk takes a few hundred kilobytes; without a bound
/// a few bits per sample could claim any number of buckets or bounds again and again.
const DECODED_BYTES_MAX: usize = 64 << 20;

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
    fn buckets(counts: &[f64]) -> Vec<Self::Number>;
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
        match value.counter_reset_hint {
            CounterResetHint::Reset => return Err(Refusal::Reset),
            _ if is_stale => return Ok(()),
            hint if (hint == CounterResetHint::Gauge) != (self.hint == CounterResetHint::Gauge) => {
                return Err(Refusal::Gauge);
            }
            _ => {}
        }
        if is_stale_nan(self.last.sum) {
            return Err(Refusal::Stale);
        }
        let is_counter = self.hint != CounterResetHint::Gauge;
        if is_counter && value.count < self.last.count {
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

/// What stands in front of a chunk.
struct Header {
    count: u16,
    is_gauge: bool,
    starts: Option<StartReader>,
}

/// Appends all samples of a chunk without start timestamps.
pub(super) fn decode_into<C: CountCoding>(
    chunk: &[u8],
    column: &mut HistogramColumn,
) -> Result<(), CorruptChunk> {
    let (header, body) = chunk.split_at_checked(HEADER_BYTES).ok_or(CorruptChunk::Truncated)?;
    let is_gauge = header[2] & 0xc0 == 0xc0;
    let header = Header { count: sample_count(chunk)? as u16, is_gauge, starts: None };
    decode_body::<C>(&header, body, column)
}

/// Appends all samples of a chunk with start timestamps.
pub(super) fn decode_with_start_into<C: CountCoding>(
    chunk: &[u8],
    column: &mut HistogramColumn,
) -> Result<(), CorruptChunk> {
    let (header, body) = chunk.split_at_checked(HEADER_BYTES).ok_or(CorruptChunk::Truncated)?;
    let count = sample_count(chunk)? as u16 & COUNT_WITH_START_MAX;
    let is_gauge = header[0] & 0xc0 == 0xc0;
    let header = Header { count, is_gauge, starts: Some(StartReader::new(header[2])) };
    decode_body::<C>(&header, body, column)
}

fn decode_body<C: CountCoding>(
    header: &Header,
    body: &[u8],
    column: &mut HistogramColumn,
) -> Result<(), CorruptChunk> {
    if header.count == 0 {
        return Ok(());
    }
    let mut decoder = Decoder::<C>::new(body)?;
    let mut starts = header.starts;
    let mut left_bytes = DECODED_BYTES_MAX;
    for sample in 0..header.count {
        let mut value = decoder.read(sample)?;
        let start_ms = match &mut starts {
            Some(starts) => starts.read(&mut decoder.reader, sample, decoder.at_ms)?,
            None => 0,
        };
        decoder.reader.check()?;
        value.counter_reset_hint = seen_hint(header.is_gauge, sample);
        left_bytes = left_bytes.checked_sub(size_bytes(&value)).ok_or(CorruptChunk::TooLarge)?;
        column.push(decoder.at_ms, Arc::new(value), start_ms);
    }
    Ok(())
}

/// What a reader is told of a reset. Of the first sample nothing can be said, because nobody knows whether the chunk
/// that was before it still is.
fn seen_hint(is_gauge: bool, sample: u16) -> CounterResetHint {
    match sample {
        _ if is_gauge => CounterResetHint::Gauge,
        0 => CounterResetHint::Unknown,
        _ => CounterResetHint::NotReset,
    }
}

fn size_bytes(value: &FloatHistogram) -> usize {
    let numbers = value.positive_buckets.len() + value.negative_buckets.len() + value.custom_values.len();
    let spans = value.positive_spans.len() + value.negative_spans.len();
    size_of::<FloatHistogram>() + 8 * (numbers + spans)
}

struct Decoder<'a, C: CountCoding> {
    reader: BitReader<'a>,
    layout: Layout,
    /// Buckets on the positive side; the others of `buckets` are on the negative one.
    positive: usize,
    at_ms: Timestamp,
    delta_ms: i64,
    total: Option<(C::Stream, C::Stream)>,
    sum: XorStream,
    buckets: Vec<C::Stream>,
}

impl<C: CountCoding> Decoder<'_, C> {
    fn new(body: &[u8]) -> Result<Decoder<'_, C>, CorruptChunk> {
        let mut reader = BitReader::new(body);
        let layout = Layout::read(&mut reader)?;
        let (positive, negative) = layout.bucket_counts();
        if (positive + negative).saturating_mul(size_of::<C::Stream>()) > DECODED_BYTES_MAX {
            return Err(CorruptChunk::TooLarge);
        }
        let (sum, buckets) = (XorStream::default(), Vec::with_capacity(positive + negative));
        Ok(Decoder { reader, layout, positive, at_ms: 0, delta_ms: 0, total: None, sum, buckets })
    }

    fn read(&mut self, sample: u16) -> Result<FloatHistogram, CorruptChunk> {
        let (count, zero_count) = match self.total {
            None => self.read_first(),
            Some(total) => self.read_later(total)?,
        };
        let sum = f64::from_bits(self.sum.bits);
        if is_stale_nan(sum) {
            return Ok(FloatHistogram { sum, ..FloatHistogram::default() });
        }
        if sample > 0 {
            for stream in &mut self.buckets {
                C::read(stream, &mut self.reader)?;
            }
        }
        let (positive, negative) = self.buckets.split_at(self.positive);
        let value = FloatHistogram {
            count: C::total_value(count),
            zero_count: C::total_value(zero_count),
            sum,
            positive_buckets: C::bucket_values(positive.iter().map(C::last)),
            negative_buckets: C::bucket_values(negative.iter().map(C::last)),
            ..self.layout.to_histogram()
        };
        let is_fine = value.schema > EXPONENTIAL_SCHEMA_MAX;
        Ok(if is_fine { value.copy_to_schema(EXPONENTIAL_SCHEMA_MAX).unwrap_or(value) } else { value })
    }

    fn read_first(&mut self) -> (C::Number, C::Number) {
        let reader = &mut self.reader;
        self.at_ms = varbit::read_int(reader);
        let count = C::read_start_total(reader);
        let zero_count = C::read_start_total(reader);
        self.sum = XorStream::read_start(reader);
        let (positive, negative) = self.layout.bucket_counts();
        self.buckets.extend((0..positive + negative).map(|_| C::read_start_bucket(reader)));
        self.total = Some((count, zero_count));
        (C::last(&count), C::last(&zero_count))
    }

    fn read_later(&mut self, total: (C::Stream, C::Stream)) -> Result<(C::Number, C::Number), CorruptChunk> {
        let reader = &mut self.reader;
        self.delta_ms = self.delta_ms.wrapping_add(varbit::read_int(reader));
        self.at_ms = self.at_ms.wrapping_add(self.delta_ms);
        let (mut count, mut zero_count) = total;
        let numbers = (C::read(&mut count, reader)?, C::read(&mut zero_count, reader)?);
        self.sum.read(reader)?;
        self.total = Some((count, zero_count));
        Ok(numbers)
    }
}
