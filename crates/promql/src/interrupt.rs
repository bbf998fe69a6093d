//! How a caller tells a query to stop: one token for parsing, planning and evaluation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Why a query is to stop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StopReason {
    /// Nobody waits for the result any more.
    Canceled,
    /// The time of the query is up.
    Expired,
}

/// Shared by whoever computes a query and whoever may stop it; clones are the same token. Looking at it costs one read
/// of memory, so that inner loops may do so.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicU8>);

const RUNNING: u8 = 0;
const CANCELED: u8 = 1;
const EXPIRED: u8 = 2;

impl Interrupt {
    /// A token that says to go on.
    pub fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Says to stop. The last reason given counts.
    pub fn stop(&self, reason: StopReason) {
        let state = match reason {
            StopReason::Canceled => CANCELED,
            StopReason::Expired => EXPIRED,
        };
        self.0.store(state, Ordering::Relaxed);
    }

    /// Why to stop, if that is to be.
    pub fn reason(&self) -> Option<StopReason> {
        match self.0.load(Ordering::Relaxed) {
            RUNNING => None,
            EXPIRED => Some(StopReason::Expired),
            _ => Some(StopReason::Canceled),
        }
    }

    /// Whether to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != RUNNING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_token() {
        let token = Interrupt::new();
        let other = token.clone();
        assert_eq!((token.reason(), token.is_set()), (None, false));
        other.stop(StopReason::Canceled);
        assert_eq!(token.reason(), Some(StopReason::Canceled));
        token.stop(StopReason::Expired);
        assert!(other.is_set() && other.reason() == Some(StopReason::Expired));
    }
}
