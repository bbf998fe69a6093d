//! Queries over ten thousand series: bombs within a budget, and long ones that are told to stop.

use std::sync::Arc;
use std::time::Duration;

use narthex_eval::{Engine, EngineOptions, EvalError, Limits, Query};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{Interrupt, ParseOptions, StopReason, parse, parse_interruptible};
use narthex_storage::{Appender, MemoryStorage};
use narthex_testkit::hostile;

use crate::cases::{Case, any_of};
use crate::measure::{Ended, cpu_ms};

const SERIES: usize = 10_000;
const END_MS: i64 = 600_000;
const BUDGET_BYTES: usize = 64 << 20;
const LIMITS: Limits = Limits { bytes_max: BUDGET_BYTES, points_max: 1_000_000_000, ..Limits::DEFAULT };

fn store() -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for number in 0..SERIES {
        let i = format!("{number:04}");
        let labels = Labels::from_pairs([("__name__", "m"), ("i", &i), ("x", "abcd")]);
        for at_ms in (0..=END_MS).step_by(10_000) {
            let value = number as f64 + at_ms as f64 / 1e7;
            store.append(&labels, at_ms, value.into(), 0).expect("in order");
        }
    }
    store
}

fn parameters(steps: usize) -> QueryParameters {
    match steps {
        1 => QueryParameters::instant(END_MS, 300_000, 60_000),
        _ => {
            let step_ms = END_MS / steps as i64;
            let range = TimeRange::new(END_MS - (steps as i64 - 1) * step_ms, END_MS);
            QueryParameters::range(range, step_ms, 300_000, 60_000)
        }
    }
}

fn prepared(text: &str, steps: usize, limits: Limits) -> Result<Query, String> {
    let expr = parse(text, &ParseOptions::ALL).into_result().map_err(|error| format!("syntax: {error}"))?;
    let engine = Engine::new(EngineOptions { limits, ..EngineOptions::STABLE });
    engine.prepare(&expr, parameters(steps)).map_err(|error| refusal(&error))
}

fn refusal(error: &EvalError) -> String {
    format!("{}: {error}", error.limit_kind().map_or("error", |limit| limit.as_str()))
}

/// F22 within a budget and a tenth of it; F23 at once where it is refused.
pub(crate) fn bombs() -> Vec<Case> {
    let case = |bomb: hostile::Bomb| {
        let is_refused_at_once = bomb.fault == "F23" && bomb.outcome != "value";
        let steps = bomb.steps;
        Case {
            name: format!("{} {}", bomb.fault, bomb.name),
            cpu_max_ms: if is_refused_at_once { 50 } else { 30_000 },
            bytes_max: BUDGET_BYTES + BUDGET_BYTES / 10,
            outcomes: vec![bomb.outcome],
            prepare: Box::new(move || {
                // Dropping the store is not part of the query.
                let store: &MemoryStorage = Box::leak(Box::new(store()));
                let query = bomb.query;
                Box::new(move || {
                    let outcome = prepared(&query, steps, LIMITS).and_then(|prepared| {
                        let context = prepared.context();
                        let outcome = prepared.evaluate_in(&context, store).map_err(|error| refusal(&error));
                        let peak = context.bytes_peak() as f64 / 1048576.0;
                        outcome.map(|_| format!("value, {peak:.1} MiB counted"))
                    });
                    outcome.unwrap_or_else(|refusal| refusal).into()
                })
            }),
        }
    };
    hostile::bombs().into_iter().map(case).collect()
}

/// What takes long in one phase each.
const LONG: &[(&str, usize, &str)] = &[
    ("select and read", 11_000, "count(m)"),
    ("slide windows", 11_000, "count(rate(m[10m]))"),
    ("sort windows", 1_000, "count(quantile_over_time(0.5, m[10m:100ms]))"),
    ("evaluate a subquery", 1, "count(max_over_time(m[10m:1ms]))"),
    (
        "evaluate one long series",
        1,
        "max_over_time(quantile_over_time(0.5, m{i=\"0001\"}[10m:1ms])[5m:100ms])",
    ),
    ("pair all with all", 1, "count(m * on () group_left (i) m)"),
    (
        "rewrite labels",
        1,
        "count(label_replace(label_join(m, \"y\", \",\", \"i\", \"x\", \"i\"), \"z\", \"$1\", \"y\", \"(.*)\"))",
    ),
    ("count values", 900, "count(count_values(\"v\", m * time()))"),
    ("rank", 1_000, "count(topk(5000, m))"),
    ("group", 1_000, "count(quantile by (i) (0.5, m))"),
    ("sort by labels", 1, "sort_by_label(label_join(m, \"y\", \",\", \"i\", \"x\"), \"y\", \"x\", \"i\")"),
    ("build the result", 5_000, "m"),
];

/// F21: the CPU time that a query takes after it was told to stop.
pub(crate) fn stopped() -> Vec<Case> {
    let long = LONG.iter().map(|&(name, steps, text)| Case {
        name: format!("F21 {name}"),
        cpu_max_ms: 100,
        bytes_max: usize::MAX,
        outcomes: any_of(&["canceled", "finished"]),
        prepare: Box::new(move || {
            let store: &MemoryStorage = Box::leak(Box::new(store()));
            Box::new(move || stop_while(|interrupt| evaluate(store, text, steps, interrupt)))
        }),
    });
    let reading =
        [("read a long text", "(a + b) * ".repeat(90_000) + "a"), ("read a comment", "#".repeat(15 << 20))];
    let reading = reading.map(|(name, text)| Case {
        name: format!("F21 {name}"),
        cpu_max_ms: 100,
        bytes_max: usize::MAX,
        outcomes: any_of(&["canceled", "finished"]),
        prepare: Box::new(move || {
            let text = Arc::new(text);
            Box::new(move || {
                stop_while(|interrupt| match parse_interruptible(&text, &ParseOptions::ALL, interrupt) {
                    Ok(_) => "finished".to_owned(),
                    Err(reason) => format!("canceled: {reason:?}"),
                })
            })
        }),
    });
    long.chain(reading).collect()
}

fn evaluate(store: &MemoryStorage, text: &str, steps: usize, interrupt: &Interrupt) -> String {
    let limits = Limits { points_max: usize::MAX, ..Limits::DEFAULT };
    let outcome = prepared(text, steps, limits).map(|query| {
        let context = query.interruptible_context(interrupt);
        query.evaluate_in(&context, store)
    });
    match outcome {
        Ok(Ok(_)) => "finished".to_owned(),
        Ok(Err(error)) => format!("{:?}: {error}", error.kind()).to_lowercase(),
        Err(refusal) => refusal,
    }
}

/// Runs `work`, which another thread stops after a while; only what it takes after that counts.
fn stop_while(work: impl FnOnce(&Interrupt) -> String) -> Ended {
    const WHILE: Duration = Duration::from_millis(20);
    let interrupt = Interrupt::new();
    std::thread::scope(|scope| {
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let stopping = interrupt.clone();
        let clock = scope.spawn(move || {
            let is_late = is_done
                .recv_timeout(WHILE)
                .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout);
            stopping.stop(StopReason::Canceled);
            is_late.then(cpu_ms)
        });
        let outcome = work(&interrupt);
        let ended_ms = cpu_ms();
        drop(done);
        let stopped_ms = clock.join().expect("a clock does not panic");
        Ended { outcome, cpu_ms: Some(stopped_ms.map_or(0.0, |stopped_ms| (ended_ms - stopped_ms).max(0.0))) }
    })
}
