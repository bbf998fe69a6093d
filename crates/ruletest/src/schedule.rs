//! When what is evaluated.

use std::sync::Arc;

use narthex_rules::{Group, GroupDefinition, Restoration};

use crate::options::GroupIntervals;

/// The groups of a test and their next evaluations. Times are milliseconds since the start of the test.
pub(crate) struct Schedule {
    groups: Vec<Scheduled>,
    interval_ms: i64,
    now_ms: i64,
}

/// A group and how often it is due.
struct Scheduled {
    group: Group,
    interval_ms: i64,
}

impl Schedule {
    /// Before the first evaluation, which is at zero. The groups are in the order they are evaluated in.
    pub(crate) fn new(
        groups: impl IntoIterator<Item = Arc<GroupDefinition>>,
        interval_ms: i64,
        intervals: GroupIntervals,
    ) -> Schedule {
        let scheduled = |definition: Arc<GroupDefinition>| {
            let own_ms = definition.interval_ms.filter(|_| intervals == GroupIntervals::Honoured);
            Scheduled {
                interval_ms: own_ms.unwrap_or(interval_ms),
                group: Group::new(definition, Restoration::Done),
            }
        };
        Schedule { groups: groups.into_iter().map(scheduled).collect(), interval_ms, now_ms: 0 }
    }

    /// The groups that are due now, with their numbers.
    pub(crate) fn due(&mut self) -> impl Iterator<Item = (usize, &mut Group)> {
        let now_ms = self.now_ms;
        let due = self.groups.iter_mut().enumerate().filter(move |one| now_ms % one.1.interval_ms == 0);
        due.map(|(number, one)| (number, &mut one.group))
    }

    /// How often group number `number` is evaluated, in milliseconds.
    pub(crate) fn interval_of(&self, number: usize) -> i64 {
        self.groups.get(number).map_or(self.interval_ms, |one| one.interval_ms)
    }

    /// The shortest distance of two evaluations.
    pub(crate) fn shortest_interval_ms(&self) -> i64 {
        self.groups.iter().map(|one| one.interval_ms).min().unwrap_or(i64::MAX).min(self.interval_ms)
    }

    /// All groups.
    pub(crate) fn groups(&self) -> Vec<&Group> {
        self.groups.iter().map(|one| &one.group).collect()
    }

    /// When the evaluation after this one is.
    pub(crate) fn next_ms(&self) -> i64 {
        let next = |interval_ms: i64| (self.now_ms / interval_ms + 1).saturating_mul(interval_ms);
        let intervals = self.groups.iter().map(|one| one.interval_ms).chain([self.interval_ms]);
        intervals.map(next).min().unwrap_or(i64::MAX)
    }

    /// Now.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Goes on to the next evaluation.
    pub(crate) fn advance(&mut self) {
        self.now_ms = self.next_ms();
    }
}
