//! `sum_over_time` and `avg_over_time`: sums of floats or of histograms.

use std::sync::Arc;

use narthex_model::histogram::{Compensated, HistogramSum, IncompatibleSchemas, Reconciliation};
use narthex_model::{CounterResetHint, FloatHistogram};
use narthex_promql::functions::OverTimeFunction;

use super::SeriesContext;
use crate::aggregations::histogram_mean::HistogramMean;
use crate::{AnnotationKind, StepColumn, Windows};

/// Computes `sum_over_time` or `avg_over_time` for every step.
pub(super) fn summed(
    function: OverTimeFunction,
    windows: &Windows<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) {
    for (step, window) in windows.iter().enumerate() {
        let (floats, histograms) = (window.floats, window.histograms);
        match (floats.is_empty(), histograms.is_empty()) {
            (true, true) => {}
            (false, false) => series.annotate_metric(AnnotationKind::MixedFloatsHistograms),
            (false, true) if function == OverTimeFunction::Avg => out.set_float(step, mean(floats.values)),
            (false, true) => out.set_float(step, sum(floats.values)),
            (true, false) => {
                if let Some(total) = histogram_total(function, histograms.values, series) {
                    out.set_histogram(step, Arc::new(total));
                }
            }
        }
    }
}

/// The compensated sum; an infinite one is not compensated.
pub(super) fn sum(values: &[f64]) -> f64 {
    let mut total = Compensated::default();
    for &value in values {
        total.add(value);
    }
    if total.sum.is_infinite() { total.sum } else { total.value() }
}

/// Sum over count; should the sum overflow, the mean is continued value by value.
pub(super) fn mean(values: &[f64]) -> f64 {
    let Some((&first, rest)) = values.split_first() else { return f64::NAN };
    let mut total = Compensated { sum: first, compensation: 0.0 };
    for (at, &value) in rest.iter().enumerate() {
        let mut next = total;
        next.add(value);
        if next.sum.is_infinite() {
            let count = (at + 1) as f64;
            let so_far = Compensated { sum: total.sum / count, compensation: total.compensation / count };
            return continued_mean(so_far, at + 1, &rest[at..]);
        }
        total = next;
    }
    let count = values.len() as f64;
    total.sum / count + total.compensation / count
}

/// The mean of `count` values, continued by more.
fn continued_mean(mut mean: Compensated, count: usize, values: &[f64]) -> f64 {
    for (count, &value) in (count + 1..).zip(values) {
        let count = count as f64;
        let kept = (count - 1.0) / count;
        mean = Compensated { sum: mean.sum * kept, compensation: mean.compensation * kept };
        mean.add(value / count);
    }
    mean.value()
}

fn histogram_total(
    function: OverTimeFunction,
    values: &[Arc<FloatHistogram>],
    series: &SeriesContext<'_>,
) -> Option<FloatHistogram> {
    let (first, rest) = values.split_first()?;
    let (outcome, mut total) = if function == OverTimeFunction::Avg {
        let mut mean = HistogramMean::new(first);
        (add_all(rest, |value| mean.add(value)), mean.finish())
    } else {
        let mut sum = HistogramSum::new(first);
        (add_all(rest, |value| sum.add(value)), sum.finish())
    };
    let Ok(outcome) = outcome else {
        series.annotate_metric(AnnotationKind::MixedExponentialCustom);
        return None;
    };
    annotate(values, outcome, series);
    total.compact(0);
    Some(total)
}

/// What all additions together had to give up.
fn add_all(
    values: &[Arc<FloatHistogram>],
    mut add: impl FnMut(&FloatHistogram) -> Result<Reconciliation, IncompatibleSchemas>,
) -> Result<Reconciliation, IncompatibleSchemas> {
    values.iter().try_fold(Reconciliation::default(), |outcome, value| Ok(outcome.or(add(value)?)))
}

/// Hints collide when any sample says reset and any other not reset, whatever the order they were added in.
fn annotate(values: &[Arc<FloatHistogram>], outcome: Reconciliation, series: &SeriesContext<'_>) {
    let has = |hint| values.iter().any(|value| value.counter_reset_hint == hint);
    if has(CounterResetHint::Reset) && has(CounterResetHint::NotReset) {
        series.annotate(AnnotationKind::CounterResetCollision("aggregation"));
    }
    if outcome.custom_bounds_differ {
        series.annotate(AnnotationKind::CustomBucketsReconciled("aggregation"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_means_are_compensated_and_survive_overflow() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(mean(&[1.0, 1e100, 1.0, -1e100]), 0.5);
        assert_eq!(mean(&[f64::MAX, f64::MAX]), f64::MAX);
        assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(mean(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }
}
