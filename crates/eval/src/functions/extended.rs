//! Windows that know their borders: `anchored` and `smoothed`.
//!
//! An anchored window starts at the last sample at or before its start; a smoothed one interpolates values at both
//! borders. Neither is extrapolated.

use std::sync::Arc;

use narthex_model::{CounterResetHint, FloatHistogram, Timestamp};
use narthex_promql::ast::RangeExtension;
use narthex_promql::functions::{FunctionId, OverTimeFunction, RateFunction};

use super::SeriesContext;
use super::histogram_rate::{HistogramChange, histogram_change};
use super::rate::Change;
use crate::column::WindowBounds;
use crate::{AnnotationKind, EvalError, StepColumn, Windows};

/// Functions that take anchored windows, sorted by name.
const ANCHORED: [FunctionId; 5] = [
    FunctionId::OverTime(OverTimeFunction::Changes),
    FunctionId::Rate(RateFunction::Delta),
    FunctionId::Rate(RateFunction::Increase),
    FunctionId::Rate(RateFunction::Rate),
    FunctionId::OverTime(OverTimeFunction::Resets),
];
/// Functions that take smoothed windows, sorted by name.
const SMOOTHED: [FunctionId; 3] = [
    FunctionId::Rate(RateFunction::Delta),
    FunctionId::Rate(RateFunction::Increase),
    FunctionId::Rate(RateFunction::Rate),
];

/// Refuses functions that cannot take such windows.
///
/// # Errors
/// With upstream's text, which lists the functions that can.
pub fn check(
    function: FunctionId,
    extension: RangeExtension,
    span: narthex_diag::Span,
) -> Result<(), EvalError> {
    let allowed: &[FunctionId] = match extension {
        RangeExtension::Anchored => &ANCHORED,
        RangeExtension::Smoothed => &SMOOTHED,
    };
    if allowed.contains(&function) {
        return Ok(());
    }
    let names: Vec<&str> = allowed.iter().map(|function| function.as_str()).collect();
    let (modifier, names, found) = (extension.as_str(), names.join(", "), function.as_str());
    Err(EvalError::execution(
        format!("{modifier} modifier can only be used with: {names} - not with {found}"),
        span,
    ))
}

/// A value between two others, in time.
pub trait Interpolate: Sized {
    /// The value at `share` of the way (0 to 1) from `self` to `right`. Of a counter that started anew in between, the
    /// way starts at zero. `None` where the two do not go together.
    fn between(&self, right: &Self, share: f64, is_counter: IsCounter) -> Option<Self>;

    /// The value as one of the same count as the value before, whatever it says of a reset.
    #[must_use]
    fn continued(self) -> Self;
}

/// Whether a drop means that a counter started anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsCounter {
    /// It does.
    Yes,
    /// It is just a lower value.
    No,
}

impl Interpolate for f64 {
    fn between(&self, right: &f64, share: f64, is_counter: IsCounter) -> Option<f64> {
        let left = if is_counter == IsCounter::Yes && right < self { 0.0 } else { *self };
        Some(left + (right - left) * share)
    }

    fn continued(self) -> f64 {
        self
    }
}

impl Interpolate for Arc<FloatHistogram> {
    fn between(&self, right: &Self, share: f64, is_counter: IsCounter) -> Option<Self> {
        if self.uses_custom_buckets() != right.uses_custom_buckets() {
            return None;
        }
        let mut result = FloatHistogram::clone(right);
        if is_counter == IsCounter::Yes && right.detect_reset(self) {
            result.mul(share);
            return Some(Arc::new(result));
        }
        // left + (right - left) * share
        result.sub(self).ok()?;
        result.mul(share);
        result.add(self).ok()?;
        result.counter_reset_hint = right.counter_reset_hint;
        Some(Arc::new(result))
    }

    fn continued(mut self) -> Self {
        if self.counter_reset_hint == CounterResetHint::Reset {
            Arc::make_mut(&mut self).counter_reset_hint = CounterResetHint::NotReset;
        }
        self
    }
}

/// The samples that an extended window stands for: from its left border to its right one, in time order.
#[derive(Clone, Debug, PartialEq)]
pub struct Extended<T> {
    /// Rising.
    pub timestamps: Vec<Timestamp>,
    /// As many.
    pub values: Vec<T>,
}

