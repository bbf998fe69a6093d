//! What the server counts, under upstream's names where it has them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use narthex_exposition::entry::MetricType;
use narthex_exposition::write::{write_help, write_sample, write_type};
use narthex_model::Labels;
use narthex_model::labels::METRIC_NAME;
use narthex_remote::Received;

use crate::gate::Gate;

/// Counters of a server.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Answers by path and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    samples_written: AtomicU64,
    samples_refused: AtomicU64,
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn count_request(&self, handler: &'static str, status: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((handler, status)).or_default() += 1;
    }

    /// Counts what a remote write brought.
    pub(crate) fn count_written(&self, received: Option<&Received>) {
        let Some(received) = received else { return };
        let stored = (received.samples + received.histograms) as u64;
        self.samples_written.fetch_add(stored, Ordering::Relaxed);
        self.samples_refused.fetch_add(received.refused as u64, Ordering::Relaxed);
    }

    /// Appends all in text format.
    pub(crate) fn write(&self, out: &mut String, gate: &Gate) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let name = "prometheus_http_requests_total";
        head(out, name, "Answers by path and status.", MetricType::Counter);
        for ((handler, status), count) in requests {
            let code = status.to_string();
            let labels = [(METRIC_NAME, name), ("handler", handler), ("code", &code)];
            write_sample(out, &Labels::from_pairs(labels), count as f64, None);
        }
        let written = self.samples_written.load(Ordering::Relaxed);
        let refused = self.samples_refused.load(Ordering::Relaxed);
        let numbers = [
            (
                "prometheus_engine_queries",
                "Requests that are computed now.",
                MetricType::Gauge,
                gate.running() as u64,
            ),
            (
                "prometheus_engine_queries_concurrent_max",
                "Most requests that are computed at once.",
                MetricType::Gauge,
                gate.running_max() as u64,
            ),
            (
                "narthex_remote_write_samples_stored_total",
                "Samples that came by remote write and are stored.",
                MetricType::Counter,
                written,
            ),
            (
                "narthex_remote_write_samples_refused_total",
                "Samples that came by remote write and were refused.",
                MetricType::Counter,
                refused,
            ),
        ];
        for (name, help, kind, value) in numbers {
            head(out, name, help, kind);
            write_sample(out, &Labels::from_pairs([(METRIC_NAME, name)]), value as f64, None);
        }
    }
}

fn head(out: &mut String, name: &str, help: &str, kind: MetricType) {
    write_help(out, name, help);
    write_type(out, name, kind);
}
