//! How long functions of long windows take over a block of thirty days, with and without what is known of its chunks.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use narthex_eval::{Engine, EngineOptions, QueryResult};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Queryable, WithoutHints};
use narthex_testkit::SplitMix64;
use narthex_tsdb::block::{BlockLimits, BlockWriter, Compaction, EncodedChunk, NewBlock, Ulid};
use narthex_tsdb::chunk::Encoding;
use narthex_tsdb::chunk::xor::XorEncoder;
use narthex_tsdb::fs::MemoryFs;
use narthex_tsdb::{Database, DatabaseOptions};

const SERIES: usize = 50;
const STEP_MS: i64 = 30_000;
const SAMPLES_PER_CHUNK: i64 = 120;
const DAY_MS: i64 = 86_400_000;
const END_MS: i64 = 30 * DAY_MS;
const DIR: &str = "/data";

/// Makes a value of the one before.
type NextValue = fn(&mut SplitMix64, f64) -> f64;

/// A query, and so many windows of so many days are looked at by it.
const QUERIES: [(&str, &str, usize); 8] = [
    ("max_7d", "max_over_time(gauge[7d])", 1),
    ("increase_30d", "increase(counter_total[30d])", 1),
    ("count_30d", "count_over_time(gauge[30d])", 1),
    ("changes_30d", "changes(gauge[30d])", 1),
    ("avg_integers_30d", "avg_over_time(level[30d])", 1),
    ("avg_decimals_30d", "avg_over_time(gauge[30d])", 1),
    ("rate_each_day", "rate(counter_total[1d])", 30),
    ("selector_each_6h", "gauge", 120),
];

/// Numbers of chunks of one series, with the next value of a kind.
fn chunks(random: &mut SplitMix64, next: NextValue) -> Vec<EncodedChunk> {
    let mut value = 100.0;
    let length_ms = SAMPLES_PER_CHUNK * STEP_MS;
    let chunk = |min_ms: i64| {
        let mut encoder = XorEncoder::new();
        for sample in 0..SAMPLES_PER_CHUNK {
            value = next(random, value);
            assert!(encoder.push(min_ms + sample * STEP_MS, value));
        }
        let (max_ms, bytes) = (min_ms + length_ms - STEP_MS, encoder.into_bytes().into());
        EncodedChunk { encoding: Encoding::Xor, min_ms, max_ms, samples: SAMPLES_PER_CHUNK as u16, bytes }
    };
    (0..END_MS / length_ms).map(|number| number * length_ms).map(chunk).collect()
}

fn database() -> Database {
    let fs = MemoryFs::new();
    let ulid = Ulid::from_parts(0, 1);
    let mut random = SplitMix64::new(7);
    let mut writer =
        BlockWriter::create(&fs, Path::new(DIR), ulid, BlockLimits::PROMETHEUS).expect("memory has room");
    let kinds: [(&str, NextValue); 3] = [
        ("counter_total", |random, last| last + random.below(20) as f64),
        ("gauge", |random, last| ((last * 100.0).round() + random.between(-50, 50) as f64) / 100.0),
        ("level", |random, last| last + random.between(-3, 3) as f64),
    ];
    for (name, next) in kinds {
        for series in 0..SERIES {
            let labels = Labels::from_pairs([("__name__", name), ("instance", &format!("i{series:03}"))]);
            writer.add_series(&labels, &chunks(&mut random, next)).expect("series come in order");
        }
    }
    let new = NewBlock { min_ms: 0, max_ms: END_MS, compaction: Compaction::of_head(ulid), thanos: None };
    writer.finish(new).expect("memory has room");
    let options = DatabaseOptions::with_ranges(END_MS, END_MS, 1);
    Database::open(Arc::new(fs), Path::new(DIR), options).expect("the block is whole")
}

fn parameters(windows: usize) -> QueryParameters {
    let end_ms = END_MS - 1;
    match windows {
        1 => QueryParameters::instant(end_ms, 300_000, 60_000),
        windows => {
            let step_ms = END_MS / windows as i64;
            let first_ms = end_ms - (windows as i64 - 1) * step_ms;
            QueryParameters::range(TimeRange::new(first_ms, end_ms), step_ms, 300_000, 60_000)
        }
    }
}

fn evaluate(store: &dyn Queryable, text: &str, windows: usize) -> QueryResult {
    let expr = parse(text, &ParseOptions::STABLE).into_result().expect("the queries above are valid");
    let engine = Engine::new(EngineOptions::STABLE);
    engine.evaluate(store, &expr, parameters(windows)).expect("the queries above can be evaluated")
}

fn summaries(criterion: &mut Criterion) {
    let database = database();
    while database.maintain(END_MS).expect("memory has room").summarised == 0 {}
    let decoded = WithoutHints(&database);
    for (name, text, windows) in QUERIES {
        let (expected, found) = (evaluate(&decoded, text, windows), evaluate(&database, text, windows));
        assert_eq!(format!("{:?}", expected.value), format!("{:?}", found.value), "{text}");
        let mut group = criterion.benchmark_group(format!("summaries/{name}"));
        group.throughput(Throughput::Elements(SERIES as u64));
        group.bench_function("decoded", |bencher| {
            bencher.iter(|| evaluate(&decoded, black_box(text), windows));
        });
        group.bench_function("summed_up", |bencher| {
            bencher.iter(|| evaluate(&database, black_box(text), windows));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = summaries
}
criterion_main!(benches);
