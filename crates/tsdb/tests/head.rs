//! Whether the head answers like the reference store, and what is its own: resets, stale markers, refusals.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

use std::sync::Arc;

use narthex_model::histogram::{BucketSpan, CounterResetHint, FloatHistogram};
use narthex_model::sample::{is_stale_nan, stale_nan};
use narthex_model::{Labels, MatchOp, Matcher, SampleValue, TimeRange};
use narthex_storage::{Appender, MemoryStorage, Queryable, SampleBuffer, SelectHints, StorageErrorKind};
use narthex_tsdb::{Head, HeadLimits};
use proptest::prelude::*;

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", "up"), ("job", name)])
}

fn histogram(count: f64) -> FloatHistogram {
    FloatHistogram {
        count,
        positive_spans: vec![BucketSpan { offset: 0, length: 1 }],
        positive_buckets: vec![count],
        ..FloatHistogram::default()
    }
}

fn read_all(store: &dyn Queryable, matchers: &[Matcher], range: TimeRange) -> Vec<(Labels, SampleBuffer)> {
    let querier = store.querier(range).unwrap();
    let set = querier.select(matchers, range, &SelectHints::default()).unwrap();
    let read = |series: usize| {
        let mut samples = SampleBuffer::new();
        set.read(series, range, &mut samples).unwrap();
        (set.labels(series).clone(), samples)
    };
    (0..set.len()).map(read).filter(|(_, samples)| !samples.is_empty()).collect()
}

/// Floats by their bits, histograms without their hints, start timestamps whether known or not.
fn comparable(read: Vec<(Labels, SampleBuffer)>) -> Vec<(Labels, Vec<(i64, String)>)> {
    let of_series = |(labels, samples): (Labels, SampleBuffer)| {
        let start = |starts: &[i64], number: usize| starts.get(number).copied().unwrap_or(0);
        let floats = (0..samples.floats.timestamps.len()).map(|number| {
            let column = &samples.floats;
            let text =
                format!("{:x} {}", column.values[number].to_bits(), start(&column.start_timestamps, number));
            (column.timestamps[number], text)
        });
        let histograms = (0..samples.histograms.timestamps.len()).map(|number| {
            let column = &samples.histograms;
            let mut value = (*column.values[number]).clone();
            value.counter_reset_hint = CounterResetHint::Unknown;
            value.compact(0);
            (column.timestamps[number], format!("{value:?} {}", start(&column.start_timestamps, number)))
        });
        let mut all: Vec<_> = floats.chain(histograms).collect();
        all.sort();
        (labels, all)
    };
    read.into_iter().map(of_series).collect()
}

#[derive(Clone, Debug)]
enum Value {
    Float(f64),
    Histogram(u32, u32),
}

