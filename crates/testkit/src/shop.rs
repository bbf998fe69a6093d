//! The scrapes of a small shop during one eventful hour: the exposition file that the examples query.
//!
//! Three services and five nodes, scraped every 15 seconds. From minute 20 on `api-2` answers slowly and with errors,
//! at minute 35 it restarts (its counters start anew), and `web-1` is gone from minute 50 on. Timestamps jitter by a
//! few milliseconds, as scrapes do.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::SplitMix64;

/// First scrape: 2026-01-05 10:00:00 UTC.
pub const START_MS: i64 = 1_767_607_200_000;
/// Distance of two scrapes.
pub const INTERVAL_MS: i64 = 15_000;
/// Number of scrapes.
pub const SCRAPES: usize = 240;

const HANDLERS: [(&str, f64); 5] =
    [("/cart", 6.0), ("/items", 24.0), ("/login", 2.5), ("/pay", 1.5), ("/search", 9.0)];
const BOUNDS: [(&str, f64); 8] = [
    ("0.01", 0.05),
    ("0.025", 0.2),
    ("0.05", 0.45),
    ("0.1", 0.7),
    ("0.25", 0.9),
    ("0.5", 0.97),
    ("1", 0.995),
    ("+Inf", 1.0),
];
const MODES: [(&str, f64); 4] = [("idle", 0.72), ("iowait", 0.03), ("system", 0.07), ("user", 0.18)];

/// Series of one family: labels to samples.
type Family = BTreeMap<String, Vec<(i64, f64)>>;

/// The whole file in Prometheus text format with timestamps in milliseconds.
pub fn exposition() -> String {
    let mut shop = Shop { random: SplitMix64::new(7), families: BTreeMap::new(), now_ms: 0 };
    let mut counters = BTreeMap::new();
    for scrape in 0..SCRAPES {
        shop.scrape(scrape, &mut counters);
    }
    let mut out = String::new();
    for (&(name, kind, help), family) in &shop.families {
        write_family(&mut out, name, kind, help, family);
    }
    out
}

fn write_family(out: &mut String, name: &str, kind: &str, help: &str, family: &Family) {
    let written = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
    for (labels, samples) in family {
        for (at_ms, value) in samples {
            let written = writeln!(out, "{labels} {value} {at_ms}");
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        }
    }
}

