//! Whether histograms come out of chunks as they went in, and what starts a new chunk.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

use narthex_model::FloatHistogram;
use narthex_model::histogram::{BucketSpan, CounterResetHint};
use narthex_model::sample::stale_nan;
use narthex_storage::HistogramColumn;
use narthex_tsdb::chunk::float_histogram::{self, FloatHistogramEncoder};
use narthex_tsdb::chunk::histogram::{self, WholeHistogramEncoder};
use narthex_tsdb::chunk::{CountCoding, Encoding, HistogramEncoder, Refusal};
use proptest::prelude::*;

fn counter(offset: i32, buckets: &[f64]) -> FloatHistogram {
    FloatHistogram {
        count: buckets.iter().sum(),
        sum: 1.0,
        positive_spans: vec![BucketSpan { offset, length: buckets.len() as u32 }],
        positive_buckets: buckets.to_vec(),
        ..FloatHistogram::default()
    }
}

/// What a chunk that begins with `counter(0, [1, 0, 2])` says to another histogram.
fn second(value: &FloatHistogram) -> Result<(), Refusal> {
    let mut encoder = FloatHistogramEncoder::new(CounterResetHint::Unknown);
    encoder.push(0, &counter(0, &[1.0, 0.0, 2.0]), 0).unwrap();
    encoder.push(1, value, 0)
}

#[test]
fn what_starts_a_new_chunk() {
    assert_eq!(second(&counter(0, &[1.0, 0.0, 2.0])), Ok(()));
    assert_eq!(second(&counter(-2, &[1.0, 0.0, 5.0, 0.0, 2.0])), Ok(()));
    let gap = FloatHistogram {
        positive_spans: vec![BucketSpan { offset: 0, length: 1 }, BucketSpan { offset: 1, length: 1 }],
        ..counter(0, &[1.0, 2.0])
    };
    assert_eq!(second(&gap), Ok(()));
    assert_eq!(second(&counter(0, &[9.0])), Err(Refusal::Reset));
    assert_eq!(second(&counter(0, &[9.0, 0.0, 1.0])), Err(Refusal::Reset));
    assert_eq!(second(&counter(0, &[1.0])), Err(Refusal::Reset));
    assert_eq!(second(&FloatHistogram { schema: 1, ..counter(0, &[9.0]) }), Err(Refusal::Grid));
    assert_eq!(second(&FloatHistogram { zero_threshold: 0.5, ..counter(0, &[9.0]) }), Err(Refusal::Grid));
    let hinted = |hint| FloatHistogram { counter_reset_hint: hint, ..counter(0, &[9.0, 0.0, 9.0]) };
    assert_eq!(second(&hinted(CounterResetHint::Gauge)), Err(Refusal::Gauge));
    assert_eq!(second(&hinted(CounterResetHint::Reset)), Err(Refusal::Reset));
    assert_eq!(second(&hinted(CounterResetHint::NotReset)), Ok(()));
}

#[test]
fn only_stale_markers_follow_a_stale_marker() {
    let stale = FloatHistogram { sum: stale_nan(), ..counter(0, &[7.0]) };
    let mut encoder = FloatHistogramEncoder::new(CounterResetHint::Unknown);
    encoder.push(0, &counter(0, &[1.0]), 0).unwrap();
    assert_eq!((encoder.push(1, &stale, 0), encoder.push(2, &stale, 0)), (Ok(()), Ok(())));
    assert_eq!(encoder.push(3, &counter(0, &[2.0]), 0), Err(Refusal::Stale));
    let gauge = FloatHistogram { counter_reset_hint: CounterResetHint::Gauge, ..stale.clone() };
    assert_eq!(encoder.push(3, &gauge, 0), Err(Refusal::Gauge));
    let mut column = HistogramColumn::default();
    float_histogram::decode_into(encoder.bytes(), &mut column).unwrap();
    assert_eq!(column.timestamps, [0, 1, 2]);
    assert!(column.values[1].positive_spans.is_empty() && column.values[2].count == 0.0);
}

#[test]
fn readers_are_told_little_of_resets() {
    let hints = |hint| {
        let mut encoder = WholeHistogramEncoder::new(hint);
        (0..3).for_each(|at_ms| {
            let value = FloatHistogram { counter_reset_hint: hint, ..counter(0, &[at_ms as f64]) };
            let value = if at_ms > 0 && hint == Reset { counter(0, &[at_ms as f64]) } else { value };
            encoder.push(at_ms, &value, 0).unwrap();
        });
        let mut column = HistogramColumn::default();
        histogram::decode_into(encoder.bytes(), &mut column).unwrap();
        column.values.iter().map(|value| value.counter_reset_hint).collect::<Vec<_>>()
    };
    use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
    assert_eq!(hints(Reset), [Unknown, NotReset, NotReset]);
    assert_eq!(hints(Gauge), [Gauge; 3]);
}

