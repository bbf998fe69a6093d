//! How long writing, opening, asking and reading a block of a hundred thousand series takes.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use narthex_model::{Labels, MatchOp, Matcher, TimeRange};
use narthex_storage::{Queryable, SampleBuffer, SelectHints};
use narthex_testkit::ScratchDir;
use narthex_tsdb::block::{Block, BlockLimits, BlockWriter, Compaction, EncodedChunk, NewBlock, Ulid};
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::chunk::xor::XorEncoder;
use narthex_tsdb::fs::OsFs;

const SERIES: usize = 100_000;
/// Two hours of a sample every 15 seconds.
const CHUNKS: i64 = 4;
const SAMPLES: i64 = 120;
const STEP_MS: i64 = 15_000;

fn series() -> Vec<Labels> {
    let mut series: Vec<Labels> = (0..SERIES)
        .map(|number| {
            let instance = format!("10.0.{}.{}:9100", number / 100 % 250, number % 100);
            let (path, job) = (format!("/api/v1/{}", number / 1000), format!("job-{}", number % 20));
            Labels::from_pairs([
                ("__name__", ["http_requests_total", "http_errors_total"][number % 2]),
                ("instance", instance.as_str()),
                ("job", &job),
                ("namespace", "production"),
                ("path", &path),
                ("pod", &format!("pod-{number:06}")),
            ])
        })
        .collect();
    series.sort();
    series
}

fn chunks() -> Vec<EncodedChunk> {
    (0..CHUNKS)
        .map(|number| {
            let mut encoder = XorEncoder::new();
            let first = number * SAMPLES;
            let is_taken =
                (first..first + SAMPLES).all(|at| encoder.push(at * STEP_MS, (at * 3 % 100) as f64));
            assert!(is_taken);
            let (min_ms, max_ms) = (first * STEP_MS, (first + SAMPLES - 1) * STEP_MS);
            let bytes = encoder.into_bytes().into();
            EncodedChunk { encoding: Encoding::Xor, min_ms, max_ms, samples: SAMPLES as u16, bytes }
        })
        .collect()
}

fn write(dir: &Path, number: u128, series: &[Labels], chunks: &[EncodedChunk]) -> PathBuf {
    let ulid = Ulid::from_parts(0, number);
    let writer = BlockWriter::create(&OsFs, dir, ulid, BlockLimits::PROMETHEUS);
    let mut writer = writer.expect("the scratch folder can be written");
    for labels in series {
        writer.add_series(labels, chunks).expect("the series are in order");
    }
    let max_ms = CHUNKS * SAMPLES * STEP_MS;
    let new = NewBlock { min_ms: 0, max_ms, compaction: Compaction::of_head(ulid), thanos: None };
    writer.finish(new).expect("the scratch folder can be written");
    dir.join(ulid.to_string())
}

fn open(dir: &Path) -> Block {
    Block::open(&OsFs, dir).expect("the block was just written")
}

fn block(criterion: &mut Criterion) {
    let scratch = ScratchDir::new("bench-block");
    let (series, chunks) = (series(), chunks());
    let mut group = criterion.benchmark_group("block");
    let mut number = 0;
    group.bench_function("write_100k", |bencher| {
        bencher.iter(|| {
            number += 1;
            write(scratch.path(), number, &series, &chunks)
        });
    });
    let dir = write(scratch.path(), 0, &series, &chunks);
    group.bench_function("open_100k", |bencher| bencher.iter(|| open(black_box(&dir))));
    let opened = open(&dir);
    eprintln!("{} bytes in memory of {} on the disk", opened.memory_bytes(), opened.file_bytes());
    let job = Matcher::equal("job", "job-7");
    let pods = Matcher::new("pod", MatchOp::Regex, "pod-0001.*".into()).expect("the expression is valid");
    for (name, matchers) in [("5k_of_100k", vec![job]), ("100_by_prefix", vec![pods]), ("all_100k", vec![])] {
        group.bench_function(format!("select_{name}"), |bencher| {
            bencher.iter(|| selected(&opened, black_box(&matchers)));
        });
    }
    group.bench_function("read_5k_of_480_samples", |bencher| {
        bencher.iter(|| read(&opened, &[Matcher::equal("job", "job-7")]));
    });
    group.finish();
}

fn selected(block: &Block, matchers: &[Matcher]) -> usize {
    let querier = block.querier(TimeRange::ALL).expect("a block can always be asked");
    let set = querier.select(matchers, TimeRange::ALL, &SelectHints::default());
    set.expect("the block is whole").len()
}

fn read(block: &Block, matchers: &[Matcher]) -> usize {
    let querier = block.querier(TimeRange::ALL).expect("a block can always be asked");
    let set = querier.select(matchers, TimeRange::ALL, &SelectHints::default()).expect("the block is whole");
    let mut samples = SampleBuffer::new();
    (0..set.len())
        .map(|series| {
            set.read(series, TimeRange::ALL, &mut samples).expect("the block is whole");
            samples.len()
        })
        .sum()
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = block
}
criterion_main!(benches);
