//! The process or the machine stops, at any call that changes something (F2, F3).

use std::io;

use narthex_tsdb::fs::{Fault, FaultMode, MemoryFs, Survival};

use super::model::{RANGE_MS, Store, open};

/// A life with every procedure in it: batches, late ones, cuts, compactions, deletions, checkpoints.
fn live(store: &mut Store, rounds: usize) {
    for round in 0..rounds {
        let _ = store.append();
        if !store.in_flight.is_empty() {
            return;
        }
        if round % 5 == 2 {
            let at_ms = store.next_ms - 2 * RANGE_MS - 1;
            let _ = store.append_at(at_ms);
            if !store.in_flight.is_empty() {
                return;
            }
        }
        if store.maintain().is_err() {
            return;
        }
    }
}

const ROUNDS: usize = 26;

fn survivor(fs: &MemoryFs, dead: &Store, context: &str) -> Store {
    let database = open(fs).unwrap_or_else(|error| panic!("{context}: {error}"));
    Store {
        fs: fs.clone(),
        database: Some(database),
        acknowledged: dead.acknowledged.clone(),
        next_ms: dead.next_ms,
        in_flight: dead.in_flight.clone(),
        ever: dead.ever.clone(),
    }
}

#[test]
fn nothing_acknowledged_is_lost_at_whichever_call_it_stops() {
    let mut whole = Store::new();
    whole.fs.set_fault(None);
    live(&mut whole, ROUNDS);
    let calls = whole.fs.calls(None);
    assert!(calls > 500, "{calls} calls");
    for nth in 0..calls {
        let mut store = Store::new();
        let error = io::ErrorKind::Other;
        store.fs.set_fault(Some(Fault { operation: None, nth, mode: FaultMode::Onwards, error }));
        live(&mut store, ROUNDS);
        for survival in [Survival::Written, Survival::Synced, Survival::Torn(nth)] {
            let fs = store.fs.after_crash(survival);
            let context = format!("call {nth} of {calls}, {survival:?}");
            let mut again = survivor(&fs, &store, &context);
            // A torn write looks like damage at times: then it is said that something may be missing.
            let is_torn = matches!(survival, Survival::Torn(_));
            let warnings = again.check_samples(&context);
            assert!(is_torn || warnings.is_empty(), "{context}: {warnings:?}");
            // It goes on as if nothing had happened.
            let found = super::model::read_all(again.database()).unwrap().0;
            again.acknowledged = found;
            again.in_flight.clear();
            again.next_ms += RANGE_MS;
            again.append().unwrap_or_else(|error| panic!("{context}: {error}"));
            again.maintain().unwrap_or_else(|error| panic!("{context}: {error}"));
            again.check_samples(&format!("{context}, continued"));
            again.reopen().unwrap();
            again.check_samples(&format!("{context}, continued and reopened"));
        }
    }
}

#[test]
fn a_single_failure_of_any_call_is_survived_without_a_restart() {
    let mut whole = Store::new();
    whole.fs.set_fault(None);
    live(&mut whole, ROUNDS);
    let calls = whole.fs.calls(None);
    for nth in 0..calls {
        let mut store = Store::new();
        let error = io::ErrorKind::Other;
        store.fs.set_fault(Some(Fault { operation: None, nth, mode: FaultMode::Once, error }));
        for round in 0..ROUNDS {
            if store.append().is_err() {
                // It was not acknowledged; whether it is there may not change any more.
                let found = super::model::read_all(store.database()).unwrap().0;
                store.check(&format!("call {nth}, round {round}"));
                store.acknowledged = found;
                store.in_flight.clear();
            }
            let _ = store.maintain();
            store.check(&format!("call {nth}, round {round}, maintained"));
        }
        store.reopen().unwrap();
        store.check(&format!("call {nth}, reopened"));
    }
}
