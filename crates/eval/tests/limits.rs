//! Limits are reached with an error that names them, and never by running out of memory or stack.

use narthex_eval::{Engine, EngineOptions, EvalError, EvalErrorKind, Limits, QueryValue};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};

/// Ten series with a sample per minute from 0 to 99 minutes.
fn store() -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for instance in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        let labels = Labels::from_pairs([("__name__", "m"), ("instance", instance)]);
        for minute in 0..100 {
            store.append(&labels, minute * 60_000, (minute as f64).into(), 0).expect("samples come in order");
        }
    }
    store
}

fn evaluate(query: &str, limits: Limits) -> Result<QueryValue, EvalError> {
    let expr = parse(query, &ParseOptions::ALL).into_result().expect("a valid query");
    let parameters = QueryParameters::range(TimeRange::new(0, 5_940_000), 60_000, 300_000, 60_000);
    let engine = Engine::new(EngineOptions { limits, ..EngineOptions::STABLE });
    engine.evaluate(&store(), &expr, parameters).map(|result| result.value)
}

fn refusal(query: &str, limits: Limits) -> String {
    let error = evaluate(query, limits).expect_err("the limit is too low");
    assert_eq!(error.kind(), EvalErrorKind::Limit, "{error}");
    error.to_string()
}

#[test]
fn samples_are_counted_while_they_are_held() {
    let too_many = "query processing would load too many samples into memory in query execution";
    let at_most = |samples_max| Limits { samples_max, ..Limits::DEFAULT };
    // A result of 1,000 samples is held as a whole, together with the series that is read last.
    assert_eq!(refusal("m", at_most(999)), too_many);
    assert!(evaluate("m", at_most(1100)).is_ok());
}

#[test]
fn series_and_steps_are_limited() {
    let limits = Limits { series_max: 9, ..Limits::DEFAULT };
    assert_eq!(refusal("rate(m[5m])", limits), "selector matches 10 series, more than the limit of 9");
    let limits = Limits { steps_max: 99, ..Limits::DEFAULT };
    assert_eq!(refusal("m", limits), "query would be evaluated at 100 steps, more than the limit of 99");
    let subquery = "max_over_time(rate(m[5m])[100y:1ms])";
    let found = refusal(subquery, Limits::DEFAULT);
    assert!(found.starts_with("subquery would be evaluated at 31"), "{found}");
}

#[test]
fn a_query_that_was_canceled_or_has_expired_ends() {
    let expr = parse("rate(m[5m])", &ParseOptions::ALL).into_result().expect("a valid query");
    let query = Engine::new(EngineOptions::STABLE)
        .prepare(&expr, QueryParameters::instant(600_000, 300_000, 60_000))
        .expect("a plan");
    let context = query.context();
    assert!(query.evaluate_in(&context, &store()).is_ok());
    // Five samples of a series, and the result.
    assert!((5..=60).contains(&context.samples_peak()), "{}", context.samples_peak());
    let refusal = || query.evaluate_in(&context, &store()).expect_err("told to end");
    context.cancel();
    assert_eq!(refusal().to_string(), "query was canceled in expression evaluation");
    assert_eq!(refusal().kind(), EvalErrorKind::Canceled);
    context.expire();
    assert_eq!(refusal().to_string(), "query timed out in expression evaluation");
    assert_eq!(refusal().kind(), EvalErrorKind::Timeout);
}
