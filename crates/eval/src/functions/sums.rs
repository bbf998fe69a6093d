//! Sums and means of windows of floats: differences of running sums where those are exact, else several windows added
//! up side by side.

use std::array;

use narthex_model::histogram::Compensated;

use super::lanes::{CompensatedLanes, Lanes, heads};
use super::sliding;
use crate::{StepColumn, Windows};

/// How many windows are added up side by side.
const WIDTH: usize = 4;

/// The sum of a window, in two parts.
#[derive(Clone, Copy)]
pub(super) struct Total(Compensated);

impl Total {
    pub(super) fn value(self) -> f64 {
        self.0.value()
    }

    pub(super) fn mean(self, count: usize) -> f64 {
        let count = count as f64;
        self.0.sum / count + self.0.compensation / count
    }
}

/// Fills `out` with `result` of the sum and the number of values of each window, or with what `scanned` makes of its
/// values if they, or their sum, are not finite.
pub(super) fn over(
    windows: &Windows<'_>,
    out: &mut StepColumn,
    result: impl Fn(Total, usize) -> f64,
    scanned: impl Fn(&[f64]) -> f64,
) {
    let values = windows.samples().floats.values.as_slice();
    if sliding::pays(windows)
        && let Some(sums) = sliding::running_sums(values)
    {
        let sum = |at: usize| sums.get(at).copied().unwrap_or_default();
        let exact = |sum| Total(Compensated { sum, compensation: 0.0 });
        windows.fill_each(out, |window| result(exact(sum(window.end) - sum(window.start)), window.len()));
        return;
    }
    windows.fill_value_groups(out, |group: [&[f64]; WIDTH]| {
        let totals = totals(group);
        array::from_fn(|lane| match totals[lane] {
            Some(total) => result(total, group[lane].len()),
            None => scanned(group[lane]),
        })
    });
}

/// The sum of each window; `None` of one that is not finite all the way.
fn totals(windows: [&[f64]; WIDTH]) -> [Option<Total>; WIDTH] {
    let (heads, common) = heads(&windows);
    let mut totals = CompensatedLanes::<WIDTH>::new();
    for at in 0..common {
        totals.add(Lanes::at(&heads, at));
    }
    let mut results = [None; WIDTH];
    for lane in 0..WIDTH {
        results[lane] = totals.lane(lane).and_then(|mut total| {
            windows[lane][common..].iter().for_each(|&value| total.add(value));
            total.sum.is_finite().then_some(Total(total))
        });
    }
    results
}
