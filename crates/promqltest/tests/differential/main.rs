//! The engine against the oracle: random queries over random samples have the same results.

mod generate;

use std::collections::BTreeMap;

use narthex_eval::{Engine, EvalErrorKind, QueryValue};
use narthex_model::sample::stale_nan;
use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_plan::{Optimizer, QueryParameters};
use narthex_promql::{Expr, ParseOptions, parse};
use narthex_promqltest::RunOptions;
use narthex_promqltest::oracle::{self, OracleError};
use narthex_storage::Appender;
use narthex_testkit::SplitMix64;
use narthex_tsdb::{Head, HeadLimits};

use generate::{Generator, METRICS};

/// Queries of one run.
const QUERIES: u64 = 1500;
/// Of them so many must have a result with samples; else the generator tests nothing.
const WITH_SAMPLES_MIN: usize = 150;

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

/// Samples by labels and time.
type Points = BTreeMap<(Labels, Timestamp), f64>;

fn points(value: &QueryValue) -> Points {
    let float = |value: &narthex_model::SampleValue| match value {
        narthex_model::SampleValue::Float(value) => *value,
        narthex_model::SampleValue::Histogram(_) => f64::INFINITY,
    };
    match value {
        QueryValue::Scalar { at_ms, value } => [((Labels::empty(), *at_ms), *value)].into(),
        QueryValue::Text { .. } => Points::new(),
        QueryValue::Vector(samples) => {
            samples.iter().map(|one| ((one.labels.clone(), one.at_ms), float(&one.value))).collect()
        }
        QueryValue::Matrix(series) => {
            let samples =
                series.iter().flat_map(|one| one.samples().into_iter().map(move |point| (one, point)));
            samples.map(|(one, (at_ms, value))| ((one.labels.clone(), at_ms), float(&value))).collect()
        }
    }
}

/// Equal up to what summing in another order changes; what is left of a cancelled sum counts as zero.
fn close(a: f64, b: f64) -> bool {
    let size = a.abs().max(b.abs());
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * size || size < 1e-6
}

fn differs(expected: &Points, actual: &Points) -> Option<String> {
    let keys = expected.keys().chain(actual.keys());
    let mut shown = keys.filter_map(|key| match (expected.get(key), actual.get(key)) {
        (Some(a), Some(b)) if close(*a, *b) => None,
        (a, b) => Some(format!("{} @{}: expected {a:?}, got {b:?}", key.0, key.1)),
    });
    shown.next()
}

/// What is wrong, if anything, and whether there was something to compare.
fn check(
    store: &Head,
    expr: &Expr,
    parameters: QueryParameters,
    optimizer: Optimizer,
) -> (Option<String>, bool) {
    let expected = match oracle::evaluate(store, expr, parameters) {
        Err(OracleError::Unsupported(what)) => {
            return (Some(format!("the oracle does not know {what}")), false);
        }
        Ok(value) => Ok(points(&value)),
        Err(OracleError::Failed(message)) => Err(message),
    };
    let mut options = RunOptions::CONFORMANCE.engine;
    options.optimizer = optimizer;
    let actual = Engine::new(options).evaluate(store, expr, parameters).map(|result| points(&result.value));
    match (expected, actual) {
        (Ok(expected), Ok(actual)) => (differs(&expected, &actual), !expected.is_empty()),
        (_, Err(error)) if error.kind() == EvalErrorKind::NotImplemented => (None, false),
        (Err(_), Err(_)) => (None, false),
        (Ok(_), Err(error)) => (Some(format!("must not fail: {error}")), false),
        (Err(error), Ok(_)) => (Some(format!("must fail: {error}")), false),
    }
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
        let query = Generator::new(&mut random).query();
        let expr = parse(&query, &ParseOptions::ALL).into_result().expect("generated queries are valid");
        let optimizer = if seed % 2 == 0 { Optimizer::ALL } else { Optimizer::NONE };
        let (failure, has_samples) = check(&store, &expr, parameters, optimizer);
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
