//! The window of samples that each step of a range function looks at.

use std::ops::Range;
use std::sync::Arc;

use narthex_model::{FloatHistogram, Timestamp};
use narthex_promql::Interrupt;
use narthex_storage::SampleBuffer;

use super::Places;

/// Borders of the window of one step: left-open, right-closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowBounds {
    /// Just before the first instant.
    pub start_ms: Timestamp,
    /// The last instant.
    pub end_ms: Timestamp,
    /// The evaluation time; differs from `end_ms` by `offset` and `@`.
    pub step_ms: Timestamp,
}

/// The samples of one series and the windows that the steps of a grid see of them.
///
/// A kernel gets all windows of a series at once, so that it may slide instead of starting anew at each step. The
/// samples hold no stale markers. They may reach further than the windows do, where an extended range selector needs
/// the neighbours of a border.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    samples: &'a SampleBuffer,
    bounds: &'a [WindowBounds],
    lag: Option<usize>,
    interrupt: Option<&'a Interrupt>,
}

/// Float samples of a window.
#[derive(Clone, Copy, Debug, Default)]
pub struct FloatSlice<'a> {
    /// Place of the first of them among all float samples of the series.
    pub first: usize,
    /// Rising.
    pub timestamps: &'a [Timestamp],
    /// As many values.
    pub values: &'a [f64],
    /// When each sample's counter started, 0 for unknown; empty when none is known.
    pub start_timestamps: &'a [Timestamp],
}

/// Histogram samples of a window.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistogramSlice<'a> {
    /// Rising.
    pub timestamps: &'a [Timestamp],
    /// As many values.
    pub values: &'a [Arc<FloatHistogram>],
    /// When each sample's counter started, 0 for unknown; empty when none is known.
    pub start_timestamps: &'a [Timestamp],
}

/// What one step sees.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Its borders.
    pub bounds: WindowBounds,
    /// Float samples inside.
    pub floats: FloatSlice<'a>,
    /// Histogram samples inside.
    pub histograms: HistogramSlice<'a>,
}

impl<'a> Windows<'a> {
    /// Windows over `samples`, whose borders rise (or stay) from step to step.
    pub fn new(samples: &'a SampleBuffer, bounds: &'a [WindowBounds]) -> Windows<'a> {
        Windows { samples, bounds, lag: None, interrupt: None }
    }

    /// The same windows, of which is known that each starts where the one `lag` steps earlier ended.
    #[must_use]
    pub fn lagging(self, lag: Option<usize>) -> Windows<'a> {
        Windows { lag, ..self }
    }

    /// After how many steps a window starts where an earlier one ended, if that is known.
    pub(super) fn lag(&self) -> Option<usize> {
        self.lag
    }

    /// The same windows; no more of them come once `interrupt` says to stop, whatever a kernel makes of that.
    #[must_use]
    pub fn stopped_by(self, interrupt: &'a Interrupt) -> Windows<'a> {
        Windows { interrupt: Some(interrupt), ..self }
    }

    /// Whether the query was told to stop: what is computed from here on is of no use.
    pub fn is_stopped(&self) -> bool {
        self.interrupt.is_some_and(Interrupt::is_set)
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    /// All samples of the series, those outside of every window included.
    pub fn samples(&self) -> &'a SampleBuffer {
        self.samples
    }

    /// Borders of every step's window.
    pub fn bounds(&self) -> &'a [WindowBounds] {
        self.bounds
    }

    /// The windows of all steps in order. Two cursors move over the samples: the whole walk is linear.
    pub fn iter(&self) -> impl Iterator<Item = Window<'a>> + use<'a> {
        let (samples, bounds) = (self.samples, self.bounds);
        let mut floats = Cursor::new(&samples.floats.timestamps);
        let mut histograms = Cursor::new(&samples.histograms.timestamps);
        let windows = *self;
        bounds.iter().take_while(move |_| !windows.is_stopped()).map(move |&bounds| Window {
            bounds,
            floats: FloatSlice::of(samples, floats.advance(bounds)),
            histograms: HistogramSlice::of(samples, histograms.advance(bounds)),
        })
    }
}

/// The part of a column inside the last window.
struct Cursor<'a> {
    start: Places<'a>,
    end: Places<'a>,
}

impl<'a> Cursor<'a> {
    fn new(timestamps: &'a [Timestamp]) -> Cursor<'a> {
        Cursor { start: Places::new(timestamps), end: Places::new(timestamps) }
    }

    #[inline(always)]
    fn advance(&mut self, bounds: WindowBounds) -> Range<usize> {
        let end = self.end.up_to(bounds.end_ms);
        self.start.up_to(bounds.start_ms).min(end)..end
    }
}

impl<'a> FloatSlice<'a> {
    fn of(samples: &'a SampleBuffer, range: Range<usize>) -> FloatSlice<'a> {
        let column = &samples.floats;
        FloatSlice {
            first: range.start,
            timestamps: &column.timestamps[range.clone()],
            values: &column.values[range.clone()],
            start_timestamps: column.start_timestamps.get(range).unwrap_or(&[]),
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }
}

impl<'a> HistogramSlice<'a> {
    fn of(samples: &'a SampleBuffer, range: Range<usize>) -> HistogramSlice<'a> {
        let column = &samples.histograms;
        HistogramSlice {
            timestamps: &column.timestamps[range.clone()],
            values: &column.values[range.clone()],
            start_timestamps: column.start_timestamps.get(range).unwrap_or(&[]),
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_left_open_and_slide() {
        let mut samples = SampleBuffer::new();
        for at_ms in [0, 10, 20, 30, 40] {
            samples.push(at_ms, (at_ms as f64).into(), 0);
        }
        let window = |end_ms| WindowBounds { start_ms: end_ms - 20, end_ms, step_ms: end_ms };
        let bounds = [window(-5), window(10), window(20), window(45), window(45)];
        let seen: Vec<&[i64]> =
            Windows::new(&samples, &bounds).iter().map(|window| window.floats.timestamps).collect();
        let expected: [&[i64]; 5] = [&[], &[0, 10], &[10, 20], &[30, 40], &[30, 40]];
        assert_eq!(seen, expected);
    }
}
