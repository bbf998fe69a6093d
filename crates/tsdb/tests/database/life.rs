//! An uneventful life.

use std::path::Path;
use std::sync::Arc;

use narthex_model::TimeRange;
use narthex_storage::{Queryable, SampleBuffer, SelectHints};
use narthex_tsdb::db::snapshot::SnapshotHead;
use narthex_tsdb::db::{Database, DatabaseOptions};
use narthex_tsdb::fs::Fs;

use super::model::{RANGE_MS, Store};

#[test]
fn samples_stay_from_head_to_block_to_larger_block() {
    let mut store = Store::new();
    for round in 0..60 {
        store.append().unwrap();
        store.maintain().unwrap();
        store.check(&format!("round {round}"));
        if round % 7 == 3 {
            // A late one, in a block's time.
            let at_ms = store.next_ms - 2 * RANGE_MS - 1;
            store.append_at(at_ms).unwrap();
            store.check(&format!("round {round}, late"));
        }
        if round % 11 == 5 {
            store.reopen().unwrap();
            store.check(&format!("round {round}, reopened"));
        }
        if round % 13 == 6 {
            store.delete().unwrap();
            store.check(&format!("round {round}, deleted"));
        }
    }
    let blocks = store.database().blocks();
    assert!(blocks.iter().any(|block| block.meta().compaction.level > 1), "nothing was compacted");
    assert!(blocks.len() < 12, "{} blocks", blocks.len());
    assert_eq!(store.database().counters().failures.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn a_snapshot_and_a_store_handed_back_have_everything() {
    let mut store = Store::new();
    for _ in 0..20 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    let now_ms = store.next_ms;
    store.database().snapshot(Path::new("/copy"), SnapshotHead::Included, now_ms).unwrap();
    let fs = Arc::new(store.fs.clone());
    let copy =
        Database::open_read_only(fs.clone(), Path::new("/copy"), DatabaseOptions::prometheus(7)).unwrap();
    assert_eq!(super::model::read_all(&copy).unwrap().0, store.acknowledged);
    store.database.take().expect("it is open").hand_back(now_ms).unwrap();
    let handed = Database::open_read_only(fs, Path::new("/data"), DatabaseOptions::prometheus(7)).unwrap();
    assert_eq!(handed.head().series_count(), 0);
    assert_eq!(super::model::read_all(&handed).unwrap().0, store.acknowledged);
}

#[test]
fn a_store_is_opened_by_one_process_and_read_by_any() {
    let mut store = Store::new();
    store.append().unwrap();
    let second = super::model::open(&store.fs);
    assert!(second.unwrap_err().to_string().contains("lock"));
    let fs = Arc::new(store.fs.clone());
    let before = store.fs.calls(None);
    let reader = Database::open_read_only(fs, Path::new("/data"), DatabaseOptions::prometheus(7)).unwrap();
    assert_eq!(super::model::read_all(&reader).unwrap().0, store.acknowledged);
    store.append().unwrap();
    reader.refresh().unwrap();
    assert_eq!(super::model::read_all(&reader).unwrap().0, store.acknowledged);
    assert!(reader.appender().commit_batch().is_err());
    assert!(store.fs.calls(None) > before, "appending writes");
}

#[test]
fn a_query_that_stays_open_holds_nothing_back_from_blocks() {
    let mut store = Store::new();
    for _ in 0..30 {
        store.append().unwrap();
    }
    // It looks at everything while ten blocks are cut, and a late sample comes in between.
    let expected = store.acknowledged.clone();
    let database = store.database.take().unwrap();
    {
        let querier = database.querier(TimeRange::ALL).unwrap();
        database.maintain(store.next_ms).unwrap();
        let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).unwrap();
        let mut buffer = SampleBuffer::new();
        set.read(0, TimeRange::ALL, &mut buffer).unwrap();
        assert_eq!(buffer.len(), 30, "what the query began with");
    }
    store.database = Some(database);
    store.check("cut under a query");
    let at_ms = store.next_ms - 2 * RANGE_MS - 1;
    store.append_at(at_ms).unwrap();
    for _ in 0..6 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    store.check("maintained again");
    store.reopen().unwrap();
    store.check("reopened");
    assert!(expected.values().all(|samples| samples.len() == 30));
}

#[test]
fn a_snapshot_of_samples_that_are_far_apart_ends() {
    let mut store = Store::new();
    store.append_at(i64::MIN + 5).unwrap();
    store.append().unwrap();
    store.database().snapshot(Path::new("/copy"), SnapshotHead::Included, store.next_ms).unwrap();
    let fs = Arc::new(store.fs.clone());
    let copy = Database::open_read_only(fs, Path::new("/copy"), DatabaseOptions::prometheus(7)).unwrap();
    assert_eq!(super::model::read_all(&copy).unwrap().0, store.acknowledged);
}

#[test]
fn a_snapshot_removes_nothing_of_others() {
    let mut store = Store::new();
    store.append().unwrap();
    store.fs.create_dir_all(Path::new("/copy.tmp/theirs")).unwrap();
    // A shell completes names of directories like this.
    store.database().snapshot(Path::new("/copy/"), SnapshotHead::Included, store.next_ms).unwrap();
    assert!(store.fs.exists(Path::new("/copy.tmp/theirs")).unwrap());
    let fs = Arc::new(store.fs.clone());
    let copy = Database::open_read_only(fs, Path::new("/copy"), DatabaseOptions::prometheus(7)).unwrap();
    assert_eq!(super::model::read_all(&copy).unwrap().0, store.acknowledged);
    let second = store.database().snapshot(Path::new("/copy"), SnapshotHead::LeftOut, store.next_ms);
    assert!(second.unwrap_err().to_string().contains("is there already"));
    assert!(store.database().snapshot(Path::new("/.."), SnapshotHead::LeftOut, 0).is_err());
}

#[test]
fn what_is_not_there_is_not_taken_over() {
    let fs = narthex_tsdb::fs::MemoryFs::new();
    let taken =
        Database::take_over(Arc::new(fs.clone()), Path::new("/none"), DatabaseOptions::prometheus(7), 0);
    assert!(taken.unwrap_err().to_string().contains("/none"));
    assert!(!fs.exists(Path::new("/none")).unwrap());
}

#[test]
fn a_block_that_cannot_be_read_for_once_is_missing_for_once() {
    let mut store = Store::new();
    for _ in 0..12 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    let index = store.database().blocks()[0].dir().join("index");
    let away = Path::new("/away");
    // A directory where the file was: the call fails, no byte is damaged.
    store.fs.rename(&index, away).unwrap();
    store.fs.create_dir_all(&index).unwrap();
    store.reopen().unwrap();
    assert_eq!(store.database().known_gaps().len(), 1);
    store.database.take();
    store.fs.remove_dir(&index).unwrap();
    store.fs.rename(away, &index).unwrap();
    store.reopen().unwrap();
    store.check("with the index");
    assert!(store.database().known_gaps().is_empty(), "{:?}", store.database().known_gaps());
}

#[test]
fn a_damaged_log_is_not_removed_when_the_store_is_handed_back() {
    let mut store = Store::new();
    for _ in 0..4 {
        store.append().unwrap();
    }
    store.database.take();
    let log = store.fs.list(Path::new("/data/narthex/wal")).unwrap();
    let file = Path::new("/data/narthex/wal").join(&log[0].name);
    store.fs.damage(&file, |bytes| bytes[40..90].fill(0xff)).unwrap();
    store.reopen().unwrap();
    assert!(!store.database().known_gaps().is_empty(), "nothing is noticed");
    store.database.take().expect("it is open").hand_back(store.next_ms).unwrap();
    assert!(!store.fs.exists(Path::new("/data/narthex/wal")).unwrap());
    let kept = store.fs.list(Path::new("/data/narthex/quarantine/wal")).unwrap();
    assert!(kept.iter().any(|file| file.name.starts_with(&log[0].name)), "{kept:?}");
}
