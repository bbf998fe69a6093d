//! Samples in a store on disk: blocks, and a head behind them.

use std::path::Path;
use std::sync::Arc;

use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_promqltest::random::samples::END_MS;
use narthex_storage::Appender;
use narthex_testkit::SplitMix64;
use narthex_tsdb::block::{BlockLimits, BlockWriter, Compaction, NewBlock, Ulid};
use narthex_tsdb::fs::MemoryFs;
use narthex_tsdb::{Database, DatabaseOptions, Head};

use crate::data::{Sample, Series};

const DIR: &str = "/data";
/// Longer than all samples: no block is cut or compacted.
const BLOCK_RANGE_MS: i64 = 1 << 40;

/// What `head` has: up to some instant in blocks of many lengths, and so with chunks of many lengths, the rest in memory.
pub(crate) fn database(seed: u64, series: &[Series], head: &Head) -> Database {
    let mut random = SplitMix64::new(seed ^ 0xb10c);
    let fs = MemoryFs::new();
    let end_ms = random.between(0, END_MS / 1000 + 600) * 1000;
    let mut from_ms = Timestamp::MIN;
    let mut to_ms = 0;
    for number in 0.. {
        to_ms += random.between(20, 900) * 1000;
        write_block(&fs, number, head, TimeRange::new(from_ms, to_ms.min(end_ms)));
        from_ms = to_ms + 1;
        if to_ms >= end_ms {
            break;
        }
    }
    let options = DatabaseOptions::with_ranges(BLOCK_RANGE_MS, BLOCK_RANGE_MS, 1);
    let database = Database::open(Arc::new(fs), Path::new(DIR), options).expect("memory can be read");
    append_from(&database, end_ms + 1, series);
    while database.maintain(0).expect("memory takes everything").summarised > 0 {}
    assert!(database.blocks().iter().all(|block| block.has_summaries()));
    database
}

fn write_block(fs: &MemoryFs, number: u128, head: &Head, range: TimeRange) {
    let ulid = Ulid::from_parts(0, number);
    let written =
        BlockWriter::create(fs, Path::new(DIR), ulid, BlockLimits::PROMETHEUS).and_then(|mut writer| {
            writer.add_all(&mut head.source(range))?;
            let compaction = Compaction::of_head(ulid);
            writer.finish(NewBlock { min_ms: range.max_ms, max_ms: range.max_ms, compaction, thanos: None })
        });
    written.expect("memory takes everything");
}

fn append_from(database: &Database, from_ms: Timestamp, series: &[Series]) {
    let behind =
        series.iter().flat_map(|(labels, samples)| samples.iter().map(move |sample| (labels, sample)));
    let mut behind: Vec<(&Labels, &Sample)> = behind.filter(|(_, sample)| sample.0 >= from_ms).collect();
    behind.sort_by_key(|(_, sample)| sample.0);
    let mut appender = database.appender();
    for (labels, (at_ms, started_ms, value)) in behind {
        appender.append(labels, *at_ms, value.clone(), *started_ms).expect("samples come in order");
    }
    appender.commit().expect("memory takes everything");
}
