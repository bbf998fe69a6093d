//! A line or a smoothed curve through the samples of a window: `deriv`, `predict_linear`,
//! `double_exponential_smoothing`.

use narthex_model::Timestamp;
use narthex_model::histogram::Compensated;
use narthex_promql::functions::RegressionFunction;

use super::SeriesContext;
use crate::column::FloatSlice;
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
                let line = Line::through(floats, window.bounds.step_ms);
                line.slope * parameter(0) + line.intercept
            }
            (_, Some(factors)) => smoothed(floats.values, factors),
            (_, None) => Line::through(floats, floats.timestamps[0]).slope,
        };
        out.set_float(step, value);
    }
    Ok(())
}

/// A line, x in seconds from a chosen origin.
struct Line {
    slope: f64,
    intercept: f64,
}

impl Line {
    /// Least squares with compensated sums. All values equal: a level line (none if they are infinite).
    fn through(floats: FloatSlice<'_>, origin_ms: Timestamp) -> Line {
        let first = floats.values[0];
        if floats.values.iter().all(|&value| value == first) {
            let level = if first.is_infinite() { f64::NAN } else { first };
            return Line { slope: if first.is_infinite() { f64::NAN } else { 0.0 }, intercept: level };
        }
        let [mut sum_x, mut sum_y, mut sum_xy, mut sum_xx] = [Compensated::default(); 4];
        for (&at_ms, &y) in floats.timestamps.iter().zip(floats.values) {
            let x = at_ms.saturating_sub(origin_ms) as f64 / 1000.0;
            sum_x.add(x);
            sum_y.add(y);
            sum_xy.add(x * y);
            sum_xx.add(x * x);
        }
        let n = floats.len() as f64;
        let [sum_x, sum_y, sum_xy, sum_xx] = [sum_x, sum_y, sum_xy, sum_xx].map(Compensated::value);
        let covariance = sum_xy - sum_x * sum_y / n;
        let variance = sum_xx - sum_x * sum_x / n;
        let slope = covariance / variance;
        Line { slope, intercept: sum_y / n - slope * sum_x / n }
    }
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
