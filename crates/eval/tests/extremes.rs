//! Times at the ends of the calendar and values at the ends of the floats: every query ends in a value or an error.

use std::collections::BTreeSet;

use narthex_eval::{Engine, EngineOptions, Limits};
use narthex_model::sample::stale_nan;
use narthex_model::{BucketSpan, FloatHistogram, Labels, SampleValue, TimeRange, Timestamp};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};

const TIMES_MS: [Timestamp; 12] =
    [i64::MIN, -300_000, -1, 0, 1, 60_000, 120_000, 180_000, 300_000, 600_000, i64::MAX - 1, i64::MAX];

const VALUES: [f64; 11] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    3.0,
];

fn histogram(value: f64) -> FloatHistogram {
    FloatHistogram {
        count: value.abs() * 4.0,
        sum: value,
        positive_spans: vec![BucketSpan { offset: -2, length: 2 }, BucketSpan { offset: 3, length: 1 }],
        positive_buckets: vec![value.abs(), 1.0, value.abs()],
        ..FloatHistogram::default()
    }
}

fn sample(place: usize) -> SampleValue {
    let value = VALUES[place % VALUES.len()];
    match place % 7 {
        0 => histogram(value).into(),
        1 => stale_nan().into(),
        _ => value.into(),
    }
}

/// Every word of the queries is a metric with some series.
fn store(queries: &[String]) -> MemoryStorage {
    let words: BTreeSet<&str> = queries
        .iter()
        .flat_map(|query| query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
        .collect();
    let mut store = MemoryStorage::new();
    for (offset, metric) in words.into_iter().enumerate() {
        for (job, le) in [("api", ""), ("api", "1"), ("web", "+Inf")] {
            let labels = Labels::from_pairs([("__name__", metric), ("job", job), ("le", le)]);
            for (place, at_ms) in TIMES_MS.into_iter().enumerate() {
                let value = sample(offset + place + job.len() + le.len());
                store.append(&labels, at_ms, value, at_ms.saturating_sub(5_000)).expect("times rise");
            }
        }
    }
    store
}

fn all_parameters() -> Vec<QueryParameters> {
    let range = |min_ms, max_ms, step_ms| {
        QueryParameters::range(TimeRange::new(min_ms, max_ms), step_ms, 300_000, 60_000)
    };
    let instant = |at_ms| QueryParameters::instant(at_ms, 300_000, 60_000);
    vec![
        instant(0),
        instant(i64::MIN),
        instant(i64::MAX),
        range(-300_000, 600_000, 60_000),
        range(i64::MAX - 100_000, i64::MAX, 10_000),
        range(i64::MIN, i64::MIN + 100_000, 10_000),
        range(i64::MIN, i64::MAX, i64::MAX / 4),
        range(10, 0, 1),
    ]
}

#[test]
fn every_query_ends() {
    let fixtures = ["explain", "plan"].map(|folder| narthex_testkit::fixtures(folder, "promql"));
    let queries: Vec<String> =
        fixtures.iter().flatten().flat_map(|fixture| fixture.text.lines().map(str::to_owned)).collect();
    let store = store(&queries);
    let mut values = 0;
    for query in &queries {
        let expr = parse(query, &ParseOptions::ALL).into_result().expect("fixtures are valid");
        for parameters in all_parameters() {
            for delayed_name_removal in [false, true] {
                let mut options = EngineOptions::STABLE;
                options.limits = Limits { samples_max: 2_000_000, steps_max: 20_000, ..Limits::DEFAULT };
                options.eval.delayed_name_removal = delayed_name_removal;
                options.eval.start_timestamps = delayed_name_removal;
                values += usize::from(Engine::new(options).evaluate(&store, &expr, parameters).is_ok());
            }
        }
    }
    assert!(values > queries.len(), "{values} values of {} queries", queries.len());
}
