//! Every short sequence of operations, each followed by a restart (F15).

use narthex_tsdb::fs::Survival;

use super::model::{RANGE_MS, Store, open};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Append,
    AppendFar,
    AppendLate,
    Delete,
    Maintain,
    Reopen,
    Kill,
    PowerCut,
}

const STEPS: [Step; 8] = [
    Step::Append,
    Step::AppendFar,
    Step::AppendLate,
    Step::Delete,
    Step::Maintain,
    Step::Reopen,
    Step::Kill,
    Step::PowerCut,
];

fn take(store: &mut Store, step: Step) {
    match step {
        Step::Append => store.append().unwrap(),
        Step::AppendFar => {
            store.next_ms += 4 * RANGE_MS;
            store.append().unwrap();
        }
        Step::AppendLate => {
            let at_ms = store.next_ms - 2 * RANGE_MS - 3;
            store.append_at(at_ms).unwrap();
        }
        Step::Delete => store.delete().unwrap(),
        Step::Maintain => store.maintain().unwrap(),
        Step::Reopen => store.reopen().unwrap(),
        Step::Kill | Step::PowerCut => {
            let survival = if step == Step::Kill { Survival::Written } else { Survival::Synced };
            store.fs = store.fs.after_crash(survival);
            store.database = Some(open(&store.fs).unwrap());
        }
    }
}

/// Sequences of this length, by number in base 8.
fn sequence(mut number: usize, length: u32) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..length {
        steps.push(STEPS[number % STEPS.len()]);
        number /= STEPS.len();
    }
    steps
}

#[test]
fn every_sequence_of_four_steps_keeps_what_was_acknowledged() {
    let count = STEPS.len().pow(4);
    for number in 0..count {
        let steps = sequence(number, 4);
        let mut store = Store::new();
        // Something to work on: two blocks' worth.
        for _ in 0..4 {
            store.append().unwrap();
        }
        for &step in &steps {
            take(&mut store, step);
            store.check(&format!("{steps:?} at {step:?}"));
        }
        store.reopen().unwrap();
        store.check(&format!("{steps:?}, reopened"));
    }
}

#[test]
fn long_random_sequences_keep_what_was_acknowledged() {
    for seed in 0..20 {
        let mut random = narthex_testkit::SplitMix64::new(seed);
        let mut store = Store::new();
        let mut steps = Vec::new();
        for _ in 0..200 {
            let step = STEPS[random.below(STEPS.len())];
            steps.push(step);
            take(&mut store, step);
            let last = &steps[steps.len().saturating_sub(12)..];
            store.check(&format!("seed {seed}, {} steps, the last ones {last:?}", steps.len()));
        }
    }
}
