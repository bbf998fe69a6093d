//! Whether the log keeps what was acknowledged: over crashes, torn writes, flipped bits, disks that fail.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use narthex_model::{FloatHistogram, Labels, SampleValue, TimeRange};
use narthex_tsdb::fs::{Fault, FaultMode, Fs, MemoryFs, Operation, Survival};
use narthex_tsdb::wal::{
    Batch, DamageKind, Exemplar, Metadata, MetricType, ReplayReport, Sample, SeriesId, SyncPolicy, Wal,
    WalOptions, replay,
};

const DIR: &str = "/data/narthex/wal";
const SERIES: u64 = 20;

fn open(fs: &MemoryFs, policy: SyncPolicy, segment_bytes: u64) -> Wal {
    let options = WalOptions { policy, segment_bytes, ..WalOptions::STABLE };
    Wal::open(Arc::new(fs.clone()), Path::new(DIR), options).unwrap()
}

fn labels(series: u64) -> Labels {
    Labels::from_pairs([("__name__", "up"), ("instance", &series.to_string())])
}

/// What target number `target` yields at scrape number `scrape`.
fn scrape(target: u64, scrape: i64) -> Batch {
    let ids = (0..SERIES).map(|series| SeriesId::from_number(target * SERIES + series));
    let samples = ids.clone().filter(|id| scrape % 7 != 3 || id.number() % 5 != 1).map(|id| {
        let value = match id.number() % 4 {
            0 => (id.number() as i64 * scrape) as f64,
            1 => 0.25 * id.number() as f64,
            2 => (scrape as f64).sqrt(),
            _ => 1.0 / (id.number() as f64 + (scrape / 5) as f64),
        };
        Sample { series: id, at_ms: 15_000 * scrape + (scrape & 3), start_ms: 0, value: value.into() }
    });
    let mut batch = Batch { samples: samples.collect(), ..Batch::default() };
    if scrape == 0 {
        batch.series = ids.map(|id| (id, labels(id.number()))).collect();
    }
    batch
}

/// Every kind of record.
fn varied() -> Vec<Batch> {
    let id = SeriesId::from_number(1);
    let histogram = FloatHistogram { count: 3.0, sum: 1.5, ..FloatHistogram::default() };
    let other = Batch {
        metadata: vec![(
            "up".into(),
            Metadata { metric_type: MetricType::Gauge, unit: "".into(), help: "?".into() },
        )],
        samples: vec![Sample {
            series: id,
            at_ms: 9_000_000,
            start_ms: 5,
            value: SampleValue::from(histogram),
        }],
        exemplars: vec![(id, Exemplar { labels: labels(7), value: 0.5, at_ms: 77 })],
        deletions: vec![(id, TimeRange::new(1, 2))],
        ..Batch::default()
    };
    (0..6)
        .map(|number| scrape(0, number))
        .chain([other])
        .chain((0..3).map(|number| scrape(1, number)))
        .collect()
}

/// Single facts of batches, comparable: whatever way they are cut into batches.
fn facts(batches: &[Batch]) -> BTreeSet<String> {
    let of_batch = |batch: &Batch| {
        let samples = batch.samples.iter().map(|sample| match &sample.value {
            SampleValue::Float(value) => {
                format!("{:?} {} {:x}", sample.series, sample.at_ms, value.to_bits())
            }
            SampleValue::Histogram(_) => format!("{sample:?}"),
        });
        let rest = batch.series.iter().map(|one| format!("{one:?}"));
        let rest = rest.chain(batch.metadata.iter().map(|one| format!("{one:?}")));
        let rest = rest.chain(batch.exemplars.iter().map(|one| format!("{one:?}")));
        let rest = rest.chain(batch.deletions.iter().map(|one| format!("{one:?}")));
        samples.chain(rest).collect::<Vec<_>>()
    };
    batches.iter().flat_map(of_batch).collect()
}

fn read(fs: &dyn Fs) -> (Vec<Batch>, ReplayReport) {
    let mut batches = Vec::new();
    let report = replay(fs, Path::new(DIR), &mut |batch| batches.push(batch.clone())).unwrap();
    (batches, report)
}

