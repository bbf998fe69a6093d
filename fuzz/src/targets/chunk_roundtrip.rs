//! Any samples into chunks of every encoding and out again.

use narthex_model::sample::stale_nan;
use narthex_model::{BucketSpan, CounterResetHint, FloatHistogram};
use narthex_storage::SampleBuffer;
use narthex_tsdb::chunk::float_histogram::FloatHistogramEncoder;
use narthex_tsdb::chunk::histogram::WholeHistogramEncoder;
use narthex_tsdb::chunk::xor::XorEncoder;
use narthex_tsdb::chunk::xor2::Xor2Encoder;
use narthex_tsdb::chunk::{CountCoding, Encoding, HistogramEncoder};

use crate::input::Numbers;

/// Enough for every change of width, start and layout.
const SAMPLES_MAX: usize = 300;

/// Time, value, start of the counter.
type FloatSample = (i64, f64, i64);
type HistogramSample = (i64, FloatHistogram, i64);

/// See the module.
pub fn target(data: &[u8]) {
    let mut numbers = Numbers::new(data);
    if numbers.below(2) == 0 {
        let samples = floats(&mut numbers);
        check_xor(&samples);
        check_xor2(&samples);
    } else {
        let samples = histograms(&mut numbers);
        check_histograms(Encoding::Histogram, WholeHistogramEncoder::new, &samples);
        check_histograms(Encoding::FloatHistogram, FloatHistogramEncoder::new, &samples);
        check_histograms(Encoding::HistogramWithStart, WholeHistogramEncoder::with_starts, &samples);
        check_histograms(Encoding::FloatHistogramWithStart, FloatHistogramEncoder::with_starts, &samples);
    }
}

/// A number whose width varies: most changes are small, all are possible.
fn varied(numbers: &mut Numbers<'_>) -> i64 {
    match numbers.below(8) {
        0 => 0,
        1..=3 => i64::from(numbers.next_u8() as i8),
        4 | 5 => i64::from(numbers.next_u16() as i16),
        6 => (numbers.next_u64() >> 40) as i64,
        _ => numbers.next_u64() as i64,
    }
}

fn next_time(numbers: &mut Numbers<'_>, last_ms: i64) -> i64 {
    last_ms.wrapping_add(15_000).wrapping_add(varied(numbers))
}

fn next_value(numbers: &mut Numbers<'_>, last: f64) -> f64 {
    match numbers.below(8) {
        0 | 1 => last,
        2 | 3 => last + f64::from(numbers.next_u8()),
        4 => last + f64::from(numbers.next_u16()) / 100.0,
        5 => stale_nan(),
        6 => -last,
        _ => f64::from_bits(numbers.next_u64()),
    }
}

fn next_start(numbers: &mut Numbers<'_>, at_ms: i64, last_ms: i64) -> i64 {
    match numbers.below(8) {
        0..=2 => 0,
        3 | 4 => last_ms,
        5 => at_ms,
        _ => at_ms.wrapping_sub(varied(numbers)),
    }
}

fn floats(numbers: &mut Numbers<'_>) -> Vec<FloatSample> {
    let mut samples = Vec::new();
    let (mut at_ms, mut value, mut start_ms) = (varied(numbers), 0.0, 0);
    while !numbers.is_empty() && samples.len() < SAMPLES_MAX {
        at_ms = next_time(numbers, at_ms);
        value = next_value(numbers, value);
        start_ms = next_start(numbers, at_ms, start_ms);
        samples.push((at_ms, value, start_ms));
    }
    samples
}

fn check_xor(samples: &[FloatSample]) {
    let mut encoder = XorEncoder::new();
    assert!(samples.iter().all(|&(at_ms, value, _)| encoder.push(at_ms, value)));
    let mut read = SampleBuffer::new();
    assert_eq!(Encoding::Xor.decode_into(encoder.bytes(), &mut read), Ok(()));
    check_floats(&read, samples);
}

fn check_xor2(samples: &[FloatSample]) {
    let mut encoder = Xor2Encoder::new();
    assert!(samples.iter().all(|&(at_ms, value, start_ms)| encoder.push(at_ms, value, start_ms)));
    let mut read = SampleBuffer::new();
    assert_eq!(Encoding::Xor2.decode_into(encoder.bytes(), &mut read), Ok(()));
    check_floats(&read, samples);
    check_starts(&read.floats.start_timestamps, samples.iter().map(|sample| sample.2));
}