type FamilyKey = (&'static str, &'static str, &'static str);
type Counters = BTreeMap<String, f64>;

const UP: FamilyKey = ("up", "gauge", "Whether the target could be scraped.");
const BUILD: FamilyKey = ("build_info", "gauge", "A constant 1 with the version that runs.");
const REQUESTS: FamilyKey = ("http_requests_total", "counter", "Requests answered.");
const DURATION: FamilyKey = ("http_request_duration_seconds", "histogram", "Time to answer a request.");
const MEMORY: FamilyKey = ("process_resident_memory_bytes", "gauge", "Resident memory.");
const CPU: FamilyKey = ("node_cpu_seconds_total", "counter", "Seconds a CPU spent in a mode.");
const AVAILABLE: FamilyKey = ("node_filesystem_avail_bytes", "gauge", "Bytes a filesystem has left.");
const SIZE: FamilyKey = ("node_filesystem_size_bytes", "gauge", "Bytes a filesystem has.");
const QUEUE: FamilyKey = ("orders_queue_length", "gauge", "Orders waiting to be shipped.");

struct Shop {
    random: SplitMix64,
    families: BTreeMap<FamilyKey, Family>,
    now_ms: i64,
}

impl Shop {
    fn scrape(&mut self, scrape: usize, counters: &mut Counters) {
        let minute = scrape as f64 / 4.0;
        for (job, count) in [("api", 4), ("web", 3), ("db", 2)] {
            for number in 1..=count {
                self.service(job, &format!("{job}-{number}"), scrape, minute, counters);
            }
        }
        for number in 1..=5 {
            self.node(&format!("node-{number}"), scrape, minute, counters);
        }
        self.at(scrape, 14);
        let wave = (minute / 60.0 * std::f64::consts::TAU).sin();
        let backlog = (40.0 + 25.0 * wave + (minute - 20.0).clamp(0.0, 15.0) * 9.0).round();
        self.sample(QUEUE, "orders_queue_length{queue=\"shipping\"}".into(), backlog);
    }

    /// Sets the time of a target's scrape: its own offset within the interval, and a little jitter.
    fn at(&mut self, scrape: usize, target: usize) {
        let jitter_ms = self.random.between(-4, 4);
        self.now_ms = START_MS + scrape as i64 * INTERVAL_MS + target as i64 * 970 + jitter_ms.abs();
    }

    fn sample(&mut self, family: FamilyKey, series: String, value: f64) {
        let samples = self.families.entry(family).or_default().entry(series).or_default();
        samples.push((self.now_ms, value));
    }

    fn service(&mut self, job: &str, instance: &str, scrape: usize, minute: f64, counters: &mut Counters) {
        let target = instance.bytes().map(usize::from).sum::<usize>() % 14;
        self.at(scrape, target);
        let is_gone = instance == "web-1" && minute >= 50.0;
        let restarts = instance == "api-2" && minute == 35.0;
        let target = format!("job=\"{job}\",instance=\"{instance}\"");
        self.sample(UP, format!("up{{{target}}}"), f64::from(u8::from(!is_gone && !restarts)));
        if is_gone || restarts {
            counters.retain(|series, _| !series.contains(instance));
            return;
        }
        let version = if minute > 35.0 && instance == "api-2" { "1.8.1" } else { "1.8.0" };
        self.sample(BUILD, format!("build_info{{{target},version=\"{version}\"}}"), 1.0);
        let megabytes = 180.0 + minute * 1.5 + (self.random.unit_f64() * 12.0).round();
        self.sample(MEMORY, format!("process_resident_memory_bytes{{{target}}}"), megabytes * 1_048_576.0);
        if job != "db" {
            let ails = instance == "api-2" && (20.0..35.0).contains(&minute);
            self.requests(&target, ails, minute, counters);
        }
    }

    fn requests(&mut self, target: &str, ails: bool, minute: f64, counters: &mut Counters) {
        let wave = 1.0 + 0.4 * (minute / 60.0 * std::f64::consts::TAU).sin();
        for (handler, per_second) in HANDLERS {
            let expected = per_second * wave * INTERVAL_MS as f64 / 1000.0;
            let requests = (expected * (0.8 + 0.4 * self.random.unit_f64())).round();
            let failed = (requests * if ails { 0.22 } else { 0.002 } + self.random.unit_f64() * 0.6).floor();
            let labels = format!("{target},handler=\"{handler}\"");
            for (code, count) in [("200", requests - failed), ("500", failed)] {
                let series = format!("http_requests_total{{{labels},code=\"{code}\"}}");
                self.count(REQUESTS, series, count, counters);
            }
            self.durations(&labels, requests, ails, counters);
        }
    }

    fn durations(&mut self, labels: &str, requests: f64, ails: bool, counters: &mut Counters) {
        for (bound, share) in BOUNDS {
            let share = if ails && bound != "+Inf" { share * share * 0.8 } else { share };
            let series = format!("http_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}}");
            self.count(DURATION, series, (requests * share).floor(), counters);
        }
        let mean_seconds = if ails { 0.62 } else { 0.081 };
        let seconds = (requests * mean_seconds * 1000.0).round() / 1000.0;
        self.count(DURATION, format!("http_request_duration_seconds_count{{{labels}}}"), requests, counters);
        self.count(DURATION, format!("http_request_duration_seconds_sum{{{labels}}}"), seconds, counters);
    }

    fn node(&mut self, instance: &str, scrape: usize, minute: f64, counters: &mut Counters) {
        let number = usize::from(instance.as_bytes()[5] - b'0');
        self.at(scrape, 8 + number);
        let target = format!("job=\"node\",instance=\"{instance}\"");
        self.sample(UP, format!("up{{{target}}}"), 1.0);
        for cpu in 0..4 {
            for (mode, share) in MODES {
                let seconds = share * 15.0 * (0.9 + 0.2 * self.random.unit_f64());
                let series = format!("node_cpu_seconds_total{{{target},cpu=\"{cpu}\",mode=\"{mode}\"}}");
                self.count(CPU, series, (seconds * 100.0).round() / 100.0, counters);
            }
        }
        for (mount, gigabytes, per_minute) in [("/", 100.0, 0.02), ("/var", 400.0, 0.9)] {
            let labels = format!("{target},mountpoint=\"{mount}\"");
            let left = gigabytes * (0.3 + 0.05 * number as f64) - per_minute * minute;
            self.sample(SIZE, format!("node_filesystem_size_bytes{{{labels}}}"), gigabytes * 1e9);
            self.sample(
                AVAILABLE,
                format!("node_filesystem_avail_bytes{{{labels}}}"),
                (left * 1e6).round() * 1e3,
            );
        }
    }

    fn count(&mut self, family: FamilyKey, series: String, more: f64, counters: &mut Counters) {
        let total = counters.entry(series.clone()).or_default();
        *total = ((*total + more) * 1000.0).round() / 1000.0;
        let total = *total;
        self.sample(family, series, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_what_is_generated_and_real_world_sized() {
        let text = exposition();
        let series: std::collections::BTreeSet<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplitn(3, ' ').nth(2))
            .collect();
        assert!(series.len() >= 500, "{} series", series.len());
        crate::golden("exposition/shop.prom", &text);
    }
}
