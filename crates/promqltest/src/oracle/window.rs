//! Functions of windows, straight from their definitions.

use narthex_promql::functions::{FunctionId, OverTimeFunction, RateFunction, RegressionFunction};

use super::Window;
use super::aggregate::{mean, quantile, variance};

/// The value of a function over one window, `None` for nothing. `parameter` is its scalar argument, if it has one.
/// The outer `None` stands for a function that is unknown here.
pub(super) fn value(function: FunctionId, window: &Window, parameter: f64) -> Option<Option<f64>> {
    match function {
        FunctionId::Rate(function) => Some(rate(function, window)),
        FunctionId::OverTime(function) => Some(over_time(function, window, parameter)),
        FunctionId::Regression(RegressionFunction::Deriv) => Some(line(window).map(|line| line.0)),
        FunctionId::Regression(RegressionFunction::PredictLinear) => {
            Some(line(window).map(|line| line.1 + line.0 * parameter))
        }
        _ => None,
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn rate(function: RateFunction, window: &Window) -> Option<f64> {
    let [.., before, last] = window.samples.as_slice() else { return None };
    let interval = seconds(last.0 - before.0);
    match function {
        RateFunction::Rate => {
            Some(extrapolated(window, Counter::Yes)? / seconds(window.end_ms - window.start_ms))
        }
        RateFunction::Increase => extrapolated(window, Counter::Yes),
        RateFunction::Delta => extrapolated(window, Counter::No),
        RateFunction::Irate if last.1 < before.1 => Some(last.1 / interval),
        RateFunction::Irate => Some((last.1 - before.1) / interval),
        RateFunction::Idelta => Some(last.1 - before.1),
    }
}

/// Whether values only rise, but for resets to zero.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counter {
    Yes,
    No,
}

fn extrapolated(window: &Window, counter: Counter) -> Option<f64> {
    let [first, .., last] = window.samples.as_slice() else { return None };
    let resets = window.samples.windows(2).filter(|pair| pair[1].1 < pair[0].1).map(|pair| pair[0].1);
    let lost: f64 = if counter == Counter::Yes { resets.sum() } else { 0.0 };
    let difference = last.1 - first.1 + lost;
    let sampled = seconds(last.0 - first.0);
    let between = sampled / (window.samples.len() - 1) as f64;
    let mut before = seconds(first.0 - window.start_ms);
    let mut after = seconds(window.end_ms - last.0);
    if before >= between * 1.1 {
        before = between / 2.0;
    }
    if counter == Counter::Yes && difference > 0.0 && first.1 >= 0.0 {
        let to_zero = sampled * first.1 / difference;
        if to_zero < before {
            before = to_zero;
        }
    }
    if after >= between * 1.1 {
        after = between / 2.0;
    }
    Some(difference * ((sampled + before + after) / sampled))
}

fn over_time(function: OverTimeFunction, window: &Window, parameter: f64) -> Option<f64> {
    let values: Vec<f64> = window.samples.iter().map(|sample| sample.1).collect();
    let (first, last) = (window.samples.first()?, window.samples.last()?);
    let pairs = || values.windows(2).filter(|pair| !(pair[0].is_nan() && pair[1].is_nan()));
    Some(match function {
        OverTimeFunction::Avg => mean(&values),
        OverTimeFunction::Sum => values.iter().sum(),
        OverTimeFunction::Count => values.len() as f64,
        OverTimeFunction::Min => values.iter().copied().fold(f64::NAN, f64::min),
        OverTimeFunction::Max => values.iter().copied().fold(f64::NAN, f64::max),
        OverTimeFunction::First => first.1,
        OverTimeFunction::Last => last.1,
        OverTimeFunction::Present => 1.0,
        OverTimeFunction::Changes => pairs().filter(|pair| pair[0] != pair[1]).count() as f64,
        OverTimeFunction::Resets => pairs().filter(|pair| pair[1] < pair[0]).count() as f64,
        OverTimeFunction::Stdvar => variance(&values),
        OverTimeFunction::Stddev => variance(&values).sqrt(),
        OverTimeFunction::Quantile => quantile(parameter, &values),
        OverTimeFunction::Mad => {
            let median = quantile(0.5, &values);
            let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
            if values.iter().any(|value| value.is_nan()) { f64::NAN } else { quantile(0.5, &distances) }
        }
        OverTimeFunction::TsOfFirst => seconds(first.0),
        OverTimeFunction::TsOfLast => seconds(last.0),
        OverTimeFunction::TsOfMax => extreme(window, |value, best| value >= best),
        OverTimeFunction::TsOfMin => extreme(window, |value, best| value <= best),
    })
}

/// When the best value was last seen; any number is better than NaN.
fn extreme(window: &Window, is_better: impl Fn(f64, f64) -> bool) -> f64 {
    let mut best = window.samples[0];
    for sample in &window.samples {
        if is_better(sample.1, best.1) || best.1.is_nan() {
            best = *sample;
        }
    }
    seconds(best.0)
}

/// Slope per second, and value at the end of the window, of the line of least squares.
fn line(window: &Window) -> Option<(f64, f64)> {
    let [_, _, ..] = window.samples.as_slice() else { return None };
    let values: Vec<f64> = window.samples.iter().map(|sample| sample.1).collect();
    let times: Vec<f64> = window.samples.iter().map(|sample| seconds(sample.0 - window.end_ms)).collect();
    let (time_mean, value_mean) = (mean(&times), mean(&values));
    let pairs = times.iter().zip(&values);
    let covariance: f64 = pairs.map(|(time, value)| (time - time_mean) * (value - value_mean)).sum();
    let spread: f64 = times.iter().map(|time| (time - time_mean).powi(2)).sum();
    let slope = covariance / spread;
    Some((slope, value_mean - slope * time_mean))
}
