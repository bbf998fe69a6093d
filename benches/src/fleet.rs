//! Series as servers have them: a mix of kinds, jittered, with resets, gaps and stale markers; and targets that come and
//! go.

use narthex_model::sample::stale_nan;
use narthex_model::{Labels, SampleValue};
use narthex_storage::{Appender, StorageError};
use narthex_testkit::SplitMix64;

/// Distance of two scrapes.
pub const INTERVAL_MS: i64 = 15_000;
/// Scrapes of six hours.
pub const SCRAPES: usize = 6 * 240;
/// Series at any time.
pub const SERIES: usize = 2000;
/// Series of one target.
const SERIES_PER_TARGET: usize = 20;
/// Scrapes between two replacements of targets: ten minutes.
const SCRAPES_PER_LIFE: usize = 40;
/// Of so many targets one is replaced each time.
const REPLACED_OF: usize = 20;

/// Of 100 series: counters of whole numbers, counters that mostly idle, gauges with two decimals, gauges of bytes,
/// counters of seconds, constants.
const KINDS: [(usize, &str, Next); 6] = [
    (35, "requests_total", |random, last| last + random.below(20) as f64),
    (60, "errors_total", |random, last| if random.chance(0.1) { last + 1.0 } else { last }),
    (75, "temperature_celsius", |random, last| {
        (last * 100.0 + random.between(-50, 50) as f64).round() / 100.0
    }),
    (85, "resident_memory_bytes", |random, last| last + 4096.0 * random.between(-100, 100) as f64),
    (95, "cpu_seconds_total", |random, last| last + random.unit_f64()),
    (100, "build_info", |_, _| 1.0),
];

/// The value after the last one.
type Next = fn(&mut SplitMix64, f64) -> f64;

/// The mix: all targets live all the time.
///
/// # Errors
/// When the store refuses a sample.
pub fn fill(store: &mut dyn Appender) -> Result<(), StorageError> {
    for target in 0..SERIES / SERIES_PER_TARGET {
        fill_target(store, target, 0, 0..SCRAPES)?;
    }
    store.commit()
}

/// The mix, but every ten minutes one of twenty targets is replaced by one of another name.
///
/// # Errors
/// When the store refuses a sample.
pub fn fill_churning(store: &mut dyn Appender) -> Result<(), StorageError> {
    for target in 0..SERIES / SERIES_PER_TARGET {
        let mut from = 0;
        let ends = (1..).map(|life| life * SCRAPES_PER_LIFE).take_while(|end| *end < SCRAPES);
        for (life, end) in ends.enumerate().filter(|(life, _)| life % REPLACED_OF == target % REPLACED_OF) {
            fill_target(store, target, life, from..end)?;
            from = end;
        }
        fill_target(store, target, SCRAPES, from..SCRAPES)?;
    }
    store.commit()
}

fn fill_target(
    store: &mut dyn Appender,
    target: usize,
    life: usize,
    scrapes: std::ops::Range<usize>,
) -> Result<(), StorageError> {
    let instance = format!("10.0.{target}.{life}:9100");
    for series in 0..SERIES_PER_TARGET {
        let rank = (target * SERIES_PER_TARGET + series) * 37 % 100;
        let Some((_, name, next)) = KINDS.into_iter().find(|(below, ..)| rank < *below) else { continue };
        let code = series.to_string();
        let labels = [("__name__", name), ("instance", &instance), ("job", "fleet"), ("series", &code)];
        fill_series(store, &Labels::from_pairs(labels), next, scrapes.clone())?;
    }
    Ok(())
}

/// Samples stray by 10 ms, one of 100 scrapes fails, one of 1000 finds the value at 0.
fn fill_series(
    store: &mut dyn Appender,
    labels: &Labels,
    next: Next,
    scrapes: std::ops::Range<usize>,
) -> Result<(), StorageError> {
    let mut random = SplitMix64::new(
        labels.to_string().bytes().fold(7, |seed, byte| seed * 31 % (1 << 40) + u64::from(byte)),
    );
    let mut last = 1000.0;
    let mut is_missing = false;
    for scrape in scrapes {
        let at_ms = scrape as i64 * INTERVAL_MS + random.between(0, 20);
        last = if random.chance(0.001) { 0.0 } else { next(&mut random, last) };
        let was_missing = std::mem::replace(&mut is_missing, random.chance(0.01));
        match (is_missing, was_missing) {
            (true, true) => continue,
            (true, false) => store.append(labels, at_ms, SampleValue::Float(stale_nan()), 0)?,
            (false, _) => store.append(labels, at_ms, SampleValue::Float(last), 0)?,
        }
    }
    Ok(())
}
