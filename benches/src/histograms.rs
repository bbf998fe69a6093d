//! Native histograms, in the shape of Prometheus's `BenchmarkNativeHistograms`.
//!
//! Source of the shape: `promql/bench_test.go`; a tenth of its series.

use narthex_model::histogram::BucketSpan;
use narthex_model::{FloatHistogram, Labels, SampleValue};
use narthex_storage::{Appender, StorageError};

/// Distance of two scrapes.
const INTERVAL_MS: i64 = 15_000;
/// Scrapes of each series: two hours, and twenty minutes for the longest window.
const SCRAPES: usize = 560;
/// Series.
pub const SERIES: usize = 300;
/// Buckets of a histogram.
const BUCKETS: usize = 20;

/// `native_histogram_series`, each a counter of observations that fall into twenty buckets.
///
/// # Errors
/// When the store refuses a sample.
pub fn fill(store: &mut dyn Appender) -> Result<(), StorageError> {
    for number in 0..SERIES {
        let number = number.to_string();
        let labels = Labels::from_pairs([("__name__", "native_histogram_series"), ("number", &number)]);
        for scrape in 0..SCRAPES {
            let value = SampleValue::from(histogram(scrape));
            store.append(&labels, scrape as i64 * INTERVAL_MS, value, 0)?;
        }
    }
    store.commit()
}

/// What a counter holds at a scrape: more in each bucket than before.
fn histogram(scrape: usize) -> FloatHistogram {
    let buckets: Vec<f64> = (0..BUCKETS).map(|bucket| ((scrape + 1) * (bucket + 1)) as f64).collect();
    let count: f64 = buckets.iter().sum();
    FloatHistogram {
        schema: 2,
        zero_threshold: 1e-3,
        zero_count: scrape as f64,
        count: count + scrape as f64,
        sum: 18.4 * (scrape + 1) as f64,
        positive_spans: [BucketSpan { offset: 0, length: BUCKETS as u32 }].into(),
        positive_buckets: buckets,
        ..FloatHistogram::default()
    }
}
