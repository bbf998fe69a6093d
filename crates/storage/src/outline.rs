//! A series in outline: samples where a window begins or ends, what they amount to where none does.

use narthex_model::{TimeRange, Timestamp};

use crate::{SampleBuffer, Summary};

/// Windows of the same length at the same distance of each other, each without its start and with its end: what a
/// selection is looked at through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowGrid {
    /// End of the first window.
    pub end_ms: Timestamp,
    /// Distance of two ends; not negative.
    pub step_ms: i64,
    /// Number of windows.
    pub windows: usize,
    /// Length of a window; not negative.
    pub range_ms: i64,
}

/// How a run of samples lies to a grid of windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// In no window.
    Outside,
    /// No window begins or ends within it, and some have it as a whole.
    Whole,
    /// A window begins or ends within it, or it is too near the ends of time to tell.
    Cut,
}

impl WindowGrid {
    /// How samples lie whose first and last times are those of `run`.
    pub fn placement(&self, run: TimeRange) -> Placement {
        if self.is_wider_than_a_step(run) {
            Placement::Cut
        } else {
            self.checked_placement(run).unwrap_or(Placement::Cut)
        }
    }

    /// Whether a run between the first end and the last one must have another in it: in a dense grid all have, and a
    /// division takes longer than all of this.
    fn is_wider_than_a_step(&self, TimeRange { min_ms, max_ms }: TimeRange) -> bool {
        let last_step_ms =
            i64::try_from(self.windows).unwrap_or(i64::MAX).saturating_sub(1).saturating_mul(self.step_ms);
        self.step_ms > 0
            && min_ms >= self.end_ms
            && max_ms <= self.end_ms.saturating_add(last_step_ms)
            && max_ms.saturating_sub(min_ms) > self.step_ms
    }

    /// `None` where a time does not fit into a number.
    fn checked_placement(&self, TimeRange { min_ms, max_ms }: TimeRange) -> Option<Placement> {
        let is_within = |border_ms: Option<Timestamp>, max_ms| border_ms.is_some_and(|at_ms| at_ms < max_ms);
        let end_ms = self.first_end(min_ms)?;
        let start_ms = self.first_end(min_ms.checked_add(self.range_ms)?)?;
        if is_within(end_ms, max_ms) || is_within(start_ms, max_ms.checked_add(self.range_ms)?) {
            return Some(Placement::Cut);
        }
        let is_seen = match self.first_end(max_ms)? {
            Some(end_ms) => end_ms.checked_sub(self.range_ms)? < min_ms,
            None => false,
        };
        Some(if is_seen { Placement::Whole } else { Placement::Outside })
    }

    /// The first end that is not before `at_ms`, if there is one; nothing where that does not fit into a number.
    fn first_end(&self, at_ms: Timestamp) -> Option<Option<Timestamp>> {
        if self.windows == 0 {
            return Some(None);
        }
        if at_ms <= self.end_ms {
            return Some(Some(self.end_ms));
        }
        if self.windows == 1 || self.step_ms <= 0 {
            return Some(None);
        }
        let steps = at_ms.checked_sub(self.end_ms)?.checked_sub(1)? / self.step_ms + 1;
        if steps.unsigned_abs() >= self.windows as u64 {
            return Some(None);
        }
        Some(Some(self.end_ms.checked_add(steps.checked_mul(self.step_ms)?)?))
    }
}

/// A run of float samples that was not decoded. No other sample of the series lies between its first and its last.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Run {
    /// Time of its first sample.
    pub first_ms: Timestamp,
    /// Time of its last sample.
    pub last_ms: Timestamp,
    /// What its samples amount to.
    pub summary: Summary,
}

/// The samples of one series within the windows of a selection. Owned by whoever reads, reused from series to series.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outline {
    /// Those that are told one by one.
    pub samples: SampleBuffer,
    /// The others, in time order.
    pub runs: Vec<Run>,
}

impl Outline {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.samples.clear();
        self.runs.clear();
    }

    /// Time of the last sample, told or not.
    pub fn last_ms(&self) -> Option<Timestamp> {
        self.samples.last_ms().max(self.runs.last().map(|run| run.last_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_placed_as_their_samples_are(
            (end_ms, step_ms, windows, range_ms) in (-20..20i64, 0..12i64, 0..6usize, 0..15i64),
            (min_ms, length_ms) in (-40..90i64, 0..12i64),
        ) {
            let grid = WindowGrid { end_ms, step_ms, windows, range_ms };
            let run = TimeRange::new(min_ms, min_ms + length_ms);
            // Of each window, how many of all instants of the run are in it.
            let seen = (0..windows as i64).map(|number| {
                let end_ms = end_ms + number * step_ms;
                (min_ms..=run.max_ms).filter(|&at_ms| at_ms <= end_ms && at_ms > end_ms - range_ms).count()
            });
            let seen: Vec<usize> = seen.collect();
            let all = length_ms as usize + 1;
            match grid.placement(run) {
                Placement::Outside => prop_assert!(seen.iter().all(|&count| count == 0)),
                Placement::Whole => {
                    prop_assert!(seen.iter().all(|&count| count == 0 || count == all));
                    prop_assert!(seen.contains(&all));
                }
                Placement::Cut => {
                    let is_cut = seen.iter().any(|&count| count != 0 && count != all);
                    // Windows without an instant have borders too.
                    prop_assert!(is_cut || range_ms == 0, "{:?}", seen);
                }
            }
        }
    }

    #[test]
    fn the_ends_of_time_are_no_trap() {
        let grid = WindowGrid { end_ms: i64::MIN + 5, step_ms: i64::MAX, windows: 3, range_ms: i64::MAX };
        for run in [TimeRange::ALL, TimeRange::new(i64::MAX - 1, i64::MAX), TimeRange::new(i64::MIN, -1)] {
            assert_ne!(grid.placement(run), Placement::Whole);
        }
    }
}
