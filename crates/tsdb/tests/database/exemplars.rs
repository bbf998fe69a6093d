//! Exemplars: bounded, in order, there after a crash.

use std::path::Path;
use std::sync::Arc;

use narthex_model::{Labels, Matcher, TimeRange};
use narthex_storage::{Appender, Exemplar, Queryable, StorageErrorKind};
use narthex_tsdb::db::Database;
use narthex_tsdb::fs::{MemoryFs, Survival};

use super::model::{DIR, options};

fn open(fs: &MemoryFs, exemplars_max: usize) -> Database {
    let mut options = options();
    options.head.exemplars_max = exemplars_max;
    Database::open(Arc::new(fs.clone()), Path::new(DIR), options).unwrap()
}

fn labels(series: &str) -> Labels {
    Labels::from_pairs([("__name__", "m"), ("series", series)])
}

fn exemplar(at_ms: i64) -> Exemplar {
    Exemplar {
        labels: Labels::from_pairs([("trace", at_ms.to_string().as_str())]),
        value: at_ms as f64,
        at_ms,
    }
}

/// Series and the times of their exemplars.
fn found(database: &Database, range: TimeRange) -> Vec<(Labels, Vec<i64>)> {
    let selectors = [vec![Matcher::equal("series", "a")], vec![Matcher::equal("__name__", "m")]];
    let found = database.exemplars(&selectors, range).unwrap();
    let times = |exemplars: Vec<Exemplar>| exemplars.iter().map(|exemplar| exemplar.at_ms).collect();
    found.into_iter().map(|(labels, exemplars)| (labels, times(exemplars))).collect()
}

#[test]
fn the_newest_ones_are_there_after_a_crash() {
    let fs = MemoryFs::new();
    let database = open(&fs, 4);
    for at_ms in [10_000, 10_001, 10_002] {
        let mut appender = database.appender();
        for series in ["a", "b"] {
            appender.append(&labels(series), at_ms, 1.0.into(), 0).unwrap();
            Appender::append_exemplar(&mut appender, &labels(series), exemplar(at_ms)).unwrap();
        }
        appender.commit().unwrap();
    }
    let kept = vec![10_001, 10_002];
    let expected = [(labels("a"), kept.clone()), (labels("b"), kept)];
    assert_eq!(found(&database, TimeRange::ALL), expected);
    assert_eq!(found(&database, TimeRange::new(0, 10_001))[0].1, [10_001]);
    assert_eq!((database.stats().exemplars, database.stats().series_with_exemplars), (4, 2));
    let again = open(&fs.after_crash(Survival::Synced), 4);
    assert_eq!(found(&again, TimeRange::ALL), expected);
    let reader = Database::open_read_only(Arc::new(fs), Path::new(DIR), options()).unwrap();
    assert_eq!(found(&reader, TimeRange::ALL)[0].1, [10_000, 10_001, 10_002]);
}

#[test]
fn what_cannot_be_kept_is_refused_and_costs_nothing_else() {
    let fs = MemoryFs::new();
    let database = open(&fs, 9);
    let mut appender = database.appender();
    let mut append = |series: &str, at_ms: i64| {
        Appender::append_exemplar(&mut appender, &labels(series), exemplar(at_ms))
            .map_err(|error| error.kind())
    };
    assert_eq!(append("a", 10_000), Err(StorageErrorKind::UnknownSeries));
    appender.append(&labels("a"), 10_000, 1.0.into(), 0).unwrap();
    let mut append = |at_ms: i64| {
        Appender::append_exemplar(&mut appender, &labels("a"), exemplar(at_ms)).map_err(|error| error.kind())
    };
    assert_eq!(append(10_000), Ok(()));
    assert_eq!(append(9_000), Err(StorageErrorKind::OutOfOrder));
    assert_eq!(append(10_000), Ok(()), "the same once more");
    let long =
        Exemplar { labels: Labels::from_pairs([("trace", "x".repeat(200).as_str())]), ..exemplar(10_001) };
    let refused = Appender::append_exemplar(&mut appender, &labels("a"), long);
    assert_eq!(refused.unwrap_err().kind(), StorageErrorKind::InvalidSample);
    appender.commit().unwrap();
    assert_eq!(found(&database, TimeRange::ALL), [(labels("a"), vec![10_000])]);
    let mut appender = database.appender();
    let late = Appender::append_exemplar(&mut appender, &labels("a"), exemplar(9_999));
    assert_eq!(late.unwrap_err().kind(), StorageErrorKind::OutOfOrder);
    drop(appender);
    drop(database);
    let none = open(&fs, 0);
    let mut appender = none.appender();
    let refused = Appender::append_exemplar(&mut appender, &labels("a"), exemplar(10_001));
    assert_eq!(refused.unwrap_err().kind(), StorageErrorKind::InvalidSample);
}
