//! Functions that make one value of all samples of a window, straight from their definitions.

use std::sync::Arc;

use narthex_model::histogram::HistogramSum;
use narthex_model::{FloatHistogram, SampleValue, Timestamp};
use narthex_promql::functions::{OverTimeFunction, RateFunction};

use super::aggregate::{least, mean, negated, quantile};
use super::rate::Change;
use super::{Sample, Window, added, compensated, extended, seconds};

/// The floats of a window with their times.
pub(super) fn floats(window: &Window) -> Vec<(Timestamp, f64)> {
    window.samples.iter().filter_map(|one| Some((one.at_ms, extended::float(&one.value)?))).collect()
}

/// The value of the function, `None` for nothing. `parameter` is its scalar argument, if it has one.
pub(super) fn over_time(
    function: OverTimeFunction,
    window: &Window,
    parameter: f64,
    uses_starts: bool,
) -> Option<SampleValue> {
    let (first, last) = (window.samples.first()?, window.samples.last()?);
    let count = |count: usize| Some((count as f64).into());
    match function {
        OverTimeFunction::Count => count(window.samples.len()),
        OverTimeFunction::First => Some(first.value.clone()),
        OverTimeFunction::Last => Some(last.value.clone()),
        OverTimeFunction::Present => count(1),
        OverTimeFunction::TsOfFirst => Some(seconds(first.at_ms).into()),
        OverTimeFunction::TsOfLast => Some(seconds(last.at_ms).into()),
        OverTimeFunction::Changes => count(transitions(window, differs)?),
        OverTimeFunction::Resets => {
            let change = Change { function: RateFunction::Rate, uses_starts };
            count(transitions(window, |before, sample| is_reset(change, before, sample))?)
        }
        OverTimeFunction::Sum | OverTimeFunction::Avg => total(function, window),
        _ => float_value(function, &floats(window), parameter).map(SampleValue::from),
    }
}

/// How many samples are transitions from the one before. An anchored window begins at the last sample before it.
fn transitions(window: &Window, is_transition: impl Fn(&Sample, &Sample) -> bool) -> Option<usize> {
    let anchored = extended::anchored(&window.samples, window);
    let samples = if window.extension.is_some() { &anchored } else { &window.samples };
    let pairs = samples.windows(2).filter(|pair| is_transition(&pair[0], &pair[1]));
    (!samples.is_empty()).then(|| pairs.count())
}

fn differs(before: &Sample, sample: &Sample) -> bool {
    match (&before.value, &sample.value) {
        (SampleValue::Float(a), SampleValue::Float(b)) => a != b && !(a.is_nan() && b.is_nan()),
        (SampleValue::Histogram(a), SampleValue::Histogram(b)) => !a.equals(b),
        _ => true,
    }
}

fn is_reset(change: Change, before: &Sample, sample: &Sample) -> bool {
    match (&before.value, &sample.value) {
        (SampleValue::Float(a), SampleValue::Float(b)) => b < a || change.starts_anew(before, sample),
        (SampleValue::Histogram(a), SampleValue::Histogram(b)) => {
            b.detect_reset(a) || change.starts_anew(before, sample)
        }
        _ => true,
    }
}

/// Sum or mean of floats or histograms; nothing for a mixture.
fn total(function: OverTimeFunction, window: &Window) -> Option<SampleValue> {
    let floats: Vec<f64> = floats(window).into_iter().map(|sample| sample.1).collect();
    let samples = window.samples.len();
    match floats.len() {
        0 => {
            let values: Vec<_> =
                window.samples.iter().filter_map(|one| extended::histogram(&one.value)).collect();
            let divisor = if function == OverTimeFunction::Avg { samples as f64 } else { 1.0 };
            histogram_total(&values, divisor).map(SampleValue::from)
        }
        count if count < samples => None,
        _ if function == OverTimeFunction::Sum => Some(compensated(floats).into()),
        _ => Some(mean(&floats).into()),
    }
}

/// The sum of histograms divided by a number; nothing for a mixture of exponential and custom buckets.
pub(super) fn histogram_total(values: &[Arc<FloatHistogram>], divisor: f64) -> Option<FloatHistogram> {
    let (first, rest) = values.split_first()?;
    let mut sum = HistogramSum::new(first);
    for value in rest {
        sum.add(value).ok()?;
    }
    sum.div(divisor);
    let mut total = sum.finish();
    total.compact(0);
    Some(total)
}

fn float_value(function: OverTimeFunction, samples: &[(Timestamp, f64)], parameter: f64) -> Option<f64> {
    let values: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
    values.first()?;
    Some(match function {
        OverTimeFunction::Min => least(&values),
        OverTimeFunction::Max => -least(&negated(&values)),
        OverTimeFunction::Stdvar => variance(&values),
        OverTimeFunction::Stddev => variance(&values).sqrt(),
        OverTimeFunction::Quantile => quantile(parameter, &values),
        OverTimeFunction::TsOfMax => extreme(samples, |value, best| value >= best),
        OverTimeFunction::TsOfMin => extreme(samples, |value, best| value <= best),
        _ => {
            let median = quantile(0.5, &values);
            let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
            if values.iter().any(|value| value.is_nan()) { f64::NAN } else { quantile(0.5, &distances) }
        }
    })
}

/// The variance of a population after Welford, each of its sums compensated.
fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = ((0.0, 0.0), (0.0, 0.0));
    for (count, value) in (1..).zip(values) {
        let distance = value - (mean.0 + mean.1);
        mean = added(mean, distance / f64::from(count));
        squares = added(squares, distance * (value - (mean.0 + mean.1)));
    }
    (squares.0 + squares.1) / values.len() as f64
}

/// When the best value was last seen; any number is better than NaN.
fn extreme(samples: &[(Timestamp, f64)], is_better: impl Fn(f64, f64) -> bool) -> f64 {
    let mut best = samples[0];
    for sample in samples {
        if is_better(sample.1, best.1) || best.1.is_nan() {
            best = *sample;
        }
    }
    seconds(best.0)
}
