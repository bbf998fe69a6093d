//! One service as its team watches it: its series, and a group of rules that ask the same of them again and again, as
//! generated objectives (several windows, several burn rates, several groupings) do.

use narthex_model::{Labels, SampleValue};
use narthex_storage::{Appender, StorageError};
use narthex_testkit::SplitMix64;

/// Distance of two scrapes.
pub const INTERVAL_MS: i64 = 15_000;
/// Scrapes of each series: six hours.
pub const SAMPLES: usize = 1440;
/// Rules of the group.
pub const RULES: usize = 200;

const NAMESPACES: [&str; 4] = ["blue", "green", "red", "grey"];
const PODS: usize = 12;
const METHODS: [&str; 2] = ["GET", "POST"];
const CODES: [&str; 4] = ["200", "404", "500", "503"];
const COUNTERS: [&str; 3] = ["http_requests_total", "grpc_server_handled_total", "db_queries_total"];
const GAUGES: [&str; 3] = ["memory_working_set_bytes", "memory_limit_bytes", "queue_length"];
const BOUNDS: [&str; 9] = ["0.005", "0.01", "0.05", "0.1", "0.3", "0.5", "1", "5", "+Inf"];
const DURATION: &str = "http_request_duration_seconds_bucket";

/// Appends all samples, the first at time zero; returns the number of series.
///
/// # Errors
/// When the store refuses one.
pub fn fill(store: &mut dyn Appender) -> Result<usize, StorageError> {
    let mut series = 0;
    for namespace in NAMESPACES {
        for pod in 0..PODS {
            series += fill_pod(store, namespace, &format!("{namespace}-{pod}"))?;
        }
    }
    store.commit()?;
    Ok(series)
}

fn fill_pod(store: &mut dyn Appender, namespace: &str, pod: &str) -> Result<usize, StorageError> {
    let base = [("job", "api"), ("namespace", namespace), ("pod", pod)];
    let named = |name, more: &[(&'static str, &'static str)]| {
        let name = [("__name__", name)];
        Labels::from_pairs(name.into_iter().chain(base).chain(more.iter().copied()))
    };
    let mut counters: Vec<Labels> = Vec::new();
    for name in COUNTERS {
        for method in METHODS {
            counters.extend(CODES.map(|code| named(name, &[("method", method), ("code", code)])));
        }
    }
    counters.extend(BOUNDS.map(|le| named(DURATION, &[("le", le)])));
    for (number, labels) in counters.iter().enumerate() {
        append(store, labels, number as u64, |random, before| before + random.below(20) as f64)?;
    }
    let gauges: Vec<Labels> = GAUGES.iter().chain(&["up"]).map(|name| named(name, &[])).collect();
    for (number, labels) in gauges.iter().enumerate() {
        append(store, labels, number as u64, |random, _| random.below(1000) as f64)?;
    }
    Ok(counters.len() + gauges.len())
}

fn append(
    store: &mut dyn Appender,
    labels: &Labels,
    seed: u64,
    next: impl Fn(&mut SplitMix64, f64) -> f64,
) -> Result<(), StorageError> {
    let (mut random, mut value) = (SplitMix64::new(seed), 0.0);
    for sample in 0..SAMPLES {
        value = next(&mut random, value);
        store.append(labels, sample as i64 * INTERVAL_MS, SampleValue::Float(value), 0)?;
    }
    Ok(())
}

/// The expressions of the group.
pub fn rules() -> Vec<String> {
    let mut rules = Vec::new();
    for metric in COUNTERS {
        recorded_rates(&mut rules, metric);
        error_ratios(&mut rules, metric);
        burn_rates(&mut rules, metric);
    }
    latencies(&mut rules);
    resources(&mut rules);
    rules.truncate(RULES);
    rules
}

fn recorded_rates(rules: &mut Vec<String>, metric: &str) {
    for window in ["5m", "30m", "1h", "2h", "6h"] {
        for labels in ["namespace", "namespace, pod", "namespace, method"] {
            rules.push(format!("sum by ({labels}) (rate({metric}{{job=\"api\"}}[{window}]))"));
        }
    }
}

fn ratio(metric: &str, labels: &str, window: &str) -> String {
    format!(
        "sum by ({labels}) (rate({metric}{{job=\"api\", code=~\"5..\"}}[{window}])) / sum by ({labels}) (rate({metric}{{job=\"api\"}}[{window}]))"
    )
}

fn error_ratios(rules: &mut Vec<String>, metric: &str) {
    for window in ["5m", "30m", "1h", "2h", "6h"] {
        for labels in ["namespace", "namespace, method"] {
            rules.push(ratio(metric, labels, window));
        }
    }
}

/// Alerts of two windows each, as the workbook of site reliability has them.
fn burn_rates(rules: &mut Vec<String>, metric: &str) {
    for (short, long, factor) in [("5m", "1h", "14.4"), ("30m", "6h", "6"), ("2h", "6h", "3")] {
        for labels in ["namespace", "namespace, method", "namespace, pod"] {
            let (short, long) = (ratio(metric, labels, short), ratio(metric, labels, long));
            rules.push(format!("({short}) > {factor} * 0.001 and ({long}) > {factor} * 0.001"));
        }
    }
}

fn latencies(rules: &mut Vec<String>) {
    for window in ["5m", "30m", "1h", "6h"] {
        for labels in ["le", "le, namespace", "le, namespace, pod"] {
            let rates = format!("sum by ({labels}) (rate({DURATION}{{job=\"api\"}}[{window}]))");
            rules.extend(["0.5", "0.9", "0.99"].map(|q| format!("histogram_quantile({q}, {rates})")));
        }
        rules.push(format!(
            "sum by (namespace) (rate({DURATION}{{job=\"api\", le=\"0.3\"}}[{window}])) / sum by (namespace) (rate({DURATION}{{job=\"api\", le=\"+Inf\"}}[{window}])) < 0.95"
        ));
    }
}

fn resources(rules: &mut Vec<String>) {
    for metric in GAUGES {
        for window in ["5m", "1h", "6h"] {
            for function in ["max_over_time", "avg_over_time", "min_over_time", "deriv"] {
                rules.push(format!("{function}({metric}{{job=\"api\"}}[{window}])"));
            }
            rules.push(format!("predict_linear({metric}{{job=\"api\"}}[{window}], 4 * 3600) < 0"));
        }
        for op in ["sum", "avg", "max", "min", "count"] {
            rules.push(format!("{op} by (namespace) ({metric}{{job=\"api\"}})"));
        }
    }
    rules.extend(
        [
            "memory_working_set_bytes{job=\"api\"} / memory_limit_bytes{job=\"api\"} > 0.9",
            "up{job=\"api\"} == 0",
            "count by (namespace) (up{job=\"api\"} == 1) / count by (namespace) (up{job=\"api\"}) < 0.8",
            "avg_over_time(up{job=\"api\"}[1h]) < 0.9",
            "absent(up{job=\"api\"})",
            "changes(up{job=\"api\"}[30m]) > 3",
        ]
        .map(str::to_owned),
    );
}