fn check_floats(read: &SampleBuffer, samples: &[FloatSample]) {
    assert!(read.floats.timestamps.iter().eq(samples.iter().map(|sample| &sample.0)));
    let bits = samples.iter().map(|sample| sample.1.to_bits());
    assert!(read.floats.values.iter().map(|value| value.to_bits()).eq(bits));
}

/// An empty column says that no start is known.
fn check_starts(column: &[i64], starts: impl Iterator<Item = i64>) {
    for (number, start_ms) in starts.enumerate() {
        assert_eq!(column.get(number).copied().unwrap_or(0), start_ms, "start of sample {number}");
    }
}

fn histograms(numbers: &mut Numbers<'_>) -> Vec<HistogramSample> {
    let mut samples = Vec::new();
    let (mut at_ms, mut start_ms) = (varied(numbers), 0);
    while !numbers.is_empty() && samples.len() < SAMPLES_MAX {
        at_ms = next_time(numbers, at_ms);
        start_ms = next_start(numbers, at_ms, start_ms);
        samples.push((at_ms, gauge(numbers), start_ms));
    }
    samples
}

fn gauge(numbers: &mut Numbers<'_>) -> FloatHistogram {
    let schema = [0, 0, 0, 3, -4, 8][usize::from(numbers.below(6))];
    let (positive_spans, positive_buckets) = side(numbers);
    let (negative_spans, negative_buckets) = side(numbers);
    FloatHistogram {
        schema,
        counter_reset_hint: CounterResetHint::Gauge,
        zero_threshold: [0.0, 0.001, 0.5][usize::from(numbers.below(3))],
        zero_count: f64::from(numbers.next_u8()),
        count: f64::from(numbers.next_u16()),
        sum: next_value(numbers, 1.0),
        positive_spans,
        positive_buckets,
        negative_spans,
        negative_buckets,
        ..FloatHistogram::default()
    }
}

fn side(numbers: &mut Numbers<'_>) -> (Vec<BucketSpan>, Vec<f64>) {
    let spans: Vec<BucketSpan> = (0..numbers.below(4))
        .map(|span| {
            let offset = i32::from(numbers.next_u8());
            // Only the first span may begin below zero.
            let offset = if span == 0 { offset - 100 } else { offset };
            BucketSpan { offset, length: u32::from(numbers.below(4)) }
        })
        .collect();
    let count: u32 = spans.iter().map(|span| span.length).sum();
    let counts = (0..count).map(|_| f64::from(numbers.next_u8())).collect();
    (spans, counts)
}

/// Packs gauges, in a new chunk whenever one is refused.
fn check_histograms<C: CountCoding>(
    encoding: Encoding,
    new: fn(CounterResetHint) -> HistogramEncoder<C>,
    samples: &[HistogramSample],
) {
    let mut read = SampleBuffer::new();
    let mut encoder = new(CounterResetHint::Gauge);
    for (at_ms, value, start_ms) in samples {
        if encoder.push(*at_ms, value, *start_ms).is_err() {
            assert_eq!(encoding.decode_into(encoder.bytes(), &mut read), Ok(()));
            encoder = new(CounterResetHint::Gauge);
            assert_eq!(encoder.push(*at_ms, value, *start_ms), Ok(()));
        }
    }
    assert_eq!(encoding.decode_into(encoder.bytes(), &mut read), Ok(()));
    let column = &read.histograms;
    assert!(column.timestamps.iter().eq(samples.iter().map(|sample| &sample.0)));
    for (value, (_, written, _)) in column.values.iter().zip(samples) {
        check_histogram(value, written);
    }
    if matches!(encoding, Encoding::HistogramWithStart | Encoding::FloatHistogramWithStart) {
        check_starts(&column.start_timestamps, samples.iter().map(|sample| sample.2));
    }
}

/// Empty buckets may be added; of a stale marker only the sum is kept.
fn check_histogram(read: &FloatHistogram, written: &FloatHistogram) {
    assert_eq!(read.sum.to_bits(), written.sum.to_bits());
    if narthex_model::sample::is_stale_nan(written.sum) {
        return;
    }
    let [mut read, mut written] = [read.clone(), written.clone()];
    read.compact(0);
    written.compact(0);
    assert!(read.equals(&written), "{read:?}\n{written:?}");
}
