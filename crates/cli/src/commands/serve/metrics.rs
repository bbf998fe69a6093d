//! What a store tells of itself at `/metrics`, under upstream's names where they mean the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use narthex_exposition::entry::MetricType::{self, Counter, Gauge};
use narthex_exposition::write::{write_help, write_sample, write_type};
use narthex_model::Labels;
use narthex_model::labels::METRIC_NAME;
use narthex_server::server::MetricsPage;
use narthex_tsdb::db::{Counters, Database, DatabaseStats};
use narthex_tsdb::wal::WalStats;

/// A number that every store has.
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    value: fn(&Moment<'_>) -> f64,
}

/// A store at one moment.
struct Moment<'a> {
    stats: DatabaseStats,
    counters: &'a Counters,
    exemplars_max: usize,
}

impl Moment<'_> {
    fn log(&self, number: impl Fn(&WalStats) -> u64) -> f64 {
        self.stats.log.as_ref().map_or(0, number) as f64
    }
}

fn read(counter: &AtomicU64) -> f64 {
    counter.load(Ordering::Relaxed) as f64
}

const fn metric(
    name: &'static str,
    kind: MetricType,
    help: &'static str,
    value: fn(&Moment<'_>) -> f64,
) -> Metric {
    Metric { name, help, kind, value }
}

/// All of them but the samples that were appended, which come by type.
const METRICS: &[Metric] = &[
    metric("narthex_storage_gaps", Gauge, "Known gaps: samples that are missing, or may be.", |now| {
        now.stats.gaps as f64
    }),
    metric(
        "narthex_storage_damages_total",
        Counter,
        "Damaged parts that were found when the store was opened, or by a query.",
        |now| read(&now.counters.damages),
    ),
    metric(
        "narthex_storage_quarantined_parts_total",
        Counter,
        "Damaged parts that were put into the quarantine.",
        |now| read(&now.counters.quarantined),
    ),
    metric("narthex_storage_writable", Gauge, "Whether samples can be acknowledged now.", |now| {
        let is_writable = now.stats.log.as_ref().is_some_and(|log| log.fault.is_none());
        f64::from(u8::from(is_writable))
    }),
    metric(
        "narthex_storage_maintenance_failures_total",
        Counter,
        "Times that cutting, compacting or removing blocks did not come to its end.",
        |now| read(&now.counters.failures),
    ),
    metric(
        "narthex_storage_blocks_cut_total",
        Counter,
        "Blocks that were cut from what is in memory.",
        |now| read(&now.counters.cuts),
    ),
    metric("narthex_storage_blocks_compacted_total", Counter, "Blocks that were made of others.", |now| {
        read(&now.counters.compactions)
    }),
    metric(
        "narthex_storage_blocks_expired_total",
        Counter,
        "Blocks that were removed because they were too old or there was no room.",
        |now| read(&now.counters.expired),
    ),
    metric("prometheus_tsdb_blocks_loaded", Gauge, "Blocks that are there.", |now| now.stats.blocks as f64),
    metric("prometheus_tsdb_storage_blocks_bytes", Gauge, "Bytes of all blocks.", |now| {
        now.stats.block_bytes as f64
    }),
    metric("prometheus_tsdb_head_series", Gauge, "Series in memory.", |now| now.stats.series as f64),
    metric("prometheus_tsdb_head_min_time", Gauge, "Oldest time in memory, in milliseconds.", |now| {
        now.stats.head_min_ms.unwrap_or(0) as f64
    }),
    metric("prometheus_tsdb_head_max_time", Gauge, "Newest time in memory, in milliseconds.", |now| {
        now.stats.head_max_ms.unwrap_or(0) as f64
    }),
    metric(
        "narthex_storage_samples_refused_total",
        Counter,
        "Samples that another batch left no place for between append and commit.",
        |now| read(&now.counters.refused),
    ),
    metric(
        "prometheus_tsdb_wal_corruptions_total",
        Counter,
        "Damaged parts of the log that were found when the store was opened.",
        |now| read(&now.counters.log_damages),
    ),
    metric("prometheus_tsdb_wal_segment_current", Gauge, "Number of the file that is written.", |now| {
        now.log(|log| log.segment)
    }),
    metric("prometheus_tsdb_wal_storage_size_bytes", Gauge, "Bytes of the log.", |now| {
        now.log(|log| log.bytes)
    }),
    metric(
        "prometheus_tsdb_wal_writes_failed_total",
        Counter,
        "Times that a file of the log could not be written or made durable.",
        |now| now.log(|log| log.failures),
    ),
    metric(
        "narthex_storage_wal_syncs_total",
        Counter,
        "Calls that made something of the log durable.",
        |now| now.log(|log| log.syncs),
    ),
    metric("narthex_storage_wal_batches_total", Counter, "Batches that were logged.", |now| {
        now.log(|log| log.batches)
    }),
    metric(
        "narthex_storage_wal_unsynced_batches",
        Gauge,
        "Batches that a power cut would cost now.",
        |now| now.log(|log| log.batches.saturating_sub(log.durable_batches)),
    ),
    metric("prometheus_tsdb_exemplar_exemplars_in_storage", Gauge, "Exemplars in memory.", |now| {
        now.stats.exemplars as f64
    }),
    metric(
        "prometheus_tsdb_exemplar_series_with_exemplars_in_storage",
        Gauge,
        "Series that have exemplars in memory.",
        |now| now.stats.series_with_exemplars as f64,
    ),
    metric("prometheus_tsdb_exemplar_max_exemplars", Gauge, "Most exemplars that are kept.", |now| {
        now.exemplars_max as f64
    }),
    metric(
        "prometheus_tsdb_exemplar_exemplars_appended_total",
        Counter,
        "Exemplars that were appended.",
        |now| read(&now.counters.exemplars),
    ),
];

/// What tells them.
pub(super) fn page(database: Arc<Database>) -> MetricsPage {
    Box::new(move |out| write(&database, out))
}

fn write(database: &Database, out: &mut String) {
    let exemplars_max = database.options().head.exemplars_max;
    let moment = Moment { stats: database.stats(), counters: database.counters(), exemplars_max };
    for Metric { name, help, kind, value } in METRICS {
        head(out, name, help, *kind);
        write_sample(out, &Labels::from_pairs([(METRIC_NAME, *name)]), value(&moment), None);
    }
    let name = "prometheus_tsdb_head_samples_appended_total";
    head(out, name, "Samples that were appended.", Counter);
    for (kind, counter) in [("float", &moment.counters.floats), ("histogram", &moment.counters.histograms)] {
        let labels = Labels::from_pairs([(METRIC_NAME, name), ("type", kind)]);
        write_sample(out, &labels, read(counter), None);
    }
}

fn head(out: &mut String, name: &str, help: &str, kind: MetricType) {
    write_help(out, name, help);
    write_type(out, name, kind);
}
