//! Bombs: queries over ten thousand series that want far too much, within a budget.

use narthex_eval::{Engine, EngineOptions, EvalError, Limits, Query};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};
use narthex_testkit::hostile;

use crate::cases::Case;

const SERIES: usize = 10_000;
const END_MS: i64 = 600_000;
const BUDGET_BYTES: usize = 64 << 20;
const LIMITS: Limits = Limits { bytes_max: BUDGET_BYTES, points_max: 1_000_000_000, ..Limits::DEFAULT };

/// Ten thousand series of 61 samples each.
pub(crate) fn store() -> MemoryStorage {
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

/// An instant, or so many steps over all samples.
pub(crate) fn parameters(steps: usize) -> QueryParameters {
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

/// The limit that was reached, if it was one, and what else is said.
pub(crate) fn refusal(error: &EvalError) -> String {
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
