//! What is known of chunks besides their samples: made, removed and damaged at any time, and never wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_model::sample::{is_stale_nan, stale_nan};
use narthex_model::{Labels, Matcher, TimeRange};
use narthex_storage::{
    Outline, Placement, Queryable, SampleBuffer, SelectHints, Summary, SummaryNeed, WindowGrid,
};
use narthex_tsdb::block::{BlockLimits, BlockWriter, Compaction, EncodedChunk, NewBlock, Ulid};
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::chunk::xor::XorEncoder;
use narthex_tsdb::db::{Database, DatabaseOptions};
use narthex_tsdb::fs::{Fs, MemoryFs};
use proptest::prelude::*;

use super::model::{DIR, Store, open, read_all};

/// A window that has every sample.
pub(crate) const ALL: WindowGrid =
    WindowGrid { end_ms: i64::MAX / 2, step_ms: 0, windows: 1, range_ms: i64::MAX / 2 + 1 };

fn accel_dir() -> PathBuf {
    Path::new(DIR).join("narthex/accel")
}

fn names(fs: &dyn Fs) -> Vec<String> {
    fs.list(&accel_dir()).unwrap().into_iter().map(|entry| entry.name).collect()
}

fn block_names(database: &Database) -> Vec<String> {
    let mut names: Vec<String> = database.blocks().iter().map(|block| block.ulid().to_string()).collect();
    names.sort();
    names
}

/// How many samples of all series are told as parts of runs. That every run is what its samples are is checked.
fn summed_up(database: &Database) -> u64 {
    let querier = database.querier(TimeRange::ALL).unwrap();
    let hints = SelectHints { windows: Some(ALL), ..SelectHints::default() };
    let set = querier.select(&[], TimeRange::ALL, &hints).unwrap();
    let (mut outline, mut plain) = (Outline::default(), SampleBuffer::new());
    let mut told = 0;
    for series in 0..set.len() {
        set.outline(series, TimeRange::ALL, SummaryNeed::Any, &mut outline).unwrap();
        set.read(series, TimeRange::ALL, &mut plain).unwrap();
        check(&outline, &plain, ALL, SummaryNeed::Any);
        told += outline.runs.iter().map(|run| run.summary.samples).sum::<u64>();
    }
    told
}

/// That an outline tells what the samples within the windows are, all of them, once.
fn check(outline: &Outline, plain: &SampleBuffer, grid: WindowGrid, need: SummaryNeed) {
    let (timestamps, values) = (&plain.floats.timestamps, &plain.floats.values);
    let values_in = |from_ms: i64, to_ms: i64| -> Vec<f64> {
        let times = timestamps.iter().zip(values);
        times.filter(|(at_ms, _)| (from_ms..=to_ms).contains(*at_ms)).map(|(_, value)| *value).collect()
    };
    assert!(outline.runs.is_sorted_by(|a, b| a.last_ms < b.first_ms));
    for run in &outline.runs {
        let values = values_in(run.first_ms, run.last_ms);
        assert!(values.iter().all(|value| !is_stale_nan(*value)));
        let expected = Summary::of(&values).unwrap();
        let bits = |one: &Summary| [one.first, one.last, one.min, one.max].map(f64::to_bits);
        assert_eq!(
            (bits(&run.summary), format!("{:?}", run.summary)),
            (bits(&expected), format!("{expected:?}"))
        );
        assert!(run.summary.serves(need));
        assert_eq!(grid.placement(TimeRange::new(run.first_ms, run.last_ms)), Placement::Whole);
        let is_told_twice = |at_ms: &i64| (run.first_ms..=run.last_ms).contains(at_ms);
        assert!(!outline.samples.floats.timestamps.iter().any(is_told_twice));
    }
    let told = &outline.samples.floats;
    for (at_ms, value) in timestamps.iter().zip(values) {
        let is_seen = grid.placement(TimeRange::new(*at_ms, *at_ms)) != Placement::Outside;
        let is_in_run = outline.runs.iter().any(|run| (run.first_ms..=run.last_ms).contains(at_ms));
        let found = told.timestamps.binary_search(at_ms).ok().map(|place| told.values[place].to_bits());
        assert!(!is_seen || is_in_run || found.is_some(), "nothing is told of {at_ms}");
        assert!(found.is_none_or(|found| found == value.to_bits()));
    }
    assert!(told.timestamps.iter().all(|at_ms| timestamps.contains(at_ms)));
}

/// A store with some blocks, all of whose chunks are summed up.
fn lived() -> Store {
    let mut store = Store::new();
    for _ in 0..24 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    store
}

#[test]
fn every_block_has_summaries_and_nothing_else_has() {
    let mut store = lived();
    assert_eq!(names(&store.fs), block_names(store.database()));
    assert!(store.database().blocks().iter().all(|block| block.has_summaries()));
    assert!(summed_up(store.database()) > 20);
    let orphan = Ulid::from_parts(5, 5).to_string();
    for name in [orphan.clone(), format!("{orphan}.tmp"), "else".to_owned()] {
        store.fs.create(&accel_dir().join(name)).unwrap();
    }
    store.reopen().unwrap();
    assert!(names(&store.fs).contains(&orphan), "nothing is removed when a store is opened");
    assert!(store.database().blocks().iter().all(|block| block.has_summaries()));
    store.maintain().unwrap();
    assert_eq!(names(&store.fs), block_names(store.database()));
    store.delete().unwrap();
    store.check("deleted");
    summed_up(store.database());
}

