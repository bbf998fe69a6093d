//! Float series of the kinds that stores meet.

use narthex_testkit::SplitMix64;

/// Samples that a head puts into one chunk.
pub const CHUNK_SAMPLES: usize = 120;
/// Distance of two scrapes.
pub const INTERVAL_MS: i64 = 15_000;
/// First scrape: 2026-01-05 10:00:00 UTC.
pub const START_MS: i64 = 1_767_607_200_000;

/// A time in milliseconds and a value.
pub type Sample = (i64, f64);

/// A kind of series.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Name in reports.
    pub name: &'static str,
    /// How far scrapes stray from their time, in either direction.
    jitter_ms: i64,
    /// The value after `last`, the number of the sample known.
    next: fn(&mut SplitMix64, usize, f64) -> f64,
}

/// Every kind; `jittered_counter` is what most series of a server look like.
pub const KINDS: &[Kind] = &[
    Kind { name: "constant", jitter_ms: 0, next: |_, _, _| 1.0 },
    Kind { name: "idle", jitter_ms: 0, next: idle },
    Kind { name: "jittered_counter", jitter_ms: 10, next: counter },
    Kind { name: "decimal_gauge", jitter_ms: 0, next: decimal_gauge },
    Kind { name: "float_counter", jitter_ms: 0, next: |random, _, last| last + random.unit_f64() },
    Kind { name: "random", jitter_ms: 0, next: |random, _, _| random.unit_f64() },
];

/// A counter of whole numbers that rises by 0 to 19.
fn counter(random: &mut SplitMix64, _: usize, last: f64) -> f64 {
    last + random.below(20) as f64
}

/// A counter that moves at every tenth scrape.
fn idle(random: &mut SplitMix64, number: usize, last: f64) -> f64 {
    if number.is_multiple_of(10) { counter(random, number, last) } else { last }
}

/// A random walk with two decimals, as of a temperature.
fn decimal_gauge(random: &mut SplitMix64, _: usize, last: f64) -> f64 {
    let step = random.between(-50, 50) as f64;
    ((last * 100.0).round() + step) / 100.0
}

impl Kind {
    /// The chunks of one long series, [`CHUNK_SAMPLES`] samples each.
    pub fn chunks(&self, count: usize) -> Vec<Vec<Sample>> {
        let mut random = SplitMix64::new(11);
        let mut last = 1000.0;
        let mut sample = |number: usize| {
            last = (self.next)(&mut random, number, last);
            let jitter_ms = random.between(-self.jitter_ms, self.jitter_ms);
            (START_MS + number as i64 * INTERVAL_MS + jitter_ms, last)
        };
        let samples: Vec<Sample> = (0..count * CHUNK_SAMPLES).map(&mut sample).collect();
        samples.chunks(CHUNK_SAMPLES).map(<[Sample]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_rise_and_kinds_differ() {
        let all: Vec<Vec<Vec<Sample>>> = KINDS.iter().map(|kind| kind.chunks(3)).collect();
        for chunks in &all {
            assert!(chunks.len() == 3 && chunks.iter().all(|chunk| chunk.len() == CHUNK_SAMPLES));
            assert!(chunks.concat().is_sorted_by(|a, b| a.0 < b.0));
        }
        assert!((1..all.len()).all(|at| all[at - 1] != all[at]));
    }
}
