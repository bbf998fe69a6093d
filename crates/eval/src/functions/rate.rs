//! How a series changes over a window: `rate`, `increase`, `delta`, `irate`, `idelta`.
//!
//! Formulas: the difference of last and first sample, a counter's resets added back in order, extrapolated to the
//! borders of the window as Prometheus does.

use std::sync::Arc;

use narthex_model::labels::METRIC_TYPE;
use narthex_model::{CounterResetHint, FloatHistogram, Timestamp};
use narthex_promql::ast::RangeExtension;
use narthex_promql::functions::RateFunction;

use super::extrapolation::{Borders, Extent, zero_share};
use super::histogram_rate::{HistogramChange, histogram_change};
use super::{SeriesContext, extended, rate_floats};
use crate::column::{FloatSlice, HistogramSlice};
use crate::{AnnotationKind, EvalError, StepColumn, Window, Windows};

/// Computes one of the family for every step.
///
/// # Errors
/// None today; extended selectors may refuse samples they cannot interpolate.
pub fn evaluate(
    function: RateFunction,
    extension: Option<RangeExtension>,
    range_ms: i64,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) -> Result<(), EvalError> {
    match (function, extension) {
        (RateFunction::Irate, _) => last_two(Change::CounterRate, windows, series, out),
        (RateFunction::Idelta, _) => last_two(Change::Gauge, windows, series, out),
        (_, Some(extension)) => {
            extended::change(Change::of(function), extension, range_ms, windows, series, out);
        }
        (_, None) => extrapolated(Change::of(function), range_ms, windows, series, out),
    }
    if matches!(function, RateFunction::Rate | RateFunction::Increase) {
        hint_at_non_counter(series, out);
    }
    Ok(())
}

/// What kind of change is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// Of a counter, per second.
    CounterRate,
    /// Of a counter, over the whole window.
    CounterIncrease,
    /// Of a gauge.
    Gauge,
}

impl Change {
    pub(super) fn of(function: RateFunction) -> Change {
        match function {
            RateFunction::Rate | RateFunction::Irate => Change::CounterRate,
            RateFunction::Increase => Change::CounterIncrease,
            RateFunction::Delta | RateFunction::Idelta => Change::Gauge,
        }
    }

    pub(super) fn is_counter(self) -> bool {
        self != Change::Gauge
    }
}

/// A float result whose metric does not look like a counter deserves a hint.
pub(super) fn hint_at_non_counter(series: &SeriesContext<'_>, out: &StepColumn) {
    let metric = series.metric;
    let has_floats = || out.presence().iter().any(|step| out.float(step).is_some());
    if metric.is_empty() || !has_floats() {
        return;
    }
    if series.query.options.type_and_unit_labels {
        let found = series.labels.value(METRIC_TYPE);
        if !matches!(found, "counter" | "histogram") {
            series.annotate_metric(|metric| AnnotationKind::PossibleNonCounterType(found.to_owned(), metric));
        }
    } else if !["_total", "_sum", "_count", "_bucket"].iter().any(|suffix| metric.ends_with(suffix)) {
        series.annotate_metric(AnnotationKind::PossibleNonCounter);
    }
}

fn extrapolated(
    change: Change,
    range_ms: i64,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) {
    let uses_starts = series.query.options.start_timestamps && change.is_counter();
    let resets = if change.is_counter() { Resets::of(windows, series) } else { Resets::default() };
    let samples = windows.samples();
    if samples.histograms.timestamps.is_empty()
        && (!uses_starts || samples.floats.start_timestamps.is_empty())
        && rate_floats::changes(change, range_ms, windows, &resets, out)
    {
        return;
    }
    for (step, window) in windows.iter().enumerate() {
        let (floats, histograms) = (window.floats, window.histograms);
        if !floats.is_empty() && !histograms.is_empty() {
            series.annotate_metric(AnnotationKind::MixedFloatsHistograms);
        } else if !floats.is_empty() {
            let start = if uses_starts {
                zero_start(floats.start_timestamps, floats.timestamps, &window)
            } else {
                None
            };
            if let Some(value) = float_change(change, range_ms, &window, &resets, start) {
                out.set_float(step, value);
            }
        } else if !histograms.is_empty() {
            let start = if uses_starts {
                zero_start(histograms.start_timestamps, histograms.timestamps, &window)
            } else {
                None
            };
            if let Some(histogram) = extrapolated_histogram(change, range_ms, &window, start, series) {
                out.set_histogram(step, Arc::new(histogram));
            }
        }
    }
}

/// The start time of the first sample if it lies inside the window: the counter is known to have been zero there.
fn zero_start(starts: &[Timestamp], timestamps: &[Timestamp], window: &Window<'_>) -> Option<Timestamp> {
    let (&start, &first) = (starts.first()?, timestamps.first()?);
    (start != 0 && start > window.bounds.start_ms && start < first).then_some(start)
}

