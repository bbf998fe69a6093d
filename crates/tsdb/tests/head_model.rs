//! Whether the head answers like maps of samples, whatever is done to it: late samples, commits, rollbacks, truncations,
//! deletions, views that stay open meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use narthex_model::{FloatHistogram, Labels, Matcher, SampleValue, TimeRange};
use narthex_storage::{Querier, Queryable, SampleBuffer, SelectHints, StorageErrorKind};
use narthex_tsdb::Head;
use narthex_tsdb::block::{ChunkSource, EncodedChunk};
use narthex_tsdb::head::{Committed, HeadLimits, HeadOptions};
use proptest::prelude::*;

const SERIES: usize = 4;
const WINDOW_MS: i64 = 400;
const OPTIONS: HeadOptions = HeadOptions {
    limits: HeadLimits::EMBEDDED,
    chunk_range_ms: 500,
    in_order_span_ms: 250,
    out_of_order_window_ms: WINDOW_MS,
    exemplars_max: 3,
};

fn labels(series: usize) -> Labels {
    Labels::from_pairs([("__name__", "m"), ("series", ["d", "a", "c", "b"][series])])
}

/// Samples by series and time, as text; those in order and the others apart.
#[derive(Clone, Debug, Default)]
struct Model {
    in_order: [BTreeMap<i64, String>; SERIES],
    late: [BTreeMap<i64, String>; SERIES],
    newest: [Option<(i64, String)>; SERIES],
    newest_ms: Option<i64>,
    floor_ms: Option<i64>,
}

/// What a series reads as.
type Readings = Vec<(String, Vec<(i64, String)>)>;

impl Model {
    /// From which time on a sample is in order when the newest one is at `newest_ms`.
    fn in_order_ms(&self, newest_ms: Option<i64>) -> i64 {
        newest_ms.unwrap_or(i64::MIN).saturating_sub(250).max(self.floor_ms.unwrap_or(i64::MIN))
    }

    /// Whether a sample is new, the rules of which are those of Prometheus.
    fn check(
        &self,
        newest_ms: Option<i64>,
        series: usize,
        at_ms: i64,
        text: &str,
    ) -> Result<bool, StorageErrorKind> {
        match &self.newest[series] {
            Some((last_ms, last)) if *last_ms == at_ms && last != text => Err(StorageErrorKind::Duplicate),
            Some((last_ms, _)) if *last_ms == at_ms => Ok(false),
            _ if self.is_in_order(newest_ms, series, at_ms) => Ok(true),
            _ if at_ms >= newest_ms.unwrap_or(i64::MIN).saturating_sub(WINDOW_MS) => Ok(true),
            _ => Err(StorageErrorKind::TooOld),
        }
    }

    fn is_in_order(&self, newest_ms: Option<i64>, series: usize, at_ms: i64) -> bool {
        let is_last = self.newest[series].as_ref().is_none_or(|last| last.0 < at_ms);
        is_last && at_ms >= self.in_order_ms(newest_ms)
    }

    /// With the newest time as it was when the commit began.
    fn take(&mut self, newest_ms: Option<i64>, series: usize, at_ms: i64, text: String) -> bool {
        if self.check(newest_ms, series, at_ms, &text) != Ok(true) {
            return false;
        }
        if self.is_in_order(newest_ms, series, at_ms) {
            self.newest[series] = Some((at_ms, text.clone()));
            self.in_order[series].insert(at_ms, text);
            self.newest_ms = self.newest_ms.max(Some(at_ms));
        } else {
            self.late[series].entry(at_ms).or_insert(text);
        }
        true
    }

    /// Takes samples away; others may come at their instants.
    fn delete(&mut self, series: usize, range: TimeRange) {
        self.in_order[series].retain(|at_ms, _| !range.contains(*at_ms));
        self.late[series].retain(|at_ms, _| !range.contains(*at_ms));
    }

