//! How long whole queries take over a head, from text to result; throughput counts input series times steps.

use std::hint::black_box;
use std::time::Duration;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use narthex_benches::cluster::Cluster;
use narthex_eval::{Engine, EngineOptions, QueryValue};
use narthex_model::TimeRange;
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_tsdb::{Head, HeadLimits};

const CLUSTER: Cluster = Cluster::COMPARED;

/// A query, the series it reads and those it yields.
struct Query {
    name: &'static str,
    text: &'static str,
    reads: usize,
    yields: usize,
}

fn queries() -> Vec<Query> {
    let (requests, responses) = (CLUSTER.request_series(), CLUSTER.response_series());
    let (buckets, pods) = (CLUSTER.bucket_series(), CLUSTER.pods);
    let query = |name, text, reads, yields| Query { name, text, reads, yields };
    vec![
        query("selector", "http_requests_total", requests, requests),
        query("sum", "sum(http_requests_total)", requests, 1),
        query("sum_by", "sum by (pod) (http_requests_total)", requests, pods),
        query("rate", "rate(http_requests_total[1m])", requests, requests),
        query("sum_rate", "sum(rate(http_requests_total[1m]))", requests, 1),
        query("sum_by_rate", "sum by (pod) (rate(http_requests_total[1m]))", requests, pods),
        query("topk", "topk(2, http_responses_total)", responses, 2),
        query(
            "quantile",
            "histogram_quantile(0.9, sum by (pod, le) (rate(http_response_seconds_bucket[1m])))",
            buckets,
            pods,
        ),
        query(
            "binary",
            "http_requests_total{container=\"c1\"} / on (pod) http_responses_total",
            2 * responses,
            pods,
        ),
        query(
            "many_to_one",
            "http_requests_total * on (pod) group_left http_responses_total",
            requests + responses,
            requests,
        ),
    ]
}

fn parameters() -> [(&'static str, QueryParameters); 2] {
    let two_hours = TimeRange::new(0, 7_200_000);
    [
        ("instant", QueryParameters::instant(7_200_000, 300_000, 60_000)),
        ("range", QueryParameters::range(two_hours, 30_000, 300_000, 60_000)),
    ]
}

fn query(criterion: &mut Criterion) {
    let mut head = Head::new(HeadLimits::EMBEDDED);
    CLUSTER.fill(&mut head).expect("times rise");
    for (kind, parameters) in parameters() {
        let mut group = criterion.benchmark_group(format!("query/{kind}"));
        for query in queries() {
            measure(&mut group, &head, &query, parameters);
        }
        group.finish();
    }
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    head: &Head,
    query: &Query,
    parameters: QueryParameters,
) {
    assert_eq!(series_count(&evaluate(head, query.text, parameters)), Some(query.yields), "{}", query.text);
    group.throughput(Throughput::Elements((query.reads * parameters.grid.len) as u64));
    group.bench_function(query.name, |bencher| {
        bencher.iter(|| evaluate(head, black_box(query.text), parameters));
    });
}

fn evaluate(head: &Head, text: &str, parameters: QueryParameters) -> QueryValue {
    let expr = parse(text, &ParseOptions::STABLE).into_result().expect("the queries above are valid");
    let engine = Engine::new(EngineOptions::STABLE);
    engine.evaluate(head, &expr, parameters).expect("the queries above can be evaluated").value
}

/// `None` of a value without series.
fn series_count(value: &QueryValue) -> Option<usize> {
    match value {
        QueryValue::Vector(samples) => Some(samples.len()),
        QueryValue::Matrix(series) => Some(series.len()),
        QueryValue::Scalar { .. } | QueryValue::Text { .. } => None,
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = query
}
criterion_main!(benches);
