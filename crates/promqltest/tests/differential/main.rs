//! Random queries over random samples have the same result everywhere: in the engine and in the oracle, with every
//! choice of optimizer passes, with any number of threads, and whether or not a store tells what chunks amount to.
//!
//! `cargo test` asks 2,000 queries. The large comparison, in release mode:
//!
//! ```text
//! NARTHEX_RANDOM_QUERIES=100000 NARTHEX_RANDOM_SEED=1 \
//!     cargo test --release -p narthex-promqltest --test differential -- --nocapture
//! ```
//!
//! A query that differs is printed as small as it can be made, with its seed, its times and the samples it needs;
//! `NARTHEX_RANDOM_SEED=<seed> NARTHEX_RANDOM_QUERIES=1` asks it again.

#![expect(clippy::disallowed_methods, reason = "the comparison is steered by the environment")]

mod case;
mod data;
mod judge;
mod same;
mod shrink;
mod stored;

use std::collections::BTreeMap;
use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use case::Case;
use data::Data;
use judge::{Judge, Outcome};
use narthex_plan::optimize::{OptimizerPass, PASSES};

/// Queries of one run, unless the environment says otherwise.
const QUERIES: u64 = 2000;
/// So many queries are asked of the same samples.
const QUERIES_PER_STORE: u64 = 16;
/// Failures that are shrunk and shown; more of them say no more.
const SHOWN_MAX: usize = 12;

/// How many queries came out how.
#[derive(Default)]
struct Tally {
    asked: u64,
    with_samples: u64,
    empty: u64,
    failed_alike: u64,
    refused: u64,
    unsupported: u64,
    /// How many queries each pass changed.
    changed: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
    differing: u64,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        self.asked += 1;
        let counter = match outcome {
            Outcome::Same { has_samples: true } => &mut self.with_samples,
            Outcome::Same { has_samples: false } => &mut self.empty,
            Outcome::FailedAlike => &mut self.failed_alike,
            Outcome::Refused => &mut self.refused,
            Outcome::Unsupported(_) => &mut self.unsupported,
            Outcome::Different(_) => &mut self.differing,
        };
        *counter += 1;
    }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().expect("the environment holds a number"))
}

/// Asks the queries of the seeds that no other thread has taken.
fn ask(next: &AtomicU64, end: u64, tally: &Mutex<Tally>) {
    let judge = Judge::new();
    loop {
        let start = next.fetch_add(QUERIES_PER_STORE, Ordering::Relaxed);
        if start >= end {
            return;
        }
        let mut kept: Option<Data> = None;
        for seed in start..end.min(start + QUERIES_PER_STORE) {
            let store_seed = seed / QUERIES_PER_STORE;
            let data = kept.take().filter(|data| data.seed == store_seed);
            let data = data.unwrap_or_else(|| Data::new(store_seed));
            let case = Case::new(seed);
            let changed = case.passes_that_change_it();
            let outcome = judge.judge(&case, &data);
            let is_shown = {
                let mut tally = tally.lock().expect("no thread panics");
                tally.count(&outcome);
                changed.iter().for_each(|pass| *tally.changed.entry(pass).or_default() += 1);
                tally.failures.len() < SHOWN_MAX
            };
            if let (Outcome::Different(_) | Outcome::Unsupported(_), true) = (&outcome, is_shown) {
                let text = shrink::shrunk(&judge, case, &data);
                tally.lock().expect("no thread panics").failures.push(text);
            }
            kept = Some(data);
        }
    }
}

#[test]
fn random_queries_agree() {
    let (start, queries) = (number("NARTHEX_RANDOM_SEED", 1), number("NARTHEX_RANDOM_QUERIES", QUERIES));
    let (next, tally) = (AtomicU64::new(start), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| ask(&next, start + queries, &tally));
        }
    });
    let tally = tally.into_inner().expect("no thread panics");
    println!(
        "{} queries from seed {start}: {} with samples, {} empty, {} fail alike, {} refused by the parser, {} unsupported, {} differ",
        tally.asked,
        tally.with_samples,
        tally.empty,
        tally.failed_alike,
        tally.refused,
        tally.unsupported,
        tally.differing
    );
    println!("changed by passes: {:?}", tally.changed);
    assert!(tally.failures.is_empty(), "{} differ:\n{}", tally.differing, tally.failures.join("\n"));
    let often =
        |pass: &&dyn OptimizerPass| tally.changed.get(pass.name()).is_some_and(|count| count * 100 > queries);
    let rare: Vec<&str> = PASSES.iter().filter(|pass| !often(pass)).map(|pass| pass.name()).collect();
    assert!(queries < 1000 || rare.is_empty(), "too few queries are changed by {rare:?}");
    // Else the generator tests nothing.
    assert!(queries < 100 || tally.with_samples * 10 > tally.asked * 4, "too few results have samples");
}
