//! `rate`, `increase` and `delta` of plain floats: the loop that most queries spend their time in.
//!
//! A block of windows at a time: first what is looked up, then arithmetic without branches, which becomes vector
//! instructions. The formula is that of [`super::extrapolation`], choice by choice.

use super::lanes::{EXACT_INTEGER, exact};
use super::rate::{Change, Resets};
use crate::column::{BLOCK, WindowBlock};
use crate::{StepColumn, Windows};

/// What is looked up for the windows of a block.
struct Looked {
    before_ms: [i64; BLOCK],
    sampled_ms: [i64; BLOCK],
    after_ms: [i64; BLOCK],
    first: [f64; BLOCK],
    difference: [f64; BLOCK],
}

/// Fills `out` with the changes over `windows`, whose series has no histograms, and whose start times are not looked at.
/// `false`, with nothing done, for windows of more than fifty thousand years.
pub(super) fn changes(
    change: Change,
    range_ms: i64,
    windows: &Windows<'_>,
    resets: &Resets,
    out: &mut StepColumn,
) -> bool {
    if range_ms >= EXACT_INTEGER {
        return false;
    }
    let mut looked = Looked {
        before_ms: [0; BLOCK],
        sampled_ms: [0; BLOCK],
        after_ms: [0; BLOCK],
        first: [0.0; BLOCK],
        difference: [0.0; BLOCK],
    };
    let per = if change == Change::CounterRate { range_ms as f64 / 1000.0 } else { 1.0 };
    windows.fill_blocks(out, |block, values| {
        looked.look_up(windows, block);
        looked.replay(resets, block);
        if change.is_counter() {
            looked.extrapolate::<true>(block, per, values);
        } else {
            looked.extrapolate::<false>(block, per, values);
        }
        block.present(2, values)
    });
    true
}

/// Fills `out` with the changes between the last two samples of each of `windows`, as [`changes`].
pub(super) fn last_changes(change: Change, windows: &Windows<'_>, out: &mut StepColumn) {
    let floats = &windows.samples().floats;
    let timestamps = floats.timestamps.as_slice();
    let values = floats.values.get(..timestamps.len()).unwrap_or(&[]);
    let pair = |to: usize| {
        let (before, last) = (to.wrapping_sub(2), to.wrapping_sub(1));
        let interval_ms = timestamps.get(last)?.wrapping_sub(*timestamps.get(before)?);
        Some((interval_ms, *values.get(before)?, *values.get(last)?))
    };
    windows.fill_blocks(out, |block, places| {
        for (place, &to) in places.iter_mut().zip(block.to) {
            let (interval_ms, before, last) = pair(to).unwrap_or_default();
            let is_reset = change.is_counter() & (last < before);
            let difference = if is_reset { last } else { last - before };
            let per_second = change == Change::CounterRate;
            *place = if per_second { difference / (interval_ms as f64 / 1000.0) } else { difference };
        }
        block.present(2, places)
    });
}

impl Looked {
    /// Looks up the first and the last sample of each window.
    #[inline(always)]
    fn look_up(&mut self, windows: &Windows<'_>, block: &WindowBlock<'_>) {
        let floats = &windows.samples().floats;
        let timestamps = floats.timestamps.as_slice();
        let Some(values) = floats.values.get(..timestamps.len()) else { return };
        let sample = |place: usize| {
            // Of a window without samples there may be none.
            let at_ms = timestamps.get(place).copied().unwrap_or_default();
            (at_ms, values.get(place).copied().unwrap_or_default())
        };
        let places = block.from.iter().zip(block.to);
        for (at, ((&from, &to), bounds)) in places.zip(block.bounds).enumerate().take(BLOCK) {
            let ((first_ms, first), (last_ms, last)) = (sample(from), sample(to.wrapping_sub(1)));
            self.before_ms[at] = first_ms.wrapping_sub(bounds.start_ms);
            self.sampled_ms[at] = last_ms.wrapping_sub(first_ms);
            self.after_ms[at] = bounds.end_ms.wrapping_sub(last_ms);
            self.first[at] = first;
            self.difference[at] = last - first;
        }
    }

