//! Whether two values are the same up to rounding.

use narthex_model::sample::is_stale_nan;
use narthex_model::{FloatHistogram, SampleValue};

/// Largest relative difference.
const RELATIVE_MAX: f64 = 1e-6;

/// Equal, both stale, both another NaN, or apart by less than [`RELATIVE_MAX`] of their size. Near zero relative
/// differences mean nothing; there the numbers may differ by next to nothing.
pub(crate) fn floats_close(a: f64, b: f64) -> bool {
    if is_stale_nan(a) || is_stale_nan(b) {
        return is_stale_nan(a) && is_stale_nan(b);
    }
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let difference = (a - b).abs();
    let size = a.abs() + b.abs();
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < RELATIVE_MAX * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < RELATIVE_MAX
}

/// Whether a reset hint is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hint {
    /// Any hint will do.
    Any,
    /// The hints must be equal.
    Stated,
}

impl Hint {
    /// A hint is compared only where the expectation spells it out.
    pub(crate) fn of(states_hint: bool) -> Hint {
        if states_hint { Hint::Stated } else { Hint::Any }
    }
}

/// Same layout once empty buckets are left out, numbers close.
pub(crate) fn histograms_close(expected: &FloatHistogram, actual: &FloatHistogram, hint: Hint) -> bool {
    let (mut a, mut b) = (expected.clone(), actual.clone());
    a.compact(0);
    b.compact(0);
    let same_layout = a.schema == b.schema
        && a.custom_values == b.custom_values
        && a.zero_threshold == b.zero_threshold
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans;
    same_layout
        && floats_close(a.count, b.count)
        && floats_close(a.sum, b.sum)
        && floats_close(a.zero_count, b.zero_count)
        && all_close(&a.positive_buckets, &b.positive_buckets)
        && all_close(&a.negative_buckets, &b.negative_buckets)
        && (hint == Hint::Any || a.counter_reset_hint == b.counter_reset_hint)
}

/// Same kind, and close.
pub(crate) fn samples_close(expected: &SampleValue, actual: &SampleValue, hint: Hint) -> bool {
    match (expected, actual) {
        (SampleValue::Float(expected), SampleValue::Float(actual)) => floats_close(*expected, *actual),
        (SampleValue::Histogram(expected), SampleValue::Histogram(actual)) => {
            histograms_close(expected, actual, hint)
        }
        _ => false,
    }
}

fn all_close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| floats_close(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_model::sample::stale_nan;
    use narthex_model::{BucketSpan, CounterResetHint};

    #[test]
    fn floats_may_differ_by_rounding() {
        let close = [
            (1.0, 1.000_001_9),
            (f64::NAN, f64::NAN),
            (stale_nan(), stale_nan()),
            (0.0, -0.0),
            (f64::INFINITY, f64::INFINITY),
            (0.0, 1e-314),
            (f64::MAX, f64::MAX * (1.0 - 1e-7)),
        ];
        assert!(close.iter().all(|&(a, b)| floats_close(a, b) && floats_close(b, a)));
        let apart = [
            (1.0, 1.000_003),
            (f64::NAN, stale_nan()),
            (f64::NAN, 0.0),
            (0.0, 1e-313),
            (f64::INFINITY, f64::NEG_INFINITY),
            (1e308, f64::INFINITY),
            (1.0, -1.0),
        ];
        assert!(apart.iter().all(|&(a, b)| !floats_close(a, b) && !floats_close(b, a)));
    }

    #[test]
    fn histograms_are_compared_compacted() {
        let histogram = |offset, buckets: &[f64]| FloatHistogram {
            count: 3.0,
            positive_spans: vec![BucketSpan { offset, length: buckets.len() as u32 }],
            positive_buckets: buckets.to_vec(),
            ..FloatHistogram::default()
        };
        let base = histogram(0, &[1.0, 2.0]);
        assert!(histograms_close(&base, &histogram(-1, &[0.0, 1.0, 2.000_000_1, 0.0]), Hint::Stated));
        assert!(!histograms_close(&base, &histogram(1, &[1.0, 2.0]), Hint::Any));
        assert!(!histograms_close(&base, &histogram(0, &[1.0, 2.1]), Hint::Any));
        let gauge = FloatHistogram { counter_reset_hint: CounterResetHint::Gauge, ..base.clone() };
        assert!(histograms_close(&base, &gauge, Hint::Any) && !histograms_close(&base, &gauge, Hint::Stated));
    }
}
