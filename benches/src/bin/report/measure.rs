//! What one query takes on one thread, from text to result.

use std::hint::black_box;
use std::time::{Duration, Instant};

use narthex_benches::machine::cpu_ms;
use narthex_eval::{Engine, EngineOptions, Profile, Query, QueryResult};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_tsdb::Head;
use rayon::{ThreadPool, ThreadPoolBuilder};
use stats_alloc::Region;

/// Queries run again until they have taken that long: the system counts CPU time in ticks of some milliseconds.
const CPU_MIN_MS: f64 = 300.0;

/// What a query took.
pub(crate) struct Measured {
    /// Of one run, in the mean.
    pub(crate) cpu_ms: f64,
    /// Series that were read.
    pub(crate) series: usize,
    /// The most bytes that the engine held, by its own count.
    pub(crate) bytes_peak: usize,
    /// Allocations of one run, of which the first has made what is made once.
    pub(crate) allocations: usize,
}

/// A pool of one thread: queries do not know that there are others.
pub(crate) struct OneThread(ThreadPool);

/// Threads that queries are computed by.
pub(crate) fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started")
}

/// A query of a text that is valid.
pub(crate) fn prepared(text: &str, parameters: QueryParameters) -> Query {
    let expr = parse(text, &ParseOptions::ALL).into_result().expect(text);
    Engine::new(EngineOptions::STABLE).prepare(&expr, parameters).expect(text)
}

fn evaluated(head: &Head, text: &str, parameters: QueryParameters) -> QueryResult {
    prepared(black_box(text), parameters).evaluate(head).expect(text)
}

impl OneThread {
    pub(crate) fn new() -> OneThread {
        OneThread(pool(1))
    }

    /// Runs a query until its time can be told.
    pub(crate) fn measure(&self, head: &Head, text: &str, parameters: QueryParameters) -> Measured {
        self.0.install(|| {
            let query = prepared(text, parameters);
            let profile = Profile::new(Box::new(|| Duration::ZERO));
            let context = query.context().profiled(&profile);
            query.evaluate_in(&context, head).expect(text);
            let operators = profile.operators();
            let reading = operators.iter().filter_map(|one| one.figures);
            let series =
                reading.filter(|figures| figures.reads.samples_decoded + figures.reads.samples_skipped > 0);
            Measured {
                cpu_ms: cpu_mean_ms(|| evaluated(head, text, parameters)),
                series: series.map(|figures| figures.series).sum(),
                bytes_peak: context.bytes_peak(),
                allocations: allocations(|| evaluated(head, text, parameters)),
            }
        })
    }

    /// Allocations of a query that has run before.
    pub(crate) fn allocations(&self, head: &Head, text: &str, parameters: QueryParameters) -> usize {
        self.0.install(|| {
            evaluated(head, text, parameters);
            allocations(|| evaluated(head, text, parameters))
        })
    }
}

/// The least time that a query takes by the clock on the wall, which other programs can only lengthen.
pub(crate) fn wall_ms(pool: &ThreadPool, head: &Head, text: &str, parameters: QueryParameters) -> f64 {
    const RUNS: usize = 40;
    pool.install(|| {
        let run = |_| {
            let start = Instant::now();
            drop(black_box(evaluated(head, text, parameters)));
            start.elapsed().as_secs_f64() * 1e3
        };
        (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
    })
}

fn allocations<T>(run: impl FnOnce() -> T) -> usize {
    let region = Region::new(crate::ALLOCATOR);
    let outcome = run();
    let change = region.change();
    drop(outcome);
    change.allocations + change.reallocations
}

/// CPU time of one of many runs, in the mean.
pub(crate) fn cpu_mean_ms<T>(run: impl Fn() -> T) -> f64 {
    let mut runs = 1;
    loop {
        let start_ms = cpu_ms();
        for _ in 0..runs {
            drop(black_box(run()));
        }
        let took_ms = cpu_ms() - start_ms;
        if took_ms >= CPU_MIN_MS {
            return took_ms / f64::from(runs);
        }
        // So many that the next round is likely to be the last, yet not ten times too many.
        let enough = (CPU_MIN_MS * 1.2 / (took_ms / f64::from(runs)).max(1e-6)).min(1e9) as u32;
        runs = enough.clamp(runs + 1, runs.saturating_mul(10));
    }
}
