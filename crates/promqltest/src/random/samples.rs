//! Samples for random queries: counters, gauges, odd values, classic and native histograms.
//!
//! All numbers are integers but for `temperature` and `latency_sum`. The series are sorted by their labels, so that every
//! store has them in the same order.

use narthex_model::histogram::{BucketSpan, CUSTOM_BUCKETS_SCHEMA, CounterResetHint};
use narthex_model::sample::stale_nan;
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};
use narthex_storage::{Appender, StorageError};

use super::Random;

/// Time of the last sample; the first is at 0. Short enough for a server that takes no samples older than an hour.
pub const END_MS: Timestamp = 2_400_000;
const FLOAT_STEP_MS: Timestamp = 15_000;
const HISTOGRAM_STEP_MS: Timestamp = 30_000;

/// Upper bounds of the classic buckets.
const BOUNDS: [&str; 5] = ["0.1", "0.5", "1", "5", "+Inf"];

/// A series and its samples in time order.
#[derive(Clone, Debug)]
pub struct StoredSeries {
    /// The labels with the metric's name.
    pub labels: Labels,
    /// Times and values.
    pub samples: Vec<(Timestamp, SampleValue)>,
}

/// The series of all metrics, sorted by labels.
pub fn series(random: &mut dyn Random) -> Vec<StoredSeries> {
    let mut series = Vec::new();
    counters(random, &mut series);
    gauges(random, &mut series);
    facts(&mut series);
    classic_histograms(random, &mut series);
    native_histograms(random, &mut series);
    series.sort_by(|left, right| left.labels.cmp(&right.labels));
    series
}

/// Puts the series into a store.
///
/// # Errors
/// As the store says.
pub fn append(series: &[StoredSeries], store: &mut dyn Appender) -> Result<(), StorageError> {
    for one in series {
        for (at_ms, value) in &one.samples {
            store.append(&one.labels, *at_ms, value.clone(), 0)?;
        }
    }
    store.commit()
}

/// Samples at a regular step; `None` leaves a hole.
fn sampled(
    name: &str,
    labels: &[(&str, &str)],
    step_ms: Timestamp,
    mut value: impl FnMut(Timestamp) -> Option<SampleValue>,
) -> StoredSeries {
    let pairs = labels.iter().copied().chain([("__name__", name)]);
    let times = (0..=END_MS / step_ms).map(|step| step * step_ms);
    let samples = times.filter_map(|at_ms| Some((at_ms, value(at_ms)?))).collect();
    StoredSeries { labels: Labels::from_pairs(pairs), samples }
}

/// A hole or a stale marker now and then.
fn interrupted(random: &mut dyn Random, value: SampleValue) -> Option<SampleValue> {
    match random.below(40) {
        0 => None,
        1 => Some(stale_nan().into()),
        _ => Some(value),
    }
}

fn small(random: &mut dyn Random, end: usize) -> f64 {
    random.below(end) as f64
}

fn counters(random: &mut dyn Random, series: &mut Vec<StoredSeries>) {
    let targets = [
        [("job", "api"), ("instance", "a"), ("code", "200")],
        [("job", "api"), ("instance", "a"), ("code", "500")],
        [("job", "api"), ("instance", "b"), ("code", "200")],
        [("job", "db"), ("instance", "a"), ("code", "200")],
        [("job", "db"), ("instance", "c"), ("code", "503")],
    ];
    for (name, targets) in [("requests_total", &targets[..]), ("errors_total", &targets[1..4])] {
        for labels in targets {
            let mut total = 0.0;
            series.push(sampled(name, labels, FLOAT_STEP_MS, |_| {
                total = if random.below(30) == 0 { 0.0 } else { total + small(random, 6) };
                interrupted(random, total.into())
            }));
        }
    }
}

