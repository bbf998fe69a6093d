//! How long a sample takes into the store, and what it takes there: memory, and bytes of the log.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use narthex_benches::scrapes::Targets;
use narthex_tsdb::fs::MemoryFs;
use narthex_tsdb::wal::{SeriesId, Wal, WalOptions};
use narthex_tsdb::{Head, HeadLimits};

const TARGETS: Targets = Targets { targets: 20, series: 1000 };
/// Scrapes of each target that are measured.
const SCRAPES: i64 = 10;

/// A head, a log, and the numbers of the series of each target.
struct Store {
    head: Head,
    log: Wal,
    fs: MemoryFs,
    ids: Vec<Vec<SeriesId>>,
}

impl Store {
    /// With a few scrapes, as a store that has run for a while.
    fn warm() -> Store {
        let fs = MemoryFs::new();
        let log = Wal::open(Arc::new(fs.clone()), Path::new("/wal"), WalOptions::STABLE);
        let mut store = Store {
            head: Head::new(HeadLimits::EMBEDDED),
            log: log.expect("a file system in memory works"),
            fs,
            ids: Vec::new(),
        };
        for target in 0..TARGETS.targets {
            let mut appender = store.head.appender();
            let labels = (0..TARGETS.series).map(|series| TARGETS.labels(target, series));
            let ids = labels.map(|labels| appender.append(&labels, 0, 0.0.into(), 0).expect("it is new"));
            store.ids.push(ids.collect());
            appender.commit_logged(&store.log).expect("a file system in memory works");
        }
        (1..4).for_each(|scrape| store.scrape(scrape, Wanted::Log));
        store
    }

    fn scrape(&self, scrape: i64, wanted: Wanted) {
        let mut appender = self.head.appender();
        for (target, ids) in self.ids.iter().enumerate() {
            let at_ms = TARGETS.at_ms(target, scrape);
            for (series, &id) in ids.iter().enumerate() {
                let value = TARGETS.value(target, series, scrape);
                appender.append_to(id, at_ms, value.into(), 0).expect("times rise");
            }
            match wanted {
                Wanted::Log => appender.commit_logged(&self.log).expect("a file system in memory works"),
                Wanted::Head => appender.commit(),
            };
        }
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    Log,
    Head,
}

fn ingest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Elements(SCRAPES as u64 * TARGETS.samples() as u64));
    for (name, wanted) in [("head", Wanted::Head), ("head_and_log", Wanted::Log)] {
        measure(&mut group, name, wanted);
    }
    group.finish();
    tell_sizes();
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, wanted: Wanted) {
    group.bench_function(name, |bencher| {
        let run = |store: &mut Store| (4..4 + SCRAPES).for_each(|scrape| store.scrape(scrape, wanted));
        bencher.iter_batched_ref(Store::warm, |store| run(black_box(store)), BatchSize::LargeInput);
    });
}

fn tell_sizes() {
    let store = Store::warm();
    let before = store.fs.used_bytes();
    (4..244).for_each(|scrape| store.scrape(scrape, Wanted::Log));
    let samples = (240 * TARGETS.samples()) as f64;
    eprintln!("log: {:.3} bytes per sample", (store.fs.used_bytes() - before) as f64 / samples);
    eprintln!("chunks: {:.3} bytes per sample", store.head.chunk_bytes() as f64 / (samples * 244.0 / 240.0));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = ingest
}
criterion_main!(benches);
