//! One value from all samples of a window: the `*_over_time` functions, `changes` and `resets`.

use narthex_promql::ast::RangeExtension;
use narthex_promql::functions::OverTimeFunction;

use super::variance::variance;
use super::{SeriesContext, over_floats, sum_over_time, transitions};
use crate::column::FloatSlice;
use crate::quantile::quantile;
use crate::{AnnotationKind, EvalError, StepColumn, Window, Windows};

/// Computes one of the family for every step. `parameter` is the φ of `quantile_over_time`.
///
/// # Errors
/// None today.
pub fn evaluate(
    function: OverTimeFunction,
    extension: Option<RangeExtension>,
    parameter: Option<&StepColumn>,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) -> Result<(), EvalError> {
    use OverTimeFunction as Function;
    if windows.has_only_floats() && over_floats::evaluate(function, windows, out) {
        return Ok(());
    }
    match function {
        Function::Sum | Function::Avg => sum_over_time::summed(function, windows, series, out),
        Function::Changes | Function::Resets => {
            transitions::evaluate(function, extension, windows, series, out);
        }
        Function::Count => each(windows, out, |window| count(window) as f64),
        Function::Present => each(windows, out, |_| 1.0),
        Function::First | Function::Last => pick(function, windows, out),
        Function::TsOfFirst => each(windows, out, |window| time_of(window, <[i64]>::first, i64::min)),
        Function::TsOfLast => each(windows, out, |window| time_of(window, <[i64]>::last, i64::max)),
        Function::Min => {
            floats(windows, series, out, |floats| extreme(floats.values, |value, best| value < best));
        }
        Function::Max => {
            floats(windows, series, out, |floats| extreme(floats.values, |value, best| value > best));
        }
        Function::TsOfMin => {
            floats(windows, series, out, |floats| time_of_extreme(floats, |value, best| value <= best));
        }
        Function::TsOfMax => {
            floats(windows, series, out, |floats| time_of_extreme(floats, |value, best| value >= best));
        }
        Function::Stdvar => floats(windows, series, out, |floats| variance(floats.values)),
        Function::Stddev => floats(windows, series, out, |floats| variance(floats.values).sqrt()),
        Function::Mad => floats(windows, series, out, median_absolute_deviation),
        Function::Quantile => quantiles(parameter, windows, series, out),
    }
    Ok(())
}

fn count(window: &Window<'_>) -> usize {
    window.floats.len() + window.histograms.len()
}

/// For functions that take samples of any kind: a value wherever there is a sample.
fn each(windows: &Windows<'_>, out: &mut StepColumn, value: impl Fn(&Window<'_>) -> f64) {
    for (step, window) in windows.iter().enumerate() {
        if count(&window) > 0 {
            out.set_float(step, value(&window));
        }
    }
}

/// For functions of floats: histograms beside floats are left out with an info, histograms alone silently.
fn floats(
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
    value: impl Fn(FloatSlice<'_>) -> f64,
) {
    for (step, window) in windows.iter().enumerate() {
        if window.floats.is_empty() {
            continue;
        }
        if !window.histograms.is_empty() {
            series.annotate_metric(AnnotationKind::HistogramIgnoredInMixedRange);
        }
        out.set_float(step, value(window.floats));
    }
}

/// The oldest or newest sample, whichever kind it is.
fn pick(function: OverTimeFunction, windows: &Windows<'_>, out: &mut StepColumn) {
    for (step, window) in windows.iter().enumerate() {
        let (floats, histograms) = (window.floats, window.histograms);
        let (float_at, histogram_at) = match function {
            OverTimeFunction::First => (floats.timestamps.first(), histograms.timestamps.first()),
            _ => (floats.timestamps.last(), histograms.timestamps.last()),
        };
        let takes_float = match (float_at, histogram_at) {
            (Some(float), Some(histogram)) => (float < histogram) == (function == OverTimeFunction::First),
            (float, _) => float.is_some(),
        };
        let place = |len: usize| if function == OverTimeFunction::First { 0 } else { len.saturating_sub(1) };
        if takes_float {
            out.set_float(step, floats.values[place(floats.len())]);
        } else if let Some(histogram) = histograms.values.get(place(histograms.len())) {
            out.set_histogram(step, histogram.clone());
        }
    }
}

/// A sample's time in seconds, chosen among the floats' and the histograms'.
fn time_of(
    window: &Window<'_>,
    end: impl Fn(&[i64]) -> Option<&i64>,
    choose: impl Fn(i64, i64) -> i64,
) -> f64 {
    let times = [end(window.floats.timestamps), end(window.histograms.timestamps)];
    times.into_iter().flatten().copied().reduce(choose).unwrap_or(0) as f64 / 1000.0
}

/// The value that beats all others; a NaN is beaten by any number.
pub(super) fn extreme(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> f64 {
    let mut best = f64::NAN;
    for &value in values {
        if beats(value, best) || best.is_nan() {
            best = value;
        }
    }
    best
}

/// When the best value was last seen, in seconds.
fn time_of_extreme(floats: FloatSlice<'_>, beats: impl Fn(f64, f64) -> bool) -> f64 {
    let mut best = f64::NAN;
    let mut best_ms = floats.timestamps[0];
    for (&value, &at_ms) in floats.values.iter().zip(floats.timestamps) {
        if beats(value, best) || best.is_nan() {
            (best, best_ms) = (value, at_ms);
        }
    }
    best_ms as f64 / 1000.0
}

fn median_absolute_deviation(floats: FloatSlice<'_>) -> f64 {
    if floats.values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile(0.5, &mut floats.values.to_vec());
    let mut deviations: Vec<f64> = floats.values.iter().map(|value| (value - median).abs()).collect();
    quantile(0.5, &mut deviations)
}

fn quantiles(
    parameter: Option<&StepColumn>,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) {
    let mut sorted = Vec::new();
    for (step, window) in windows.iter().enumerate() {
        if window.floats.is_empty() {
            continue;
        }
        if !window.histograms.is_empty() {
            series.annotate_metric(AnnotationKind::HistogramIgnoredInMixedRange);
        }
        let phi = parameter.and_then(|column| column.float(step)).unwrap_or(f64::NAN);
        // Only where there is a float to rank; the argument of the call is φ.
        if !(0.0..=1.0).contains(&phi) {
            series.annotate(AnnotationKind::QuantileOutOfRange(phi));
        }
        sorted.clear();
        sorted.extend_from_slice(window.floats.values);
        out.set_float(step, quantile(phi, &mut sorted));
    }
}
