//! The samples that a query looks at, counted as upstream counts them.

use narthex_eval::{Engine, EngineOptions};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};

/// Two series with a sample every ten seconds, up to the hundredth second; the second begins at the fiftieth.
fn store() -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for (job, from) in [("a", 0), ("b", 5)] {
        let labels = Labels::from_pairs([("__name__", "x"), ("job", job)]);
        for number in from..=10 {
            store.append(&labels, number * 10_000, (number as f64).into(), 0).expect("times rise");
        }
    }
    store
}

/// Samples at each of the seconds 40, 50, 60.
fn counted(text: &str) -> Vec<u64> {
    let parameters = QueryParameters::range(TimeRange::new(40_000, 60_000), 10_000, 300_000, 60_000);
    let expr = parse(text, &ParseOptions::ALL).into_result().expect("it is valid");
    let query = Engine::new(EngineOptions::STABLE).prepare(&expr, parameters).expect("it has a plan");
    let context = query.context().counting_samples();
    let (store, plain) = (store(), query.context());
    let value = query.evaluate_in(&context, &store).expect("it can be evaluated").value;
    assert_eq!(value, query.evaluate_in(&plain, &store).expect("it can be evaluated").value);
    assert!(plain.samples_by_step().is_none());
    context.samples_by_step().expect("they are counted")
}

#[test]
fn samples_count_at_the_steps_that_look_at_them() {
    let rows: [(&str, [u64; 3]); 9] = [
        ("1 + 1", [0, 0, 0]),
        ("x", [1, 2, 2]),
        ("timestamp(x) + x", [2, 4, 4]),
        ("sum_over_time(x[30s])", [3, 4, 5]),
        ("sum(rate(x[30s])) / count(x)", [4, 6, 7]),
        ("x @ 100", [2, 2, 2]),
        ("sum_over_time(x[30s] @ 100)", [6, 6, 6]),
        ("max_over_time(x[30s:10s])", [3, 4, 5]),
        ("max_over_time(sum_over_time(x[20s])[30s:10s])", [3, 4, 5]),
    ];
    for (text, samples) in rows {
        assert_eq!(counted(text), samples, "{text}");
    }
}
