//! Windows that slide: what one step has in common with the next is not looked at again.
//!
//! Each of these gives the very bits that a scan of every window gives, or says that it cannot.

use std::collections::VecDeque;

use crate::{StepColumn, Windows};

/// Bound of the integers that floats add up without rounding.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Whether windows share so many samples that sliding beats scanning. `false` as well when there are histograms.
pub(super) fn pays(windows: &Windows<'_>) -> bool {
    let samples = windows.samples();
    let [first, .., last] = windows.bounds() else { return false };
    let covered_ms = last.end_ms.saturating_sub(first.start_ms) as f64;
    let scanned_ms = (first.end_ms - first.start_ms) as f64 * windows.len() as f64;
    samples.histograms.timestamps.is_empty() && scanned_ms > 4.0 * covered_ms
}

/// The value of every window that no other one `beats`, the earliest of equals; of nothing but NaN the last one. Kept is
/// a queue of the values that may still win, best first.
pub(super) fn extremes(windows: &Windows<'_>, out: &mut StepColumn, beats: impl Fn(f64, f64) -> bool) {
    let values = &windows.samples().floats.values;
    let mut candidates: VecDeque<usize> = VecDeque::new();
    let mut seen = 0;
    for (step, window) in windows.iter().enumerate() {
        let floats = window.floats;
        let (first, end) = (floats.first, floats.first + floats.len());
        for at in seen.max(first)..end {
            if values[at].is_nan() {
                continue;
            }
            while candidates.back().is_some_and(|&last| beats(values[at], values[last])) {
                candidates.pop_back();
            }
            candidates.push_back(at);
        }
        seen = end.max(seen);
        while candidates.front().is_some_and(|&best| best < first) {
            candidates.pop_front();
        }
        if let Some(&last) = floats.values.last() {
            out.set_float(step, candidates.front().map_or(last, |&best| values[best]));
        }
    }
}

/// Calls `total` with the step, the sum and the number of samples of every window that has any. `false`, without a call,
/// when the samples are no integers that add up exactly in any order.
pub(super) fn exact_sums(windows: &Windows<'_>, mut total: impl FnMut(usize, f64, usize)) -> bool {
    let Some(sums) = running_sums(&windows.samples().floats.values) else { return false };
    for (step, window) in windows.iter().enumerate() {
        let (first, len) = (window.floats.first, window.floats.len());
        if len > 0 {
            total(step, sums[first + len] - sums[first], len);
        }
    }
    true
}

/// The sum of the first so many values at each place; `None` when any addition might round.
fn running_sums(values: &[f64]) -> Option<Vec<f64>> {
    let magnitude: f64 = values.iter().map(|value| value.abs()).sum();
    // A NaN or an infinity among them makes the comparison false.
    let is_exact = magnitude < EXACT_MAX && values.iter().all(|&value| value.trunc() == value);
    is_exact.then(|| {
        let mut sum = 0.0;
        let sums = values.iter().map(|value| {
            sum += value;
            sum
        });
        std::iter::once(0.0).chain(sums).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::WindowBounds;
    use narthex_storage::SampleBuffer;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (-5i32..5).prop_map(f64::from),
            1 => Just(f64::NAN),
            1 => Just(-0.0),
            1 => Just(f64::INFINITY),
            1 => Just(0.5),
        ]
    }

    fn scanned(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> f64 {
        values
            .iter()
            .fold(f64::NAN, |best, &value| if beats(value, best) || best.is_nan() { value } else { best })
    }

    proptest! {
        #[test]
        fn sliding_gives_the_bits_of_scanning(
            values in prop::collection::vec(prop::option::of(any_value()), 0..60),
            (step, range) in (1i64..5, 1i64..40),
        ) {
            let mut samples = SampleBuffer::new();
            for (at_ms, value) in (0i64..).zip(&values) {
                if let Some(value) = value {
                    samples.push(at_ms, (*value).into(), 0);
                }
            }
            let bounds: Vec<_> = (-3..80)
                .step_by(step as usize)
                .map(|end_ms| WindowBounds { start_ms: end_ms - range, end_ms, step_ms: end_ms })
                .collect();
            let windows = Windows::new(&samples, &bounds);
            for beats in [|a: f64, b: f64| a > b, |a: f64, b: f64| a < b] {
                let mut out = StepColumn::default();
                out.reset(bounds.len());
                extremes(&windows, &mut out, beats);
                for (at, window) in windows.iter().enumerate() {
                    let expected = (!window.floats.is_empty()).then(|| scanned(window.floats.values, beats).to_bits());
                    prop_assert_eq!(out.float(at).map(f64::to_bits), expected);
                }
            }
            let mut sums = vec![None; bounds.len()];
            if exact_sums(&windows, |at, sum, len| sums[at] = Some((sum, len))) {
                for (at, window) in windows.iter().enumerate() {
                    let values = window.floats.values;
                    let expected = (!values.is_empty()).then(|| (values.iter().sum::<f64>() + 0.0, values.len()));
                    prop_assert_eq!(sums[at], expected);
                }
            } else {
                prop_assert!(samples.floats.values.iter().any(|value| value.fract() != 0.0 || !value.is_finite()));
            }
        }
    }
}
