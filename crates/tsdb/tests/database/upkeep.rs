//! Upkeep that fails, damage that is told once, stores of which not everything can be read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_model::TimeRange;
use narthex_storage::Queryable;
use narthex_tsdb::db::{Database, DatabaseOptions};
use narthex_tsdb::fs::{Fault, FaultMode, Fs, MemoryFs, Operation};

use super::model::{DIR, RANGE_MS, Store, open, options, read_all};

const LOG: &str = "/data/narthex/wal";

fn log_files(fs: &MemoryFs) -> Vec<PathBuf> {
    let entries = fs.list(Path::new(LOG)).unwrap();
    entries.into_iter().map(|entry| Path::new(LOG).join(entry.name)).collect()
}

fn read_only(fs: &MemoryFs) -> Database {
    Database::open_read_only(Arc::new(fs.clone()), Path::new(DIR), DatabaseOptions::prometheus(7)).unwrap()
}

#[test]
fn damage_all_over_a_file_is_told_in_a_few_words() {
    let mut store = Store::new();
    for _ in 0..300 {
        store.append().unwrap();
    }
    store.database.take();
    let file = log_files(&store.fs).remove(0);
    let hit = |bytes: &mut Vec<u8>| bytes.iter_mut().skip(2000).step_by(70).for_each(|byte| *byte ^= 0x55);
    store.fs.damage(&file, hit).unwrap();
    store.reopen().unwrap();
    let gaps = store.database().known_gaps();
    assert!((1..=3).contains(&gaps.len()), "{gaps:#?}");
    assert!(gaps.iter().any(|gap| gap.contains("more places, ")), "{gaps:#?}");
    assert!(store.database().counters().log_damages.load(std::sync::atomic::Ordering::Relaxed) > 20);
    assert_eq!(read_only(&store.fs).known_gaps().len(), gaps.len());
}

#[test]
fn a_store_is_read_whatever_is_in_the_place_of_its_logs() {
    let mut store = Store::new();
    for _ in 0..12 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    store.database.take();
    store.fs.rename(Path::new(LOG), Path::new("/away")).unwrap();
    for place in [LOG, "/data/wal"] {
        drop(store.fs.create(Path::new(place)).unwrap());
    }
    let before = store.fs.used_bytes();
    let reader = read_only(&store.fs);
    assert_eq!(reader.known_gaps().len(), 2, "{:?}", reader.known_gaps());
    let (found, warnings) = read_all(&reader).unwrap();
    assert!(
        found.values().all(|samples| samples.len() == 8) && warnings.len() == 2,
        "{found:?} {warnings:?}"
    );
    assert_eq!(store.fs.used_bytes(), before);
    // Whoever writes puts it aside.
    store.fs.remove_file(Path::new("/data/wal")).unwrap();
    store.reopen().unwrap();
    assert_eq!(store.database().known_gaps().len(), 1, "{:?}", store.database().known_gaps());
    assert!(store.fs.exists(Path::new("/data/narthex/quarantine/wal")).unwrap());
    store.append().unwrap();
    store.reopen().unwrap();
    assert_eq!(store.database().known_gaps().len(), 1, "{:?}", store.database().known_gaps());
}

#[test]
fn a_log_of_another_version_is_left_to_its_program() {
    for version in [1, 3] {
        let mut store = Store::new();
        store.append().unwrap();
        store.database.take();
        let file = log_files(&store.fs).remove(0);
        let change = |bytes: &mut Vec<u8>| {
            bytes[4] = version;
            let checksum = crc32c::crc32c(&bytes[..16]).to_be_bytes();
            bytes[16..20].copy_from_slice(&checksum);
        };
        store.fs.damage(&file, change).unwrap();
        let before = store.fs.read(&file).unwrap();
        let is_told = |text: &str| text.contains("another version of narthex");
        let gaps = read_only(&store.fs).known_gaps();
        assert!(gaps.len() == 1 && is_told(&gaps[0]), "{gaps:?}");
        let error = store.reopen().unwrap_err().to_string();
        assert!(is_told(&error) && error.contains("expected version 2"), "{error}");
        assert_eq!(store.fs.read(&file).unwrap(), before);
    }
}

