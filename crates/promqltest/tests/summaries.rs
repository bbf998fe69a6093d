//! Functions of windows have the same bits whether or not a store tells what chunks amount to, and decode less if it
//! does.

#![expect(clippy::unwrap_used, reason = "failing is what these are for")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use narthex_eval::{Engine, EngineOptions, Profile, QueryValue};
use narthex_model::{Labels, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::{ParseOptions, parse};
use narthex_storage::{Appender, MemoryStorage, Queryable, ReadCounters};
use narthex_testkit::SplitMix64;
use narthex_tsdb::fs::MemoryFs;
use narthex_tsdb::{Database, DatabaseOptions};

const STEP_MS: i64 = 10_000;
const SAMPLES: i64 = 2000;
const END_MS: i64 = SAMPLES * STEP_MS;
const BLOCK_MS: i64 = 4_000_000;

/// The value of a sample, from its number and the value before.
type Next = fn(&mut SplitMix64, i64, f64) -> f64;

/// Counters with and without resets, of integers and others; gauges of integers, of others, with NaN and infinities.
fn series() -> Vec<(&'static str, Vec<f64>)> {
    let mut random = SplitMix64::new(3);
    let mut of = |next: Next| {
        let mut last = 3.0;
        let mut value = |number| {
            last = next(&mut random, number, last);
            last
        };
        (0..SAMPLES).map(&mut value).collect()
    };
    vec![
        ("whole_total", of(|random, _, last| last + random.below(5) as f64)),
        ("parts_total", of(|random, _, last| last + random.unit_f64())),
        (
            "restarted_total",
            of(|random, number, last| if number % 307 == 306 { 0.1 } else { last + random.unit_f64() }),
        ),
        ("level", of(|random, _, last| last + random.between(-2, 2) as f64)),
        ("ratio", of(|random, _, _| random.unit_f64() - 0.5)),
        ("huge", of(|random, _, _| random.below(9) as f64 * 1e13)),
        (
            "odd",
            of(|random, number, _| match (number / 200 % 3, random.below(9)) {
                (0, 0) | (1, _) => f64::NAN,
                (_, 1) => f64::INFINITY,
                (_, 2) => -0.0,
                (_, other) => other as f64,
            }),
        ),
    ]
}

/// The same in memory and on disk: four blocks, the newest samples in the head.
fn stores() -> (MemoryStorage, Database) {
    let mut memory = MemoryStorage::new();
    let options = DatabaseOptions::with_ranges(BLOCK_MS, BLOCK_MS, 1);
    let database = Database::open(Arc::new(MemoryFs::new()), Path::new("/data"), options).unwrap();
    let series = series();
    for number in 0..SAMPLES {
        let at_ms = number * STEP_MS + number % 7;
        let mut appender = database.appender();
        for (name, values) in &series {
            let labels = Labels::from_pairs([("__name__", *name)]);
            let value = values[number as usize];
            memory.append(&labels, at_ms, value.into(), 0).unwrap();
            appender.append(&labels, at_ms, value.into(), 0).unwrap();
        }
        appender.commit().unwrap();
        database.maintain(at_ms).unwrap();
    }
    assert!(database.blocks().len() >= 4 && database.blocks().iter().all(|block| block.has_summaries()));
    (memory, database)
}

/// The result with all bits, and what was read for it.
fn answer(store: &dyn Queryable, text: &str, parameters: QueryParameters) -> (String, ReadCounters) {
    let expr = parse(text, &ParseOptions::ALL).into_result().unwrap();
    let query = Engine::new(EngineOptions::STABLE).prepare(&expr, parameters).unwrap();
    let profile = Profile::new(Box::new(|| Duration::ZERO));
    let result = query.evaluate_in(&query.context().profiled(&profile), store).unwrap();
    let mut reads = ReadCounters::default();
    profile.operators().iter().filter_map(|one| one.figures).for_each(|figures| reads += figures.reads);
    let value = match result.value {
        QueryValue::Vector(samples) => format!("{samples:?}"),
        QueryValue::Matrix(series) => {
            let bits = |floats: &[(i64, f64)]| -> Vec<(i64, u64)> {
                floats.iter().map(|(at_ms, value)| (*at_ms, value.to_bits())).collect()
            };
            let rows: Vec<_> = series.iter().map(|one| (one.labels.to_string(), bits(&one.floats))).collect();
            format!("{rows:x?}")
        }
        other => format!("{other:?}"),
    };
    (format!("{value} {:?}", result.annotations), reads)
}

fn parameters() -> [QueryParameters; 3] {
    let range = |from_ms, step_ms| {
        QueryParameters::range(TimeRange::new(from_ms, END_MS + 50_000), step_ms, 300_000, 60_000)
    };
    [
        QueryParameters::instant(END_MS - 5, 300_000, 60_000),
        range(6_000_000, 5_000_000),
        range(1_000_001, 3_333_333),
    ]
}

/// A function, its selector, and whether it needs fewer samples than there are in the windows.
const QUERIES: [(&str, bool); 26] = [
    ("count_over_time(ratio[3h])", true),
    ("present_over_time(odd[3h])", true),
    ("first_over_time(odd[2h])", true),
    ("last_over_time(odd[2h])", true),
    ("ts_of_first_over_time(ratio[2h])", true),
    ("ts_of_last_over_time(ratio[2h])", true),
    ("min_over_time(odd[3h])", true),
    ("max_over_time(odd[90m])", true),
    ("min_over_time(ratio[90m])", true),
    ("sum_over_time(level[2h])", true),
    ("avg_over_time(level[2h])", true),
    ("avg_over_time(huge[3h] offset 5m)", true),
    ("sum_over_time(ratio[3h])", false),
    ("sum_over_time(odd[3h])", false),
    ("changes(odd[3h])", true),
    ("resets(level[3h])", true),
    ("rate(whole_total[2h])", true),
    ("increase(parts_total[3h])", true),
    ("increase(restarted_total[3h])", true),
    ("increase(level[3h])", false),
    ("delta(ratio[3h])", true),
    ("rate(restarted_total[4h] offset 30m)", true),
    ("increase(whole_total[2h] @ 15000)", true),
    ("absent_over_time(nothing[2h]) or absent_over_time(odd[3h])", true),
    ("quantile_over_time(0.5, ratio[3h])", false),
    ("irate(whole_total[3h])", false),
];

#[test]
fn chunks_that_lie_in_windows_as_a_whole_are_not_decoded() {
    let (memory, database) = stores();
    for (text, skips) in QUERIES {
        for parameters in parameters() {
            let grid = parameters.grid;
            let (expected, all) = answer(&memory, text, parameters);
            let (found, read) = answer(&database, text, parameters);
            assert_eq!(found, expected, "{text} at {grid:?}");
            assert_eq!(read.samples_skipped > 0, skips, "{text} at {grid:?}: {read:?}");
            if skips && !text.contains("odd[3h]") && !text.contains("huge") {
                assert!(
                    read.samples_decoded < all.samples_decoded,
                    "{text} at {grid:?}: {read:?} of {all:?}"
                );
            }
        }
    }
}

#[test]
fn chunks_between_the_windows_are_not_decoded() {
    let (memory, database) = stores();
    let parameters = QueryParameters::range(TimeRange::new(0, END_MS), 4_000_000, 300_000, 60_000);
    for text in
        ["{__name__=~\".+\"}", "timestamp(level)", "stddev_over_time(ratio[5m])", "irate(whole_total[5m])"]
    {
        let ((expected, all), (found, read)) =
            (answer(&memory, text, parameters), answer(&database, text, parameters));
        assert_eq!(found, expected, "{text}");
        assert!(read.samples_decoded * 3 < all.samples_decoded * 2, "{text}: {read:?} of {all:?}");
    }
}
