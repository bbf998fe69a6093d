//! Instants, ranges and the steps of a query, all in integer milliseconds.

/// Milliseconds since the Unix epoch. An alias, because columns of timestamps are plain integers.
pub type Timestamp = i64;

/// All instants from `min_ms` to `max_ms`, both included; empty when `max_ms < min_ms`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimeRange {
    /// First instant.
    pub min_ms: Timestamp,
    /// Last instant.
    pub max_ms: Timestamp,
}

impl TimeRange {
    /// Every instant there is.
    pub const ALL: TimeRange = TimeRange { min_ms: i64::MIN, max_ms: i64::MAX };

    /// The closed range.
    pub fn new(min_ms: Timestamp, max_ms: Timestamp) -> TimeRange {
        TimeRange { min_ms, max_ms }
    }

    /// The instants of the left-open `(start_ms, end_ms]`, the form of every PromQL window.
    pub fn left_open(start_ms: Timestamp, end_ms: Timestamp) -> TimeRange {
        TimeRange { min_ms: start_ms.saturating_add(1), max_ms: end_ms }
    }

    /// Whether no instant is inside.
    pub fn is_empty(self) -> bool {
        self.max_ms < self.min_ms
    }

    /// Whether `at_ms` is inside.
    pub fn contains(self, at_ms: Timestamp) -> bool {
        self.min_ms <= at_ms && at_ms <= self.max_ms
    }

    /// Whether the ranges share an instant.
    pub fn overlaps(self, other: TimeRange) -> bool {
        !self.is_empty() && !other.is_empty() && self.min_ms <= other.max_ms && other.min_ms <= self.max_ms
    }

    /// The smallest range that covers both.
    pub fn union(self, other: TimeRange) -> TimeRange {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        TimeRange::new(self.min_ms.min(other.min_ms), self.max_ms.max(other.max_ms))
    }
}

/// The evaluation times of a query: `start_ms`, `start_ms + step_ms`, … An instant query is a grid of length one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StepGrid {
    /// First evaluation time.
    pub start_ms: Timestamp,
    /// Distance of two evaluation times; not used when `len` is one.
    pub step_ms: i64,
    /// Number of evaluation times.
    pub len: usize,
}

impl StepGrid {
    /// One evaluation at `at_ms`.
    pub fn instant(at_ms: Timestamp) -> StepGrid {
        StepGrid { start_ms: at_ms, step_ms: 1, len: 1 }
    }

    /// Evaluations at `start_ms`, `start_ms + step_ms`, … up to `end_ms` at the latest. Empty when the end lies before
    /// the start; a single step when `step_ms` is not positive.
    pub fn range(start_ms: Timestamp, end_ms: Timestamp, step_ms: i64) -> StepGrid {
        let span_ms = i128::from(end_ms) - i128::from(start_ms);
        if span_ms < 0 {
            return StepGrid { start_ms, step_ms: step_ms.max(1), len: 0 };
        }
        if step_ms <= 0 {
            return StepGrid::instant(start_ms);
        }
        let len = usize::try_from(span_ms / i128::from(step_ms) + 1).unwrap_or(usize::MAX);
        StepGrid { start_ms, step_ms, len }
    }

    /// Evaluation time number `step`, which is below `len`.
    pub fn timestamp(self, step: usize) -> Timestamp {
        let offset_ms = i64::try_from(step).unwrap_or(i64::MAX).saturating_mul(self.step_ms);
        self.start_ms.saturating_add(offset_ms)
    }

    /// The last evaluation time; the first when the grid is empty.
    pub fn end_ms(self) -> Timestamp {
        self.timestamp(self.len.saturating_sub(1))
    }

    /// All evaluation times.
    pub fn timestamps(self) -> impl ExactSizeIterator<Item = Timestamp> {
        (0..self.len).map(move |step| self.timestamp(step))
    }

    /// Number of the evaluation at exactly `at_ms`, if there is one.
    pub fn step_at(self, at_ms: Timestamp) -> Option<usize> {
        let offset_ms = at_ms.checked_sub(self.start_ms)?;
        if offset_ms < 0 || offset_ms % self.step_ms.max(1) != 0 {
            return None;
        }
        usize::try_from(offset_ms / self.step_ms.max(1)).ok().filter(|&step| step < self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_stop_at_or_before_the_end() {
        let grid = StepGrid::range(10, 45, 10);
        assert_eq!(grid.timestamps().collect::<Vec<_>>(), [10, 20, 30, 40]);
        assert_eq!(
            (grid.end_ms(), grid.step_at(30), grid.step_at(31), grid.step_at(50)),
            (40, Some(2), None, None)
        );
        assert_eq!(StepGrid::range(10, 9, 10).len, 0);
        assert_eq!(StepGrid::range(10, 10, 0).len, 1);
        assert_eq!(StepGrid::range(1, i64::MAX, 1).timestamp(usize::MAX), i64::MAX);
    }

    #[test]
    fn left_open_windows_exclude_their_start() {
        let window = TimeRange::left_open(0, 5);
        assert_eq!((window.contains(0), window.contains(1), window.contains(5)), (false, true, true));
        assert!(TimeRange::left_open(5, 5).is_empty());
        assert_eq!(TimeRange::new(3, 2).union(window), window);
    }
}
