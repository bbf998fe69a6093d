//! Who looks at the head, and from when on.
//!
//! Commits are numbered. A view sees those up to the number that was the last when it was opened. What an open view may
//! still look at is kept: samples that were truncated away since, and where the series ended at its commit.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use narthex_model::Timestamp;

/// What a view sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct View {
    /// Number of the last commit.
    pub(super) version: u64,
    /// Samples in order before this are not seen.
    pub(super) floor_ms: Timestamp,
}

/// The open views and what the next one sees.
#[derive(Debug)]
pub(super) struct Readers(Mutex<State>);

#[derive(Debug)]
struct State {
    next: View,
    /// How many views see commits up to this number, by that number and the time from which on they look.
    open: BTreeMap<(u64, Timestamp), usize>,
}

impl Readers {
    pub(super) fn new() -> Readers {
        let next = View { version: 0, floor_ms: Timestamp::MIN };
        Readers(Mutex::new(State { next, open: BTreeMap::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a view sees that is opened now.
    pub(super) fn next(&self) -> View {
        self.state().next
    }

    /// Opens a view that looks at nothing before `from_ms`.
    pub(super) fn open(&self, from_ms: Timestamp) -> OpenView<'_> {
        let mut state = self.state();
        let view = state.next;
        let from_ms = from_ms.max(view.floor_ms);
        *state.open.entry((view.version, from_ms)).or_default() += 1;
        OpenView { readers: self, view, from_ms }
    }

    /// The last commit that every view sees that is open or will be.
    pub(super) fn seen_by_all(&self) -> u64 {
        let state = self.state();
        state.open.first_key_value().map_or(state.next.version, |((version, _), _)| *version)
    }

    /// Views opened from now on see this commit too.
    pub(super) fn publish(&self, version: u64) {
        self.state().next.version = version;
    }

    /// Views opened from now on see no samples in order before `floor_ms`. Returns the time before which no open view
    /// looks either, at most `floor_ms`.
    pub(super) fn raise_floor(&self, floor_ms: Timestamp) -> Timestamp {
        let mut state = self.state();
        state.next.floor_ms = state.next.floor_ms.max(floor_ms);
        state.open.keys().map(|(_, from_ms)| *from_ms).fold(floor_ms, Timestamp::min)
    }
}

/// A view; what it sees is kept while this lives.
#[derive(Debug)]
pub(super) struct OpenView<'a> {
    readers: &'a Readers,
    pub(super) view: View,
    from_ms: Timestamp,
}

impl Drop for OpenView<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        let key = (self.view.version, self.from_ms);
        match state.open.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                state.open.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_views_hold_what_they_see() {
        let readers = Readers::new();
        let old = readers.open(5);
        readers.publish(7);
        assert_eq!((old.view.version, readers.next().version, readers.seen_by_all()), (0, 7, 0));
        let (first, second) = (readers.open(100), readers.open(100));
        assert_eq!(readers.raise_floor(50), 5);
        drop(old);
        assert_eq!((readers.seen_by_all(), readers.raise_floor(200)), (7, 100));
        drop(first);
        assert_eq!(readers.raise_floor(200), 100);
        drop(second);
        readers.publish(8);
        assert_eq!((readers.seen_by_all(), readers.raise_floor(200), readers.next().floor_ms), (8, 200, 200));
    }
}