#[test]
fn blocks_that_cannot_be_written_for_hours_leave_few_files_of_the_log() {
    let mut store = Store::new();
    let mut failures = 0;
    for _ in 0..60 {
        store.append().unwrap();
        store.fs.set_capacity(Some(store.fs.used_bytes() + 300));
        failures += usize::from(store.maintain().is_err());
        store.fs.set_capacity(None);
    }
    assert!(failures > 40, "{failures} failures");
    let files = log_files(&store.fs).len();
    assert!(files <= 3, "{files} files");
    let left = store.fs.list(Path::new(DIR)).unwrap().len();
    assert!(left <= 3, "{left} entries are left in the store");
    store.check("blocks failed");
    let crashed = store.fs.after_crash(narthex_tsdb::fs::Survival::Synced);
    assert_eq!(read_all(&open(&crashed).unwrap()).unwrap().0, store.acknowledged);
    for round in 0..6 {
        let late_ms = store.next_ms - 2 * RANGE_MS - 1;
        store.append_at(late_ms).unwrap();
        store.maintain().unwrap();
        store.append().unwrap();
        store.check(&format!("round {round}"));
        let crashed = store.fs.after_crash(narthex_tsdb::fs::Survival::Synced);
        assert_eq!(read_all(&open(&crashed).unwrap()).unwrap().0, store.acknowledged, "round {round}");
    }
    assert!(log_files(&store.fs).len() <= 3, "{:?}", log_files(&store.fs));
}

#[test]
fn samples_that_are_far_apart_become_blocks_under_a_query_that_stays() {
    let mut store = Store::new();
    store.append_at(i64::MIN + 5).unwrap();
    store.append_at(-1_000_000_000_000_000).unwrap();
    for _ in 0..8 {
        store.append().unwrap();
    }
    let database = store.database.take().unwrap();
    {
        let _querier = database.querier(TimeRange::ALL).unwrap();
        database.maintain(store.next_ms).unwrap();
        assert_eq!(database.blocks().len(), 4);
    }
    store.database = Some(database);
    store.maintain().unwrap();
    store.check("cut under a query");
    store.reopen().unwrap();
    store.check("reopened");
}

#[test]
fn what_is_deleted_while_the_log_cannot_be_cut_does_not_come_back() {
    for nth in 0..60 {
        let mut store = Store::new();
        for _ in 0..8 {
            store.append().unwrap();
        }
        let error = io::ErrorKind::Other;
        store.fs.set_fault(Some(Fault { operation: None, nth, mode: FaultMode::Once, error }));
        let _ = store.maintain();
        store.fs.set_fault(None);
        store.delete().unwrap();
        store.check(&format!("call {nth}, deleted"));
        store.reopen().unwrap();
        store.check(&format!("call {nth}, reopened"));
    }
}

#[test]
fn what_was_kept_long_enough_does_not_come_back_from_the_log() {
    let fs = MemoryFs::new();
    let mut options = options();
    options.retention.time_ms = 4 * RANGE_MS;
    let open = || Database::open(Arc::new(fs.clone()), Path::new(DIR), options.clone()).unwrap();
    let mut store = Store::on(MemoryFs::new());
    store.database = Some(open());
    let mut failures = 0;
    for _ in 0..40 {
        store.append().unwrap();
        // The block gets its name, the checkpoint does not.
        let error = io::ErrorKind::Other;
        let operation = Some(Operation::Rename);
        fs.set_fault(Some(Fault { operation, nth: 1, mode: FaultMode::Once, error }));
        failures += usize::from(store.maintain().is_err());
        fs.set_fault(None);
    }
    assert!(failures > 5, "{failures} checkpoints failed");
    let before = read_all(store.database()).unwrap().0;
    store.database = None;
    store.database = Some(open());
    // What is in blocks that could not be removed goes first.
    store.maintain().unwrap();
    let after = read_all(store.database()).unwrap().0;
    for (series, samples) in &after {
        assert!(samples.keys().all(|at_ms| before[series].contains_key(at_ms)), "{series}: {samples:?}");
    }
    assert!(before.values().all(|samples| samples.len() < 30), "nothing is too old: {before:?}");
}

#[test]
fn the_size_of_the_log_is_that_of_its_files() {
    let mut store = Store::new();
    for round in 0..40 {
        store.append().unwrap();
        store.maintain().unwrap();
        let entries = store.fs.list(Path::new(LOG)).unwrap();
        let bytes = entries.iter().map(|entry| entry.len).sum::<u64>();
        let told = store.database().log().unwrap().stats().bytes;
        assert!(bytes.abs_diff(told) <= 64, "round {round}: {told} instead of {bytes}");
    }
}

#[test]
fn a_block_in_lower_case_is_one() {
    let mut store = Store::new();
    for _ in 0..12 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    let dir = store.database().blocks()[0].dir().to_owned();
    store.database.take();
    let lower = Path::new(DIR).join(dir.file_name().unwrap().to_str().unwrap().to_ascii_lowercase());
    store.fs.rename(&dir, &lower).unwrap();
    store.reopen().unwrap();
    store.check("in lower case");
    for round in 0..40 {
        store.append().unwrap();
        store.maintain().unwrap();
        store.check(&format!("round {round}"));
    }
    assert!(!store.fs.exists(&lower).unwrap(), "it was compacted");
}
