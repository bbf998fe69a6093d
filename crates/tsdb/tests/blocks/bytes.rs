//! Whether the files are byte for byte what Prometheus writes, and what was recorded.

use std::fs;
use std::path::Path;

use narthex_model::TimeRange;
use narthex_testkit::{Golden, shared_fixtures};
use narthex_tsdb::block::{Block, BlockLimits, BlockWriter, Compaction, NewBlock, Tombstones};
use narthex_tsdb::fs::{Fs, MemoryFs, OsFs};

use crate::build::{
    DATA, Series, block_dir, chunks_of, labels, read_all, small_series, ulid, write_block, write_block_with,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In lines of 32 bytes, so that a difference is seen where it is.
fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(|line| hex(line) + "\n").collect()
}

fn file(fs: &MemoryFs, ulid: narthex_tsdb::block::Ulid, name: &str) -> Vec<u8> {
    fs.read(&block_dir(ulid).join(name)).unwrap()
}

#[test]
fn index_and_chunks_are_those_of_prometheus() {
    let Some(path) = shared_fixtures("vectors/vectors.json") else { return };
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let expected = &vectors["block"];
    let up = |job: &str| labels(&format!("__name__=up,job={job}"));
    let float = |at_ms: i64, value: f64| (at_ms, value.into(), 0);
    let fs = MemoryFs::new();
    let mut writer = BlockWriter::create(&fs, Path::new(DATA), ulid(1), BlockLimits::PROMETHEUS).unwrap();
    let mut first = chunks_of(&[float(1000, 1.0), float(2000, 2.0)], 120);
    first.extend(chunks_of(&[float(3000, 3.0)], 120));
    writer.add_series(&up("a"), &first).unwrap();
    writer.add_series(&up("b"), &chunks_of(&[float(1500, 7.0)], 120)).unwrap();
    let new = NewBlock { min_ms: 1000, max_ms: 3001, compaction: Compaction::of_head(ulid(1)), thanos: None };
    writer.finish(new).unwrap().unwrap();
    assert_eq!(hex(&file(&fs, ulid(1), "chunks/000001")), expected["chunks"]);
    assert_eq!(hex(&file(&fs, ulid(1), "index")), expected["index"]);
    let mut tombstones = Tombstones::new();
    tombstones.add(2, TimeRange::new(100, 200));
    assert_eq!(hex(&tombstones.render()), expected["tombstones"]);
}

#[test]
fn files_are_as_recorded() {
    let fs = MemoryFs::new();
    write_block(&fs, Path::new(DATA), ulid(1), &small_series(), 2).unwrap().unwrap();
    let mut golden = Golden::of("blocks", "golden");
    for name in ["index", "chunks/000001", "tombstones"] {
        golden.check(&name.replace('/', "-"), &hex_lines(&file(&fs, ulid(1), name)));
    }
    golden.check("meta", &String::from_utf8(file(&fs, ulid(1), "meta.json")).unwrap());
    golden.finish();
}

#[test]
fn segments_are_cut_and_found_again() {
    let series: Vec<Series> = (0..40)
        .map(|number| {
            let samples = (0..50).map(|at| (at * 1000, f64::from(number).into(), 0)).collect();
            (labels(&format!("__name__=m,n={number}")), samples)
        })
        .collect();
    let whole = MemoryFs::new();
    write_block(&whole, Path::new(DATA), ulid(1), &series, 7).unwrap();
    let cut = MemoryFs::new();
    let limits = BlockLimits { segment_bytes_max: 1000 };
    write_block_with(&cut, Path::new(DATA), ulid(1), &series, 7, limits).unwrap();
    let chunks = cut.list(&block_dir(ulid(1)).join("chunks")).unwrap();
    assert!(chunks.len() > 5 && chunks.iter().all(|entry| entry.len <= 1000), "{chunks:?}");
    let [whole, cut] = [whole, cut].map(|fs| Block::open(&fs, &block_dir(ulid(1))).unwrap());
    assert_eq!(read_all(&whole), read_all(&cut));
    cut.verify().unwrap();
}

#[test]
fn a_missing_segment_is_named() {
    let fs = MemoryFs::new();
    let limits = BlockLimits { segment_bytes_max: 60 };
    write_block_with(&fs, Path::new(DATA), ulid(1), &small_series(), 1, limits).unwrap();
    let dir = block_dir(ulid(1));
    fs.remove_file(&dir.join("chunks/000001")).unwrap();
    let error = Block::open(&fs, &dir).unwrap_err().to_string();
    assert!(error.contains("segment 000001 is missing"), "{error}");
}

#[test]
fn an_index_of_version_1_is_refused_clearly() {
    let Some(dir) = shared_fixtures("prometheus/tsdb/index_format_v1") else { return };
    let error = Block::open(&OsFs, &dir).unwrap_err().to_string();
    assert!(error.contains("index at 4: expected index version 2"), "{error}");
}
