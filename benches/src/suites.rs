//! The queries that engines are measured with, over the series they are measured with: one table.
//!
//! Sources: `promql/bench_test.go` of Prometheus, `engine/bench_test.go` of thanos-io/promql-engine,
//! `pkg/streamingpromql/benchmarks` of grafana/mimir. Sizes are scaled where a comment of the generator says so.

use narthex_model::TimeRange;
use narthex_plan::QueryParameters;
use narthex_storage::{Appender, StorageError};

use crate::cluster::Cluster;
use crate::{fleet, histograms, mimir, prometheus};

/// Series that queries are measured over.
pub struct Suite {
    /// Name in reports.
    pub name: &'static str,
    /// Appends all samples to an empty store.
    pub fill: fn(&mut dyn Appender) -> Result<(), StorageError>,
    /// Queries over them.
    pub queries: &'static [Query],
}

/// A query and when it is evaluated.
#[derive(Clone, Copy)]
pub struct Query {
    /// The expression.
    pub text: &'static str,
    /// At which times.
    pub times: Times,
}

/// Times of evaluations.
#[derive(Clone, Copy)]
pub struct Times {
    /// The last one.
    pub end_ms: i64,
    /// Distance of two.
    pub step_ms: i64,
    /// Number of them.
    pub steps: usize,
}

impl Times {
    /// As a query has them; a single one is a range all the same.
    pub fn parameters(self) -> QueryParameters {
        let start_ms = self.end_ms - (self.steps as i64 - 1) * self.step_ms;
        let range = TimeRange::new(start_ms, self.end_ms);
        QueryParameters::range(
            range,
            self.step_ms,
            QueryParameters::LOOKBACK_MS,
            QueryParameters::SUBQUERY_STEP_MS,
        )
    }
}

const fn at(times: Times, text: &'static str) -> Query {
    Query { text, times }
}

const fn last_steps(interval_ms: i64, scrapes: usize, steps: usize) -> Times {
    Times { end_ms: (scrapes as i64 - 1) * interval_ms, step_ms: interval_ms, steps }
}

/// Prometheus's: a thousand steps, or one.
const LONG: Times = last_steps(prometheus::INTERVAL_MS, prometheus::SCRAPES, prometheus::STEPS);
const ONCE: Times = last_steps(prometheus::INTERVAL_MS, prometheus::SCRAPES, 1);
/// The Thanos engine's: two hours.
const TWO_HOURS: Times = Times { end_ms: 7_200_000, step_ms: 30_000, steps: 241 };
const JOIN: Times = last_steps(prometheus::INTERVAL_MS, prometheus::STEPS + 1, prometheus::STEPS);
const MIMIR: Times = last_steps(mimir::INTERVAL_MS, mimir::SCRAPES, 900);
/// Histograms are looked at from the twentieth minute on.
const HISTOGRAMS: Times = Times { end_ms: 8_400_000, step_ms: 30_000, steps: 241 };
/// The last hour, a step a minute.
const HOUR: Times =
    Times { end_ms: (fleet::SCRAPES as i64 - 1) * fleet::INTERVAL_MS, step_ms: 60_000, steps: 61 };
/// All six hours, as on a dashboard.
const DASHBOARD: Times = Times { step_ms: 60_000, steps: 355, ..HOUR };

/// All suites.
pub const SUITES: &[Suite] = &[
    Suite { name: "prometheus", fill: prometheus::fill, queries: PROMETHEUS },
    Suite { name: "thanos", fill: |store| Cluster::COMPARED.fill(store), queries: THANOS },
    Suite { name: "mimir", fill: mimir::fill, queries: MIMIR_QUERIES },
    Suite { name: "join", fill: prometheus::fill_join, queries: JOINS },
    Suite { name: "histograms", fill: histograms::fill, queries: HISTOGRAM_QUERIES },
    Suite { name: "fleet", fill: fleet::fill, queries: FLEET },
    Suite { name: "churn", fill: fleet::fill_churning, queries: FLEET },
];

const PROMETHEUS: &[Query] = &[
    at(ONCE, "a_one"),
    at(LONG, "a_one"),
    at(LONG, "a_hundred"),
    at(LONG, "rate(a_hundred[1m])"),
    at(LONG, "rate(sparse[1m])"),
    at(LONG, "rate(a_hundred[1d])"),
    at(ONCE, "rate(a_hundred[1d])"),
    at(LONG, "changes(a_hundred[1d])"),
    at(LONG, "absent_over_time(a_hundred[1d])"),
    at(LONG, "double_exponential_smoothing(a_one[1d], 0.3, 0.3)"),
    at(LONG, "-a_hundred"),
    at(LONG, "a_hundred - b_hundred"),
    at(LONG, "a_hundred and b_hundred{l=~'.*[0-4]$'}"),
    at(LONG, "a_hundred or b_hundred{l=~'.*[0-4]$'}"),
    at(LONG, "a_hundred unless b_hundred{l=~'.*[0-4]$'}"),
    at(LONG, "abs(a_hundred)"),
    at(LONG, "label_replace(a_hundred, 'l2', '$1', 'l', '(.*)')"),
    at(LONG, "sum(a_hundred)"),
    at(LONG, "avg(a_hundred)"),
    at(LONG, "sum without (l) (h_hundred)"),
    at(LONG, "sum by (le) (h_hundred)"),
    at(LONG, "sum by (l) (h_hundred)"),
    at(LONG, "count_values('value', h_ten)"),
    at(LONG, "topk(5, a_hundred)"),
    at(LONG, "limit_ratio(0.5, a_hundred)"),
    at(LONG, "sum without (l) (rate(a_hundred[1m])) / sum without (l) (rate(b_hundred[1m]))"),
    at(LONG, "histogram_quantile(0.9, rate(h_hundred[5m]))"),
    at(LONG, "a_hundred + on(l) group_right a_one"),
    at(LONG, "timestamp(a_hundred)"),
    at(ONCE, "count({__name__!=''})"),
];

