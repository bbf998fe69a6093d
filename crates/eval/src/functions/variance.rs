//! Population variance of windows of floats: Welford's recurrence, both running terms compensated.

use narthex_model::histogram::Compensated;

use super::lanes::{CompensatedLanes, Lanes, heads};
use crate::{StepColumn, Windows};

/// How many windows are worked on side by side.
const WIDTH: usize = 4;

/// The running terms of one window.
#[derive(Clone, Copy, Default)]
struct Welford {
    mean: Compensated,
    squares: Compensated,
}

impl Welford {
    /// Adds value number `at`.
    fn add(&mut self, at: usize, value: f64) {
        let delta = value - self.mean.value();
        self.mean.add(delta / (at + 1) as f64);
        self.squares.add(delta * (value - self.mean.value()));
    }
}

/// The variance of some values, one at the least.
pub(super) fn variance(values: &[f64]) -> f64 {
    let mut terms = Welford::default();
    values.iter().enumerate().for_each(|(at, &value)| terms.add(at, value));
    terms.squares.value() / values.len() as f64
}

/// Fills `out` with `result` of the variance of each window.
pub(super) fn over(windows: &Windows<'_>, out: &mut StepColumn, result: impl Fn(f64) -> f64) {
    windows.fill_value_groups(out, |group: [&[f64]; WIDTH]| variances(group).map(&result));
}

fn variances(windows: [&[f64]; WIDTH]) -> [f64; WIDTH] {
    let (heads, common) = heads(&windows);
    let (mut means, mut squares) = (CompensatedLanes::<WIDTH>::new(), CompensatedLanes::<WIDTH>::new());
    for at in 0..common {
        let values = Lanes::at(&heads, at);
        let delta = values - means.value();
        means.add(delta / Lanes::all((at + 1) as f64));
        squares.add(delta * (values - means.value()));
    }
    let mut results = [0.0; WIDTH];
    for (lane, window) in windows.into_iter().enumerate() {
        results[lane] = match (means.lane(lane), squares.lane(lane)) {
            (Some(mean), Some(squares)) => {
                let mut terms = Welford { mean, squares };
                window.iter().enumerate().skip(common).for_each(|(at, &value)| terms.add(at, value));
                terms.squares.value() / window.len() as f64
            }
            _ => variance(window),
        };
    }
    results
}
