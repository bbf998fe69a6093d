//! How often something happened within a window: `changes` and `resets`.

use std::sync::Arc;

use narthex_model::{FloatHistogram, Timestamp};
use narthex_promql::ast::RangeExtension;
use narthex_promql::functions::OverTimeFunction;

use super::SeriesContext;
use super::rate::is_start_reset;
use crate::{StepColumn, Windows};

/// A sample with what decides whether the next one is a transition.
#[derive(Clone, Copy)]
enum Point<'a> {
    Float { value: f64, at: usize },
    Histogram { value: &'a Arc<FloatHistogram>, at: usize },
}

/// Computes `changes` or `resets` for every step.
pub(super) fn evaluate(
    function: OverTimeFunction,
    extension: Option<RangeExtension>,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) {
    let has_starts =
        series.query.options.start_timestamps && !windows.samples().floats.start_timestamps.is_empty();
    if extension.is_none() && windows.has_only_floats() && !has_starts {
        match function {
            OverTimeFunction::Changes => {
                count(windows, out, |before, value| (value != before) & !(value.is_nan() & before.is_nan()));
            }
            _ => count(windows, out, |before, value| value < before),
        }
        return;
    }
    let times = transitions(function, windows, series);
    let lookback_ms = series.query.parameters.lookback_ms;
    for (step, window) in windows.iter().enumerate() {
        let inside = first_of(window.floats.timestamps, window.histograms.timestamps);
        let Some(inside_ms) = inside else { continue };
        let from_ms = match extension {
            None => inside_ms,
            Some(_) => anchor(windows, window.bounds.start_ms, lookback_ms).unwrap_or(inside_ms),
        };
        let from = times.partition_point(|&at_ms| at_ms <= from_ms);
        let to = times.partition_point(|&at_ms| at_ms <= window.bounds.end_ms);
        out.set_float(step, to.saturating_sub(from) as f64);
    }
}

/// Counts the transitions of floats: they are found once, and counted by two cursors.
fn count(windows: &Windows<'_>, out: &mut StepColumn, is_transition: impl Fn(f64, f64) -> bool) {
    let places = places(&windows.samples().floats.values, is_transition);
    let (mut before, mut within) = (0, 0);
    windows.fill_each(out, |window| {
        // The transition to its first sample is none of a window's.
        while places.get(before).is_some_and(|&at| at <= window.start) {
            before += 1;
        }
        while places.get(within).is_some_and(|&at| at < window.end) {
            within += 1;
        }
        within.saturating_sub(before) as f64
    });
}

/// The places of the values that differ from their predecessors.
fn places(values: &[f64], is_transition: impl Fn(f64, f64) -> bool) -> Vec<usize> {
    const CHUNK: usize = 32;
    let Some((_, after)) = values.split_first() else { return Vec::new() };
    let mut places = Vec::new();
    for (number, (before, after)) in values.chunks(CHUNK).zip(after.chunks(CHUNK)).enumerate() {
        let pairs = || before.iter().zip(after);
        // Without a branch per value, as there is none mostly.
        if pairs().fold(false, |any, (&before, &value)| any | is_transition(before, value)) {
            let found = (1 + number * CHUNK..).zip(pairs());
            let found = found.filter(|(_, (before, value))| is_transition(**before, **value));
            places.extend(found.map(|(at, _)| at));
        }
    }
    places
}

fn first_of(floats: &[Timestamp], histograms: &[Timestamp]) -> Option<Timestamp> {
    [floats.first(), histograms.first()].into_iter().flatten().copied().min()
}

/// The time of the last sample at or before the start of a window, whichever kind it is, within the lookback.
fn anchor(windows: &Windows<'_>, start_ms: Timestamp, lookback_ms: i64) -> Option<Timestamp> {
    let samples = windows.samples();
    let last_of = |timestamps: &[Timestamp]| {
        let before = timestamps.partition_point(|&at_ms| at_ms <= start_ms);
        before.checked_sub(1).map(|at| timestamps[at])
    };
    let last_ms = last_of(&samples.floats.timestamps).max(last_of(&samples.histograms.timestamps))?;
    (last_ms > start_ms.saturating_sub(lookback_ms)).then_some(last_ms)
}

/// The times of the samples that differ from their predecessor: found once, counted by every window.
fn transitions(
    function: OverTimeFunction,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
) -> Vec<Timestamp> {
    let samples = windows.samples();
    let is_transition = |before: Point<'_>, point: Point<'_>| match (before, point) {
        (Point::Float { value: before, .. }, Point::Float { value, at }) => match function {
            OverTimeFunction::Changes => value != before && !(value.is_nan() && before.is_nan()),
            _ => {
                value < before
                    || starts_anew(series, &samples.floats.timestamps, &samples.floats.start_timestamps, at)
            }
        },
        (Point::Histogram { value: before, .. }, Point::Histogram { value, at }) => match function {
            OverTimeFunction::Changes => !value.equals(before),
            _ => {
                let column = &samples.histograms;
                value.detect_reset(before)
                    || starts_anew(series, &column.timestamps, &column.start_timestamps, at)
            }
        },
        _ => true,
    };
    let mut times = Vec::new();
    let mut before = None;
    for (at_ms, point) in merged(windows) {
        if before.is_some_and(|before| is_transition(before, point)) {
            times.push(at_ms);
        }
        before = Some(point);
    }
    times
}

fn starts_anew(
    series: &SeriesContext<'_>,
    timestamps: &[Timestamp],
    starts: &[Timestamp],
    at: usize,
) -> bool {
    series.query.options.start_timestamps && at > 0 && is_start_reset(timestamps, starts, at)
}

/// Samples of both kinds in time order.
fn merged<'a>(windows: &Windows<'a>) -> impl Iterator<Item = (Timestamp, Point<'a>)> {
    let samples = windows.samples();
    let floats = samples.floats.timestamps.iter().zip(&samples.floats.values).enumerate();
    let histograms = samples.histograms.timestamps.iter().zip(&samples.histograms.values).enumerate();
    let mut floats = floats.map(|(at, (&at_ms, &value))| (at_ms, Point::Float { value, at })).peekable();
    let mut histograms =
        histograms.map(|(at, (&at_ms, value))| (at_ms, Point::Histogram { value, at })).peekable();
    std::iter::from_fn(move || match (floats.peek(), histograms.peek()) {
        (Some(float), Some(histogram)) if histogram.0 < float.0 => histograms.next(),
        (Some(_), _) => floats.next(),
        (None, _) => histograms.next(),
    })
}
