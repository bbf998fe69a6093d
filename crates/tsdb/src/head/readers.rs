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
    /// Which late samples are not seen.
    pub(super) late_floor: LateFloor,
}

/// Late samples that are in blocks: those before a time of the commits up to a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct LateFloor {
    pub(super) before_ms: Timestamp,
    pub(super) commit: u64,
}

impl LateFloor {
    /// Whether a sample of a commit is among them.
    pub(super) fn covers(self, at_ms: Timestamp, commit: u64) -> bool {
        at_ms < self.before_ms && commit <= self.commit
    }
}

/// Before which times no view looks: at samples in order, at late ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unseen {
    pub(super) in_order_ms: Timestamp,
    pub(super) late_ms: Timestamp,
}

/// The open views and what the next one sees.
#[derive(Debug)]
pub(super) struct Readers(Mutex<State>);

/// What matters of an open view to those who let go of samples, the oldest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct ViewKey {
    version: u64,
    from_ms: Timestamp,
    floor_ms: Timestamp,
    late_floor: LateFloor,
}

impl ViewKey {
    /// Before which times the view looks at no sample in order, and at no late one of commits up to a number.
    fn unseen(&self, commit: u64) -> Unseen {
        let in_order_ms = self.from_ms.max(self.floor_ms);
        let is_covered = commit <= self.late_floor.commit;
        let late_ms = if is_covered { self.from_ms.max(self.late_floor.before_ms) } else { self.from_ms };
        Unseen { in_order_ms, late_ms }
    }
}

#[derive(Debug)]
struct State {
    next: View,
    /// How many views are alike.
    open: BTreeMap<ViewKey, usize>,
}

impl Readers {
    pub(super) fn new() -> Readers {
        let late_floor = LateFloor { before_ms: Timestamp::MIN, commit: 0 };
        let next = View { version: 0, floor_ms: Timestamp::MIN, late_floor };
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
        let View { version, floor_ms, late_floor } = view;
        let key = ViewKey { version, from_ms, floor_ms, late_floor };
        *state.open.entry(key).or_default() += 1;
        OpenView { readers: self, view, key }
    }

    /// The last commit that every view sees that is open or will be.
    pub(super) fn seen_by_all(&self) -> u64 {
        let state = self.state();
        state.open.first_key_value().map_or(state.next.version, |(key, _)| key.version)
    }

    /// Views opened from now on see this commit too.
    pub(super) fn publish(&self, version: u64) {
        self.state().next.version = version;
    }

    /// Views opened from now on see no samples in order before `floor_ms`.
    pub(super) fn raise_floor(&self, floor_ms: Timestamp) {
        let mut state = self.state();
        state.next.floor_ms = state.next.floor_ms.max(floor_ms);
    }

    /// Views opened from now on see no samples in order before that of `floor`, and no late ones of it. Returns the times
    /// before which no open view looks either, at most that of `floor`.
    pub(super) fn raise_floors(&self, floor: LateFloor) -> Unseen {
        self.raise_floor(floor.before_ms);
        let mut state = self.state();
        if floor.before_ms >= state.next.late_floor.before_ms {
            let commit = floor.commit.max(state.next.late_floor.commit);
            state.next.late_floor = LateFloor { commit, ..floor };
        }
        let all = Unseen { in_order_ms: floor.before_ms, late_ms: floor.before_ms };
        state.open.keys().map(|key| key.unseen(floor.commit)).fold(all, |unseen, one| Unseen {
            in_order_ms: unseen.in_order_ms.min(one.in_order_ms),
            late_ms: unseen.late_ms.min(one.late_ms),
        })
    }
}

/// A view; what it sees is kept while this lives.
#[derive(Debug)]
pub(super) struct OpenView<'a> {
    readers: &'a Readers,
    pub(super) view: View,
    key: ViewKey,
}

impl Drop for OpenView<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        match state.open.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                state.open.remove(&self.key);
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
        let raise = |before_ms, commit| {
            let Unseen { in_order_ms, late_ms } = readers.raise_floors(LateFloor { before_ms, commit });
            (in_order_ms, late_ms)
        };
        let old = readers.open(5);
        readers.publish(7);
        assert_eq!((old.view.version, readers.next().version, readers.seen_by_all()), (0, 7, 0));
        assert_eq!(raise(50, 3), (5, 5));
        drop(old);
        let (first, second) = (readers.open(100), readers.open(10));
        // The later view sees no late samples that were let go of before it, but those that came since.
        assert_eq!((raise(60, 3), raise(60, 4)), ((50, 50), (50, 10)));
        drop(second);
        assert_eq!(raise(200, 4), (100, 100));
        drop(first);
        readers.publish(8);
        assert_eq!((readers.seen_by_all(), raise(200, 4), readers.next().floor_ms), (8, (200, 200), 200));
        assert_eq!(readers.next().late_floor, LateFloor { before_ms: 200, commit: 4 });
    }
}