/// A log of one file, closed, with where it lies.
fn one_file() -> (MemoryFs, std::path::PathBuf) {
    let fs = MemoryFs::new();
    let wal = open(&fs, SyncPolicy::Always, u64::MAX);
    for batch in varied() {
        wal.commit(wal.append(&batch).unwrap()).unwrap();
    }
    assert_eq!(wal.cut_segment(), Ok(1));
    (fs, Path::new(DIR).join("00000001"))
}

#[test]
fn what_was_logged_is_read() {
    let (fs, _) = one_file();
    let (batches, report) = read(&fs);
    assert_eq!(facts(&batches), facts(&varied()));
    assert_eq!((report.files, report.damages.len()), (1, 0));
    assert_eq!(report.samples, varied().iter().map(|batch| batch.samples.len() as u64).sum::<u64>());
    assert_eq!(read(&MemoryFs::new()).1, ReplayReport::default());
}

#[test]
fn a_log_that_ends_anywhere_keeps_every_complete_record() {
    let (fs, path) = one_file();
    let whole = fs.read(&path).unwrap();
    let expected = facts(&varied());
    let mut held = 0;
    for length in 0..whole.len() {
        let torn = fs.after_crash(Survival::Written);
        torn.damage(&path, |bytes| bytes.truncate(length)).unwrap();
        let (batches, report) = read(&torn);
        let found = facts(&batches);
        assert!(found.is_subset(&expected), "{length}");
        assert!(found.len() >= held, "cut at {length} there is less than before");
        held = found.len();
        assert!(report.damages.iter().all(|damage| damage.kind == DamageKind::Torn), "{report:?}");
        // At most one record is not whole.
        assert!(report.damages.iter().map(|damage| damage.bytes).sum::<u64>() < 1200, "{report:?}");
    }
    assert!(held + 200 > expected.len(), "{held} of {}", expected.len());
}

