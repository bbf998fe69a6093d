//! Whether compaction keeps what is there, leaves out what was deleted, and can be interrupted anywhere.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use narthex_model::{Labels, MatchOp, Matcher, SampleValue, TimeRange};
use narthex_storage::StorageError;
use narthex_tsdb::block::{Block, BlockLimits, BlockMeta, ChunkSource, Ulid};
use narthex_tsdb::compact::{
    CompactionOptions, Reason, compact, leftovers, plan, remove_block, remove_leftover, superseded,
};
use narthex_tsdb::fs::{Fault, FaultMode, Fs, MemoryFs, Survival};
use proptest::prelude::*;

use crate::build::{
    Answer, DATA, Series, block_dir, chunks_of, histogram, labels, read, read_all, small_series, ulid,
    write_block,
};

const NAMES: [&str; 4] = ["__name__=a", "__name__=a,x=1", "__name__=b", "__name__=c,y=2"];

/// Samples by series and time; of equal times the first stays.
type Expected = BTreeMap<Labels, BTreeMap<i64, (SampleValue, i64)>>;

fn answer_of(expected: &Expected) -> Answer {
    let series: Vec<Series> = expected
        .iter()
        .map(|(labels, samples)| {
            let samples = samples.iter().map(|(at_ms, (value, start_ms))| (*at_ms, value.clone(), *start_ms));
            (labels.clone(), samples.collect())
        })
        .collect();
    let fs = MemoryFs::new();
    match write_block(&fs, Path::new(DATA), ulid(99), &series, 120).unwrap() {
        Some(_) => read_all(&Block::open(&fs, &block_dir(ulid(99))).unwrap()).unwrap(),
        None => Answer::new(),
    }
}

