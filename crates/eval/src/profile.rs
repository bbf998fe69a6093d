//! What each operator of a query takes: time, series, batches, samples, memory.
//!
//! Nothing is measured unless a [`Profile`] is given to the context of an evaluation: then every operator is wrapped in
//! one that measures, and the store is asked to count. Without one, no operator and no read takes a step more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use narthex_storage::ReadCounters;

/// A clock: the time since some fixed instant. What it measures, wall time or CPU time, is the caller's choice; it is
/// asked by the thread that does the work.
pub type Clock = dyn Fn() -> Duration + Send + Sync;

/// Collects what the operators of one evaluation take. Clones share what they collect.
#[derive(Clone)]
pub struct Profile {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Box<Clock>,
    /// The operators that are inside of [`Operator::series`](crate::physical::Operator::series) now, innermost last:
    /// what is selected there is theirs. One thread drives them.
    preparing: Mutex<Vec<Arc<Counters>>>,
    operators: Mutex<Vec<OperatorProfile>>,
}

/// One operator of an evaluation.
#[derive(Clone, PartialEq, Debug)]
pub struct OperatorProfile {
    /// How far it stands below the root, which is at 0. Operators come before their inputs.
    pub depth: usize,
    /// What it does, without its inputs.
    pub line: String,
    /// What it took; `None` for an operator whose work counts for the one above it.
    pub figures: Option<Figures>,
}

/// What one operator took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// By the clock of the thread that drives it, its inputs included.
    pub total: Duration,
    /// As `total`, its inputs left out.
    pub own: Duration,
    /// Reading series, summed over all workers; part of `own`, of which it may be more where several work at once.
    pub read: Duration,
    /// Series that it yielded.
    pub series: usize,
    /// Batches that it yielded.
    pub batches: usize,
    /// Steps of its grid.
    pub steps: usize,
    /// Samples that it yielded, floats and histograms.
    pub samples: u64,
    /// What it read from the store.
    pub reads: ReadCounters,
    /// The most bytes that it held at once, where that is not counted with the operator above it.
    pub bytes_peak: Option<usize>,
}

/// What is counted for an operator while it works; workers count at the same time.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    figures: Mutex<Figures>,
    reads: Mutex<ReadCounters>,
    read_ns: AtomicU64,
}

impl Counters {
    /// What was counted so far.
    pub(crate) fn figures(&self) -> Figures {
        let read = Duration::from_nanos(self.read_ns.load(Ordering::Relaxed));
        Figures { read, reads: *locked(&self.reads), ..*locked(&self.figures) }
    }

    /// For the operator itself, which one thread drives.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut locked(&self.figures));
    }

    /// For workers that read.
    pub(crate) fn add_reads(&self, reads: ReadCounters, took: Duration) {
        *locked(&self.reads) += reads;
        self.read_ns.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Profile {
    /// A profile without operators yet, whose times are those of `clock`.
    pub fn new(clock: Box<Clock>) -> Profile {
        let shared = Shared { clock, preparing: Mutex::default(), operators: Mutex::default() };
        Profile { shared: Arc::new(shared) }
    }

    /// The operators of the evaluation, each before its inputs; none before its end, or where it had none.
    pub fn operators(&self) -> Vec<OperatorProfile> {
        locked(&self.shared.operators).clone()
    }

    /// The time now.
    pub(crate) fn now(&self) -> Duration {
        (self.shared.clock)()
    }

    /// Runs `prepare`, during which the selections are those of the operator of `counters`.
    pub(crate) fn preparing<T>(&self, counters: &Arc<Counters>, prepare: impl FnOnce() -> T) -> T {
        locked(&self.shared.preparing).push(Arc::clone(counters));
        let prepared = prepare();
        locked(&self.shared.preparing).pop();
        prepared
    }

    /// The operator that is being prepared.
    pub(crate) fn preparing_now(&self) -> Option<Arc<Counters>> {
        locked(&self.shared.preparing).last().map(Arc::clone)
    }

    /// Keeps what the operators of the evaluation took, their own times worked out.
    pub(crate) fn keep(&self, mut operators: Vec<OperatorProfile>) {
        subtract_inputs(&mut operators);
        *locked(&self.shared.operators) = operators;
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("operators", &self.shared.operators).finish_non_exhaustive()
    }
}

/// The own time of each operator: what it took less what the nearest measured operators below it took.
fn subtract_inputs(operators: &mut [OperatorProfile]) {
    // Measured operators above the present one, with their depths.
    let mut above: Vec<(usize, usize)> = Vec::new();
    for at in 0..operators.len() {
        let depth = operators[at].depth;
        above.retain(|&(_, other)| other < depth);
        let Some(figures) = &mut operators[at].figures else { continue };
        figures.own = figures.total;
        let total = figures.total;
        let parent = above.last().and_then(|&(parent, _)| operators[parent].figures.as_mut());
        if let Some(parent) = parent {
            parent.own = parent.own.saturating_sub(total);
        }
        above.push((at, depth));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_own_time_is_without_the_nearest_measured_ones_below() {
        let operator = |depth, total: Option<u64>| OperatorProfile {
            depth,
            line: String::new(),
            figures: total.map(|ms| Figures { total: Duration::from_millis(ms), ..Figures::default() }),
        };
        let rows = [(0, Some(100)), (1, None), (2, Some(30)), (3, Some(20)), (2, Some(40)), (1, Some(5))];
        let mut operators: Vec<OperatorProfile> =
            rows.into_iter().map(|(depth, total)| operator(depth, total)).collect();
        subtract_inputs(&mut operators);
        let own: Vec<Option<u128>> =
            operators.iter().map(|one| one.figures.map(|figures| figures.own.as_millis())).collect();
        assert_eq!(own, [Some(25), None, Some(10), Some(20), Some(40), Some(5)]);
    }
}
