//! `deriv`, `predict_linear`, `double_exponential_smoothing`.

use narthex_model::Timestamp;

use super::{OracleError, compensated, failed, seconds};

/// Slope per second, and value at `origin_ms`, of the line of least squares; `None` for fewer than two samples.
pub(super) fn line(samples: &[(Timestamp, f64)], origin_ms: Timestamp) -> Option<(f64, f64)> {
    let [first, _, ..] = samples else { return None };
    if samples.iter().all(|sample| sample.1 == first.1) {
        return Some(if first.1.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first.1) });
    }
    let points: Vec<(f64, f64)> =
        samples.iter().map(|&(at_ms, value)| (seconds(at_ms - origin_ms), value)).collect();
    let count = points.len() as f64;
    let total = |of: fn(&(f64, f64)) -> f64| compensated_sum(points.iter().map(of));
    let (x, y) = (total(|point| point.0), total(|point| point.1));
    let covariance = total(|point| point.0 * point.1) - x * y / count;
    let variance = total(|point| point.0 * point.0) - x * x / count;
    let slope = covariance / variance;
    Some((slope, y / count - slope * x / count))
}

fn compensated_sum(values: impl Iterator<Item = f64>) -> f64 {
    compensated(values)
}

/// Whether both factors are in order.
pub(super) fn check_factors(smoothing: f64, trend: f64) -> Result<(), OracleError> {
    for (factor, name) in [(smoothing, "smoothing"), (trend, "trend")] {
        if factor <= 0.0 || factor >= 1.0 {
            return failed(format!("invalid {name} factor"));
        }
    }
    Ok(())
}

/// The last smoothed value; `None` for fewer than two values.
pub(super) fn smoothed(values: &[f64], smoothing: f64, trend_factor: f64) -> Option<f64> {
    let [first, second, ..] = values else { return None };
    let (mut before, mut level, mut trend) = (0.0, *first, second - first);
    for (at, value) in values.iter().enumerate().skip(1) {
        if at > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        (before, level) = (level, smoothing * value + (1.0 - smoothing) * (level + trend));
    }
    Some(level)
}