    /// Adds what counters lost within each window, in order.
    fn replay(&mut self, resets: &Resets, block: &WindowBlock<'_>) {
        const FEW: usize = 8;
        let ([first, ..], [.., end]) = (block.from, block.to) else { return };
        let lost = resets.within(first + 1, *end);
        if lost.len() > FEW {
            for ((difference, &from), &to) in self.difference.iter_mut().zip(block.from).zip(block.to) {
                *difference = resets.replayed(*difference, from + 1, to);
            }
            return;
        }
        for reset in lost {
            for ((difference, &from), &to) in self.difference.iter_mut().zip(block.from).zip(block.to) {
                let replayed = *difference + reset.before;
                *difference = if (from < reset.at) & (reset.at < to) { replayed } else { *difference };
            }
        }
    }

    /// Writes what becomes of each window's difference; where a window has less than two samples it is of no use.
    #[inline(always)]
    fn extrapolate<const IS_COUNTER: bool>(&self, block: &WindowBlock<'_>, per: f64, values: &mut [f64]) {
        let lengths = block.from.iter().zip(block.to);
        for (at, (value, (from, to))) in values.iter_mut().zip(lengths).enumerate().take(BLOCK) {
            let sampled = seconds(self.sampled_ms[at]);
            let average = sampled / exact((to.wrapping_sub(*from) as i64).wrapping_sub(1));
            let (threshold, half) = (average * 1.1, average / 2.0);
            let within = |gap: f64| if gap >= threshold { half } else { gap };
            let mut to_start = within(seconds(self.before_ms[at]));
            let to_end = within(seconds(self.after_ms[at]));
            let difference = self.difference[at];
            if IS_COUNTER {
                let (first, zero) = (self.first[at], sampled * (self.first[at] / difference));
                let is_cut = (difference > 0.0) & (first >= 0.0) & (zero < to_start);
                to_start = if is_cut { zero } else { to_start };
            }
            *value = difference * ((sampled + to_start + to_end) / sampled / per);
        }
    }
}

#[inline(always)]
fn seconds(ms: i64) -> f64 {
    exact(ms) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::rate::float_change;
    use super::*;
    use crate::column::{WindowBounds, lag};
    use narthex_storage::SampleBuffer;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            6 => (0..1000i32).prop_map(|value| f64::from(value) / 7.0),
            2 => -5.0..5.0,
            1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-0.0), Just(f64::MAX), Just(f64::MIN)],
        ]
    }

    proptest! {
        #[test]
        fn blocks_have_the_bits_of_single_windows(
            samples in prop::collection::vec((prop_oneof![6 => 14..17i64, 1 => 1..90i64], value()), 0..300),
            (start_ms, step_ms, steps) in (-100..500i64, prop_oneof![1..80i64, Just(60), Just(15)], 1..200usize),
            range_ms in prop_oneof![1..400i64, Just(300), Just(60)],
            rises in any::<bool>(),
        ) {
            let mut buffer = SampleBuffer::new();
            let (mut at_ms, mut total) = (0, 0.0);
            for (gap_ms, value) in samples {
                at_ms += gap_ms;
                total += value.abs();
                buffer.push(at_ms, if rises { total } else { value }.into(), 0);
            }
            let bounds: Vec<WindowBounds> = (0..steps as i64)
                .map(|step| start_ms + step * step_ms)
                .map(|end_ms| WindowBounds { start_ms: end_ms - range_ms, end_ms, step_ms: end_ms })
                .collect();
            let windows = Windows::new(&buffer, &bounds).lagging(lag(&bounds));
            for change in [Change::CounterRate, Change::CounterIncrease, Change::Gauge] {
                let resets = if change.is_counter() { Resets::by_value(&buffer.floats.values) } else { Resets::default() };
                let mut out = StepColumn::new(steps);
                prop_assert!(changes(change, range_ms, &windows, &resets, &mut out));
                for (step, window) in windows.iter().enumerate() {
                    let expected = float_change(change, range_ms, &window, &resets, None);
                    let found = out.float(step);
                    let bits = |value: Option<f64>| value.map(|value| if value.is_nan() { 0 } else { value.to_bits() });
                    prop_assert_eq!(bits(found), bits(expected), "{:?} at step {}", change, step);
                }
            }
        }
    }
}