    fn readings(&self, range: TimeRange) -> Readings {
        let mut all: Readings = (0..SERIES)
            .map(|series| {
                let mut samples = self.late[series].clone();
                let in_order = self.in_order[series]
                    .iter()
                    .filter(|one| Some(*one.0) >= self.floor_ms || self.floor_ms.is_none());
                samples.extend(in_order.map(|(at_ms, text)| (*at_ms, text.clone())));
                let kept = samples.into_iter().filter(|one| range.contains(one.0));
                (labels(series).to_string(), kept.collect())
            })
            .collect();
        all.retain(|one| !one.1.is_empty());
        all.sort();
        all
    }
}

fn text(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => format!("{:x}", value.to_bits()),
        SampleValue::Histogram(value) => format!("h{}", value.count),
    }
}

fn texts(samples: &SampleBuffer) -> Vec<(i64, String)> {
    let floats = samples.floats.timestamps.iter().zip(&samples.floats.values);
    let floats = floats.map(|(&at_ms, value)| (at_ms, text(&SampleValue::Float(*value))));
    let histograms = samples.histograms.timestamps.iter().zip(&samples.histograms.values);
    let histograms = histograms.map(|(&at_ms, value)| (at_ms, text(&SampleValue::Histogram(value.clone()))));
    let mut all: Vec<_> = floats.chain(histograms).collect();
    all.sort();
    all
}

fn readings(querier: &dyn Querier, range: TimeRange) -> Readings {
    let set = querier.select(&[], range, &SelectHints::default()).unwrap();
    let read = |series: usize| {
        let mut samples = SampleBuffer::new();
        set.read(series, range, &mut samples).unwrap();
        assert!(samples.floats.timestamps.is_sorted_by(|a, b| a < b));
        (set.labels(series).to_string(), texts(&samples))
    };
    (0..set.len()).map(read).filter(|one| !one.1.is_empty()).collect()
}

fn source_readings(head: &Head, range: TimeRange) -> Readings {
    let (mut source, mut labels, mut chunks) =
        (head.source(range), Labels::empty(), Vec::<EncodedChunk>::new());
    let mut all = Vec::new();
    while source.next_series(&mut labels, &mut chunks).unwrap() {
        let mut samples = SampleBuffer::new();
        for chunk in &chunks {
            let held = samples.len();
            chunk.encoding.decode_into(&chunk.bytes, &mut samples).unwrap();
            assert_eq!(samples.len() - held, usize::from(chunk.samples));
        }
        assert!(chunks.windows(2).all(|two| two[0].max_ms < two[1].min_ms), "{chunks:?}");
        let texts = texts(&samples);
        assert_eq!(
            (texts[0].0, texts[texts.len() - 1].0),
            (chunks[0].min_ms, chunks[chunks.len() - 1].max_ms)
        );
        all.push((labels.to_string(), texts));
    }
    all
}

#[derive(Clone, Debug)]
enum Step {
    /// Appends samples: series, time relative to the clock, value; and commits or forgets them.
    Batch(Vec<(usize, i64, i8)>, bool),
    /// A scrape of all series, so many times.
    Scrapes(i64),
    /// Opens a view.
    Open,
    /// Reads the oldest view and closes it.
    Close,
    /// Truncates so far behind the clock.
    Truncate(i64),
    /// Deletes of one series.
    Delete(usize, i64, i64),
}

fn step() -> impl Strategy<Value = Step> {
    let sample = (0..SERIES, prop_oneof![3 => 0..20i64, 2 => -600..0i64], any::<i8>());
    prop_oneof![
        6 => (prop::collection::vec(sample, 0..12), prop::bool::weighted(0.8))
            .prop_map(|(samples, is_kept)| Step::Batch(samples, is_kept)),
        3 => (1..80i64).prop_map(Step::Scrapes),
        2 => Just(Step::Open),
        2 => Just(Step::Close),
        1 => (-50..500i64).prop_map(Step::Truncate),
        1 => (0..SERIES, 0..400i64, 0..50i64).prop_map(|(series, from, length)| Step::Delete(series, from, length)),
    ]
}

fn sample_value(value: i8) -> SampleValue {
    if value % 7 == 3 {
        FloatHistogram { count: f64::from(value.unsigned_abs()), ..FloatHistogram::default() }.into()
    } else {
        f64::from(value).into()
    }
}

