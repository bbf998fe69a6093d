//! The series that Mimir's query engine is measured with, at its largest size.
//!
//! Source of the shape: `pkg/streamingpromql/benchmarks/ingester.go` of grafana/mimir.

use narthex_model::{Labels, SampleValue};
use narthex_storage::{Appender, StorageError};

/// Distance of two scrapes.
pub const INTERVAL_MS: i64 = 10_000;
/// Scrapes of each series; upstream has ten times as many.
pub const SCRAPES: usize = 1000;
/// Series of `a_2000` and `b_2000` each; `h_2000` has six times as many.
pub const SERIES: usize = 2000;

/// `a_2000`, `b_2000` and the histogram `h_2000` of five buckets and the infinite one.
///
/// # Errors
/// When the store refuses a sample.
pub fn fill(store: &mut dyn Appender) -> Result<(), StorageError> {
    for number in 0..SERIES {
        let number = number.to_string();
        for name in ["a_2000", "b_2000"] {
            append(store, &Labels::from_pairs([("__name__", name), ("l", &number)]))?;
        }
        for bound in ["0", "1", "2", "3", "4", "+Inf"] {
            append(store, &Labels::from_pairs([("__name__", "h_2000"), ("l", &number), ("le", bound)]))?;
        }
    }
    store.commit()
}

fn append(store: &mut dyn Appender, labels: &Labels) -> Result<(), StorageError> {
    let share = labels.to_string().len() as f64 / 64.0;
    (0..SCRAPES).try_for_each(|scrape| {
        let value = SampleValue::Float(scrape as f64 + share);
        store.append(labels, scrape as i64 * INTERVAL_MS, value, 0)
    })
}