/// Why an extended window has no samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoWindow {
    /// No sample that counts.
    Empty,
    /// Neighbours of a border that cannot be interpolated.
    Incompatible,
}

/// Makes the samples of an extended window out of a series' column. `lookback_ms` is how far the neighbours of a
/// border may be.
///
/// # Errors
/// See [`NoWindow`].
pub fn extend<T: Interpolate + Clone>(
    column: (&[Timestamp], &[T]),
    bounds: WindowBounds,
    lookback_ms: i64,
    extension: RangeExtension,
    is_counter: IsCounter,
) -> Result<Extended<T>, NoWindow> {
    let (timestamps, values) = column;
    let reach_ms = match extension {
        RangeExtension::Anchored => bounds.end_ms,
        RangeExtension::Smoothed => bounds.end_ms.saturating_add(lookback_ms),
    };
    let oldest_ms = bounds.start_ms.saturating_sub(lookback_ms);
    let from = timestamps.partition_point(|&at_ms| at_ms <= oldest_ms);
    let to = timestamps.partition_point(|&at_ms| at_ms <= reach_ms);
    let near = (timestamps.get(from..to).unwrap_or(&[]), values.get(from..to).unwrap_or(&[]));
    match extension {
        RangeExtension::Anchored => anchored(near, bounds),
        RangeExtension::Smoothed => smoothed(near, bounds, is_counter),
    }
}

fn anchored<T: Clone>(near: (&[Timestamp], &[T]), bounds: WindowBounds) -> Result<Extended<T>, NoWindow> {
    let (timestamps, values) = near;
    if timestamps.last().is_none_or(|&last_ms| last_ms <= bounds.start_ms) {
        return Err(NoWindow::Empty);
    }
    let first = timestamps.partition_point(|&at_ms| at_ms <= bounds.start_ms).saturating_sub(1);
    Ok(Extended { timestamps: timestamps[first..].to_vec(), values: values[first..].to_vec() })
}

fn smoothed<T: Interpolate + Clone>(
    near: (&[Timestamp], &[T]),
    bounds: WindowBounds,
    is_counter: IsCounter,
) -> Result<Extended<T>, NoWindow> {
    let (timestamps, values) = near;
    let (Some(&first_ms), Some(&last_ms)) = (timestamps.first(), timestamps.last()) else {
        return Err(NoWindow::Empty);
    };
    if last_ms <= bounds.start_ms || first_ms > bounds.end_ms {
        return Err(NoWindow::Empty);
    }
    let inner = timestamps.partition_point(|&at_ms| at_ms <= bounds.start_ms)
        ..timestamps.partition_point(|&at_ms| at_ms < bounds.end_ms);
    let mut extended = Extended { timestamps: Vec::new(), values: Vec::new() };
    let mut push = |at_ms, value| {
        extended.timestamps.push(at_ms);
        extended.values.push(value);
    };
    if inner.start > 0 {
        push(bounds.start_ms, value_at(near, inner.start - 1, bounds.start_ms, is_counter)?);
    }
    for at in inner.clone() {
        push(timestamps[at], values[at].clone());
    }
    match timestamps.get(inner.end) {
        Some(&end_ms) if end_ms == bounds.end_ms || inner.end == 0 => push(end_ms, values[inner.end].clone()),
        Some(_) => push(bounds.end_ms, value_at(near, inner.end - 1, bounds.end_ms, is_counter)?),
        None => push(bounds.end_ms, values[inner.end - 1].clone().continued()),
    }
    // An interpolated left border already lies on the right sample's side of a reset.
    let left_is_sample = inner.start == 0 || timestamps[inner.start - 1] == bounds.start_ms;
    if let (false, Some(next)) = (left_is_sample, extended.values.get_mut(1)) {
        *next = next.clone().continued();
    }
    Ok(extended)
}

/// The value at `at_ms`, which lies at or after sample `left` and at or before the next.
fn value_at<T: Interpolate + Clone>(
    near: (&[Timestamp], &[T]),
    left: usize,
    at_ms: Timestamp,
    is_counter: IsCounter,
) -> Result<T, NoWindow> {
    let (timestamps, values) = near;
    if timestamps[left] == at_ms || left + 1 == timestamps.len() {
        return Ok(values[left].clone());
    }
    let after_left = |at_ms: Timestamp| at_ms.saturating_sub(timestamps[left]) as f64;
    let share = after_left(at_ms) / after_left(timestamps[left + 1]);
    values[left].between(&values[left + 1], share, is_counter).ok_or(NoWindow::Incompatible)
}