fn block_content() -> impl Strategy<Value = Vec<Series>> {
    let sample = (1..25i64, 0..6u8);
    let samples = (0..200i64, prop::collection::vec(sample, 1..25)).prop_map(|(from_ms, steps)| {
        let mut at_ms = from_ms;
        let of_step = |(step_ms, kind): (i64, u8)| {
            at_ms += step_ms;
            let value: SampleValue = match kind {
                0 => histogram(at_ms as f64 + 2.0).into(),
                _ => (at_ms as f64 / 3.0 + f64::from(kind)).into(),
            };
            (at_ms, value, if kind == 1 { 7 } else { 0 })
        };
        steps.into_iter().map(of_step).collect::<Vec<_>>()
    });
    prop::collection::btree_map(0..NAMES.len(), samples, 1..4)
        .prop_map(|series| series.into_iter().map(|(name, samples)| (labels(NAMES[name]), samples)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn merged_blocks_answer_like_all_of_them(
        contents in prop::collection::vec(block_content(), 1..4),
        deleted in prop::option::of((0..300i64, 0..100i64)),
        samples_max in 1..30usize,
    ) {
        let fs = MemoryFs::new();
        let mut expected = Expected::new();
        let mut blocks = Vec::new();
        for (number, series) in (1..).zip(&contents) {
            write_block(&fs, Path::new(DATA), ulid(number), series, samples_max).unwrap();
            let block = Block::open(&fs, &block_dir(ulid(number))).unwrap();
            let gone = deleted.filter(|_| number == 1).map(|(min_ms, len_ms)| TimeRange::new(min_ms, min_ms + len_ms));
            if let Some(range) = gone {
                block.delete(&fs, &[Matcher::equal("__name__", "a")], range).unwrap();
            }
            for (labels, samples) in series {
                let is_gone = |at_ms| labels.metric_name() == "a" && gone.is_some_and(|range| range.contains(at_ms));
                for (at_ms, value, start_ms) in samples.iter().filter(|sample| !is_gone(sample.0)) {
                    let of_series = expected.entry(labels.clone()).or_default();
                    of_series.entry(*at_ms).or_insert((value.clone(), *start_ms));
                }
            }
            blocks.push(block);
        }
        let inputs: Vec<&Block> = blocks.iter().collect();
        let made = compact(&fs, Path::new(DATA), &inputs, ulid(50), BlockLimits::PROMETHEUS).unwrap();
        let answer = match &made {
            Some(_) => {
                let block = Block::open(&fs, &block_dir(ulid(50))).unwrap();
                prop_assert_eq!(block.verify(), Ok(()));
                read_all(&block).unwrap()
            }
            None => Answer::new(),
        };
        prop_assert_eq!(answer, answer_of(&expected));
    }
}

fn floats(times: std::ops::Range<i64>) -> Vec<(i64, SampleValue, i64)> {
    times.map(|at_ms| (at_ms, (at_ms as f64 * 1.25).into(), 0)).collect()
}

fn open(fs: &MemoryFs, number: u8) -> Block {
    Block::open(fs, &block_dir(ulid(number))).unwrap()
}

fn chunk_list(block: &Block) -> Vec<(i64, i64, Vec<u8>)> {
    let mut source = block.source(TimeRange::ALL);
    let (mut labels, mut chunks, mut list) = (Labels::empty(), Vec::new(), Vec::new());
    while source.next_series(&mut labels, &mut chunks).unwrap() {
        list.extend(chunks.iter().map(|chunk| (chunk.min_ms, chunk.max_ms, chunk.bytes.to_vec())));
    }
    list
}

#[test]
fn chunks_that_overlap_nothing_are_copied() {
    let fs = MemoryFs::new();
    let series = |times: std::ops::Range<i64>| vec![(labels(NAMES[0]), floats(times))];
    write_block(&fs, Path::new(DATA), ulid(1), &series(0..100), 10).unwrap();
    write_block(&fs, Path::new(DATA), ulid(2), &series(95..200), 10).unwrap();
    let made =
        compact(&fs, Path::new(DATA), &[&open(&fs, 1), &open(&fs, 2)], ulid(3), BlockLimits::PROMETHEUS);
    let meta = made.unwrap().unwrap();
    assert_eq!((meta.stats.samples, meta.compaction.level), (200, 2));
    assert_eq!(meta.compaction.sources, [ulid(1), ulid(2)]);
    assert_eq!(
        meta.compaction.parents.iter().map(|parent| parent.ulid).collect::<Vec<_>>(),
        [ulid(1), ulid(2)]
    );
    let mut expected = chunk_list(&open(&fs, 1));
    expected.pop();
    let united: Vec<_> = chunks_of(&floats(90..105), 120);
    expected.extend(united.iter().map(|chunk| (chunk.min_ms, chunk.max_ms, chunk.bytes.to_vec())));
    expected.extend(chunk_list(&open(&fs, 2)).into_iter().skip(1));
    assert_eq!(chunk_list(&open(&fs, 3)), expected);
}

#[test]
fn equal_chunks_are_kept_once_as_they_are() {
    let fs = MemoryFs::new();
    for number in [1, 2] {
        write_block(&fs, Path::new(DATA), ulid(number), &small_series(), 2).unwrap();
    }
    compact(&fs, Path::new(DATA), &[&open(&fs, 1), &open(&fs, 2)], ulid(3), BlockLimits::PROMETHEUS).unwrap();
    assert_eq!(chunk_list(&open(&fs, 3)), chunk_list(&open(&fs, 1)));
}

#[test]
fn of_a_block_without_samples_nothing_is_kept() {
    let fs = MemoryFs::new();
    write_block(&fs, Path::new(DATA), ulid(1), &small_series(), 2).unwrap();
    let block = open(&fs, 1);
    assert_eq!(block.delete(&fs, &[], TimeRange::ALL), Ok(3));
    assert_eq!(compact(&fs, Path::new(DATA), &[&block], ulid(2), BlockLimits::PROMETHEUS), Ok(None));
    let names: Vec<String> = fs.list(Path::new(DATA)).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [ulid(1).to_string()]);
}

#[test]
fn a_cut_source_keeps_what_is_in_range() {
    let fs = MemoryFs::new();
    write_block(&fs, Path::new(DATA), ulid(1), &[(labels(NAMES[0]), floats(0..100))], 10).unwrap();
    let block = open(&fs, 1);
    let mut source = block.source(TimeRange::new(15, 34));
    let (mut labels, mut chunks) = (Labels::empty(), Vec::new());
    assert!(source.next_series(&mut labels, &mut chunks).unwrap());
    let ranges: Vec<_> = chunks.iter().map(|chunk| (chunk.min_ms, chunk.max_ms, chunk.samples)).collect();
    assert_eq!(ranges, [(15, 19, 5), (20, 29, 10), (30, 34, 5)]);
    assert!(!source.next_series(&mut labels, &mut chunks).unwrap());
    assert!(!source.next_series(&mut labels, &mut chunks).unwrap());
}

/// The blocks that a store would open, after removing what interrupted runs left.
fn recovered(disk: &MemoryFs) -> Vec<Block> {
    let dir = Path::new(DATA);
    for leftover in leftovers(disk, dir).unwrap() {
        remove_leftover(disk, dir, &leftover).unwrap();
    }
    let names = disk.list(dir).unwrap().into_iter().map(|entry| entry.name);
    let ulids: Vec<Ulid> = names.map(|name| name.parse().unwrap()).collect();
    let blocks = ulids.iter().map(|ulid| Block::open(disk, &block_dir(*ulid)).unwrap());
    let blocks: Vec<Block> = blocks.collect();
    let metas: Vec<BlockMeta> = blocks.iter().map(|block| (*block.meta()).clone()).collect();
    let gone = superseded(&metas);
    blocks.into_iter().filter(|block| !gone.contains(&block.ulid())).collect()
}

fn compact_and_remove(fs: &MemoryFs) -> Result<(), StorageError> {
    let dir = Path::new(DATA);
    compact(fs, dir, &[&open(fs, 1), &open(fs, 2)], ulid(3), BlockLimits::PROMETHEUS)?;
    remove_block(fs, &dir.join(ulid(1).to_string()))?;
    remove_block(fs, &dir.join(ulid(2).to_string()))
}

#[test]
fn an_interruption_anywhere_loses_nothing() {
    let prepared = || {
        let fs = MemoryFs::new();
        fs.create_dir_all(Path::new(DATA)).unwrap();
        fs.sync_dir(Path::new("/")).unwrap();
        for (number, times) in [(1, 0..30), (2, 20..60)] {
            write_block(&fs, Path::new(DATA), ulid(number), &[(labels(NAMES[0]), floats(times))], 10)
                .unwrap();
        }
        fs.set_fault(None);
        fs
    };
    let reference = prepared();
    compact_and_remove(&reference).unwrap();
    let answer = read_all(&open(&reference, 3)).unwrap();
    let steps = reference.calls(None);
    assert!(steps > 20);
    for step in 0..steps {
        let fs = prepared();
        let mode = FaultMode::Onwards;
        fs.set_fault(Some(Fault { operation: None, nth: step, mode, error: ErrorKind::StorageFull }));
        assert!(compact_and_remove(&fs).is_err(), "step {step}");
        for survival in [Survival::Written, Survival::Synced, Survival::Torn(step)] {
            let disk = fs.after_crash(survival);
            let blocks = recovered(&disk);
            let all = [Matcher::new("__name__", MatchOp::Regex, ".*".into()).unwrap()];
            let mut samples = BTreeMap::new();
            for block in &blocks {
                for (_, of_series) in read(block, &all, TimeRange::ALL).unwrap() {
                    samples.extend(of_series.into_iter().map(|sample| (sample.0, sample)));
                }
            }
            let samples: Vec<_> = samples.into_values().collect();
            assert_eq!(samples, answer[0].1, "step {step} {survival:?}");
        }
    }
}

#[test]
fn a_day_of_blocks_becomes_what_prometheus_makes_of_it() {
    let fs = MemoryFs::new();
    let dir = Path::new(DATA);
    let options = CompactionOptions { ranges_ms: vec![20, 60, 180] };
    let mut metas: Vec<BlockMeta> = Vec::new();
    let mut made = 100;
    for number in 0..14u8 {
        let from_ms = i64::from(number) * 20;
        let series = [(labels(NAMES[0]), floats(from_ms..from_ms + 20))];
        metas.push(write_block(&fs, dir, ulid(number), &series, 10).unwrap().unwrap());
        while let Some(plan) = plan(&metas, &options) {
            assert_eq!(plan.reason, Reason::Range);
            let blocks: Vec<Block> =
                plan.blocks.iter().map(|ulid| Block::open(&fs, &block_dir(*ulid)).unwrap()).collect();
            let inputs: Vec<&Block> = blocks.iter().collect();
            made += 1;
            let meta = compact(&fs, dir, &inputs, ulid(made), BlockLimits::PROMETHEUS).unwrap().unwrap();
            metas.retain(|meta| !plan.blocks.contains(&meta.ulid));
            metas.push(meta);
        }
    }
    let mut ranges: Vec<_> =
        metas.iter().map(|meta| (meta.min_ms, meta.max_ms, meta.compaction.level)).collect();
    ranges.sort_unstable();
    assert_eq!(ranges, [(0, 180, 3), (180, 240, 2), (240, 260, 1), (260, 280, 1)]);
    let longest = metas.iter().find(|meta| meta.max_ms == 180).unwrap();
    assert_eq!((longest.compaction.sources.len(), longest.compaction.parents.len()), (9, 3));
}