const THANOS: &[Query] = &[
    at(TWO_HOURS, "http_requests_total"),
    at(TWO_HOURS, "sum(http_requests_total)"),
    at(TWO_HOURS, "sum by (pod) (http_requests_total)"),
    at(TWO_HOURS, "topk(2, http_requests_total)"),
    at(TWO_HOURS, "quantile(0.9, http_requests_total)"),
    at(TWO_HOURS, "rate(http_requests_total[1m])"),
    at(TWO_HOURS, "sum(rate(http_requests_total[1m]))"),
    at(TWO_HOURS, "sum by (pod) (rate(http_requests_total[1m]))"),
    at(TWO_HOURS, "http_requests_total{container='c1'} / ignoring(container) http_responses_total"),
    at(TWO_HOURS, "http_requests_total / on(pod) group_left http_responses_total"),
    at(TWO_HOURS, "http_requests_total * 10"),
    at(TWO_HOURS, "http_requests_total > 10"),
    at(TWO_HOURS, "clamp(http_requests_total, 5, 10)"),
    at(TWO_HOURS, "http_requests_total @ 600 offset 5m"),
    at(TWO_HOURS, "max(max_over_time(http_requests_total[1h]))"),
    at(TWO_HOURS, "sum(sum_over_time(http_requests_total[1h]))"),
    at(TWO_HOURS, "sum(sum_over_time(rate(http_requests_total[1m])[10m:1m]))"),
    at(TWO_HOURS, "histogram_quantile(0.9, rate(http_response_seconds_bucket[5m]))"),
    at(TWO_HOURS, "histogram_quantile(0.9, sum by (le) (rate(http_response_seconds_bucket[5m])))"),
    at(TWO_HOURS, "sum(http_requests_total) / sum(http_requests_total)"),
];

const MIMIR_QUERIES: &[Query] = &[
    at(MIMIR, "a_2000"),
    at(MIMIR, "sum(a_2000)"),
    at(MIMIR, "sum(a_2000 + b_2000)"),
    at(MIMIR, "sum by (le) (rate(h_2000[1m]))"),
    at(MIMIR, "rate(a_2000{l=~'[13579].*'}[1m]) / rate(a_2000[1m])"),
    at(MIMIR, "max(a_2000) - min(a_2000)"),
    at(MIMIR, "sum_over_time(a_2000[10m:3m])"),
    at(MIMIR, "quantile_over_time(0.3, a_2000[1m])"),
];

const JOINS: &[Query] = &[
    at(JOIN, "rpc_request_success_total + rpc_request_error_total"),
    at(JOIN, "rpc_request_success_total + on(job, instance) group_left rpc_request_error_total"),
    at(JOIN, "rpc_request_success_total and rpc_request_error_total{instance=~'0.*'}"),
    at(JOIN, "rpc_request_success_total or rpc_request_error_total{instance=~'0.*'}"),
    at(JOIN, "rpc_request_success_total unless rpc_request_error_total{instance=~'0.*'}"),
];

const HISTOGRAM_QUERIES: &[Query] = &[
    at(HISTOGRAMS, "sum(native_histogram_series)"),
    at(HISTOGRAMS, "sum(rate(native_histogram_series[2m]))"),
    at(HISTOGRAMS, "sum(rate(native_histogram_series[20m]))"),
    at(HISTOGRAMS, "histogram_count(sum(rate(native_histogram_series[2m])))"),
    at(HISTOGRAMS, "histogram_quantile(0.9, sum(native_histogram_series))"),
];

const FLEET: &[Query] = &[
    at(HOUR, "sum(rate(requests_total[5m]))"),
    at(DASHBOARD, "sum by (instance) (rate(requests_total[5m]))"),
    at(HOUR, "sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))"),
    at(DASHBOARD, "avg by (job) (temperature_celsius)"),
    at(HOUR, "max_over_time(resident_memory_bytes[1h])"),
    at(HOUR, "sum(increase(cpu_seconds_total[5h]))"),
    at(DASHBOARD, "count({job='fleet'})"),
];

#[cfg(test)]
mod tests {
    use narthex_eval::{Engine, EngineOptions};
    use narthex_promql::{ParseOptions, parse};
    use narthex_storage::MemoryStorage;

    use super::*;

    #[test]
    fn every_query_has_a_plan_within_its_data() {
        for query in SUITES.iter().flat_map(|suite| suite.queries) {
            let expr = parse(query.text, &ParseOptions::ALL).into_result().expect(query.text);
            let parameters = query.times.parameters();
            assert_eq!(parameters.grid.len, query.times.steps, "{}", query.text);
            assert!(parameters.grid.start_ms >= 0, "{}", query.text);
            let plan = Engine::new(EngineOptions::STABLE).prepare(&expr, parameters);
            assert!(plan.is_ok_and(|plan| plan.evaluate(&MemoryStorage::new()).is_ok()), "{}", query.text);
        }
    }
}
