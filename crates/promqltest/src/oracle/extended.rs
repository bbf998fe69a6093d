//! `anchored` and `smoothed`: windows that know the samples around them.

use std::sync::Arc;

use narthex_model::{CounterResetHint, FloatHistogram, SampleValue, Timestamp};
use narthex_promql::Expr;
use narthex_promql::ast::RangeExtension;
use narthex_promql::functions::{FunctionId, OverTimeFunction, RateFunction};

use super::{OracleError, Sample, Window, failed};

/// Whether a function takes the windows of `arg`, if they are extended.
pub(super) fn check(function: FunctionId, arg: &Expr) -> Result<(), OracleError> {
    let Expr::Matrix(node) = arg.without_parens() else { return Ok(()) };
    let Some(extension) = node.selector.modifiers.extension.map(|extension| extension.value) else {
        return Ok(());
    };
    let is_allowed = match function {
        FunctionId::Rate(RateFunction::Rate | RateFunction::Increase | RateFunction::Delta) => true,
        FunctionId::OverTime(OverTimeFunction::Changes | OverTimeFunction::Resets) => {
            extension == RangeExtension::Anchored
        }
        _ => false,
    };
    let (modifier, function) = (extension.as_str(), function.as_str());
    if is_allowed { Ok(()) } else { failed(format!("{modifier} modifier cannot be used with {function}")) }
}

/// Two neighbours without a value between them: exponential and custom buckets.
pub(super) struct Incompatible;

/// The value at `at_ms` on the way from `left` to `right`, samples of the same kind; the way of a counter that fell
/// starts at zero.
fn between(
    left: &Sample,
    right: &Sample,
    at_ms: Timestamp,
    is_counter: bool,
) -> Result<SampleValue, Incompatible> {
    let share = (at_ms - left.at_ms) as f64 / (right.at_ms - left.at_ms) as f64;
    match (&left.value, &right.value) {
        (SampleValue::Float(from), SampleValue::Float(to)) => {
            let from = if is_counter && to < from { 0.0 } else { *from };
            Ok((from + (to - from) * share).into())
        }
        (SampleValue::Histogram(from), SampleValue::Histogram(to)) => {
            if from.uses_custom_buckets() != to.uses_custom_buckets() {
                return Err(Incompatible);
            }
            let mut result = FloatHistogram::clone(to);
            if is_counter && to.detect_reset(from) {
                result.mul(share);
                return Ok(result.into());
            }
            result.sub(from).map_err(|_| Incompatible)?;
            result.mul(share);
            result.add(from).map_err(|_| Incompatible)?;
            result.counter_reset_hint = to.counter_reset_hint;
            Ok(result.into())
        }
        _ => Err(Incompatible),
    }
}

fn is_float(sample: &&Sample) -> bool {
    matches!(sample.value, SampleValue::Float(_))
}

/// `metric smoothed`: the sample at the instant, what lies between its neighbours, or the one before.
pub(super) fn smoothed_value(near: &[Sample], at_ms: Timestamp) -> Option<Sample> {
    let is_pure = near.iter().all(|sample| is_float(&sample) == is_float(&&near[0]));
    let before = near.iter().rev().find(|sample| sample.at_ms <= at_ms)?;
    let after = near.iter().find(|sample| sample.at_ms > at_ms);
    match after {
        _ if !is_pure => None,
        Some(after) if before.at_ms < at_ms => {
            let is_gauge = |sample: &Sample| match &sample.value {
                SampleValue::Float(_) => true,
                SampleValue::Histogram(value) => value.counter_reset_hint == CounterResetHint::Gauge,
            };
            let is_counter = !(is_gauge(before) && is_gauge(after));
            let value = between(before, after, at_ms, is_counter).ok()?;
            Some(Sample { at_ms, started_ms: 0, value })
        }
        _ => Some(before.clone()),
    }
}

/// What an extended window stands for.
pub(super) enum Extended {
    /// Nothing, or samples that do not go together.
    None,
    Floats(Vec<f64>),
    Histograms(Vec<Arc<FloatHistogram>>),
}

/// The values of a window from its left border to its right one.
pub(super) fn values(window: &Window, is_counter: bool) -> Extended {
    let (floats, histograms): (Vec<Sample>, Vec<Sample>) =
        window.samples.iter().cloned().partition(|sample| is_float(&sample));
    let points = |samples: &[Sample]| match window.extension {
        Some(RangeExtension::Smoothed) => smoothed(samples, window, is_counter),
        _ => Ok(anchored(samples, window)),
    };
    let (Ok(floats), Ok(histograms)) = (points(&floats), points(&histograms)) else { return Extended::None };
    match (floats.is_empty(), histograms.is_empty()) {
        (false, true) => Extended::Floats(floats.iter().filter_map(|sample| float(&sample.value)).collect()),
        (true, false) => {
            Extended::Histograms(histograms.iter().filter_map(|sample| histogram(&sample.value)).collect())
        }
        _ => Extended::None,
    }
}

