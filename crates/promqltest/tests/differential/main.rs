//! The engine against the oracle: random queries over random samples have the same results.

use std::collections::{BTreeMap, BTreeSet};

use narthex_eval::result::RangeSeries;
use narthex_eval::{Engine, QueryValue};
use narthex_model::sample::stale_nan;
use narthex_model::{Labels, SampleValue, TimeRange, Timestamp};
use narthex_plan::{Optimizer, QueryParameters};
use narthex_promql::{ParseOptions, parse};
use narthex_promqltest::RunOptions;
use narthex_promqltest::oracle::{self, OracleError};
use narthex_promqltest::random::{Generator, METRICS};
use narthex_storage::Appender;
use narthex_testkit::SplitMix64;
use narthex_tsdb::{Head, HeadLimits};

/// Queries of one run.
const QUERIES: u64 = 2000;
/// Of them so many must have a result with samples; else the generator tests nothing.
const WITH_SAMPLES_MIN: usize = 800;

/// Small integers every ten seconds for ten minutes, with holes, stale markers, resets and a few NaN.
fn store(random: &mut SplitMix64) -> Head {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    for (metric, job, x) in series() {
        let labels = Labels::from_pairs([("__name__", metric), ("job", job), ("x", x)]);
        let mut value = 0i64;
        for step in 0..60 {
            value = if random.below(8) == 0 { 0 } else { value + random.between(0, 2) };
            let sample = match random.below(20) {
                0 | 1 => continue,
                2 => stale_nan(),
                3 if metric == "c" => f64::NAN,
                _ => value as f64,
            };
            head.append(&labels, step * 10_000, sample.into(), 0).expect("samples come in order");
        }
    }
    head
}

fn series() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let jobs = [("p", "1"), ("p", "2"), ("q", "1"), ("q", "3")];
    METRICS.into_iter().flat_map(move |metric| jobs.into_iter().map(move |(job, x)| (metric, job, x)))
}

/// Values by labels and time; several where names are left out.
type Points = BTreeMap<(Labels, Timestamp), Vec<f64>>;

/// Whether metric names are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Compared,
    /// What `or` yields may have its name at one step and have lost it at another. Upstream then decides by the step at
    /// which the series comes first.
    Ignored,
}

fn points(value: &QueryValue, names: Names) -> Points {
    let samples: Vec<(Labels, Timestamp, SampleValue)> = match value {
        QueryValue::Scalar { at_ms, value } => vec![(Labels::empty(), *at_ms, (*value).into())],
        QueryValue::Text { .. } => Vec::new(),
        QueryValue::Vector(samples) => {
            samples.iter().map(|one| (one.labels.clone(), one.at_ms, one.value.clone())).collect()
        }
        QueryValue::Matrix(series) => {
            let samples = |one: &RangeSeries| {
                let labels = one.labels.clone();
                one.samples().into_iter().map(move |(at_ms, value)| (labels.clone(), at_ms, value))
            };
            series.iter().flat_map(samples).collect()
        }
    };
    let mut points = Points::new();
    for (labels, at_ms, value) in samples {
        let SampleValue::Float(value) = value else { continue };
        let labels = if names == Names::Ignored { labels.without_metric_identity() } else { labels };
        points.entry((labels, at_ms)).or_default().push(value);
    }
    points.values_mut().for_each(|values| values.sort_by(f64::total_cmp));
    points
}

/// Equal up to what summing in another order changes; what is left of a cancelled sum counts as zero.
fn close(a: f64, b: f64) -> bool {
    let size = a.abs().max(b.abs());
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * size || size < 1e-6
}

/// The first few samples that are not the same.
fn differs(expected: &Points, actual: &Points) -> Option<String> {
    let keys: BTreeSet<_> = expected.keys().chain(actual.keys()).collect();
    let different = keys.into_iter().filter_map(|key| match (expected.get(key), actual.get(key)) {
        (Some(a), Some(b)) if a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| close(a, b)) => None,
        (a, b) => Some(format!("\n    {} @{}: expected {a:?}, got {b:?}", key.0, key.1)),
    });
    let shown: String = different.take(5).collect();
    (!shown.is_empty()).then_some(shown)
}

/// What is wrong, if anything, and whether there was something to compare.
fn check(
    store: &Head,
    query: &str,
    parameters: QueryParameters,
    optimizer: Optimizer,
) -> (Option<String>, bool) {
    let expr = parse(query, &ParseOptions::ALL).into_result().expect("generated queries are valid");
    let names = if query.contains(" or ") { Names::Ignored } else { Names::Compared };
    let mut options = RunOptions::CONFORMANCE.engine;
    options.optimizer = optimizer;
    let actual = Engine::new(options).evaluate(store, &expr, parameters);
    let actual = actual.map(|result| points(&result.value, names));
    let failure = match (oracle::evaluate(store, &expr, parameters), actual) {
        (Err(OracleError::Unsupported(what)), _) => Some(format!("the oracle does not know {what}")),
        (Err(OracleError::Failed(_)), Err(_)) => None,
        (Err(OracleError::Failed(error)), Ok(_)) => Some(format!("must fail: {error}")),
        // The engine also evaluates steps of a subquery that lie between the windows.
        (Ok(_), Err(_)) if query.contains(':') => None,
        (Ok(_), Err(error)) => Some(format!("must not fail: {error}")),
        (Ok(expected), Ok(actual)) => {
            let expected = points(&expected, names);
            return (differs(&expected, &actual), !expected.is_empty());
        }
    };
    (failure, false)
}

fn parameters(random: &mut SplitMix64) -> QueryParameters {
    let start_ms = random.between(0, 700) * 1000;
    match random.below(3) {
        0 => QueryParameters::instant(start_ms, 300_000, 60_000),
        _ => {
            let step_ms = [7_000, 10_000, 30_000, 100_000][random.below(4)];
            let end_ms = start_ms + random.between(0, 200) * 1000;
            QueryParameters::range(TimeRange::new(start_ms, end_ms), step_ms, 300_000, 60_000)
        }
    }
}

#[test]
fn random_queries_agree() {
    let mut failures = Vec::new();
    let mut with_samples = 0;
    for seed in 0..QUERIES {
        let mut random = SplitMix64::new(seed);
        let store = store(&mut random);
        let parameters = parameters(&mut random);
        let query = Generator::new(&mut || random.next_u64()).query();
        let optimizer = if seed % 2 == 0 { Optimizer::ALL } else { Optimizer::NONE };
        let (failure, has_samples) = check(&store, &query, parameters, optimizer);
        with_samples += usize::from(has_samples);
        failures.extend(failure.map(|failure| {
            let grid = parameters.grid;
            format!(
                "seed {seed}: {query}\n  at {} step {} ×{}: {failure}",
                grid.start_ms, grid.step_ms, grid.len
            )
        }));
    }
    assert!(failures.is_empty(), "{} of {QUERIES} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(with_samples >= WITH_SAMPLES_MIN, "only {with_samples} results have samples");
}
