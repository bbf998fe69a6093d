//! Whether damage is noticed: every bit of every file, every length, every missing file, every failing call.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use narthex_storage::StorageErrorKind;
use narthex_tsdb::block::Block;
use narthex_tsdb::fs::{Fault, FaultMode, Fs, MemoryFs, Survival};

use crate::build::{Answer, DATA, block_dir, read_all, small_series, ulid, write_block};

const FILES: [&str; 4] = ["index", "chunks/000001", "meta.json", "tombstones"];

fn small_block() -> (MemoryFs, PathBuf, Answer) {
    let fs = MemoryFs::new();
    write_block(&fs, Path::new(DATA), ulid(1), &small_series(), 2).unwrap();
    let dir = block_dir(ulid(1));
    let answer = read_all(&Block::open(&fs, &dir).unwrap()).unwrap();
    (fs, dir, answer)
}

/// Reads a damaged block: the answer must be right, or there must be an error that names the file.
fn check(fs: &MemoryFs, dir: &Path, name: &str, answer: &Answer, what: &dyn Fn() -> String) {
    let opened = Block::open(fs, dir);
    let read = opened.as_ref().map_err(Clone::clone).and_then(read_all);
    match read {
        Ok(read) => assert_eq!(&read, answer, "{}", what()),
        Err(error) => {
            let is_named = error.to_string().contains(name);
            assert!(is_named && error.kind() == StorageErrorKind::Corrupt, "{}: {error}", what());
        }
    }
    if let Ok(block) = &opened {
        let times = answer.iter().flat_map(|(_, samples)| samples).map(|sample| sample.0);
        let range = block.range();
        assert!(times.clone().all(|at_ms| range.contains(at_ms)), "{}: {range:?}", what());
        let _ = block.verify();
    }
}

#[test]
fn every_flipped_bit_is_noticed_or_harmless() {
    let (fs, dir, answer) = small_block();
    for name in FILES {
        let path = dir.join(name);
        for at in 0..fs.read(&path).unwrap().len() {
            for bit in 0..8 {
                fs.damage(&path, |bytes| bytes[at] ^= 1 << bit).unwrap();
                check(&fs, &dir, name, &answer, &|| format!("{name} byte {at} bit {bit}"));
                fs.damage(&path, |bytes| bytes[at] ^= 1 << bit).unwrap();
            }
        }
    }
}

#[test]
fn every_cut_and_every_appendix_is_noticed_or_harmless() {
    let (fs, dir, answer) = small_block();
    for name in FILES {
        let path = dir.join(name);
        let whole = fs.read(&path).unwrap();
        for len in 0..whole.len() {
            fs.damage(&path, |bytes| bytes.truncate(len)).unwrap();
            check(&fs, &dir, name, &answer, &|| format!("{name} cut at {len}"));
            fs.damage(&path, |bytes| bytes.clone_from(&whole)).unwrap();
        }
        fs.damage(&path, |bytes| bytes.extend_from_slice(&whole[..whole.len().min(60)])).unwrap();
        check(&fs, &dir, name, &answer, &|| format!("{name} with an appendix"));
        fs.damage(&path, |bytes| bytes.clone_from(&whole)).unwrap();
    }
}

#[test]
fn a_damaged_meta_is_made_up_for_and_a_missing_one_too() {
    let (fs, dir, answer) = small_block();
    let meta = Block::open(&fs, &dir).unwrap().meta();
    fs.damage(&dir.join("meta.json"), |bytes| bytes.clear()).unwrap();
    let block = Block::open(&fs, &dir).unwrap();
    assert_eq!(block.meta(), meta);
    assert!(block.warnings()[0].to_string().contains("meta.json at 0: no JSON"), "{:?}", block.warnings());
    fs.remove_file(&dir.join("meta.json")).unwrap();
    let block = Block::open(&fs, &dir).unwrap();
    assert_eq!((block.meta(), read_all(&block)), (meta, Ok(answer)));
    assert!(block.verify().is_err());
}

#[test]
fn a_foreign_meta_that_hides_samples_is_widened() {
    let (fs, dir, answer) = small_block();
    let ulid = ulid(1);
    let text = format!(
        r#"{{"ulid":"{ulid}","minTime":1001,"maxTime":1050,"version":1,"compaction":{{"level":1}}}}"#
    );
    fs.damage(&dir.join("meta.json"), |bytes| *bytes = text.into_bytes()).unwrap();
    let block = Block::open(&fs, &dir).unwrap();
    assert_eq!((block.meta().min_ms, block.meta().max_ms), (-7, 1056));
    assert!(block.warnings()[0].to_string().contains("does not cover the chunks"));
    assert_eq!(read_all(&block), Ok(answer));
}

#[test]
fn damaged_tombstones_delete_nothing_and_are_told_of() {
    let (fs, dir, answer) = small_block();
    fs.damage(&dir.join("tombstones"), |bytes| bytes[4] = 9).unwrap();
    let block = Block::open(&fs, &dir).unwrap();
    assert_eq!(read_all(&block), Ok(answer));
    assert!(block.warnings()[0].to_string().contains("tombstones at 0: expected"), "{:?}", block.warnings());
}

fn fault(nth: u64) -> Fault {
    Fault { operation: None, nth, mode: FaultMode::Onwards, error: ErrorKind::StorageFull }
}

#[test]
fn a_block_is_there_whole_or_not_at_all() {
    let reference = MemoryFs::new();
    write_block(&reference, Path::new(DATA), ulid(1), &small_series(), 2).unwrap();
    let steps = reference.calls(None);
    assert!(steps > 10);
    for step in 0..steps {
        let fs = MemoryFs::new();
        fs.create_dir_all(Path::new(DATA)).unwrap();
        fs.sync_dir(Path::new("/")).unwrap();
        fs.set_fault(Some(fault(step)));
        let written = write_block(&fs, Path::new(DATA), ulid(1), &small_series(), 2);
        fs.set_fault(None);
        for survival in [Survival::Written, Survival::Synced, Survival::Torn(step)] {
            let disk = fs.after_crash(survival);
            let is_there = disk.exists(&block_dir(ulid(1))).unwrap();
            assert!(is_there || written.is_err(), "step {step}: acknowledged and lost");
            if is_there {
                let block = Block::open(&disk, &block_dir(ulid(1))).unwrap();
                assert_eq!((block.verify(), block.meta().stats.series), (Ok(()), 3), "step {step}");
            }
        }
        if written.is_err() {
            let left: Vec<_> = fs.list(Path::new(DATA)).unwrap();
            let is_rubbish = left.iter().all(|entry| entry.name.ends_with(".tmp-for-creation"));
            assert!(is_rubbish || fs.exists(&block_dir(ulid(1))).unwrap(), "step {step}: {left:?}");
        }
    }
}
