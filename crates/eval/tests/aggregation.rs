//! Aggregations of range queries against groups formed step by step.

use std::collections::BTreeMap;

use narthex_eval::{Engine, EngineOptions, QueryValue};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage};
use proptest::prelude::*;

const STEPS: usize = 3;
const STEP_MS: i64 = 60_000;

/// Labels `x` and `y` of a series, and its values.
type Series = ((u8, u8), [Option<i8>; STEPS]);
/// Text of the labels, and the value.
type Elements = Vec<(String, f64)>;

fn labels((x, y): (u8, u8)) -> Labels {
    Labels::from_pairs([("__name__", "m"), ("x", x.to_string().as_str()), ("y", y.to_string().as_str())])
}

fn any_series() -> impl Strategy<Value = Vec<Series>> {
    let values = prop::array::uniform3(prop::option::weighted(0.7, -2..3_i8));
    prop::collection::btree_map((0..3_u8, 0..4_u8), values, 0..8)
        .prop_map(|series| series.into_iter().collect())
}

fn evaluate(query: &str, series: &[Series]) -> Vec<Elements> {
    let mut store = MemoryStorage::new();
    for (of, values) in series {
        for (step, value) in values.iter().enumerate() {
            let at_ms = step as i64 * STEP_MS;
            let sample = value.map(|value| store.append(&labels(*of), at_ms, f64::from(value).into(), 0));
            sample.transpose().expect("steps come in order");
        }
    }
    let expr = parse(query, &ParseOptions::ALL).into_result().expect("a valid query");
    let range = TimeRange::new(0, (STEPS as i64 - 1) * STEP_MS);
    let parameters = QueryParameters::range(range, STEP_MS, STEP_MS / 2, STEP_MS);
    let result = Engine::new(EngineOptions::STABLE).evaluate(&store, &expr, parameters);
    let mut steps = vec![Elements::new(); STEPS];
    if let QueryValue::Matrix(matrix) = result.expect("no error").value {
        for series in matrix {
            for (at_ms, value) in series.floats {
                steps[(at_ms / STEP_MS) as usize].push((series.labels.to_string(), value));
            }
        }
    }
    steps
}

/// The groups of `x` at a step: label `y` and value of each element, in the order of the series.
fn groups(series: &[Series], step: usize) -> BTreeMap<u8, Vec<(u8, f64)>> {
    let mut groups: BTreeMap<u8, Vec<(u8, f64)>> = BTreeMap::new();
    for ((x, y), values) in series {
        if let Some(value) = values[step] {
            groups.entry(*x).or_default().push((*y, f64::from(value)));
        }
    }
    groups
}

/// Compares each step with what `expected` makes of the groups.
fn check(
    query: &str,
    series: &[Series],
    expected: impl Fn(u8, &[(u8, f64)]) -> Elements,
) -> Result<(), TestCaseError> {
    for (step, mut found) in evaluate(query, series).into_iter().enumerate() {
        let mut expected: Elements =
            groups(series, step).iter().flat_map(|(x, group)| expected(*x, group)).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(found, expected, "{} at step {}", query, step);
    }
    Ok(())
}

/// The best two elements; of equals the earlier series.
fn best_two(group: &[(u8, f64)]) -> Vec<(u8, f64)> {
    let mut sorted = group.to_vec();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    sorted.truncate(2);
    sorted
}

fn counted(x: u8, group: &[(u8, f64)]) -> Elements {
    let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
    group.iter().for_each(|(_, value)| *counts.entry(*value as i64).or_default() += 1.0);
    counts.into_iter().map(|(value, count)| (format!("{{v=\"{value}\", x=\"{x}\"}}"), count)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn groups_are_formed_at_each_step(series in any_series()) {
        let named = |x: u8| format!("{{x=\"{x}\"}}");
        let kept = |x: u8, group: &[(u8, f64)]| -> Elements {
            group.iter().map(|(y, value)| (labels((x, *y)).to_string(), *value)).collect()
        };
        let sum = |group: &[(u8, f64)]| group.iter().map(|(_, value)| value).sum::<f64>();
        check("sum by (x) (m)", &series, |x, group| vec![(named(x), sum(group))])?;
        check("count without (y) (m)", &series, |x, group| vec![(named(x), group.len() as f64)])?;
        check("topk by (x) (2, m)", &series, |x, group| kept(x, &best_two(group)))?;
        check("limitk by (x) (1, m)", &series, |x, group| kept(x, &group[..1]))?;
        check("count_values by (x) (\"v\", m)", &series, counted)?;
    }

    #[test]
    fn shares_complete_each_other(series in any_series(), percent in 1..100_u32) {
        let share = f64::from(percent) / 100.0;
        let taken = evaluate(&format!("limit_ratio({share}, m)"), &series);
        let rest = evaluate(&format!("limit_ratio(-{}, m)", 1.0 - share), &series);
        for (step, (mut both, rest)) in taken.into_iter().zip(rest).enumerate() {
            both.extend(rest);
            both.sort_by(|a, b| a.0.cmp(&b.0));
            let all = groups(&series, step).into_iter().flat_map(|(x, group)| {
                group.into_iter().map(move |(y, value)| (labels((x, y)).to_string(), value))
            });
            prop_assert_eq!(both, all.collect::<Elements>());
        }
    }
}