impl Value {
    fn to_sample(&self) -> SampleValue {
        match self {
            Value::Float(value) => (*value).into(),
            Value::Histogram(first, second) => FloatHistogram {
                count: f64::from(first + second),
                positive_spans: vec![BucketSpan { offset: (*first % 3) as i32, length: 2 }],
                positive_buckets: vec![f64::from(*first), f64::from(*second)],
                ..FloatHistogram::default()
            }
            .into(),
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (0..5u32).prop_map(|value| Value::Float(f64::from(value))),
        1 => any::<f64>().prop_map(Value::Float),
        2 => (0..6u32, 0..6u32).prop_map(|(first, second)| Value::Histogram(first, second)),
    ]
}

prop_compose! {
    /// Runs of samples of one series: steps, values, start timestamp.
    fn run()(
        series in 0..3usize,
        step in 1..40i64,
        start in prop_oneof![3 => Just(0i64), 1 => 1..9i64],
        values in prop::collection::vec(value(), 1..6),
        times in prop_oneof![4 => Just(1usize), 1 => 1..60usize],
    ) -> (usize, i64, i64, Vec<Value>) {
        (series, step, start, std::iter::repeat_n(values, times).flatten().collect())
    }
}

proptest! {
    #[test]
    fn equals_the_reference_store(runs in prop::collection::vec(run(), 0..12), from in -10..3000i64, length in 0..3000i64) {
        let (mut head, mut reference) = (Head::new(HeadLimits::EMBEDDED), MemoryStorage::new());
        let mut clocks = [0i64; 3];
        for (series, step, start_ms, values) in runs {
            for value in values {
                clocks[series] += step;
                let (labels, value) = (labels(["c", "a", "b"][series]), value.to_sample());
                head.append(&labels, clocks[series], value.clone(), start_ms).unwrap();
                reference.append(&labels, clocks[series], value, start_ms).unwrap();
            }
        }
        let one = Matcher::new("job", MatchOp::Regex, "[ab]".into()).unwrap();
        for matchers in [&[][..], &[one]] {
            for range in [TimeRange::ALL, TimeRange::new(from, from + length), TimeRange::new(5, 4)] {
                let read = comparable(read_all(&head, matchers, range));
                prop_assert_eq!(read, comparable(read_all(&reference, matchers, range)));
            }
        }
        let (querier, expected) = (head.querier(TimeRange::ALL).unwrap(), reference.querier(TimeRange::ALL).unwrap());
        prop_assert_eq!(querier.label_names(&[]).unwrap(), expected.label_names(&[]).unwrap());
        let some = [Matcher::not_equal("job", "a")];
        prop_assert_eq!(querier.label_values("job", &some).unwrap(), expected.label_values("job", &some).unwrap());
    }
}

#[test]
fn refusals_name_their_kind_and_change_nothing() {
    let mut head = Head::new(HeadLimits { series_max: 1, ..HeadLimits::EMBEDDED });
    let mut append = |name: &str, at_ms, value: f64| {
        head.append(&labels(name), at_ms, value.into(), 0).map_err(|error| (error.kind(), error.to_string()))
    };
    assert_eq!((append("a", 5, 1.0), append("a", 5, 1.0)), (Ok(()), Ok(())));
    let late = "sample at 4 is older than the newest one of series {__name__=\"up\", job=\"a\"}";
    assert_eq!(append("a", 4, 1.0), Err((StorageErrorKind::OutOfOrder, late.to_owned())));
    let other = "series {__name__=\"up\", job=\"a\"} has another value at 5";
    assert_eq!(append("a", 5, -1.0), Err((StorageErrorKind::Duplicate, other.to_owned())));
    let full = "no place for series {__name__=\"up\", job=\"b\"}: there are 1 already";
    assert_eq!(append("b", 5, 1.0), Err((StorageErrorKind::LimitExceeded, full.to_owned())));
    assert_eq!(append("a", 6, 1.0), Ok(()));
    assert_eq!((head.series_count(), head.sample_count()), (1, 2));
    head.clear();
    assert_eq!((head.series_count(), head.chunk_bytes()), (0, 0));
}

#[test]
fn histograms_are_checked_and_made_coarser() {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    let broken = FloatHistogram { positive_buckets: vec![1.0, 2.0], ..histogram(3.0) };
    let error = head.append(&labels("a"), 1, broken.into(), 0).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::InvalidSample);
    let expected = "histogram at 1 of series {__name__=\"up\", job=\"a\"}: spans cover 1 buckets, but there are 2 counts";
    assert_eq!((error.to_string().as_str(), head.series_count()), (expected, 0));
    let fine = FloatHistogram { schema: 10, ..histogram(3.0) };
    head.append(&labels("a"), 1, fine.into(), 0).unwrap();
    let read = read_all(&head, &[], TimeRange::ALL);
    assert_eq!(read[0].1.histograms.values[0].schema, 8);
}

