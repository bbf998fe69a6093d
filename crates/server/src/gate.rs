//! Admission: at most so many requests are computed at once, some more wait, the rest are told to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use narthex_api::{ApiError, ErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::options::ServerOptions;

/// Admits requests in the order in which they come.
pub(crate) struct Gate {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    running_max: usize,
    waiting_max: usize,
    wait_max: Duration,
}

/// Counts one that waits; also if it gives up.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    pub(crate) fn new(options: &ServerOptions) -> Gate {
        Gate {
            turns: Arc::new(Semaphore::new(options.queries_max)),
            waiting: AtomicUsize::new(0),
            running_max: options.queries_max,
            waiting_max: options.queries_waiting_max,
            wait_max: options.queue_timeout,
        }
    }

    /// Waits for the right to compute, which ends when the permit is dropped.
    ///
    /// # Errors
    /// `unavailable` when too many wait already; `timeout` when the turn did not come within `wait_max` or the limit.
    pub(crate) async fn enter(&self, wait_max: Duration) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if waiting >= self.waiting_max {
            let (running, waiting) = (self.running_max, self.waiting_max);
            let message = format!("too many queries: {running} run and {waiting} wait, which are the limits");
            return Err(ApiError::new(ErrorKind::Unavailable, message));
        }
        match timeout(wait_max.min(self.wait_max), Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(ApiError::new(ErrorKind::Timeout, "query timed out in query queue")),
        }
    }

    /// How many requests are computed now.
    pub(crate) fn running(&self) -> usize {
        self.running_max.saturating_sub(self.turns.available_permits())
    }

    /// How many may be.
    pub(crate) fn running_max(&self) -> usize {
        self.running_max
    }
}
