//! The queries of the PromQL compliance tester, which are not part of the repository, have the answers of Prometheus.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;

use narthex_diag::Source;
use narthex_eval::{Engine, EngineOptions, EvalError, QueryResult, QueryValue};
use narthex_model::number::parse_float;
use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_plan::QueryParameters;
use narthex_promql::parse;
use narthex_promqltest::RunOptions;
use narthex_promqltest::script::Command;
use narthex_testkit::shared_fixtures;
use narthex_tsdb::Head;
use serde_json::Value;

/// Queries of the corpus.
const TOTAL: usize = 539;
/// The tester's own tolerance is 1e-5; ours leaves room only for library functions.
const RELATIVE_TOLERANCE: f64 = 1e-9;

/// Values by labels and time.
type Points = BTreeMap<(Labels, Timestamp), f64>;

fn store(script: &str) -> Head {
    let mut head = Head::new(RunOptions::CONFORMANCE.head);
    for command in narthex_promqltest::parse(script).script.commands {
        if let Command::Load(load) = command.value {
            narthex_promqltest::load::apply(&load, &mut head).unwrap();
        }
    }
    head
}

fn expected_points(expected: &Value) -> Points {
    let mut points = Points::new();
    for series in expected["result"].as_array().unwrap() {
        let labels = series["metric"].as_object().unwrap().iter();
        let labels = Labels::from_pairs(labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap())));
        for sample in series["values"].as_array().unwrap() {
            let (at_ms, value) = (sample[0].as_i64().unwrap(), sample[1].as_str().unwrap());
            points.insert((labels.clone(), at_ms), parse_float(value).unwrap());
        }
    }
    points
}

fn actual_points(value: &QueryValue) -> Option<Points> {
    let QueryValue::Matrix(series) = value else { return None };
    let floats = series.iter().flat_map(|one| {
        one.floats.iter().map(|&(at_ms, value)| ((one.labels.clone(), at_ms), value)).collect::<Vec<_>>()
    });
    series.iter().all(|one| one.histograms.is_empty()).then(|| floats.collect())
}

fn is_close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= RELATIVE_TOLERANCE * a.abs().max(b.abs())
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|texts| texts.iter().map(|text| text.as_str().unwrap()).collect()).unwrap_or_default()
}

/// What is wrong with the outcome of a query, if anything.
fn fault(query: &str, expected: &Value, outcome: Result<QueryResult, String>) -> Option<String> {
    let result = match (outcome, expected["error"].as_str()) {
        (Err(error), Some(wanted)) => {
            return (error != wanted).then(|| format!("must fail with {wanted:?}, fails with {error:?}"));
        }
        (Err(error), None) => return Some(format!("must not fail: {error}")),
        (Ok(_), Some(error)) => return Some(format!("must fail: {error}")),
        (Ok(result), None) => result,
    };
    let source = Source::new("<query>", query);
    let mut annotations: Vec<String> = result.annotations.iter().map(|one| one.text(&source)).collect();
    annotations.sort();
    let wanted: Vec<&str> = [texts(&expected["infos"]), texts(&expected["warnings"])].concat();
    if annotations != wanted {
        return Some(format!("must be read with {wanted:?}, is with {annotations:?}"));
    }
    let Some(actual) = actual_points(&result.value) else { return Some("must be floats".into()) };
    let expected = expected_points(expected);
    if expected.len() != actual.len() {
        return Some(format!("must have {} samples, has {}", expected.len(), actual.len()));
    }
    let mut pairs = expected.iter().zip(&actual);
    let differs = pairs.find(|(one, other)| one.0 != other.0 || !is_close(*one.1, *other.1))?;
    Some(format!("must have {:?}, has {:?}", differs.0, differs.1))
}

fn evaluated(
    store: &Head,
    query: &str,
    range: &[Timestamp],
    options: EngineOptions,
) -> Result<QueryResult, String> {
    let RunOptions { parse: parse_options, lookback_ms, subquery_step_ms, .. } = RunOptions::CONFORMANCE;
    let expr = parse(query, &parse_options).into_result().map_err(|error| error.to_string())?;
    let [start_ms, end_ms, step_ms] = *range else { return Err("a range has three numbers".into()) };
    let range = TimeRange::new(start_ms, end_ms);
    let parameters = QueryParameters::range(range, step_ms, lookback_ms, subquery_step_ms);
    Engine::new(options).evaluate(store, &expr, parameters).map_err(|error: EvalError| error.to_string())
}

/// Runs the corpus; a row may have another expectation for the mode, called `own_key`.
fn check(options: EngineOptions, own_key: &str) {
    let Some(cases) = shared_fixtures("prometheus/promql/compliance_cases.jsonl") else { return };
    let Some(samples) = shared_fixtures("prometheus/promql/compliance_load.test") else { return };
    let store = store(&fs::read_to_string(samples).unwrap());
    let (mut total, mut faults) = (0, Vec::new());
    for line in fs::read_to_string(cases).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let query = row["query"].as_str().unwrap();
        let range: Vec<Timestamp> =
            row["range"].as_array().unwrap().iter().map(|at_ms| at_ms.as_i64().unwrap()).collect();
        let expected = row.get(own_key).unwrap_or(&row["expect"]);
        let fault = fault(query, expected, evaluated(&store, query, &range, options));
        total += 1;
        faults.extend(fault.map(|fault| format!("{}: {query}\n    {fault}", row["id"])));
    }
    assert!(faults.is_empty(), "{} of {total} are wrong:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(total, TOTAL);
}

#[test]
fn every_query_of_the_tester_is_answered_as_by_prometheus() {
    check(RunOptions::CONFORMANCE.engine, "expect");
}

#[test]
fn so_is_it_when_names_are_removed_immediately() {
    check(EngineOptions::STABLE, "expect_name_removal_immediate");
}
