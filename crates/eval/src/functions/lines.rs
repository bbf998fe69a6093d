//! Lines through the samples of windows, by least squares with compensated sums.

use narthex_model::Timestamp;
use narthex_model::histogram::Compensated;
use narthex_promql::functions::RegressionFunction;

use super::lanes::{CompensatedLanes, EXACT_INTEGER, Lanes, heads};
use crate::{StepColumn, Windows};

/// A line, x in seconds from a chosen origin.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) slope: f64,
    intercept: f64,
}

/// What a line is worked out from.
#[derive(Clone, Copy, Default)]
struct Terms {
    x: Compensated,
    y: Compensated,
    xy: Compensated,
    xx: Compensated,
}

impl Line {
    /// Through samples, one at the least.
    pub(super) fn through(timestamps: &[Timestamp], values: &[f64], origin_ms: Timestamp) -> Line {
        if let Some(line) = Line::level(values) {
            return line;
        }
        let mut terms = Terms::default();
        terms.add_all(timestamps, values, origin_ms);
        terms.line(values.len())
    }

    /// All values equal: a level line (none if they are infinite).
    fn level(values: &[f64]) -> Option<Line> {
        let &first = values.first()?;
        let level = if first.is_infinite() { f64::NAN } else { first };
        let slope = if first.is_infinite() { f64::NAN } else { 0.0 };
        values.iter().all(|&value| value == first).then_some(Line { slope, intercept: level })
    }

    /// The value so many seconds behind the origin.
    pub(super) fn at(self, seconds: f64) -> f64 {
        self.slope * seconds + self.intercept
    }
}

impl Terms {
    fn add_all(&mut self, timestamps: &[Timestamp], values: &[f64], origin_ms: Timestamp) {
        for (&at_ms, &y) in timestamps.iter().zip(values) {
            let x = at_ms.saturating_sub(origin_ms) as f64 / 1000.0;
            self.x.add(x);
            self.y.add(y);
            self.xy.add(x * y);
            self.xx.add(x * x);
        }
    }

    fn line(self, samples: usize) -> Line {
        let n = samples as f64;
        let [sum_x, sum_y, sum_xy, sum_xx] = [self.x, self.y, self.xy, self.xx].map(Compensated::value);
        let covariance = sum_xy - sum_x * sum_y / n;
        let variance = sum_xx - sum_x * sum_x / n;
        let slope = covariance / variance;
        Line { slope, intercept: sum_y / n - slope * sum_x / n }
    }
}

/// How many windows are worked on side by side.
const WIDTH: usize = 2;

/// The samples of one window.
#[derive(Clone, Copy)]
struct Points<'a> {
    timestamps: &'a [Timestamp],
    values: &'a [f64],
    origin_ms: Timestamp,
}

impl Points<'_> {
    fn line(&self) -> Line {
        Line::through(self.timestamps, self.values, self.origin_ms)
    }

    /// Whether all times count as integers that become floats fast.
    fn is_near(&self) -> bool {
        let is_near = |at_ms: Option<&Timestamp>| {
            let distance_ms = at_ms.and_then(|at_ms| at_ms.checked_sub(self.origin_ms));
            distance_ms.is_some_and(|distance_ms| distance_ms.unsigned_abs() < EXACT_INTEGER.unsigned_abs())
        };
        is_near(self.timestamps.first()) && is_near(self.timestamps.last())
    }
}

/// Computes `deriv` or `predict_linear` for every step of a series without histograms, several windows at once; `false`,
/// with nothing done, for other functions.
pub(super) fn evaluate(
    function: RegressionFunction,
    parameters: &[StepColumn],
    windows: &Windows<'_>,
    out: &mut StepColumn,
) -> bool {
    let floats = &windows.samples().floats;
    let (timestamps, values) = (floats.timestamps.as_slice(), floats.values.as_slice());
    let points = |places: &std::ops::Range<usize>| {
        let timestamps = timestamps.get(places.clone()).unwrap_or(&[]);
        let origin_ms = timestamps.first().copied().unwrap_or_default();
        Points { timestamps, values: values.get(places.clone()).unwrap_or(&[]), origin_ms }
    };
    match function {
        RegressionFunction::Deriv => windows.fill_groups::<WIDTH>(2, out, |group| {
            lines(group.each_ref().map(|(_, places)| points(places))).map(|line| line.slope)
        }),
        RegressionFunction::PredictLinear => windows.fill_groups::<WIDTH>(2, out, |group| {
            let ahead = group.each_ref().map(|(step, _)| {
                parameters.first().and_then(|column| column.float(*step)).unwrap_or(f64::NAN)
            });
            let lines = lines(group.each_ref().map(|(step, places)| {
                let origin_ms = windows.bounds().get(*step).map_or(0, |bounds| bounds.step_ms);
                Points { origin_ms, ..points(places) }
            }));
            std::array::from_fn(|lane| lines[lane].at(ahead[lane]))
        }),
        RegressionFunction::DoubleExponentialSmoothing => return false,
    }
    true
}

/// The line through each window.
fn lines(windows: [Points<'_>; WIDTH]) -> [Line; WIDTH] {
    if !windows.iter().all(Points::is_near) {
        return windows.map(|window| window.line());
    }
    let (values, common) = heads(&windows.map(|window| window.values));
    let (timestamps, _) = heads(&windows.map(|window| window.timestamps));
    let origins_ms = windows.map(|window| window.origin_ms);
    let mut sums = [CompensatedLanes::<WIDTH>::new(); 4];
    for at in 0..common {
        let x = Lanes::since(origins_ms, &timestamps, at) / Lanes::all(1000.0);
        let y = Lanes::at(&values, at);
        sums[0].add(x);
        sums[1].add(y);
        sums[2].add(x * y);
        sums[3].add(x * x);
    }
    let mut lines = [Line { slope: f64::NAN, intercept: f64::NAN }; WIDTH];
    for (lane, window) in windows.iter().enumerate() {
        let [x, y, xy, xx] = sums.each_ref().map(|sum| sum.lane(lane));
        lines[lane] = match (Line::level(window.values), x, y, xy, xx) {
            (Some(line), ..) => line,
            (None, Some(x), Some(y), Some(xy), Some(xx)) => {
                let mut terms = Terms { x, y, xy, xx };
                terms.add_all(&window.timestamps[common..], &window.values[common..], window.origin_ms);
                terms.line(window.values.len())
            }
            _ => window.line(),
        };
    }
    lines
}