pub(super) fn float_change(
    change: Change,
    range_ms: i64,
    window: &Window<'_>,
    resets: &Resets,
    start: Option<Timestamp>,
) -> Option<f64> {
    let FloatSlice { first: offset, timestamps, values, .. } = window.floats;
    let (first, last) = (*values.first()?, *values.last()?);
    if timestamps.len() < 2 && start.is_none() {
        return None;
    }
    let mut difference = resets.replayed(last - first, offset + 1, offset + values.len());
    if start.is_some() {
        difference += first;
    }
    let extent = Extent::of(change, range_ms, timestamps, start)?;
    let zero_share = zero_share(change, first, difference);
    Some(difference * Borders::new(&extent, window.bounds.start_ms, window.bounds.end_ms).factor(zero_share))
}

fn extrapolated_histogram(
    change: Change,
    range_ms: i64,
    window: &Window<'_>,
    start: Option<Timestamp>,
    series: &SeriesContext<'_>,
) -> Option<FloatHistogram> {
    let HistogramSlice { timestamps, values, .. } = window.histograms;
    if values.len() < 2 && start.is_none() {
        return None;
    }
    let input = HistogramChange {
        values,
        timestamps,
        start_timestamps: window.histograms.start_timestamps,
        change,
        starts_at_zero: start.is_some(),
    };
    let mut result = histogram_change(&input, series)?;
    let extent = Extent::of(change, range_ms, timestamps, start)?;
    let zero_share = zero_share(change, values[0].count, result.count);
    result.mul(Borders::new(&extent, window.bounds.start_ms, window.bounds.end_ms).factor(zero_share));
    Some(result)
}

/// Where a counter of floats started anew: found once per series, replayed in order by each window, which gives the
/// same bits as walking the window's samples.
#[derive(Debug, Default)]
pub(super) struct Resets {
    at: Vec<Reset>,
}

/// A reset between sample `at − 1` and sample `at`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reset {
    pub(super) at: usize,
    /// The value that was lost.
    pub(super) before: f64,
}

impl Resets {
    /// The resets of a series' float samples, by value and (if the query uses them) by start time.
    pub(super) fn of(windows: &Windows<'_>, series: &SeriesContext<'_>) -> Resets {
        let column = &windows.samples().floats;
        let starts: &[Timestamp] =
            if series.query.options.start_timestamps { &column.start_timestamps } else { &[] };
        if starts_overlap(&column.timestamps, starts) {
            series.annotate_metric(AnnotationKind::StartTimeOverlap);
        }
        if starts.is_empty() {
            return Resets::by_value(&column.values);
        }
        let values = &column.values;
        let is_reset =
            |&at: &usize| values[at] < values[at - 1] || is_start_reset(&column.timestamps, starts, at);
        let at = (1..values.len()).filter(is_reset);
        Resets { at: at.map(|at| Reset { at, before: values[at - 1] }).collect() }
    }

    /// The resets of a counter that had these values.
    pub(super) fn by_value(values: &[f64]) -> Resets {
        let pairs = || values.iter().zip(values.get(1..).unwrap_or(&[]));
        // Without a branch per value, as hardly any counter starts anew.
        if !pairs().fold(false, |has_fall, (before, value)| has_fall | (value < before)) {
            return Resets::default();
        }
        let falls = (1..).zip(pairs()).filter(|(_, (before, value))| value < before);
        Resets { at: falls.map(|(at, (&before, _))| Reset { at, before }).collect() }
    }

    /// The difference between two values, with what was lost at samples `from..to` added in order.
    #[inline(always)]
    pub(super) fn replayed(&self, difference: f64, from: usize, to: usize) -> f64 {
        if self.at.is_empty() {
            return difference;
        }
        self.within(from, to).iter().fold(difference, |sum, reset| sum + reset.before)
    }

    /// Resets at samples `from..to`.
    pub(super) fn within(&self, from: usize, to: usize) -> &[Reset] {
        let first = self.at.partition_point(|reset| reset.at < from);
        let behind = &self.at[first..];
        &behind[..behind.partition_point(|reset| reset.at < to)]
    }
}

/// Whether the start times say that the counter began anew between samples `at − 1` and `at`.
pub(super) fn is_start_reset(timestamps: &[Timestamp], starts: &[Timestamp], at: usize) -> bool {
    let (Some(&start), Some(&start_before)) = (starts.get(at), starts.get(at - 1)) else { return false };
    let before_ms = timestamps[at - 1];
    if start == 0 || start >= timestamps[at] {
        return false;
    }
    let before_is_known = start_before != 0 && start_before != before_ms && start_before <= before_ms;
    start > before_ms || (start == before_ms && before_is_known)
}