#[test]
fn a_flipped_bit_costs_at_most_its_record_and_is_told() {
    let (fs, path) = one_file();
    let whole = fs.read(&path).unwrap();
    let expected = facts(&varied());
    // Some facts stand in a record that is written once: those of one scrape, or of one of the other records.
    let lost_max = SERIES as usize;
    let mut worst = 0;
    for bit in 0..whole.len() * 8 {
        let damaged = fs.after_crash(Survival::Written);
        damaged.damage(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        let (batches, report) = read(&damaged);
        let found = facts(&batches);
        assert!(found.is_subset(&expected), "bit {bit}: {:?}", found.difference(&expected).next());
        let lost = expected.len() - found.len();
        assert!(lost <= lost_max, "bit {bit} costs {lost}: {report:?}");
        assert!(!report.damages.is_empty(), "bit {bit}");
        worst = worst.max(lost);
    }
    assert!(worst > 0, "no bit of a scrape was flipped");
}

#[test]
fn noise_is_survived() {
    let (fs, path) = one_file();
    let whole = fs.read(&path).unwrap();
    let expected = facts(&varied());
    for from in (0..whole.len()).step_by(37) {
        let damaged = fs.after_crash(Survival::Written);
        damaged.damage(&path, |bytes| bytes[from..(from + 512).min(whole.len())].fill(0)).unwrap();
        let (batches, _) = read(&damaged);
        assert!(facts(&batches).is_subset(&expected), "{from}");
    }
}

/// Writes scrapes until `count` or until one is not acknowledged `tries` times; says which were acknowledged.
fn write_some(wal: &Wal, count: i64, acknowledged: &mut Vec<Batch>) {
    for number in 0..count {
        for target in 0..2 {
            let batch = scrape(target, number);
            for _ in 0..3 {
                let logged = wal.append(&batch).and_then(|position| wal.commit(position));
                if logged.is_ok() {
                    acknowledged.push(batch);
                    break;
                }
            }
        }
        if number % 5 == 4 {
            let _ = wal.sync_if_due(number * 1000);
        }
    }
}

#[test]
fn what_is_acknowledged_survives_power_cuts_and_failing_calls() {
    let mut unacknowledged = 0;
    for operation in [Operation::Write, Operation::Sync, Operation::SyncDir, Operation::Create] {
        for nth in 0..40 {
            for mode in [FaultMode::Once, FaultMode::Onwards] {
                let fs = MemoryFs::new();
                let wal = open(&fs, SyncPolicy::Always, 3000);
                let error = std::io::ErrorKind::StorageFull;
                fs.set_fault(Some(Fault { operation: Some(operation), nth, mode, error }));
                let mut acknowledged = Vec::new();
                write_some(&wal, 12, &mut acknowledged);
                unacknowledged += 24 - acknowledged.len();
                let expected = facts(&acknowledged);
                for survival in
                    [Survival::Synced, Survival::Written, Survival::Torn(nth), Survival::Torn(nth + 99)]
                {
                    let after = fs.after_crash(survival);
                    let (batches, report) = read(&after);
                    let found = facts(&batches);
                    let lost = expected.difference(&found).count();
                    assert_eq!(lost, 0, "{operation:?} {nth} {mode:?} {survival:?}: {report:?}");
                    assert!(
                        report
                            .damages
                            .iter()
                            .all(|one| one.kind == DamageKind::Torn || one.kind == DamageKind::Record),
                        "{report:?}"
                    );
                }
            }
        }
    }
    assert!(unacknowledged > 0, "no call failed");
}

#[test]
fn a_log_that_failed_goes_on_when_the_disk_does() {
    let fs = MemoryFs::new();
    let wal = open(&fs, SyncPolicy::Interval { ms: 10 }, 1 << 20);
    let mut acknowledged = Vec::new();
    write_some(&wal, 3, &mut acknowledged);
    let fault = Fault {
        operation: Some(Operation::Sync),
        nth: 0,
        mode: FaultMode::Onwards,
        error: std::io::ErrorKind::Other,
    };
    fs.set_fault(Some(fault));
    wal.sync().unwrap_err();
    assert!(wal.stats().fault.is_some());
    assert!(wal.append(&scrape(0, 3)).is_err());
    fs.set_fault(None);
    let position = wal.append(&scrape(0, 3)).unwrap();
    wal.commit(position).unwrap();
    acknowledged.push(scrape(0, 3));
    assert_eq!((wal.stats().fault, wal.stats().failures), (None, 1));
    // What was written before the failure is durable although its file is not.
    let earlier: Vec<Batch> = acknowledged[..6].to_vec();
    let (batches, _) = read(&fs.after_crash(Survival::Synced));
    assert!(facts(&earlier).is_subset(&facts(&batches)));
    wal.sync().unwrap();
    let (batches, _) = read(&fs.after_crash(Survival::Synced));
    assert_eq!(facts(&batches), facts(&acknowledged));
}

#[test]
fn the_interval_bounds_what_a_power_cut_costs() {
    let fs = MemoryFs::new();
    let wal = open(&fs, SyncPolicy::Interval { ms: 1000 }, 1 << 20);
    wal.commit(wal.append(&scrape(0, 0)).unwrap()).unwrap();
    wal.sync_if_due(5000).unwrap();
    wal.commit(wal.append(&scrape(0, 1)).unwrap()).unwrap();
    wal.sync_if_due(5999).unwrap();
    assert_eq!(facts(&read(&fs.after_crash(Survival::Synced)).0), facts(&[scrape(0, 0)]));
    assert_eq!(facts(&read(&fs.after_crash(Survival::Written)).0), facts(&[scrape(0, 0), scrape(0, 1)]));
    wal.sync_if_due(6000).unwrap();
    assert_eq!(facts(&read(&fs.after_crash(Survival::Synced)).0), facts(&[scrape(0, 0), scrape(0, 1)]));
    assert_eq!(wal.stats().durable_batches, 2);
}

#[test]
fn committers_share_syncs() {
    let fs = MemoryFs::new();
    let wal = open(&fs, SyncPolicy::Always, 1 << 20);
    std::thread::scope(|scope| {
        for target in 0..8 {
            let wal = &wal;
            scope.spawn(move || {
                for number in 0..50 {
                    wal.commit(wal.append(&scrape(target, number)).unwrap()).unwrap();
                }
            });
        }
    });
    let all: Vec<Batch> =
        (0..8).flat_map(|target| (0..50).map(move |number| scrape(target, number))).collect();
    assert_eq!(facts(&read(&fs.after_crash(Survival::Synced)).0), facts(&all));
    assert!(wal.stats().syncs <= 400);
}

#[test]
fn a_checkpoint_keeps_what_is_needed_and_nothing_else() {
    let fs = MemoryFs::new();
    let wal = open(&fs, SyncPolicy::Always, 2000);
    let mut acknowledged = varied();
    for batch in &acknowledged {
        wal.commit(wal.append(batch).unwrap()).unwrap();
    }
    let through = wal.cut_segment().unwrap();
    acknowledged.push(scrape(0, 20));
    wal.commit(wal.append(&scrape(0, 20)).unwrap()).unwrap();
    let keep = |id: SeriesId| id.number() < SERIES;
    let checkpoint = wal.checkpoint(through, &keep, 40_000).unwrap();
    assert_eq!((checkpoint.series, checkpoint.damages.len()), (SERIES as usize, 0));
    assert!(checkpoint.bytes < checkpoint.replaced_bytes);
    let names: Vec<String> = fs.list(Path::new(DIR)).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [format!("{:08}", through + 1), format!("checkpoint.{through:08}")]);
    let mut expected = acknowledged.clone();
    for batch in &mut expected {
        batch.series.retain(|one| keep(one.0));
        batch.samples.retain(|one| keep(one.series) && one.at_ms >= 40_000);
        batch.exemplars.clear();
        batch.deletions.clear();
    }
    assert_eq!(facts(&read(&fs.after_crash(Survival::Synced)).0), facts(&expected));
    // Once more without anything new: nothing happens.
    assert_eq!(wal.checkpoint(through, &keep, 40_000).unwrap().bytes, 0);
    let again = open(&fs, SyncPolicy::Always, 2000);
    again.commit(again.append(&scrape(0, 21)).unwrap()).unwrap();
    expected.push(scrape(0, 21));
    let through = again.cut_segment().unwrap();
    again.checkpoint(through, &keep, 40_000).unwrap();
    assert_eq!(facts(&read(&fs).0), facts(&expected));
}

