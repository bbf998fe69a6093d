//! Whether damage is noticed: every bit of every file, every length, every missing file, every failing call.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use narthex_model::{Labels, Matcher, TimeRange};
use narthex_storage::{Queryable, StorageError, StorageErrorKind};
use narthex_tsdb::block::{Block, BlockLimits};
use narthex_tsdb::compact::{compact, remove_block};
use narthex_tsdb::fs::{Fault, FaultMode, Fs, MemoryFs, Survival};

use crate::build::{Answer, DATA, Samples, block_dir, read_all, read_from, small_series, ulid, write_block};

const FILES: [&str; 4] = ["index", "chunks/000001", "meta.json", "tombstones"];

fn small_block() -> (MemoryFs, PathBuf, Answer) {
    let fs = MemoryFs::new();
    write_block(&fs, Path::new(DATA), ulid(1), &small_series(), 2).unwrap();
    let dir = block_dir(ulid(1));
    let answer = read_all(&Block::open(&fs, &dir).unwrap()).unwrap();
    (fs, dir, answer)
}

/// Reads a damaged block: the answer must be right, or lack some of what is told to be missing, or there must be an
/// error; either names the file.
fn check(fs: &MemoryFs, dir: &Path, name: &str, answer: &Answer, what: &dyn Fn() -> String) {
    let opened = Block::open(fs, dir);
    match opened.as_ref().map_err(Clone::clone).and_then(read_with_warnings) {
        Ok((read, warnings)) if warnings.is_empty() => assert_eq!(&read, answer, "{}", what()),
        Ok((read, warnings)) => {
            assert!(warnings.iter().all(|warning| warning.contains(name)), "{}: {warnings:?}", what());
            assert!(read.iter().all(|series| is_part(series, answer)), "{}: {read:?}", what());
        }
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

fn read_with_warnings(block: &Block) -> Result<(Answer, Vec<String>), StorageError> {
    let querier = block.querier(TimeRange::ALL)?;
    let read = read_from(&*querier, &[], TimeRange::ALL)?;
    Ok((read, querier.warnings()))
}

/// Whether all samples of the series are in the answer.
fn is_part((labels, samples): &(Labels, Samples), answer: &Answer) -> bool {
    let whole = answer.iter().find(|series| series.0 == *labels);
    whole.is_some_and(|(_, whole)| samples.iter().all(|sample| whole.contains(sample)))
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

/// Bodies with a checksum behind them in an index: contents, strings, table of lists, lists, series.
fn sealed_parts(index: &[u8]) -> Vec<Range<usize>> {
    let number = |at: usize| u32::from_be_bytes(index[at..at + 4].try_into().unwrap()) as usize;
    let contents = index.len() - 52;
    let offset = |place: usize| number(contents + place * 8 + 4);
    let (symbols, series, postings, table) = (offset(0), offset(1), offset(4), offset(5));
    let mut list = postings.next_multiple_of(4);
    let mut starts = vec![symbols, table];
    while list < table {
        starts.push(list);
        list += 8 + number(list);
    }
    let mut parts: Vec<_> = starts.iter().map(|start| start + 4..start + 4 + number(*start)).collect();
    parts.push(contents..contents + 48);
    let mut entry = series.next_multiple_of(16);
    while entry < postings {
        let end = entry + 1 + usize::from(index[entry]);
        parts.push(entry + 1..end);
        entry = (end + 4).next_multiple_of(16);
    }
    parts
}

/// Bodies in a segment: encoding and data.
fn sealed_chunks(segment: &[u8]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut at = 8;
    while at < segment.len() {
        let end = at + 2 + usize::from(segment[at]);
        chunks.push(at + 1..end);
        at = end + 4;
    }
    chunks
}

/// Bytes that somebody made up, checksums and all: any answer will do, but there must be one.
#[test]
fn damage_under_a_right_checksum_is_survived() {
    let (fs, dir, _) = small_block();
    for (name, parts) in [("index", sealed_parts as fn(&[u8]) -> _), ("chunks/000001", sealed_chunks)] {
        let path = dir.join(name);
        let whole = fs.read(&path).unwrap();
        let parts = parts(&whole);
        assert!(parts.len() > 4);
        for (part, at) in parts.iter().flat_map(|part| part.clone().map(move |at| (part, at))) {
            for change in [1, 2, 0x10, 0x80, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= change;
                let checksum = crc32c(&damaged[part.clone()]);
                damaged[part.end..part.end + 4].copy_from_slice(&checksum.to_be_bytes());
                fs.damage(&path, |bytes| *bytes = damaged).unwrap();
                if let Ok(block) = Block::open(&fs, &dir) {
                    let read = read_all(&block);
                    let querier = block.querier(TimeRange::ALL).unwrap();
                    let job = [Matcher::not_equal("job", "b"), Matcher::not_equal("__name__", "")];
                    let _ =
                        (read, querier.label_names(&job), querier.label_values("job", &job), block.verify());
                    let merged = compact(&fs, Path::new(DATA), &[&block], ulid(2), BlockLimits::PROMETHEUS);
                    if merged.is_ok_and(|meta| meta.is_some()) {
                        remove_block(&fs, &Path::new(DATA).join(ulid(2).to_string())).unwrap();
                    }
                }
            }
        }
        fs.damage(&path, |bytes| *bytes = whole).unwrap();
    }
}

/// Castagnoli's polynomial, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let add = |sum: u32, byte: &u8| {
        let shift = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 };
        (0..8).fold(sum ^ u32::from(*byte), shift)
    };
    !bytes.iter().fold(u32::MAX, add)
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
