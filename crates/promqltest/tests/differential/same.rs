//! When two results are the same.

use std::collections::BTreeMap;

use narthex_eval::QueryValue;
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};

/// How much floats may differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tolerance {
    /// Not in one bit, but for which NaN it is.
    None,
    /// As much as summing in another order changes; what is left of a cancelled sum counts as zero.
    Rounding,
}

/// Values by labels and time, one each unless there are duplicates that must not be.
pub(crate) type Points = BTreeMap<(Labels, Timestamp), Vec<SampleValue>>;

/// Every sample of a value, in the order of the value.
pub(crate) fn samples(value: &QueryValue) -> Vec<(Labels, Timestamp, SampleValue)> {
    match value {
        QueryValue::Scalar { at_ms, value } => vec![(Labels::empty(), *at_ms, (*value).into())],
        QueryValue::Text { at_ms, value } => {
            let text = value.to_str_lossy();
            vec![(Labels::from_pairs([("text", &*text)]), *at_ms, 0.0.into())]
        }
        QueryValue::Vector(samples) => {
            samples.iter().map(|one| (one.labels.clone(), one.at_ms, one.value.clone())).collect()
        }
        QueryValue::Matrix(series) => {
            let of_one = |one: &narthex_eval::result::RangeSeries| {
                let labels = one.labels.clone();
                let samples = one.samples().into_iter();
                samples.map(|(at_ms, value)| (labels.clone(), at_ms, value)).collect::<Vec<_>>()
            };
            series.iter().flat_map(of_one).collect()
        }
    }
}

pub(crate) fn points(value: &QueryValue) -> Points {
    let mut points = Points::new();
    for (labels, at_ms, value) in samples(value) {
        points.entry((labels, at_ms)).or_default().push(value);
    }
    points
}

pub(crate) fn is_same_float(a: f64, b: f64, tolerance: Tolerance) -> bool {
    if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let size = a.abs().max(b.abs());
    tolerance == Tolerance::Rounding && (a == b || (a - b).abs() <= 1e-9 * size || size < 1e-6)
}

/// Histograms are the same if their populated buckets are.
fn is_same_histogram(a: &FloatHistogram, b: &FloatHistogram, tolerance: Tolerance) -> bool {
    let compacted = |histogram: &FloatHistogram| {
        let mut compacted = histogram.clone();
        compacted.compact(0);
        compacted
    };
    let (a, b) = (compacted(a), compacted(b));
    let numbers = |one: &FloatHistogram| -> Vec<f64> {
        let first = [one.count, one.sum, one.zero_count, one.zero_threshold];
        first.into_iter().chain(one.positive_buckets.clone()).chain(one.negative_buckets.clone()).collect()
    };
    let (a_numbers, b_numbers) = (numbers(&a), numbers(&b));
    a.counter_reset_hint == b.counter_reset_hint
        && a.schema == b.schema
        && a.custom_values == b.custom_values
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans
        && a_numbers.len() == b_numbers.len()
        && a_numbers.iter().zip(b_numbers).all(|(&a, b)| is_same_float(a, b, tolerance))
}

pub(crate) fn is_same_sample(a: &SampleValue, b: &SampleValue, tolerance: Tolerance) -> bool {
    match (a, b) {
        (SampleValue::Float(a), SampleValue::Float(b)) => is_same_float(*a, *b, tolerance),
        (SampleValue::Histogram(a), SampleValue::Histogram(b)) => is_same_histogram(a, b, tolerance),
        _ => false,
    }
}

/// Whether each sample of one side has one on the other, in any order.
pub(crate) fn are_same_samples(a: &[SampleValue], b: &[SampleValue], tolerance: Tolerance) -> bool {
    let mut rest: Vec<&SampleValue> = b.iter().collect();
    let is_found = |one: &SampleValue| {
        let found = rest.iter().position(|other| is_same_sample(one, other, tolerance));
        found.map(|at| rest.swap_remove(at)).is_some()
    };
    a.len() == b.len() && a.iter().all(is_found)
}

/// The first few samples that are not the same.
pub(crate) fn differences(expected: &Points, actual: &Points, tolerance: Tolerance) -> Option<String> {
    let keys: std::collections::BTreeSet<_> = expected.keys().chain(actual.keys()).collect();
    let different = keys.into_iter().filter_map(|key| {
        let none = Vec::new();
        let (a, b) = (expected.get(key).unwrap_or(&none), actual.get(key).unwrap_or(&none));
        let is_same = are_same_samples(a, b, tolerance);
        (!is_same).then(|| format!("\n    {} @{}: expected {}, got {}", key.0, key.1, shown(a), shown(b)))
    });
    let shown: String = different.take(5).collect();
    (!shown.is_empty()).then_some(shown)
}

fn shown(values: &[SampleValue]) -> String {
    let shown = values.iter().map(|value| match value {
        SampleValue::Float(value) => format!("{value:?}"),
        SampleValue::Histogram(value) => {
            format!("{value} (schema {}, {:?})", value.schema, value.counter_reset_hint)
        }
    });
    shown.collect::<Vec<_>>().join(" and ")
}