#[test]
fn a_checkpoint_that_fails_changes_nothing() {
    for nth in 0..12 {
        let fs = MemoryFs::new();
        let wal = open(&fs, SyncPolicy::Always, 2000);
        for batch in varied() {
            wal.commit(wal.append(&batch).unwrap()).unwrap();
        }
        let through = wal.cut_segment().unwrap();
        let error = std::io::ErrorKind::StorageFull;
        fs.set_fault(Some(Fault { operation: None, nth, mode: FaultMode::Onwards, error }));
        let _ = wal.checkpoint(through, &|_| true, i64::MIN);
        for survival in [Survival::Synced, Survival::Written, Survival::Torn(nth)] {
            let (batches, _) = read(&fs.after_crash(survival));
            assert_eq!(facts(&batches), facts(&varied()), "{nth} {survival:?}");
        }
    }
}

#[test]
fn damaged_files_are_put_aside() {
    let (fs, path) = one_file();
    fs.damage(&path, |bytes| bytes[40] ^= 1).unwrap();
    let wal = open(&fs, SyncPolicy::Always, 1 << 20);
    let checkpoint = wal.checkpoint(1, &|_| true, i64::MIN).unwrap();
    assert_eq!(checkpoint.damages[0].kind, DamageKind::Record);
    let names: Vec<String> = fs.list(Path::new(DIR)).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["00000001.damaged", "checkpoint.00000001"]);
    assert_eq!(facts(&read(&fs).0), facts(&varied()));
}