fn gauges(random: &mut dyn Random, series: &mut Vec<StoredSeries>) {
    let targets = [("api", "a"), ("api", "b"), ("db", "a"), ("db", "c")];
    for (job, instance) in targets {
        let labels = [("job", job), ("instance", instance)];
        series.push(sampled("memory", &labels, FLOAT_STEP_MS, |_| {
            let value = small(random, 20) - 8.0;
            interrupted(random, value.into())
        }));
        let mut temperature = 20.0;
        series.push(sampled("temperature", &labels, FLOAT_STEP_MS, |_| {
            temperature += (small(random, 21) - 10.0) / 7.0;
            interrupted(random, temperature.into())
        }));
        if job == "api" {
            let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e15, 3.0, 3.0, 4.0];
            series.push(sampled("odd", &labels, FLOAT_STEP_MS, |_| {
                let value = odd[random.below(odd.len())];
                interrupted(random, value.into())
            }));
        }
    }
}

/// Information about targets, and metrics of one sample.
fn facts(series: &mut Vec<StoredSeries>) {
    let facts = [
        ("target_info", "api", "a", "1.0", "eu"),
        ("target_info", "api", "b", "1.1", "us"),
        ("target_info", "db", "a", "2.0", "eu"),
        ("build_info", "api", "a", "9", "eu"),
        ("build_info", "db", "c", "8", "us"),
    ];
    for (name, job, instance, version, region) in facts {
        let labels = [("job", job), ("instance", instance), ("version", version), ("region", region)];
        series.push(sampled(name, &labels, FLOAT_STEP_MS, |_| Some(1.0.into())));
    }
    for (job, at) in [("api", 600_000), ("db", 1_800_000)] {
        let labels = [("job", job), ("instance", "a")];
        series.push(sampled("once", &labels, FLOAT_STEP_MS, |at_ms| (at_ms == at).then(|| 7.0.into())));
    }
}

/// Cumulative counts by bucket, with resets.
fn classic_histograms(random: &mut dyn Random, series: &mut Vec<StoredSeries>) {
    for (job, instance) in [("api", "a"), ("api", "b"), ("db", "a")] {
        let target = [("job", job), ("instance", instance)];
        let counts = observations(random);
        for (at, bound) in BOUNDS.iter().enumerate() {
            let labels = [target[0], target[1], ("le", *bound)];
            let cumulated = |counts: &[f64; 5]| counts[..=at].iter().sum::<f64>();
            series.push(sampled("latency_bucket", &labels, FLOAT_STEP_MS, |at_ms| {
                Some(cumulated(&counts[(at_ms / FLOAT_STEP_MS) as usize]).into())
            }));
        }
        series.push(sampled("latency_count", &target, FLOAT_STEP_MS, |at_ms| {
            Some(counts[(at_ms / FLOAT_STEP_MS) as usize].iter().sum::<f64>().into())
        }));
        series.push(sampled("latency_sum", &target, FLOAT_STEP_MS, |at_ms| {
            let counts = counts[(at_ms / FLOAT_STEP_MS) as usize];
            Some((counts.iter().zip([0.05, 0.3, 0.8, 2.5, 7.0]).map(|(n, x)| n * x).sum::<f64>()).into())
        }));
    }
    // No last bucket, a bound that is none, counts that fall.
    for (job, bound, count) in
        [("api", "1", 4.0), ("api", "bad", 1.0), ("db", "1", 5.0), ("db", "2", 3.0), ("db", "+Inf", 6.0)]
    {
        let labels = [("job", job), ("instance", "a"), ("le", bound)];
        series.push(sampled("broken_bucket", &labels, FLOAT_STEP_MS, |at_ms| {
            Some((count * (at_ms / FLOAT_STEP_MS) as f64).into())
        }));
    }
}

/// The counts of all buckets at every step.
fn observations(random: &mut dyn Random) -> Vec<[f64; 5]> {
    let mut counts = [0.0; 5];
    let step = |_| {
        if random.below(50) == 0 {
            counts = [0.0; 5];
        }
        counts.iter_mut().for_each(|count| *count += small(random, 4));
        counts
    };
    (0..=END_MS / FLOAT_STEP_MS).map(step).collect()
}

