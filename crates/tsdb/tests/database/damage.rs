//! One bit of one file flipped, every bit of every file in turn (F4), and recovery that deletes nothing (F6).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use narthex_model::TimeRange;
use narthex_storage::{Outline, Queryable, SelectHints, Summary, SummaryNeed};
use narthex_tsdb::db::Database;
use narthex_tsdb::fs::{EntryKind, Fs, MemoryFs, Survival};

use super::accel::ALL;
use super::model::{RANGE_MS, Samples, Store, open, read_all};

/// A small store with blocks, a deletion, a log and late samples.
fn small() -> Store {
    let mut store = Store::new();
    for round in 0..12 {
        store.append().unwrap();
        if round == 8 {
            let at_ms = store.next_ms - 2 * RANGE_MS - 1;
            store.append_at(at_ms).unwrap();
        }
        store.maintain().unwrap();
    }
    store.delete().unwrap();
    store.append().unwrap();
    store.reopen().unwrap();
    store.append().unwrap();
    store
}

fn files(fs: &dyn Fs, dir: &Path, found: &mut Vec<(PathBuf, u64)>) {
    for entry in fs.list(dir).unwrap() {
        let path = dir.join(&entry.name);
        match entry.kind {
            EntryKind::Directory => files(fs, &path, found),
            _ => found.push((path, entry.len)),
        }
    }
}

/// Whether all samples are found that were acknowledged, and none that were deleted; an error when one is found that
/// never was.
fn judge(found: &Samples, acknowledged: &Samples, ever: &Samples) -> Result<bool, String> {
    let mut is_complete = true;
    for (series, samples) in found {
        for (at_ms, value) in samples {
            let expected = ever.get(series).and_then(|samples| samples.get(at_ms));
            if expected.map(|value| value.to_bits()) != Some(value.to_bits()) {
                return Err(format!("{series} at {at_ms} has {value}, not {expected:?}"));
            }
        }
    }
    for (series, samples) in found {
        is_complete &= samples
            .keys()
            .all(|at_ms| acknowledged.get(series).is_some_and(|known| known.contains_key(at_ms)));
    }
    for (series, samples) in acknowledged {
        is_complete &=
            samples.keys().all(|at_ms| found.get(series).is_some_and(|found| found.contains_key(at_ms)));
    }
    Ok(is_complete)
}

/// The number of samples that are told or summed up; an error when something is summed up that never was.
fn judge_runs(database: &Database, acknowledged: &Samples, ever: &Samples) -> Result<u64, String> {
    let querier = database.querier(TimeRange::ALL).map_err(|error| error.to_string())?;
    let hints = SelectHints { windows: Some(ALL), ..SelectHints::default() };
    let set = querier.select(&[], TimeRange::ALL, &hints).map_err(|error| error.to_string())?;
    let (mut outline, mut told) = (Outline::default(), 0);
    for series in 0..set.len() {
        let read = set.outline(series, TimeRange::ALL, SummaryNeed::Any, &mut outline);
        read.map_err(|error| error.to_string())?;
        let labels = set.labels(series).to_string();
        told += outline.samples.len() as u64;
        for run in &outline.runs {
            told += run.summary.samples;
            let summary_of = |samples: &Samples| {
                let values = samples.get(&labels)?.range(run.first_ms..=run.last_ms).map(|sample| *sample.1);
                Summary::of(&values.collect::<Vec<f64>>())
            };
            if ![summary_of(acknowledged), summary_of(ever)].contains(&Some(run.summary)) {
                return Err(format!("{labels} has {run:?}"));
            }
        }
    }
    Ok(told)
}

/// Every n-th bit, all of them with `NARTHEX_FLIPS=all`.
fn stride() -> usize {
    if std::env::var("NARTHEX_FLIPS").is_ok_and(|text| text == "all") { 1 } else { 7 }
}

#[test]
fn a_flipped_bit_never_changes_a_value_and_never_goes_unnoticed() {
    let store = small();
    let (acknowledged, ever) = (store.acknowledged.clone(), store.ever.clone());
    let disk = store.fs.after_crash(Survival::Written);
    drop(store);
    let mut all = Vec::new();
    files(&disk, Path::new("/"), &mut all);
    let bytes: u64 = all.iter().map(|file| file.1).sum();
    assert!(bytes < 64 << 10, "{bytes} bytes");
    assert!(all.iter().any(|(path, _)| path.starts_with("/data/narthex/accel")));
    let (mut flips, mut gaps) = (0, 0);
    for (path, length) in &all {
        for bit in (0..*length as usize * 8).step_by(stride()) {
            let damaged = disk.after_crash(Survival::Written);
            damaged.damage(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
            let context = format!("bit {bit} of {}", path.display());
            let before = total_bytes(&damaged);
            let database = open(&damaged).unwrap_or_else(|error| panic!("{context}: {error}"));
            let (found, warnings) = read_all(&database).unwrap_or_else(|error| panic!("{context}: {error}"));
            let is_complete =
                judge(&found, &acknowledged, &ever).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert!(is_complete || !warnings.is_empty(), "{context}: samples are missing without a word");
            assert!(total_bytes(&damaged) >= before, "{context}: recovery deleted something");
            let told = judge_runs(&database, &acknowledged, &ever);
            let told = told.unwrap_or_else(|error| panic!("{context}: {error}"));
            let read: usize = found.values().map(BTreeMap::len).sum();
            assert!(told >= read as u64, "{context}: {told} samples are summed up or read, not {read}");
            drop(database);
            // What was found stays known, and recovering once more changes nothing.
            let database = open(&damaged).unwrap_or_else(|error| panic!("{context}, again: {error}"));
            let (again, warnings) =
                read_all(&database).unwrap_or_else(|error| panic!("{context}, again: {error}"));
            assert_eq!(again, found, "{context}: another start has another answer");
            assert!(is_complete || !warnings.is_empty(), "{context}: forgotten at the next start");
            flips += 1;
            gaps += usize::from(!is_complete);
        }
    }
    println!(
        "{flips} flips of {} files, {bytes} bytes: 0 wrong, 0 silent, {gaps} with samples missing",
        all.len()
    );
}

fn total_bytes(fs: &MemoryFs) -> u64 {
    fs.used_bytes()
}
