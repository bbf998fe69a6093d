//! The deepest queries that parse are evaluated on the stack of an ordinary thread.

use narthex_eval::{Engine, EngineOptions, QueryValue};
use narthex_model::Labels;
use narthex_plan::QueryParameters;
use narthex_promql::features::{CHAIN_LIMIT, NEST_LIMIT};
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};

/// Rust's default for threads; the main thread has more.
const STACK_BYTES: usize = 2 << 20;

/// The value of the only element at the epoch, where `a` is 1.
fn value_of(query: String) -> f64 {
    let evaluate = move || {
        let mut store = MemoryStorage::new();
        store.append(&Labels::from_pairs([("__name__", "a")]), 0, 1.0.into(), 0).expect("the first sample");
        let expr = parse(&query, &ParseOptions::ALL).into_result().expect("within the limits");
        let engine = Engine::new(EngineOptions::STABLE);
        let result = engine.evaluate(&store, &expr, QueryParameters::instant(0, 300_000, 60_000));
        match result.expect("a value").value {
            QueryValue::Vector(samples) => match samples.as_slice() {
                [sample] => match sample.value {
                    narthex_model::SampleValue::Float(value) => value,
                    narthex_model::SampleValue::Histogram(_) => f64::NAN,
                },
                _ => f64::NAN,
            },
            QueryValue::Scalar { value, .. } => value,
            QueryValue::Text { .. } | QueryValue::Matrix(_) => f64::NAN,
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(evaluate).expect("a thread");
    thread.join().expect("the stack holds")
}

fn nested(function: &str, depth: usize) -> String {
    format!("{}a{}", format!("{function}(").repeat(depth), ")".repeat(depth))
}

#[test]
fn nested_calls() {
    let depth = NEST_LIMIT - 1;
    for function in ["abs", "sum", "absent", "timestamp", "sort"] {
        assert!(!value_of(nested(function, depth)).is_infinite(), "{function}");
    }
}

#[test]
fn nested_subqueries() {
    let depth = NEST_LIMIT / 2;
    let query = format!("{}a{}", "max_over_time(".repeat(depth), "[1m:1m])".repeat(depth));
    assert_eq!(value_of(query), 1.0);
}

#[test]
fn nested_operands() {
    let depth = NEST_LIMIT - 1;
    let nested = |open: &str| format!("{}a{}", open.repeat(depth), ")".repeat(depth));
    assert_eq!(value_of(nested("a + (")), depth as f64 + 1.0);
    assert_eq!(value_of(nested("a or (")), 1.0);
    // A sign and its parenthesis are two levels.
    let signs = format!("{}a{}", "-(".repeat(depth / 2), ")".repeat(depth / 2));
    assert_eq!(value_of(signs).abs(), 1.0);
}

#[test]
fn long_chains() {
    let links = CHAIN_LIMIT - 8;
    assert_eq!(value_of(vec!["a"; links].join(" + ")), links as f64);
    assert_eq!(value_of(vec!["1"; links].join(" + ")), links as f64);
    assert_eq!(value_of(format!("a{}", " + 1".repeat(links))), links as f64 + 1.0);
    assert_eq!(value_of(vec!["a"; links].join(" or ")), 1.0);
}
