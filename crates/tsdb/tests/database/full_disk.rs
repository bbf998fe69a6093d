//! A disk without room (F7), and one that does not make anything durable (F8).

use std::io;

use narthex_tsdb::fs::{Fault, FaultMode, Operation, Survival};

use super::model::{Samples, Store, open, read_all};

#[test]
fn a_full_disk_refuses_and_takes_again_when_there_is_room() {
    let mut store = Store::new();
    for _ in 0..12 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    store.fs.set_capacity(Some(store.fs.used_bytes()));
    let mut refused = 0;
    for _ in 0..10 {
        refused += usize::from(store.append().is_err());
        store.in_flight.clear();
        store.check_found(&read_all(store.database()).unwrap().0);
        let _ = store.maintain();
    }
    assert!(refused >= 9, "{refused} refused");
    // Started on a full disk it can be read.
    let full = store.fs.after_crash(Survival::Written);
    full.set_capacity(Some(full.used_bytes()));
    let reader = open(&full).unwrap();
    store.check_found(&read_all(&reader).unwrap().0);
    store.fs.set_capacity(None);
    for _ in 0..8 {
        store.append().unwrap();
        store.maintain().unwrap();
    }
    let after = store.fs.after_crash(Survival::Written);
    let again = open(&after).unwrap();
    store.check_found(&read_all(&again).unwrap().0);
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_before_it_is_durable_elsewhere() {
    for nth in 0..6 {
        let mut store = Store::new();
        store.append().unwrap();
        let error = io::ErrorKind::Other;
        store.fs.set_fault(Some(Fault {
            operation: Some(Operation::Sync),
            nth,
            mode: FaultMode::Once,
            error,
        }));
        for round in 0..10 {
            let _ = store.append();
            let after = store.fs.after_crash(Survival::Synced);
            let again = open(&after).unwrap();
            let found = read_all(&again).unwrap().0;
            for (series, samples) in &store.acknowledged {
                for (at_ms, value) in samples {
                    let stored = found.get(series).and_then(|stored| stored.get(at_ms));
                    assert_eq!(stored, Some(value), "sync {nth}, round {round}: {series} at {at_ms}");
                }
            }
        }
        assert!(
            store.acknowledged.values().all(|samples| samples.len() >= 9),
            "sync {nth}: it never recovered"
        );
    }
}

impl Store {
    /// What was acknowledged is there; what was not may be.
    fn check_found(&self, found: &Samples) {
        for (series, samples) in &self.acknowledged {
            for (at_ms, value) in samples {
                assert_eq!(found[series].get(at_ms), Some(value), "{series} at {at_ms}");
            }
        }
    }
}
