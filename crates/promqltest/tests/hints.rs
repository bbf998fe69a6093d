//! What comes of histograms whose counter reset hints are as they were written; the store of scripts derives them anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use narthex_diag::Source;
use narthex_eval::{Engine, EngineOptions, QueryValue};
use narthex_plan::QueryParameters;
use narthex_promql::ParseOptions;
use narthex_promqltest::script::Command;
use narthex_promqltest::{load, parse};
use narthex_storage::MemoryStorage;

const LOAD: &str = "load 1m
  unknown {{count:1 sum:1 buckets:[1]}}
  reset {{count:1 sum:1 buckets:[1] counter_reset_hint:reset}}
  not_reset {{count:1 sum:1 buckets:[1] counter_reset_hint:not_reset}}
  gauge {{count:1 sum:1 buckets:[1] counter_reset_hint:gauge}}
";

fn store() -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for command in parse(LOAD).script.commands {
        let Command::Load(block) = command.value else { continue };
        load::apply(&block, &mut store).unwrap();
    }
    store
}

/// How many elements a query has, and its annotations.
fn evaluated(query: &str) -> (usize, Vec<String>) {
    let expr = narthex_promql::parse(query, &ParseOptions::STABLE).into_result().unwrap();
    let parameters = QueryParameters::instant(0, 300_000, 60_000);
    let result = Engine::new(EngineOptions::STABLE).evaluate(&store(), &expr, parameters).unwrap();
    let QueryValue::Vector(samples) = result.value else { panic!("{query} yields a vector") };
    let source = Source::new("query", query);
    (samples.len(), result.annotations.iter().map(|annotation| annotation.text(&source)).collect())
}

#[test]
fn operands_that_contradict_each_other_yield_nothing() {
    for (operator, operation) in [("+", "addition"), ("-", "subtraction")] {
        let said = format!("PromQL warning: conflicting counter resets during histogram {operation} (1:1)");
        assert_eq!(evaluated(&format!("reset {operator} not_reset")), (0, vec![said.clone()]));
        assert_eq!(evaluated(&format!("not_reset {operator} reset")), (0, vec![said]));
        assert_eq!(evaluated(&format!("reset {operator} unknown")), (1, Vec::new()));
        assert_eq!(evaluated(&format!("not_reset {operator} gauge")), (1, Vec::new()));
    }
}

#[test]
fn sums_of_contradictions_stay() {
    let said = "PromQL warning: conflicting counter resets during histogram aggregation (1:5)".to_owned();
    assert_eq!(evaluated("sum({__name__=~\"reset|not_reset\"})"), (1, vec![said.clone()]));
    assert_eq!(evaluated("avg({__name__=~\"reset|not_reset|gauge\"})"), (1, vec![said]));
}