#[test]
fn selections_of_any_size_are_sorted() {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    let names: Vec<_> = (0..100u32).map(|number| format!("{:02}", number * 37 % 100)).collect();
    let few = Matcher::new("job", MatchOp::Regex, "1[357]".into()).unwrap();
    for (round, name) in (1..).zip(&names) {
        head.append(&labels(name), 0, 1.0.into(), 0).unwrap();
        for (matchers, expected) in [(&[][..], round), (std::slice::from_ref(&few), round.min(3))] {
            let read = read_all(&head, matchers, TimeRange::ALL);
            assert!(read.is_sorted_by(|left, right| left.0 < right.0) && read.len() <= expected);
        }
    }
    assert_eq!(read_all(&head, &[few], TimeRange::ALL).len(), 3);
}

fn hints_of(values: impl IntoIterator<Item = SampleValue>) -> Vec<CounterResetHint> {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    for (at_ms, value) in (0..).zip(values) {
        head.append(&labels("a"), at_ms, value, 0).unwrap();
    }
    let read = read_all(&head, &[], TimeRange::ALL);
    read[0].1.histograms.values.iter().map(|value| value.counter_reset_hint).collect()
}

#[test]
fn hints_are_those_of_chunks() {
    use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
    let hinted =
        |hint, count| SampleValue::from(FloatHistogram { counter_reset_hint: hint, ..histogram(count) });
    let plain = |count| hinted(Unknown, count);
    assert_eq!(hints_of([1.0, 2.0, 1.0, 3.0].map(plain)), [Unknown, NotReset, Unknown, NotReset]);
    assert_eq!(hints_of([hinted(Reset, 1.0), plain(2.0), hinted(Reset, 3.0)]), [Unknown, NotReset, Unknown]);
    assert_eq!(hints_of([plain(1.0), 7.0.into(), plain(2.0), plain(3.0)]), [Unknown, Unknown, NotReset]);
    assert_eq!(hints_of([hinted(Gauge, 2.0), hinted(Gauge, 1.0), plain(2.0)]), [Gauge, Gauge, Unknown]);
    let finer = FloatHistogram { schema: 1, ..histogram(9.0) };
    assert_eq!(hints_of([plain(1.0), finer.into(), plain(9.0)]), [Unknown; 3]);
    let long = hints_of((0..2000).map(|count| plain(f64::from(count))));
    let starts = long.iter().filter(|&&hint| hint == Unknown).count();
    assert!((2..20).contains(&starts) && long[0] == Unknown && long[1] == NotReset, "{starts} chunks");
}

#[test]
fn a_stale_marker_behind_a_histogram_is_one_of_histograms() {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    let values: [SampleValue; 5] =
        [histogram(1.0).into(), stale_nan().into(), stale_nan().into(), 1.0.into(), stale_nan().into()];
    for (at_ms, value) in (0..).zip(values) {
        head.append(&labels("a"), at_ms, value, 0).unwrap();
    }
    let read = read_all(&head, &[], TimeRange::ALL);
    let (floats, histograms) = (&read[0].1.floats, &read[0].1.histograms);
    assert_eq!((&histograms.timestamps[..], &floats.timestamps[..]), (&[0, 1, 2][..], &[3, 4][..]));
    assert!(is_stale_nan(histograms.values[2].sum) && is_stale_nan(floats.values[1]));
}

#[test]
fn a_buffer_is_reused_and_series_can_be_read_in_any_order() {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    for at_ms in 0..500 {
        head.append(&labels("b"), at_ms, 1.0.into(), at_ms - 1).unwrap();
        head.append(&labels("a"), at_ms, SampleValue::Histogram(Arc::new(histogram(at_ms as f64))), 0)
            .unwrap();
    }
    let querier = head.querier(TimeRange::ALL).unwrap();
    let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).unwrap();
    let mut samples = SampleBuffer::new();
    set.read(1, TimeRange::new(119, 240), &mut samples).unwrap();
    assert_eq!(samples.floats.timestamps, (119..=240).collect::<Vec<_>>());
    assert_eq!(samples.floats.start_timestamps, (118..=239).collect::<Vec<_>>());
    set.read(0, TimeRange::new(120, 120), &mut samples).unwrap();
    assert_eq!((samples.len(), samples.histograms.values[0].count), (1, 120.0));
}
