//! The windows of up to 64 consecutive steps at once, for kernels that are loops without branches.

use std::array;
use std::ops::Range;

use super::{Places, StepColumn, WindowBounds, Windows};

/// How many steps make a block: as many as have their presence in one word.
pub(crate) const BLOCK: usize = 64;

/// Where the float samples of consecutive windows lie among those of their series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowBlock<'a> {
    /// The first step.
    pub(crate) first_step: usize,
    /// Borders of each window.
    pub(crate) bounds: &'a [WindowBounds],
    /// Place of each window's first sample; what it has as places are below `to`.
    pub(crate) from: &'a [usize],
    /// Place behind each window's last sample.
    pub(crate) to: &'a [usize],
}

impl WindowBlock<'_> {
    /// Which windows have `samples` samples at least, the first in the lowest bit. The values of the others become 0.
    pub(crate) fn present(&self, samples: usize, values: &mut [f64]) -> u64 {
        let missing =
            || self.from.iter().zip(self.to).map(|(from, to)| to.wrapping_sub(*from).wrapping_sub(samples));
        // Without a branch per window, as nearly always all windows have samples.
        if missing().fold(0, |any, missing| any | missing).cast_signed() >= 0 {
            return u64::MAX;
        }
        missing().zip(values).enumerate().fold(0, |word, (bit, (missing, value))| {
            let is_present = missing.cast_signed() >= 0;
            *value = if is_present { *value } else { 0.0 };
            word | u64::from(is_present) << bit
        })
    }

    /// The places of each window's samples.
    pub(crate) fn places(&self) -> impl Iterator<Item = Range<usize>> {
        self.from.iter().zip(self.to).map(|(&from, &to)| from..to)
    }
}

impl Windows<'_> {
    /// Whether the series has nothing but floats.
    pub(crate) fn has_only_floats(&self) -> bool {
        self.samples().histograms.timestamps.is_empty()
    }

    /// Fills a column of absent steps, a block at a time, with what `fill` makes of windows: it writes their values and
    /// returns which of them are present. Stops early when the query was told to.
    #[inline(always)]
    pub(crate) fn fill_blocks(
        &self,
        out: &mut StepColumn,
        mut fill: impl FnMut(&WindowBlock<'_>, &mut [f64]) -> u64,
    ) {
        let timestamps = &self.samples().floats.timestamps;
        let (Some(&first_ms), Some(&last_ms)) = (timestamps.first(), timestamps.last()) else { return };
        let (mut starts, mut ends) = (Places::new(timestamps), Places::new(timestamps));
        let mut starts_at = [0; BLOCK];
        // Of two blocks, this one behind that before it.
        let mut ends_at = [0; 2 * BLOCK];
        let lag = self.lag().filter(|&lag| lag <= BLOCK);
        if let Some(lag) = lag {
            let first = &self.bounds()[..lag.min(self.len())];
            starts.fill(first.iter(), |bounds| bounds.start_ms, &mut ends_at[BLOCK - lag..BLOCK]);
        }
        out.fill_words(|first_step, values| {
            let Some(bounds) = self.bounds().get(first_step..first_step + values.len()) else { return 0 };
            let ([first, ..], [.., last]) = (bounds, bounds) else { return 0 };
            // Of series that live for a while only, most windows lie before the first sample or behind the last one.
            if self.is_stopped() || first.start_ms >= last_ms || last.end_ms < first_ms {
                return 0;
            }
            let to = BLOCK..BLOCK + bounds.len();
            ends.fill(bounds.iter(), |bounds| bounds.end_ms, &mut ends_at[to.clone()]);
            let from = match lag {
                Some(lag) => &ends_at[to.start - lag..to.end - lag],
                None => {
                    starts.fill(bounds.iter(), |bounds| bounds.start_ms, &mut starts_at);
                    &starts_at[..bounds.len()]
                }
            };
            let present = fill(&WindowBlock { first_step, bounds, from, to: &ends_at[to] }, values);
            ends_at.copy_within(BLOCK.., 0);
            present
        });
    }
}

impl Windows<'_> {
    /// Fills a column of absent steps with `value` of the places of the samples of each window that has any.
    #[inline(always)]
    pub(crate) fn fill_each(&self, out: &mut StepColumn, mut value: impl FnMut(Range<usize>) -> f64) {
        self.fill_blocks(out, |block, values| {
            for (place, window) in values.iter_mut().zip(block.places()) {
                *place = value(window);
            }
            block.present(1, values)
        });
    }

    /// Fills a column of absent steps with what `compute` makes of `W` windows that have `samples` samples at least, next
    /// to each other: the number of the step of each, and the places of its samples. Where less than that are left, the
    /// last one is taken again; where a window has too few samples, what is computed of it is of no use.
    #[inline(always)]
    pub(crate) fn fill_groups<const W: usize>(
        &self,
        samples: usize,
        out: &mut StepColumn,
        mut compute: impl FnMut([(usize, Range<usize>); W]) -> [f64; W],
    ) {
        self.fill_blocks(out, |block, values| {
            let window = |at: usize| {
                let places = block.from.get(at).zip(block.to.get(at)).map_or(0..0, |(&from, &to)| from..to);
                (block.first_step + at, places)
            };
            for (group, places) in values.chunks_mut(W).enumerate() {
                let last = group * W + places.len() - 1;
                let computed = compute(array::from_fn(|lane| window(last.min(group * W + lane))));
                places.iter_mut().zip(computed).for_each(|(place, value)| *place = value);
            }
            block.present(samples, values)
        });
    }

    /// As [`Windows::fill_groups`], of the values of windows that have any.
    #[inline(always)]
    pub(crate) fn fill_value_groups<const W: usize>(
        &self,
        out: &mut StepColumn,
        mut compute: impl FnMut([&[f64]; W]) -> [f64; W],
    ) {
        let values = self.samples().floats.values.as_slice();
        self.fill_groups(1, out, |group| compute(group.map(|(_, places)| values.get(places).unwrap_or(&[]))));
    }
}

/// After how many steps a window starts where an earlier one ended, if that is so for all windows. What [`Windows::lagging`] takes.
pub fn lag(bounds: &[WindowBounds]) -> Option<usize> {
    let [first, second, ..] = bounds else { return None };
    let lag = bounds.iter().position(|later| later.start_ms >= first.end_ms)?;
    let is_lag = |(later, earlier): (&WindowBounds, &WindowBounds)| later.start_ms == earlier.end_ms;
    (second.end_ms > first.end_ms && bounds[lag..].iter().zip(bounds).all(is_lag)).then_some(lag)
}
