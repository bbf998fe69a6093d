//! What a fleet of targets yields, scrape after scrape: counters that rise and counters that idle, gauges, constants.

use narthex_model::Labels;

/// Targets and the series of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Targets {
    /// Targets.
    pub targets: usize,
    /// Series of a target.
    pub series: usize,
}

/// Distance of two scrapes.
const INTERVAL_MS: i64 = 15_000;

impl Targets {
    /// Samples that one scrape of all targets yields.
    pub fn samples(&self) -> usize {
        self.targets * self.series
    }

    /// Labels of a series: eight of them, as an exporter in a cluster has.
    pub fn labels(&self, target: usize, series: usize) -> Labels {
        let instance = format!("10.0.{}.{}:9100", target / 250, target % 250);
        let metric = format!("node_metric_{}_total", series / 10);
        let mode = format!("mode-{}", series % 10);
        Labels::from_pairs([
            ("__name__", metric.as_str()),
            ("instance", &instance),
            ("job", "node-exporter"),
            ("cluster", "production-eu-1"),
            ("namespace", "monitoring"),
            ("pod", &format!("node-exporter-{target:05}")),
            ("mode", &mode),
            ("team", "infrastructure"),
        ])
    }

    /// Time of a scrape, a few milliseconds off the schedule.
    pub fn at_ms(&self, target: usize, scrape: i64) -> i64 {
        scrape * INTERVAL_MS + target as i64 * 7 + noise(target as u64, scrape as u64) as i64 % 10
    }

    /// Of 20 series: 7 counters of whole numbers, 5 counters that idle for most of the time, 3 gauges with two decimals,
    /// 2 gauges of bytes, a counter of hundredths of seconds, a sum of floats, a constant.
    pub fn value(&self, target: usize, series: usize, scrape: i64) -> f64 {
        let seed = (target * self.series + series) as u64;
        let draw = noise(seed, scrape as u64);
        match series % 20 {
            0..7 => (scrape * (1 + (seed % 19) as i64) + (draw % 7) as i64) as f64,
            7..12 => (scrape / (10 + (seed % 7) as i64)) as f64,
            12..15 => (2000 + (draw % 300) as i64) as f64 / 100.0,
            15..17 => (4096 * (100_000 + draw % 500)) as f64,
            17 => (scrape * 137 + (draw % 90) as i64) as f64 / 100.0,
            18 => scrape as f64 * 0.137 + draw as f64 / u64::MAX as f64,
            _ => 1.0,
        }
    }
}

/// The same for the same arguments, otherwise without pattern. Source of the constants: splitmix64.
fn noise(seed: u64, number: u64) -> u64 {
    let mut state = (seed << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 31)) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_differ_and_times_rise() {
        let targets = Targets { targets: 2, series: 40 };
        let labels: std::collections::BTreeSet<_> =
            (0..2).flat_map(|target| (0..40).map(move |series| targets.labels(target, series))).collect();
        assert_eq!(labels.len(), targets.samples());
        assert!((0..100).all(|scrape| targets.at_ms(1, scrape) < targets.at_ms(1, scrape + 1)));
    }
}
