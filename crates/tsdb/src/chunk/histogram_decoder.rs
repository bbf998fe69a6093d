//! Reading chunks of native histograms, whatever their counts are.

use std::sync::Arc;

use narthex_model::Timestamp;
use narthex_model::histogram::{CounterResetHint, EXPONENTIAL_SCHEMA_MAX, FloatHistogram};
use narthex_model::sample::is_stale_nan;
use narthex_storage::HistogramColumn;

use super::bitstream::BitReader;
use super::layout::Layout;
use super::start::StartReader;
use super::window::XorStream;
use super::{CorruptChunk, CountCoding, sample_count, varbit};

/// Length of the sample count and the flags (or the start timestamps' byte).
pub(super) const HEADER_BYTES: usize = 3;
/// Most samples in a chunk with start timestamps, whose flags share two bytes with the count.
pub(super) const COUNT_WITH_START_MAX: u16 = 0x3fff;
/// Most memory that the histograms of one chunk may take. A real chunk takes a few hundred kilobytes; without a bound
/// a few bits per sample could claim any number of buckets or bounds again and again.
const DECODED_BYTES_MAX: usize = 64 << 20;

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
