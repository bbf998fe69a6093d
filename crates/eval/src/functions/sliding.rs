//! Windows that slide: what one step has in common with the next is not looked at again.
//!
//! Each of these gives the very bits that a scan of every window gives, or says that it cannot.

use super::lanes::{EXACT_INTEGER, is_exact_integer};
use crate::{StepColumn, Windows};

/// Whether windows share so many samples that sliding beats scanning. `false` as well when there are histograms.
pub(super) fn pays(windows: &Windows<'_>) -> bool {
    let samples = windows.samples();
    let [first, .., last] = windows.bounds() else { return false };
    let covered_ms = last.end_ms.saturating_sub(first.start_ms) as f64;
    let scanned_ms = (first.end_ms - first.start_ms) as f64 * windows.len() as f64;
    samples.histograms.timestamps.is_empty() && scanned_ms > 4.0 * covered_ms
}

/// The value of every window that no other one `beats`, the earliest of equals; of nothing but NaN the last one.
///
/// The samples of a window are parted where the samples of an earlier window ended: kept are the best of those behind that
/// place, and, for each place before it, the best from there on. Each sample is so compared twice, however many windows
/// see it.
pub(super) fn extremes(windows: &Windows<'_>, out: &mut StepColumn, beats: impl Fn(f64, f64) -> bool) {
    let values = windows.samples().floats.values.as_slice();
    let better = |best: f64, value: f64| if beats(value, best) | best.is_nan() { value } else { best };
    let mut best_from = vec![0.0; values.len()];
    // Where samples are parted, up to where they were looked at, and the best in between.
    let (mut part, mut seen, mut best_behind) = (0, 0, f64::NAN);
    windows.fill_each(out, |window| {
        if window.is_empty() {
            return 0.0;
        }
        if window.start >= part {
            let places = best_from.get_mut(window.clone()).unwrap_or_default();
            let inside = values.get(window.clone()).unwrap_or_default();
            let best = bests_from(inside, places, better);
            (part, seen) = (window.end, window.end);
            return best;
        }
        let before = best_from[window.start];
        if window.end > part {
            let fresh = values.get(seen..window.end).unwrap_or(&[]);
            let so_far = if seen == part { f64::NAN } else { best_behind };
            best_behind = fresh.iter().copied().fold(so_far, better);
            seen = window.end;
            return better(before, best_behind);
        }
        before
    });
}

/// Writes the best of the values from each place on; returns that of all of them.
fn bests_from(values: &[f64], places: &mut [f64], better: impl Fn(f64, f64) -> f64) -> f64 {
    let mut pairs = values.iter().zip(places).rev();
    let Some((&last, place)) = pairs.next() else { return f64::NAN };
    *place = last;
    pairs.fold(last, |best, (&value, place)| {
        *place = better(value, best);
        *place
    })
}

/// The sum of the first so many values at each place; `None` when any addition might round.
pub(super) fn running_sums(values: &[f64]) -> Option<Vec<f64>> {
    let magnitude: f64 = values.iter().map(|value| value.abs()).sum();
    // A NaN or an infinity among them makes the comparison false.
    let is_exact = magnitude < EXACT_INTEGER as f64
        && values.iter().fold(true, |all, &value| all & is_exact_integer(value));
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
    use crate::column::{WindowBounds, lag};
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
            let windows = Windows::new(&samples, &bounds).lagging(lag(&bounds));
            for beats in [|a: f64, b: f64| a > b, |a: f64, b: f64| a < b] {
                let mut out = StepColumn::default();
                out.reset(bounds.len());
                extremes(&windows, &mut out, beats);
                for (at, window) in windows.iter().enumerate() {
                    let expected = (!window.floats.is_empty()).then(|| scanned(window.floats.values, beats).to_bits());
                    prop_assert_eq!(out.float(at).map(f64::to_bits), expected);
                }
            }
            match running_sums(&samples.floats.values) {
                Some(sums) => {
                    for (at, sum) in sums.into_iter().enumerate() {
                        prop_assert_eq!(sum, samples.floats.values[..at].iter().sum::<f64>() + 0.0);
                    }
                }
                None => {
                    let is_inexact = |value: &f64| value.fract() != 0.0 || !value.is_finite();
                    prop_assert!(samples.floats.values.iter().any(is_inexact));
                }
            }
        }
    }
}
