//! Which connections there are, and which of them can be spared.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// All open connections.
#[derive(Default)]
pub(crate) struct Connections(Mutex<Table>);

#[derive(Default)]
struct Table {
    next: u64,
    /// By when they last became idle, the longest idle first.
    idle: BTreeMap<u64, (Instant, Arc<Notify>)>,
    open: usize,
}

/// One connection, as long as it is open.
pub(crate) struct Connection {
    all: Arc<Connections>,
    /// Tells the connection to close.
    pub(crate) close: Arc<Notify>,
    /// When it became idle; `None` while a request is answered.
    idle_since: Mutex<Option<u64>>,
    /// How many requests have come.
    requests: AtomicU64,
}

impl Connections {
    /// Takes up a connection. Where there are `max` already, the one that has been idle longest is told to close; with
    /// none idle the new one is refused.
    pub(crate) fn open(self: &Arc<Connections>, max: usize) -> Option<Arc<Connection>> {
        let mut table = self.table();
        if table.open >= max {
            let (_, (_, longest_idle)) = table.idle.pop_first()?;
            longest_idle.notify_one();
        }
        table.open += 1;
        let close = Arc::new(Notify::new());
        let since = table.add_idle(&close);
        Some(Arc::new(Connection {
            all: Arc::clone(self),
            close,
            idle_since: Mutex::new(Some(since)),
            requests: AtomicU64::new(0),
        }))
    }

    /// Tells those to close that have been idle for `limit`; when the next one may have been.
    pub(crate) fn close_idle(&self, now: Instant, limit: Duration) -> Instant {
        let mut table = self.table();
        while let Some(longest_idle) = table.idle.first_entry() {
            let due = longest_idle.get().0 + limit;
            if due > now {
                return due;
            }
            longest_idle.remove().1.notify_one();
        }
        now + limit
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.table().open
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add_idle(&mut self, close: &Arc<Notify>) -> u64 {
        let since = self.next;
        self.next += 1;
        self.idle.insert(since, (Instant::now(), Arc::clone(close)));
        since
    }
}

impl Connection {
    /// Whether no request is being answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.since().is_some()
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// A request has come: the connection is needed until the guard is dropped.
    pub(crate) fn engage(self: &Arc<Connection>) -> Engaged {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(since) = self.since().take() {
            self.all.table().idle.remove(&since);
        }
        Engaged(Arc::clone(self))
    }

    fn since(&self) -> MutexGuard<'_, Option<u64>> {
        self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let since = self.since().take();
        let mut table = self.all.table();
        table.open -= 1;
        since.map(|since| table.idle.remove(&since));
    }
}

/// A connection that is in use.
pub(crate) struct Engaged(Arc<Connection>);

impl Drop for Engaged {
    fn drop(&mut self) {
        let mut since = self.0.since();
        *since = Some(self.0.all.table().add_idle(&self.0.close));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_idle_one_makes_room() {
        let all = Arc::new(Connections::default());
        let first = all.open(2).unwrap();
        let second = all.open(2).unwrap();
        let used = first.engage();
        let third = all.open(2).unwrap();
        let mut told = is_told(&second.close);
        assert!(told, "the second is told to close");
        told = is_told(&first.close);
        assert!(!told, "the first is in use");
        drop(second);
        let _third_used = third.engage();
        assert!(all.open(2).is_none(), "both are in use");
        drop(used);
        assert!(all.open(2).is_some());
        assert!(is_told(&first.close));
        assert_eq!(all.count(), 2);
    }

    #[test]
    fn who_is_idle_for_too_long_is_closed() {
        let all = Arc::new(Connections::default());
        let limit = Duration::from_secs(1);
        let [first, second] = [all.open(2).unwrap(), all.open(2).unwrap()];
        let used = first.engage();
        let due = all.close_idle(Instant::now(), limit);
        assert!(!is_told(&second.close) && due <= Instant::now() + limit);
        assert!(all.close_idle(due, limit) > due && is_told(&second.close), "the second is idle");
        assert!(!is_told(&first.close), "the first is in use");
        drop(used);
        assert!(all.close_idle(due + 2 * limit, limit) > due && is_told(&first.close));
    }

    /// Whether a notification is waiting.
    fn is_told(notify: &Notify) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::pin::pin!(notify.notified()).poll(&mut context).is_ready()
    }
}
