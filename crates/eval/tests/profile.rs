//! A profiled query yields what it yields otherwise, and says what each of its operators took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use narthex_eval::{Engine, EngineOptions, OperatorProfile, Profile, QueryResult};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};

const STEP_MS: i64 = 60_000;

/// Two series of eleven samples, a minute apart.
fn store() -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for job in ["a", "b"] {
        let labels = Labels::from_pairs([("__name__", "requests_total"), ("job", job)]);
        for minute in 0..=10 {
            store.append(&labels, minute * STEP_MS, (minute as f64).into(), 0).expect("times rise");
        }
    }
    store
}

/// A clock that goes on by a millisecond each time it is asked.
fn ticking() -> Profile {
    let ticks = AtomicU64::new(0);
    Profile::new(Box::new(move || Duration::from_millis(ticks.fetch_add(1, Ordering::Relaxed))))
}

/// A query over ten minutes, or at their end.
fn profiled(text: &str, is_range: bool) -> (QueryResult, QueryResult, Vec<OperatorProfile>) {
    let parameters = if is_range {
        QueryParameters::range(TimeRange::new(0, 10 * STEP_MS), STEP_MS, 5 * STEP_MS, STEP_MS)
    } else {
        QueryParameters::instant(10 * STEP_MS, 5 * STEP_MS, STEP_MS)
    };
    let expr = parse(text, &ParseOptions::ALL).into_result().expect("it is valid");
    let query = Engine::new(EngineOptions::STABLE).prepare(&expr, parameters).expect("it has a plan");
    let (store, profile) = (store(), ticking());
    let context = query.context().profiled(&profile);
    let measured = query.evaluate_in(&context, &store).expect("it can be evaluated");
    (query.evaluate(&store).expect("it can be evaluated"), measured, profile.operators())
}

/// Depth, line, series, batches, samples yielded, samples decoded.
fn rows(operators: &[OperatorProfile]) -> Vec<String> {
    let row = |one: &OperatorProfile| {
        let took = one.figures.map_or(String::from("-"), |figures| {
            let (series, batches) = (figures.series, figures.batches);
            format!("{series} {batches} {} {}", figures.samples, figures.reads.samples_decoded)
        });
        format!("{} {}: {took}", one.depth, one.line)
    };
    operators.iter().map(row).collect()
}

#[test]
fn every_operator_says_what_it_took() {
    let (plain, measured, operators) = profiled("sum(rate(requests_total[2m])) + 1", true);
    assert_eq!(plain.value, measured.value);
    assert_eq!(
        rows(&operators),
        [
            "0 merge duplicates: 1 1 10 0",
            "1 vector + scalar: 1 1 10 0",
            "2 sum: 1 1 10 0",
            "3 merge duplicates: 2 1 20 0",
            "4 rate over windows of 2m of {__name__=\"requests_total\"}: 2 1 20 22",
            "2 number 1: 1 1 11 0",
        ]
    );
    let figures: Vec<_> = operators.iter().filter_map(|one| one.figures).collect();
    let own: Duration = figures.iter().map(|figures| figures.own).sum();
    assert_eq!(own, figures[0].total, "the parts make up the whole");
    assert!(figures.iter().all(|figures| figures.steps == 11));
    assert!(figures[4].read >= Duration::from_millis(2) && figures[3].read.is_zero());
    assert!(figures[0].bytes_peak.is_some_and(|bytes| bytes > 0) && figures[4].bytes_peak.is_none());
}

#[test]
fn selectors_within_subqueries_and_range_vectors_count_as_well() {
    let (plain, measured, operators) = profiled("max_over_time(requests_total[4m:1m])", false);
    assert_eq!(plain.value, measured.value);
    assert_eq!(
        rows(&operators)[1..],
        [
            "1 max_over_time over windows of 4m, steps of 1m: 2 1 2 0",
            "2 select {__name__=\"requests_total\"}: 2 1 8 16"
        ]
    );
    let (plain, measured, operators) = profiled("requests_total[3m]", false);
    assert_eq!(plain.value, measured.value);
    assert_eq!(rows(&operators), ["0 windows of 3m of {__name__=\"requests_total\"}: 2 1 6 6"]);
}

#[test]
fn nothing_is_known_of_an_evaluation_that_failed() {
    let expr =
        parse("requests_total + on () requests_total", &ParseOptions::ALL).into_result().expect("valid");
    let parameters = QueryParameters::instant(10 * STEP_MS, 5 * STEP_MS, STEP_MS);
    let query = Engine::new(EngineOptions::STABLE).prepare(&expr, parameters).expect("it has a plan");
    let profile = ticking();
    assert!(query.evaluate_in(&query.context().profiled(&profile), &store()).is_err());
    assert!(profile.operators().is_empty());
}
