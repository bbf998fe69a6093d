//! How long the rules of one group take, one by one and together, at an instant and over a backtest.

use std::time::Duration;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use narthex_benches::service;
use narthex_eval::{Engine, EngineOptions, EvalError, QueryResult};
use narthex_model::TimeRange;
use narthex_plan::QueryParameters;
use narthex_promql::{Expr, ParseOptions, parse};
use narthex_tsdb::{Head, HeadLimits};

type Results = Vec<Result<QueryResult, EvalError>>;

fn rule_group(criterion: &mut Criterion) {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    service::fill(&mut head).expect("times rise");
    let parsed = |rule: &String| parse(rule, &ParseOptions::STABLE).into_result().expect("rules are valid");
    let rules: Vec<Expr> = service::rules().iter().map(parsed).collect();
    assert_eq!(rules.len(), service::RULES);
    let end_ms = (service::SAMPLES as i64 - 1) * service::INTERVAL_MS;
    let last_hour = TimeRange::new(end_ms - 3_600_000, end_ms);
    let times = [
        ("instant", QueryParameters::instant(end_ms, 300_000, 60_000)),
        ("backtest", QueryParameters::range(last_hour, 60_000, 300_000, 60_000)),
    ];
    for (name, parameters) in times {
        let mut group = criterion.benchmark_group(format!("rule_group/{name}"));
        group.throughput(Throughput::Elements(service::RULES as u64));
        measure(&mut group, &head, &rules, parameters);
        group.finish();
    }
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    head: &Head,
    rules: &[Expr],
    parameters: QueryParameters,
) {
    let (alone, together) = (one_by_one(head, rules, parameters), at_once(head, rules, parameters));
    assert_eq!(format!("{alone:?}"), format!("{together:?}"), "the results are the same");
    group.bench_function("one_by_one", |bencher| bencher.iter(|| one_by_one(head, rules, parameters)));
    group.bench_function("together", |bencher| bencher.iter(|| at_once(head, rules, parameters)));
}

fn one_by_one(head: &Head, rules: &[Expr], parameters: QueryParameters) -> Results {
    let engine = Engine::new(EngineOptions::STABLE);
    rules.iter().map(|rule| engine.evaluate(head, rule, parameters)).collect()
}

fn at_once(head: &Head, rules: &[Expr], parameters: QueryParameters) -> Results {
    Engine::new(EngineOptions::STABLE).prepare_group(rules, parameters).evaluate(head)
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3));
    targets = rule_group
}
criterion_main!(benches);