pub(super) fn float(value: &SampleValue) -> Option<f64> {
    if let SampleValue::Float(value) = value { Some(*value) } else { None }
}

pub(super) fn histogram(value: &SampleValue) -> Option<Arc<FloatHistogram>> {
    if let SampleValue::Histogram(value) = value { Some(Arc::clone(value)) } else { None }
}

/// From the last sample at or before the start, or the first within; nothing unless there is one within.
pub(super) fn anchored(samples: &[Sample], window: &Window) -> Vec<Sample> {
    let (before, inside): (Vec<&Sample>, Vec<&Sample>) =
        samples.iter().partition(|sample| sample.at_ms <= window.start_ms);
    if inside.is_empty() {
        return Vec::new();
    }
    before.last().into_iter().chain(&inside).map(|&sample| sample.clone()).collect()
}

/// The value at the start, the samples within, the value at the end.
fn smoothed(samples: &[Sample], window: &Window, is_counter: bool) -> Result<Vec<Sample>, Incompatible> {
    let (start_ms, end_ms) = (window.start_ms, window.end_ms);
    let is_useful = samples.last().is_some_and(|last| last.at_ms > start_ms)
        && samples.first().is_some_and(|first| first.at_ms <= end_ms);
    if !is_useful {
        return Ok(Vec::new());
    }
    let mut points: Vec<Sample> = Vec::new();
    let mut is_interpolated = false;
    if let Some(before) = samples.iter().rev().find(|sample| sample.at_ms <= start_ms) {
        is_interpolated = before.at_ms < start_ms;
        points.extend(value_at(samples, start_ms, is_counter)?);
    }
    points.extend(samples.iter().filter(|one| one.at_ms > start_ms && one.at_ms < end_ms).cloned());
    let mut end = value_at(samples, end_ms, is_counter)?;
    if let (Some(end), true) = (&mut end, samples.iter().all(|sample| sample.at_ms < end_ms)) {
        continue_count(&mut end.value);
    }
    points.extend(end);
    // An interpolated value already belongs to the count after a reset.
    if let (true, Some(next)) = (is_interpolated, points.get_mut(1)) {
        continue_count(&mut next.value);
    }
    Ok(points)
}

fn continue_count(value: &mut SampleValue) {
    if let SampleValue::Histogram(histogram) = value
        && histogram.counter_reset_hint == CounterResetHint::Reset
    {
        Arc::make_mut(histogram).counter_reset_hint = CounterResetHint::NotReset;
    }
}

/// The sample at an instant, what lies between its neighbours, or the one before; `None` before the first.
fn value_at(samples: &[Sample], at_ms: Timestamp, is_counter: bool) -> Result<Option<Sample>, Incompatible> {
    let before = samples.iter().rev().find(|sample| sample.at_ms <= at_ms);
    let after = samples.iter().find(|sample| sample.at_ms > at_ms);
    Ok(match (before, after) {
        (Some(before), Some(after)) if before.at_ms < at_ms => {
            let value = between(before, after, at_ms, is_counter)?;
            Some(Sample { at_ms, started_ms: 0, value })
        }
        (before, _) => before.cloned(),
    })
}

/// The samples of a window that is itself the result.
pub(super) fn shown(window: &Window) -> Result<Vec<Sample>, OracleError> {
    let Some(extension) = window.extension else { return Ok(window.samples.clone()) };
    if window.samples.iter().any(|sample| !is_float(&sample)) {
        return failed(format!("{} modifier is not supported with histograms", extension.as_str()));
    }
    let (start_ms, end_ms) = (window.start_ms, window.end_ms);
    let at = |at_ms: Timestamp, sample: &Sample| Sample { at_ms, ..sample.clone() };
    if extension == RangeExtension::Smoothed {
        let Ok(points) = smoothed(&window.samples, window, false) else { return Ok(Vec::new()) };
        let last = points.len().saturating_sub(1);
        let starts_inside = points.first().is_some_and(|first| first.at_ms > start_ms);
        let mut shown: Vec<Sample> =
            points.first().filter(|_| starts_inside).map(|one| at(start_ms, one)).into_iter().collect();
        shown.extend(points.iter().enumerate().map(|(number, point)| match number {
            0 if !starts_inside => at(start_ms, point),
            _ if number == last => at(end_ms, point),
            _ => point.clone(),
        }));
        return Ok(shown);
    }
    let points = anchored(&window.samples, window);
    let inside: Vec<&Sample> =
        points.iter().filter(|one| one.at_ms > start_ms && one.at_ms < end_ms).collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(Vec::new()) };
    Ok([at(start_ms, first)]
        .into_iter()
        .chain(inside.into_iter().cloned())
        .chain([at(end_ms, last)])
        .collect())
}