/// Appends, compares what is refused, commits or not.
fn run_batch(head: &Head, model: &mut Model, clock: i64, samples: &[(usize, i64, i8)], is_kept: bool) {
    let newest_ms = model.newest_ms;
    let mut appender = head.appender();
    let mut taken = Vec::new();
    for &(series, offset, value) in samples {
        let (at_ms, value) = (clock + offset, sample_value(value));
        let text = text(&value);
        let appended = appender.append(&labels(series), at_ms, value, 0);
        let expected = model.check(newest_ms, series, at_ms, &text);
        assert_eq!(appended.map(drop).map_err(|error| error.kind()), expected.map(drop), "{series} {at_ms}");
        if expected == Ok(true) {
            taken.push((series, at_ms, text));
        }
    }
    if !is_kept {
        appender.rollback();
        assert!(appender.is_empty());
        taken.clear();
    }
    let Committed { samples, refused, .. } = appender.commit();
    let held = taken.len();
    let kept = taken
        .into_iter()
        .filter(|(series, at_ms, text)| model.take(newest_ms, *series, *at_ms, text.clone()));
    let kept = kept.count();
    assert!(samples <= kept && samples + refused <= held, "{samples} {refused} of {kept}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn the_head_is_maps_of_samples(steps in prop::collection::vec(step(), 1..20), from in -600..2000i64, length in 0..900i64) {
        let head = Head::new(OPTIONS);
        let (mut model, mut clock) = (Model::default(), 0i64);
        let mut views: Vec<(Box<dyn Querier + '_>, Model)> = Vec::new();
        for step in steps {
            match step {
                Step::Batch(samples, is_kept) => {
                    run_batch(&head, &mut model, clock, &samples, is_kept);
                    clock = clock.max(model.newest_ms.unwrap_or(clock));
                }
                Step::Scrapes(count) => {
                    for scrape in 0..count {
                        clock += 7;
                        let samples: Vec<_> = (0..SERIES).map(|series| (series, 0, (scrape % 5) as i8)).collect();
                        run_batch(&head, &mut model, clock, &samples, true);
                    }
                }
                Step::Open => views.push((head.querier(TimeRange::ALL).unwrap(), model.clone())),
                Step::Close if !views.is_empty() => drop(views.remove(0)),
                Step::Close => {}
                Step::Truncate(behind) => {
                    let before_ms = clock - behind;
                    let truncated = head.truncate(before_ms, head.seen());
                    model.floor_ms = model.floor_ms.max(Some(before_ms));
                    if !truncated.is_held_back {
                        model.late.iter_mut().for_each(|late| late.retain(|at_ms, _| *at_ms >= before_ms));
                        // A series without samples is forgotten, with the time of its last one.
                        for series in 0..SERIES {
                            let is_gone = model.in_order[series].keys().all(|at_ms| *at_ms < before_ms) && model.late[series].is_empty();
                            if is_gone {
                                model.newest[series] = None;
                                model.in_order[series].clear();
                            }
                        }
                    } else {
                        // What goes depends on the views; the rest of the test would have to know.
                        break;
                    }
                }
                Step::Delete(series, behind, length) => {
                    let range = TimeRange::new(clock - behind, clock - behind + length);
                    let matcher = Matcher::equal("series", ["d", "a", "c", "b"][series]);
                    let deletion = head.deletion(&[matcher], range);
                    for (_, range) in &deletion.deletions {
                        model.delete(series, *range);
                        views.iter_mut().for_each(|view| view.1.delete(series, *range));
                    }
                    head.delete(&deletion);
                }
            }
            for (view, then) in &views {
                prop_assert_eq!(readings(&**view, TimeRange::ALL), then.readings(TimeRange::ALL));
            }
            for range in [TimeRange::ALL, TimeRange::new(from, from + length)] {
                let querier = head.querier(range).unwrap();
                prop_assert_eq!(readings(&*querier, range), model.readings(range));
                prop_assert_eq!(source_readings(&head, range), model.readings(range));
            }
        }
    }

    #[test]
    fn a_log_restores_the_head(steps in prop::collection::vec((prop::collection::vec((0..SERIES, 0..40i64, any::<i8>()), 0..9), any::<bool>()), 1..20)) {
        let (head, restored) = (Head::new(OPTIONS), Head::new(OPTIONS));
        let fs = narthex_tsdb::fs::MemoryFs::new();
        let dir = std::path::Path::new("/data/wal");
        let wal = narthex_tsdb::wal::Wal::open(std::sync::Arc::new(fs.clone()), dir, narthex_tsdb::wal::WalOptions::STABLE).unwrap();
        for (clock, (samples, is_kept)) in (0i64..).zip(steps) {
            let mut appender = head.appender();
            for (series, offset, value) in samples {
                let _ = appender.append(&labels(series), clock * 20 + offset, sample_value(value), 0);
            }
            if is_kept {
                appender.commit_logged(&wal).unwrap();
            }
        }
        narthex_tsdb::wal::replay(&fs, dir, &mut |batch| { restored.restore(batch).unwrap(); }).unwrap();
        let [left, right] = [&head, &restored].map(|head| readings(&*head.querier(TimeRange::ALL).unwrap(), TimeRange::ALL));
        prop_assert_eq!(left, right);
    }
}

#[test]
fn commits_are_seen_whole_while_others_write() {
    let head = Head::new(HeadOptions { chunk_range_ms: 100, ..HeadOptions::EMBEDDED });
    let progress = [AtomicI64::new(0), AtomicI64::new(0)];
    std::thread::scope(|scope| {
        for writer in 0..2usize {
            let (head, progress) = (&head, &progress);
            scope.spawn(move || {
                for at_ms in 0..400 {
                    let mut appender = head.appender();
                    for series in [writer, writer + 2] {
                        appender.append(&labels(series), at_ms, (at_ms as f64).into(), 0).unwrap();
                    }
                    appender.commit();
                    progress[writer].store(at_ms, Ordering::Relaxed);
                    let both = progress.iter().map(|one| one.load(Ordering::Relaxed)).min();
                    if at_ms % 50 == 49 {
                        head.truncate(both.unwrap() - 20, head.seen());
                    }
                }
            });
        }
        for _ in 0..2 {
            let head = &head;
            scope.spawn(move || {
                for _ in 0..200 {
                    let querier = head.querier(TimeRange::ALL).unwrap();
                    let (first, second) =
                        (readings(&*querier, TimeRange::ALL), readings(&*querier, TimeRange::ALL));
                    assert_eq!(first, second);
                    let of = |series: usize| {
                        let labels = labels(series).to_string();
                        first.iter().find(|one| one.0 == labels).map(|one| &one.1)
                    };
                    assert_eq!((of(0), of(1)), (of(2), of(3)));
                }
            });
        }
    });
    assert_eq!(head.max_ms(), Some(399));
}

#[test]
fn series_without_samples_go_and_their_numbers_are_not_used_again() {
    let head = Head::new(HeadLimits::EMBEDDED);
    let mut appender = head.appender();
    let old = appender.append(&labels(0), 10, 1.0.into(), 0).unwrap();
    appender.append(&labels(1), 5000, 1.0.into(), 0).unwrap();
    appender.commit();
    let view = head.querier(TimeRange::ALL).unwrap();
    let held = head.truncate(100, head.seen());
    assert_eq!((held.is_held_back, held.series, readings(&*view, TimeRange::ALL).len()), (true, 0, 2));
    drop(view);
    let gone = head.truncate(100, head.seen());
    assert_eq!((gone.is_held_back, gone.series, gone.chunks, head.series_count()), (false, 1, 1, 1));
    assert_eq!((head.min_ms(), head.max_ms(), head.has_series(old)), (Some(5000), Some(5000), false));
    assert_eq!(head.querier(TimeRange::ALL).unwrap().label_values("series", &[]).unwrap(), ["a"]);
    let mut appender = head.appender();
    let unknown = appender.append_to(old, 6000, 1.0.into(), 0).unwrap_err();
    assert_eq!(unknown.kind(), StorageErrorKind::UnknownSeries);
    let new = appender.append(&labels(0), 6000, 1.0.into(), 0).unwrap();
    assert!(new != old);
    assert_eq!(appender.append(&labels(0), 50, 1.0.into(), 0).unwrap_err().kind(), StorageErrorKind::TooOld);
}