/// `rate`, `increase` and `delta` over extended windows.
pub(super) fn change(
    change: Change,
    extension: RangeExtension,
    range_ms: i64,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) {
    let seconds = if change == Change::CounterRate { range_ms as f64 / 1000.0 } else { 1.0 };
    let is_counter = if change.is_counter() { IsCounter::Yes } else { IsCounter::No };
    let lookback_ms = series.query.parameters.lookback_ms;
    let samples = windows.samples();
    let floats = (samples.floats.timestamps.as_slice(), samples.floats.values.as_slice());
    let histograms = (samples.histograms.timestamps.as_slice(), samples.histograms.values.as_slice());
    for (step, &bounds) in windows.bounds().iter().enumerate() {
        let of_floats = extend(floats, bounds, lookback_ms, extension, is_counter);
        let of_histograms = extend(histograms, bounds, lookback_ms, extension, is_counter);
        match (of_floats, of_histograms) {
            (Ok(_), Ok(_)) => series.annotate_metric(AnnotationKind::MixedFloatsHistograms),
            (_, Err(NoWindow::Incompatible)) => {
                series.annotate_metric(AnnotationKind::MixedExponentialCustom);
            }
            (Ok(window), Err(_)) => out.set_float(step, float_change(change, &window.values) / seconds),
            (Err(_), Ok(window)) => {
                if let Some(mut result) = histogram_difference(change, &window, series) {
                    result.div(seconds);
                    out.set_histogram(step, Arc::new(result));
                }
            }
            (Err(_), Err(_)) => {}
        }
    }
}

fn float_change(change: Change, values: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return 0.0 };
    let mut difference = last - first;
    if change.is_counter() {
        for pair in values.windows(2).filter(|pair| pair[1] < pair[0]) {
            difference += pair[0];
        }
    }
    difference
}

fn histogram_difference(
    change: Change,
    window: &Extended<Arc<FloatHistogram>>,
    series: &SeriesContext<'_>,
) -> Option<FloatHistogram> {
    let input = HistogramChange {
        values: &window.values,
        timestamps: &window.timestamps,
        start_timestamps: &[],
        change,
        starts_at_zero: false,
    };
    histogram_change(&input, series)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: [i64; 4] = [0, 10, 20, 30];
    const VALUES: [f64; 4] = [0.0, 10.0, 2.0, 12.0];

    fn extended(start_ms: i64, end_ms: i64, extension: RangeExtension) -> Result<Extended<f64>, NoWindow> {
        let bounds = WindowBounds { start_ms, end_ms, step_ms: end_ms };
        extend((&TIMES, &VALUES), bounds, 15, extension, IsCounter::Yes)
    }

    #[test]
    fn anchored_windows_start_at_or_before_their_start() {
        let window = extended(15, 25, RangeExtension::Anchored).unwrap();
        assert_eq!(window.timestamps, [10, 20]);
        assert_eq!(extended(-50, 5, RangeExtension::Anchored).unwrap().timestamps, [0]);
        assert_eq!(extended(30, 40, RangeExtension::Anchored), Err(NoWindow::Empty));
    }

    #[test]
    fn smoothed_windows_interpolate_both_borders() {
        let window = extended(5, 25, RangeExtension::Smoothed).unwrap();
        assert_eq!((window.timestamps, window.values), (vec![5, 10, 20, 25], vec![5.0, 10.0, 2.0, 7.0]));
        // Between 10 and 20 the counter started anew: the way leads from 0 to 2.
        let reset = extended(12, 15, RangeExtension::Smoothed).unwrap();
        assert_eq!(reset.values, [0.4, 1.0]);
        assert_eq!(extended(25, 40, RangeExtension::Smoothed).unwrap().values, [7.0, 12.0, 12.0]);
        assert_eq!(extended(-9, -1, RangeExtension::Smoothed), Err(NoWindow::Empty));
    }

    #[test]
    fn the_refusal_lists_what_is_allowed() {
        let fault = check(
            FunctionId::Rate(RateFunction::Irate),
            RangeExtension::Smoothed,
            narthex_diag::Span::default(),
        );
        let text = "smoothed modifier can only be used with: delta, increase, rate - not with irate";
        assert_eq!(fault.unwrap_err().to_string(), text);
    }
}
