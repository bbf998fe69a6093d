//! Seats: requests that are computed by the threads that serve connections, as long as one of those stays free.
//!
//! To hand a request to another thread and its answer back costs more than most requests do. A seated one is what the
//! thread of its connection does next. Nobody may be waiting for news of other connections meanwhile: the thread that
//! was is the one that computes now. A watchman therefore looks at the seats every moment. He wakes the connection of
//! whoever is still seated, which another thread takes up; that one waits for news from then on, also for those of the
//! end of this very connection or of its time.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// Between two looks of the watchman. After two at most a long request has been noticed.
const TICK: Duration = Duration::from_millis(1);
/// After so many looks with nobody left to wake the watchman rests, until somebody sits down.
const IDLE_TICKS_MAX: u32 = 10;

/// All seats.
pub(crate) struct Seats {
    table: Mutex<Table>,
    called: Condvar,
    count: usize,
}

#[derive(Default)]
struct Table {
    next: u64,
    taken: Vec<Taken>,
    watchman: Watchman,
}

/// A request that is being computed.
struct Taken {
    number: u64,
    /// Wakes its connection; gone once that is done.
    waker: Option<Waker>,
    was_seen: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Watchman {
    #[default]
    Rests,
    Looks,
    Leaves,
}

impl Table {
    /// Whether somebody has been seated for long: while such requests run, others are better not kept waiting for the
    /// watchman.
    fn has_long(&self) -> bool {
        self.taken.iter().any(|taken| taken.waker.is_none())
    }

    /// Whether whoever is seated has been woken.
    fn is_settled(&self) -> bool {
        self.taken.iter().all(|taken| taken.waker.is_none())
    }
}

/// The right to compute here, until it is dropped.
pub(crate) struct Seat {
    all: Arc<Seats>,
    number: u64,
}

impl Seat {
    /// A seat, if one is free, for a request of the connection that this task serves.
    pub(crate) async fn take(seats: &Arc<Seats>) -> Option<Seat> {
        poll_fn(|context| Poll::Ready(seats.take(context.waker()))).await
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.all.table();
        let place = table.taken.iter().position(|taken| taken.number == self.number);
        let taken = place.map(|place| table.taken.swap_remove(place));
        drop(table);
        // Wakers are dropped outside the lock, for they may drop a task.
        drop(taken);
    }
}

impl Seats {
    pub(crate) fn new(count: usize) -> Arc<Seats> {
        Arc::new(Seats { table: Mutex::default(), called: Condvar::new(), count })
    }

    fn take(self: &Arc<Seats>, waker: &Waker) -> Option<Seat> {
        let mut table = self.table();
        let is_full = table.taken.len() >= self.count || table.has_long();
        if is_full || table.watchman == Watchman::Leaves {
            return None;
        }
        let number = table.next;
        table.next += 1;
        table.taken.push(Taken { number, waker: Some(waker.clone()), was_seen: false });
        if table.watchman == Watchman::Rests {
            table.watchman = Watchman::Looks;
            self.called.notify_one();
        }
        Some(Seat { all: Arc::clone(self), number })
    }

    /// Watches until [`Seats::end`]; blocks the thread.
    pub(crate) fn watch(&self) {
        let mut idle_ticks = 0;
        while self.is_needed(&mut idle_ticks) {
            std::thread::sleep(TICK);
            let long = self.look();
            long.into_iter().for_each(Waker::wake);
            idle_ticks = if self.table().is_settled() { idle_ticks + 1 } else { 0 };
        }
    }

    /// Rests while nobody needs to be watched; false at the end.
    fn is_needed(&self, idle_ticks: &mut u32) -> bool {
        let mut table = self.table();
        if *idle_ticks >= IDLE_TICKS_MAX && table.is_settled() && table.watchman == Watchman::Looks {
            table.watchman = Watchman::Rests;
            *idle_ticks = 0;
        }
        let table = self.called.wait_while(table, |table| table.watchman == Watchman::Rests);
        table.unwrap_or_else(PoisonError::into_inner).watchman == Watchman::Looks
    }

    /// Whom to wake.
    fn look(&self) -> Vec<Waker> {
        let mut table = self.table();
        let mut long = Vec::new();
        for taken in &mut table.taken {
            if taken.was_seen {
                long.extend(taken.waker.take());
            }
            taken.was_seen = true;
        }
        long
    }

    /// Sends the watchman home; no seat is free any more.
    pub(crate) fn end(&self) {
        self.table().watchman = Watchman::Leaves;
        self.called.notify_all();
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Count>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_sits_for_long_is_woken_once() {
        let seats = Seats::new(2);
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let first = seats.take(&waker).unwrap();
        assert!(seats.look().is_empty(), "it may have sat down just now");
        let second = seats.take(&waker).unwrap();
        assert!(seats.take(&waker).is_none(), "there are two seats");
        let wake = || seats.look().into_iter().for_each(Waker::wake);
        wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(!seats.table().is_settled(), "the second is still to be looked after");
        drop(first);
        wake();
        wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(seats.table().is_settled());
        assert!(seats.take(&waker).is_none(), "there is a seat, but the second has its for long");
        drop(second);
        assert!(seats.take(&waker).is_some());
    }

    #[test]
    fn the_watchman_comes_and_leaves() {
        let seats = Seats::new(1);
        let count = Arc::new(Count::default());
        std::thread::scope(|scope| {
            scope.spawn(|| seats.watch());
            for round in 1..=2 {
                let seat = seats.take(&Waker::from(Arc::clone(&count)));
                assert!(seat.is_some());
                while count.0.load(Ordering::Relaxed) < round {
                    std::thread::yield_now();
                }
                drop(seat);
                while seats.table().watchman != Watchman::Rests {
                    std::thread::yield_now();
                }
            }
            seats.end();
        });
        assert!(seats.take(Waker::noop()).is_none());
    }
}