/// Whether a sample claims to have started before the one before it was taken, though that one started elsewhere.
fn starts_overlap(timestamps: &[Timestamp], starts: &[Timestamp]) -> bool {
    (1..starts.len())
        .any(|at| starts[at] != 0 && starts[at] < timestamps[at - 1] && starts[at] != starts[at - 1])
}

/// `irate` and `idelta`: from the last two samples, whichever kind they are.
fn last_two(change: Change, windows: &Windows<'_>, series: &SeriesContext<'_>, out: &mut StepColumn) {
    let uses_starts = series.query.options.start_timestamps;
    if windows.has_only_floats() && (!uses_starts || windows.samples().floats.start_timestamps.is_empty()) {
        rate_floats::last_changes(change, windows, out);
        return;
    }
    for (step, window) in windows.iter().enumerate() {
        let (floats, histograms) = (window.floats, window.histograms);
        match last_kinds(floats.timestamps, histograms.timestamps) {
            LastTwo::TooFew => {}
            LastTwo::Mixed => series.annotate_metric(AnnotationKind::MixedFloatsHistograms),
            LastTwo::Floats => {
                if let Some(value) = last_float_change(change, floats, series) {
                    out.set_float(step, value);
                }
            }
            LastTwo::Histograms => {
                if let Some(value) = last_histogram_change(change, histograms, series) {
                    out.set_histogram(step, Arc::new(value));
                }
            }
        }
    }
}

enum LastTwo {
    TooFew,
    Floats,
    Histograms,
    Mixed,
}

/// Which kinds the two newest samples are.
fn last_kinds(floats: &[Timestamp], histograms: &[Timestamp]) -> LastTwo {
    if floats.len() + histograms.len() < 2 {
        return LastTwo::TooFew;
    }
    let newest =
        |timestamps: &[Timestamp], back: usize| timestamps.len().checked_sub(back).map(|at| timestamps[at]);
    match (newest(floats, 2), newest(floats, 1), newest(histograms, 2), newest(histograms, 1)) {
        (Some(second), _, _, histogram) if histogram.is_none_or(|newest| newest < second) => LastTwo::Floats,
        (_, float, Some(second), _) if float.is_none_or(|newest| newest < second) => LastTwo::Histograms,
        _ => LastTwo::Mixed,
    }
}

fn last_float_change(change: Change, floats: FloatSlice<'_>, series: &SeriesContext<'_>) -> Option<f64> {
    let at = floats.len() - 1;
    let (before, last) = (floats.values[at - 1], floats.values[at]);
    let interval_ms = floats.timestamps[at] - floats.timestamps[at - 1];
    if interval_ms == 0 {
        return None;
    }
    let starts: &[Timestamp] =
        if series.query.options.start_timestamps { floats.start_timestamps } else { &[] };
    let is_reset = change.is_counter() && (last < before || is_start_reset(floats.timestamps, starts, at));
    let difference = if is_reset { last } else { last - before };
    Some(if change == Change::CounterRate { difference / (interval_ms as f64 / 1000.0) } else { difference })
}

fn last_histogram_change(
    change: Change,
    histograms: HistogramSlice<'_>,
    series: &SeriesContext<'_>,
) -> Option<FloatHistogram> {
    let at = histograms.len() - 1;
    let (before, last) = (&histograms.values[at - 1], &histograms.values[at]);
    let interval_ms = histograms.timestamps[at] - histograms.timestamps[at - 1];
    if interval_ms == 0 {
        return None;
    }
    let is_gauge = |histogram: &FloatHistogram| histogram.counter_reset_hint == CounterResetHint::Gauge;
    match (change.is_counter(), is_gauge(before), is_gauge(last)) {
        (true, false, false) | (false, true, true) => {}
        (true, ..) => series.annotate_metric(AnnotationKind::NativeHistogramNotCounter),
        (false, ..) => series.annotate_metric(AnnotationKind::NativeHistogramNotGauge),
    }
    let starts: &[Timestamp] =
        if series.query.options.start_timestamps { histograms.start_timestamps } else { &[] };
    let is_reset = change.is_counter()
        && (last.detect_reset(before) || is_start_reset(histograms.timestamps, starts, at));
    let mut result = FloatHistogram::clone(last);
    if !is_reset {
        match result.sub(before) {
            Ok(outcome) if outcome.custom_bounds_differ => {
                series.annotate(AnnotationKind::CustomBucketsReconciled("subtraction"));
            }
            Ok(_) => {}
            Err(_) => {
                series.annotate_metric(AnnotationKind::MixedExponentialCustom);
                return None;
            }
        }
    }
    if change == Change::CounterRate {
        result.div(interval_ms as f64 / 1000.0);
    }
    result.counter_reset_hint = CounterResetHint::Gauge;
    result.compact(0);
    Some(result)
}