#[test]
fn what_is_damaged_is_made_anew() {
    let store = lived();
    let told = summed_up(store.database());
    let (name, length) = {
        let entry = &store.fs.list(&accel_dir()).unwrap()[0];
        (entry.name.clone(), entry.len as usize)
    };
    for at in 0..length {
        let fs = store.fs.after_crash(narthex_tsdb::fs::Survival::Written);
        fs.damage(&accel_dir().join(&name), |bytes| bytes[at] ^= 0x10).unwrap();
        let database = open(&fs).unwrap();
        assert!(summed_up(&database) < told, "byte {at}");
        assert_eq!(read_all(&database).unwrap(), (store.acknowledged.clone(), Vec::new()));
        database.maintain(store.next_ms).unwrap();
        assert_eq!(summed_up(&database), told, "byte {at}");
    }
}

#[test]
fn a_store_that_is_only_read_uses_what_is_there() {
    let store = lived();
    let told = summed_up(store.database());
    let fs = store.fs.after_crash(narthex_tsdb::fs::Survival::Written);
    fs.remove_file(&accel_dir().join(&names(&fs)[0])).unwrap();
    let before = fs.used_bytes();
    let options = DatabaseOptions::prometheus(1);
    let database = Database::open_read_only(Arc::new(fs.clone()), Path::new(DIR), options).unwrap();
    let read = summed_up(&database);
    assert!(0 < read && read < told && fs.used_bytes() == before);
}

#[test]
fn a_disk_without_room_for_them_is_not_filled_again_and_again() {
    let mut store = lived();
    for name in names(&store.fs) {
        store.fs.remove_file(&accel_dir().join(name)).unwrap();
    }
    store.reopen().unwrap();
    store.fs.set_capacity(Some(store.fs.used_bytes() + 20));
    let blocks = store.database().blocks().len();
    let failed = (0..blocks + 3).filter(|_| store.maintain().is_err()).count();
    assert_eq!(failed, blocks, "each is tried once");
    assert!(names(&store.fs).is_empty());
    store.fs.set_capacity(None);
    store.reopen().unwrap();
    store.maintain().unwrap();
    assert_eq!(names(&store.fs), block_names(store.database()));
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-3i32..4).prop_map(f64::from),
        1 => Just(f64::NAN),
        1 => Just(stale_nan()),
        1 => Just(-0.0),
        1 => Just(0.25),
        1 => Just(f64::NEG_INFINITY),
    ]
}

fn chunk(samples: &[(i64, f64)]) -> EncodedChunk {
    let mut encoder = XorEncoder::new();
    assert!(samples.iter().all(|(at_ms, value)| encoder.push(*at_ms, *value)));
    EncodedChunk {
        encoding: Encoding::Xor,
        min_ms: samples[0].0,
        max_ms: samples[samples.len() - 1].0,
        samples: samples.len() as u16,
        bytes: encoder.into_bytes().into(),
    }
}

/// A store with one block of one series.
fn stored(samples: &[(i64, f64)], chunk_samples: usize) -> Database {
    let fs = MemoryFs::new();
    let ulid = Ulid::from_parts(0, 1);
    let mut writer = BlockWriter::create(&fs, Path::new(DIR), ulid, BlockLimits::PROMETHEUS).unwrap();
    let chunks: Vec<EncodedChunk> = samples.chunks(chunk_samples).map(chunk).collect();
    writer.add_series(&Labels::from_pairs([("__name__", "m")]), &chunks).unwrap();
    let new = NewBlock { min_ms: 0, max_ms: 1, compaction: Compaction::of_head(ulid), thanos: None };
    writer.finish(new).unwrap();
    let database = Database::open(Arc::new(fs), Path::new(DIR), super::model::options()).unwrap();
    assert_eq!(database.maintain(0).unwrap().summarised, 1);
    database
}

proptest! {
    #[test]
    fn outlines_tell_what_samples_are(
        (gaps, chunk_samples) in (prop::collection::vec((1..20i64, any_value()), 1..60), 1..9usize),
        (end_ms, step_ms, windows, range_ms) in (0..400i64, 0..120i64, 1..6usize, 1..300i64),
        deleted in prop::option::of((0..500i64, 0..60i64)),
        need in prop_oneof![Just(SummaryNeed::Any), Just(SummaryNeed::Sum), Just(SummaryNeed::NoResets)],
        asked in (-20..100i64, 0..700i64),
    ) {
        let mut at_ms = 0;
        let samples: Vec<(i64, f64)> = gaps.iter().map(|(gap_ms, value)| {
            at_ms += gap_ms;
            (at_ms, *value)
        }).collect();
        let database = stored(&samples, chunk_samples);
        if let Some((from_ms, length_ms)) = deleted {
            let range = TimeRange::new(from_ms, from_ms + length_ms);
            database.delete(&[Matcher::equal("__name__", "m")], range).unwrap();
        }
        let grid = WindowGrid { end_ms, step_ms, windows, range_ms };
        let range = TimeRange::new(asked.0, asked.0 + asked.1);
        let querier = database.querier(TimeRange::ALL).unwrap();
        let with = SelectHints { windows: Some(grid), ..SelectHints::default() };
        let (hinted, plain) = (
            querier.select(&[], range, &with).unwrap(),
            querier.select(&[], range, &SelectHints::default()).unwrap(),
        );
        prop_assert_eq!(hinted.len(), plain.len());
        if plain.is_empty() {
            return Ok(());
        }
        let (mut outline, mut samples) = (Outline::default(), SampleBuffer::new());
        plain.read(0, range, &mut samples).unwrap();
        hinted.outline(0, range, need, &mut outline).unwrap();
        check(&outline, &samples, grid, need);
        outline.runs.clear();
        hinted.read(0, range, &mut outline.samples).unwrap();
        check(&outline, &samples, grid, need);
    }
}
