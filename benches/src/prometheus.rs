//! The series of Prometheus's own benchmark of range queries, and of its benchmark of joins.
//!
//! Source of the shapes: `setupRangeQueryTestData` and `BenchmarkJoinQuery` in `promql/bench_test.go`.

use narthex_model::{Labels, SampleValue};
use narthex_storage::{Appender, StorageError};
use narthex_testkit::SplitMix64;

/// Distance of two scrapes.
pub const INTERVAL_MS: i64 = 10_000;
/// Scrapes of a day, which the longest windows cover.
const DAY: usize = 8640;
/// Steps of the longest range.
pub const STEPS: usize = 1000;
/// Scrapes of each series. Upstream has ten times as many steps for a few of its queries.
pub const SCRAPES: usize = DAY + STEPS;
/// A series of `sparse` lives that many scrapes.
const SPARSE_SCRAPES: usize = 372;

/// `a_X`, `b_X` and the histogram `h_X` for X of 1, 10 and 100, and short-lived series.
///
/// # Errors
/// When the store refuses a sample.
pub fn fill(store: &mut dyn Appender) -> Result<(), StorageError> {
    let series = series();
    for (number, labels) in series.iter().enumerate() {
        let share = number as f64 / series.len() as f64;
        for scrape in 0..SCRAPES {
            append(store, labels, scrape, scrape as f64 + share)?;
        }
    }
    for scrape in 0..SCRAPES {
        let number = (scrape / SPARSE_SCRAPES).to_string();
        append(store, &Labels::from_pairs([("__name__", "sparse"), ("l", &number)]), scrape, scrape as f64)?;
    }
    store.commit()
}

fn append(store: &mut dyn Appender, labels: &Labels, scrape: usize, value: f64) -> Result<(), StorageError> {
    store.append(labels, scrape as i64 * INTERVAL_MS, SampleValue::Float(value), 0)
}

fn series() -> Vec<Labels> {
    let mut series = Vec::new();
    for (size, count) in [("one", 1), ("ten", 10), ("hundred", 100)] {
        for number in 0..count {
            let number = number.to_string();
            for letter in ["a", "b"] {
                let name = format!("{letter}_{size}");
                series.push(Labels::from_pairs([("__name__", name.as_str()), ("l", &number)]));
            }
            let name = format!("h_{size}");
            for bound in (0..10).map(|bound| bound.to_string()).chain(["+Inf".to_owned()]) {
                let labels = [("__name__", name.as_str()), ("l", &number), ("le", &bound)];
                series.push(Labels::from_pairs(labels));
            }
        }
    }
    series
}

/// Instances whose requests are joined.
pub const INSTANCES: usize = 1000;

/// Successes and errors of each instance, which have six labels in common and one of their own.
///
/// # Errors
/// When the store refuses a sample.
pub fn fill_join(store: &mut dyn Appender) -> Result<(), StorageError> {
    let mut random = SplitMix64::new(0);
    for _ in 0..INSTANCES {
        let instance = format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
        for name in ["rpc_request_success_total", "rpc_request_error_total"] {
            let labels = Labels::from_pairs([
                ("__name__", name),
                ("cluster", "demo"),
                ("instance", &instance),
                ("job", "demo"),
                ("namespace", "demo"),
                ("region", "demo"),
                ("service", "demo"),
            ]);
            for scrape in 0..=STEPS {
                append(store, &labels, scrape, (scrape * name.len()) as f64)?;
            }
        }
    }
    store.commit()
}