fn native_histograms(random: &mut dyn Random, series: &mut Vec<StoredSeries>) {
    for (job, instance, schema) in [("api", "a", 1), ("api", "b", 0), ("db", "a", 1)] {
        let labels = [("job", job), ("instance", instance)];
        let mut counts = [0.0; 6];
        series.push(sampled("native", &labels, HISTOGRAM_STEP_MS, |_| {
            grow(random, &mut counts);
            let value = exponential(schema, &counts, CounterResetHint::Unknown);
            interrupted_histogram(random, value)
        }));
        series.push(sampled("native_gauge", &labels, HISTOGRAM_STEP_MS, |_| {
            let counts = [(); 6].map(|()| small(random, 5));
            interrupted_histogram(random, exponential(schema, &counts, CounterResetHint::Gauge))
        }));
        let mut counts = [0.0; 6];
        series.push(sampled("custom", &labels, HISTOGRAM_STEP_MS, |_| {
            grow(random, &mut counts);
            interrupted_histogram(random, custom(&counts, &[0.1, 1.0, 5.0]))
        }));
    }
    let target = [("job", "api"), ("instance", "a")];
    let mut counts = [0.0; 6];
    series.push(sampled("custom_changing", &target, HISTOGRAM_STEP_MS, |at_ms| {
        grow(random, &mut counts);
        let bounds: &[f64] = if at_ms < END_MS / 2 { &[0.1, 1.0, 5.0] } else { &[0.1, 2.0, 5.0] };
        Some(custom(&counts, bounds).into())
    }));
    let mut counts = [0.0; 6];
    series.push(sampled("mixed", &target, HISTOGRAM_STEP_MS, |at_ms| {
        grow(random, &mut counts);
        let is_float = (at_ms / 600_000) % 2 == 0;
        Some(if is_float {
            counts[0].into()
        } else {
            exponential(0, &counts, CounterResetHint::Unknown).into()
        })
    }));
}

fn grow(random: &mut dyn Random, counts: &mut [f64; 6]) {
    if random.below(25) == 0 {
        *counts = [0.0; 6];
    }
    counts.iter_mut().for_each(|count| *count += small(random, 3));
}

fn interrupted_histogram(random: &mut dyn Random, value: FloatHistogram) -> Option<SampleValue> {
    match random.below(40) {
        0 => None,
        1 => Some(FloatHistogram { sum: stale_nan(), ..FloatHistogram::default() }.into()),
        _ => Some(value.into()),
    }
}

/// Three positive buckets in two spans, two negative ones, the zero bucket.
fn exponential(schema: i32, counts: &[f64; 6], hint: CounterResetHint) -> FloatHistogram {
    FloatHistogram {
        counter_reset_hint: hint,
        schema,
        zero_threshold: 0.001,
        zero_count: counts[5],
        count: counts.iter().sum(),
        sum: counts[0] + 2.0 * counts[1] + 9.0 * counts[2] - counts[3] - 3.0 * counts[4],
        positive_spans: vec![BucketSpan { offset: 0, length: 2 }, BucketSpan { offset: 2, length: 1 }],
        positive_buckets: counts[..3].to_vec(),
        negative_spans: vec![BucketSpan { offset: 0, length: 2 }],
        negative_buckets: counts[3..5].to_vec(),
        custom_values: Vec::new(),
    }
}

/// A bucket below each bound and one above all.
fn custom(counts: &[f64; 6], bounds: &[f64]) -> FloatHistogram {
    FloatHistogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        count: counts[..4].iter().sum(),
        sum: counts[1] + 3.0 * counts[2] + 8.0 * counts[3],
        positive_spans: vec![BucketSpan { offset: 0, length: 4 }],
        positive_buckets: counts[..4].to_vec(),
        custom_values: bounds.to_vec(),
        ..FloatHistogram::default()
    }
}
