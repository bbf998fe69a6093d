//! A line or a smoothed curve through the samples of a window: `deriv`, `predict_linear`,
//! `double_exponential_smoothing`.

use narthex_promql::functions::RegressionFunction;

use super::SeriesContext;
use super::lines::{self, Line};
use crate::{AnnotationKind, EvalError, StepColumn, Windows};

/// Computes one of the family for every step. `parameters` are the scalar arguments.
///
/// # Errors
/// When a smoothing factor is outside of (0, 1) and there is a sample.
pub fn evaluate(
    function: RegressionFunction,
    parameters: &[StepColumn],
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) -> Result<(), EvalError> {
    if windows.has_only_floats() && lines::evaluate(function, parameters, windows, out) {
        return Ok(());
    }
    for (step, window) in windows.iter().enumerate() {
        if window.floats.is_empty() && window.histograms.is_empty() {
            continue;
        }
        let parameter =
            |at: usize| parameters.get(at).and_then(|column| column.float(step)).unwrap_or(f64::NAN);
        let factors = match function {
            RegressionFunction::DoubleExponentialSmoothing => {
                Some(factors(parameter(0), parameter(1), series)?)
            }
            _ => None,
        };
        let floats = window.floats;
        if floats.len() < 2 {
            if floats.len() == 1 && !window.histograms.is_empty() {
                series.annotate_metric(AnnotationKind::HistogramIgnoredInMixedRange);
            }
            continue;
        }
        if !window.histograms.is_empty() {
            series.annotate_metric(AnnotationKind::HistogramIgnoredInMixedRange);
        }
        let value = match (function, factors) {
            (RegressionFunction::PredictLinear, _) => {
                Line::through(floats.timestamps, floats.values, window.bounds.step_ms).at(parameter(0))
            }
            (_, Some(factors)) => smoothed(floats.values, factors),
            (_, None) => Line::through(floats.timestamps, floats.values, floats.timestamps[0]).slope,
        };
        out.set_float(step, value);
    }
    Ok(())
}

/// How much weight the newest value and the newest trend have.
#[derive(Clone, Copy)]
struct Factors {
    smoothing: f64,
    trend: f64,
}

fn factors(smoothing: f64, trend: f64, series: &SeriesContext<'_>) -> Result<Factors, EvalError> {
    let check = |name: &str, short: &str, factor: f64| {
        // NaN passes, as upstream has it.
        if !(factor <= 0.0 || factor >= 1.0) {
            return Ok(());
        }
        let found = if factor.is_finite() {
            format!("{factor:.6}")
        } else {
            narthex_model::number::format_plain(factor)
        };
        let message = format!("invalid {name} factor. Expected: 0 < {short} < 1, got: {found}");
        Err(EvalError::execution(message, series.call_span))
    };
    check("smoothing", "sf", smoothing)?;
    check("trend", "tf", trend)?;
    Ok(Factors { smoothing, trend })
}

/// Holt's double exponential smoothing over at least two values.
fn smoothed(values: &[f64], factors: Factors) -> f64 {
    let (mut before, mut level) = (0.0, values[0]);
    let mut trend = values[1] - values[0];
    for (at, &value) in values.iter().enumerate().skip(1) {
        if at > 1 {
            trend = factors.trend * (level - before) + (1.0 - factors.trend) * trend;
        }
        let next = factors.smoothing * value + (1.0 - factors.smoothing) * (level + trend);
        (before, level) = (level, next);
    }
    level
}
