//! Admission: at most so many queries at once, some more wait their turn, the rest are refused.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many queries there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GateLimits {
    /// Most queries that run at once; upstream calls it `--query.max-concurrency`.
    pub running_max: usize,
    /// Most queries that wait for one of them to end.
    pub waiting_max: usize,
}

impl GateLimits {
    /// What a server allows unless told otherwise.
    pub const DEFAULT: GateLimits = GateLimits { running_max: 20, waiting_max: 200 };
}

/// Admits queries in the order in which they ask. Blocks threads; no runtime is needed.
#[derive(Debug)]
pub struct QueryGate {
    limits: GateLimits,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// Tickets of those who wait, in order.
    waiting: VecDeque<u64>,
    next_ticket: u64,
}

/// The right to run one query; given back on drop.
#[derive(Debug)]
pub struct Permit<'a> {
    gate: &'a QueryGate,
}

/// Why a query may not run now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// As many wait as may.
    Full(GateLimits),
    /// The turn did not come in time.
    TimedOut(GateLimits),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Full(limits) => write!(
                f,
                "too many queries: {} run and {} wait, which are the limits",
                limits.running_max, limits.waiting_max
            ),
            Refused::TimedOut(limits) => {
                write!(f, "query waited too long for one of {} to end", limits.running_max)
            }
        }
    }
}

impl std::error::Error for Refused {}

impl QueryGate {
    /// A gate nobody has passed yet.
    pub fn new(limits: GateLimits) -> QueryGate {
        QueryGate { limits, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits at most `wait_max` for the right to run a query.
    ///
    /// # Errors
    /// When too many wait already, or the turn did not come in time.
    pub fn enter(&self, wait_max: Duration) -> Result<Permit<'_>, Refused> {
        let mut state = self.lock();
        if state.running < self.limits.running_max && state.waiting.is_empty() {
            state.running += 1;
            return Ok(Permit { gate: self });
        }
        if state.waiting.len() >= self.limits.waiting_max {
            return Err(Refused::Full(self.limits));
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back(ticket);
        let is_turn =
            |state: &State| state.running < self.limits.running_max && state.waiting.front() == Some(&ticket);
        let waited = self.changed.wait_timeout_while(state, wait_max, |state| !is_turn(state));
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let may_run = is_turn(&state);
        state.waiting.retain(|other| *other != ticket);
        state.running += usize::from(may_run);
        drop(state);
        // Whoever is first in the queue now may be able to go on.
        self.changed.notify_all();
        if may_run { Ok(Permit { gate: self }) } else { Err(Refused::TimedOut(self.limits)) }
    }

    /// How many queries run and how many wait.
    pub fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.running, state.waiting.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.gate.lock().running -= 1;
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const FOREVER: Duration = Duration::from_secs(600);

    #[test]
    fn the_rest_are_refused() {
        let gate = QueryGate::new(GateLimits { running_max: 2, waiting_max: 0 });
        let first = gate.enter(FOREVER).unwrap();
        let _second = gate.enter(FOREVER).unwrap();
        let refused = gate.enter(FOREVER).unwrap_err();
        assert_eq!(refused.to_string(), "too many queries: 2 run and 0 wait, which are the limits");
        drop(first);
        assert!(gate.enter(FOREVER).is_ok());
        assert_eq!(gate.load(), (1, 0));
    }

    #[test]
    fn who_waits_too_long_leaves_the_queue() {
        let gate = QueryGate::new(GateLimits { running_max: 1, waiting_max: 1 });
        let _running = gate.enter(FOREVER).unwrap();
        let refused = gate.enter(Duration::ZERO).unwrap_err();
        assert_eq!(refused.to_string(), "query waited too long for one of 1 to end");
        assert_eq!(gate.load(), (1, 0));
    }

    #[test]
    fn turns_come_in_order() {
        let gate = QueryGate::new(GateLimits { running_max: 1, waiting_max: 8 });
        let (done, order) = mpsc::channel();
        let running = gate.enter(FOREVER).unwrap();
        std::thread::scope(|scope| {
            for at in 0..8 {
                let (gate, done) = (&gate, done.clone());
                scope.spawn(move || {
                    let permit = gate.enter(FOREVER).unwrap();
                    done.send(at).unwrap();
                    drop(permit);
                });
                while gate.load().1 != at + 1 {
                    std::thread::yield_now();
                }
            }
            drop(running);
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    }
}