#[test]
fn counts_that_are_not_whole_need_floats() {
    let mut encoder = WholeHistogramEncoder::new(CounterResetHint::Unknown);
    assert_eq!(encoder.push(0, &counter(0, &[1.5]), 0), Err(Refusal::NotWhole));
    assert_eq!(encoder.push(0, &counter(0, &[-1.0]), 0), Err(Refusal::NotWhole));
    assert!(encoder.is_empty());
}

#[test]
fn a_few_bytes_cannot_claim_much_memory() {
    // 65,535 samples with 10,000 custom bounds, one bit per field.
    let mut encoder = WholeHistogramEncoder::new(CounterResetHint::Gauge);
    let value = FloatHistogram {
        schema: -53,
        counter_reset_hint: CounterResetHint::Gauge,
        custom_values: (0..10_000).map(f64::from).collect(),
        ..FloatHistogram::default()
    };
    let taken = (0..65_535).filter(|_| encoder.push(0, &value, 0).is_ok()).count();
    assert_eq!(taken, 65_535);
    let mut column = HistogramColumn::default();
    assert!(histogram::decode_into(encoder.bytes(), &mut column).is_err());
    assert!(column.values.len() < 1000);
}

prop_compose! {
    fn gauge()(
        schema in -1..1i32,
        offset in -5..5i32,
        buckets in prop::collection::vec(0..20u32, 0..6),
        negative in prop::collection::vec(0..20u32, 0..3),
        sum in any::<f64>(),
        count in 0..1_000_000u32,
    ) -> FloatHistogram {
        let side = |buckets: &[u32]| buckets.iter().map(|&count| f64::from(count)).collect::<Vec<_>>();
        FloatHistogram {
            schema,
            sum,
            count: f64::from(count),
            counter_reset_hint: CounterResetHint::Gauge,
            negative_spans: vec![BucketSpan { offset: -offset, length: negative.len() as u32 }],
            negative_buckets: side(&negative),
            ..counter(offset, &side(&buckets))
        }
    }
}

type Sample = (i64, i64, FloatHistogram);

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    prop::collection::vec((any::<i64>(), prop_oneof![Just(0i64), any::<i64>()], gauge()), 0..12)
}

/// Packs gauges into chunks and says that they come out again.
fn check<C: CountCoding>(
    encoding: Encoding,
    new: fn(CounterResetHint) -> HistogramEncoder<C>,
    samples: &[Sample],
) -> Result<(), TestCaseError> {
    let mut buffer = narthex_storage::SampleBuffer::new();
    let mut encoder = new(CounterResetHint::Gauge);
    for (at_ms, start_ms, value) in samples {
        if encoder.push(*at_ms, value, *start_ms).is_err() {
            prop_assert_eq!(encoding.decode_into(encoder.bytes(), &mut buffer), Ok(()));
            encoder = new(CounterResetHint::Gauge);
            prop_assert_eq!(encoder.push(*at_ms, value, *start_ms), Ok(()));
        }
    }
    prop_assert_eq!(encoding.decode_into(encoder.bytes(), &mut buffer), Ok(()));
    let column = buffer.histograms;
    prop_assert_eq!(column.values.len(), samples.len());
    for (number, (at_ms, start_ms, value)) in samples.iter().enumerate() {
        let (mut read, mut written) = ((*column.values[number]).clone(), value.clone());
        read.compact(0);
        written.compact(0);
        prop_assert!(read.equals(&written), "{:?} {:?}", read, written);
        prop_assert_eq!(column.timestamps[number], *at_ms);
        if matches!(encoding, Encoding::HistogramWithStart | Encoding::FloatHistogramWithStart) {
            prop_assert_eq!(column.start_timestamps.get(number).copied().unwrap_or(0), *start_ms);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn gauges_are_read_as_written(samples in samples()) {
        check(Encoding::Histogram, WholeHistogramEncoder::new, &samples)?;
        check(Encoding::FloatHistogram, FloatHistogramEncoder::new, &samples)?;
        check(Encoding::HistogramWithStart, WholeHistogramEncoder::with_starts, &samples)?;
        check(Encoding::FloatHistogramWithStart, FloatHistogramEncoder::with_starts, &samples)?;
    }

    #[test]
    fn hostile_bytes_are_survived(number in 1..=6u8, bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let encoding = Encoding::from_number(number).unwrap();
        let _ = encoding.decode_into(&bytes, &mut narthex_storage::SampleBuffer::new());
    }
}
