//! The `*_over_time` functions of series of nothing but floats, which nearly all are: several windows at once, and what
//! windows have in common looked at once. The bits are those of a scan of each window.

use narthex_promql::functions::OverTimeFunction;

use super::over_time::extreme;
use super::sum_over_time::{mean, sum};
use super::{sliding, sums, variance};
use crate::{StepColumn, Windows};

/// Fills `out`, whose steps are absent, with one of the family; `false`, with nothing done, for those functions that gain
/// nothing by it.
pub(super) fn evaluate(function: OverTimeFunction, windows: &Windows<'_>, out: &mut StepColumn) -> bool {
    use OverTimeFunction as Function;
    let floats = &windows.samples().floats;
    let value = |at: usize| floats.values.get(at).copied().unwrap_or_default();
    let seconds = |at: usize| floats.timestamps.get(at).copied().unwrap_or_default() as f64 / 1000.0;
    match function {
        Function::Count => windows.fill_each(out, |window| window.len() as f64),
        Function::Present => windows.fill_each(out, |_| 1.0),
        Function::First => windows.fill_each(out, |window| value(window.start)),
        Function::Last => windows.fill_each(out, |window| value(window.end.wrapping_sub(1))),
        Function::TsOfFirst => windows.fill_each(out, |window| seconds(window.start)),
        Function::TsOfLast => windows.fill_each(out, |window| seconds(window.end.wrapping_sub(1))),
        Function::Sum => sums::over(windows, out, |total, _| total.value(), sum),
        Function::Avg => sums::over(windows, out, |total, count| total.mean(count), mean),
        Function::Min => extremes(windows, out, |value, best| value < best, f64::INFINITY),
        Function::Max => extremes(windows, out, |value, best| value > best, f64::NEG_INFINITY),
        Function::Stdvar => variance::over(windows, out, |variance| variance),
        Function::Stddev => variance::over(windows, out, f64::sqrt),
        Function::Changes
        | Function::Resets
        | Function::TsOfMin
        | Function::TsOfMax
        | Function::Mad
        | Function::Quantile => return false,
    }
    true
}

/// The value of each window that beats all others; any number but `worst` beats that.
fn extremes(windows: &Windows<'_>, out: &mut StepColumn, beats: impl Fn(f64, f64) -> bool, worst: f64) {
    if sliding::pays(windows) {
        sliding::extremes(windows, out, beats);
        return;
    }
    let values = &windows.samples().floats.values;
    windows.fill_each(out, |window| {
        let values = values.get(window).unwrap_or(&[]);
        match fast_extreme(values, &beats, worst) {
            // Of zeros the first one's sign counts; and it may be that there was nothing but NaN.
            found if found == 0.0 || found == worst => extreme(values, &beats),
            found => found,
        }
    });
}

/// The best value, found in whatever order is fastest: of which equal one the result is stays open.
fn fast_extreme(values: &[f64], beats: impl Fn(f64, f64) -> bool, worst: f64) -> f64 {
    let better = |best: f64, value: f64| if beats(value, best) { value } else { best };
    let (chunks, rest) = values.as_chunks::<4>();
    let mut best = [worst; 4];
    for chunk in chunks {
        for lane in 0..4 {
            best[lane] = better(best[lane], chunk[lane]);
        }
    }
    rest.iter().copied().chain(best).fold(worst, better)
}

#[cfg(test)]
mod tests {
    use super::super::lines::{self, Line};
    use super::super::variance::variance;
    use super::*;
    use crate::column::{WindowBounds, lag};
    use narthex_promql::functions::RegressionFunction;
    use narthex_storage::SampleBuffer;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            8 => (0..1000i32).prop_map(|value| f64::from(value) / 7.0),
            4 => (-5..5i32).prop_map(f64::from),
            1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-0.0), Just(f64::MAX), Just(f64::MIN)],
        ]
    }

    fn buffer(samples: Vec<(i64, f64)>) -> SampleBuffer {
        let (mut buffer, mut at_ms) = (SampleBuffer::new(), 0);
        for (gap_ms, value) in samples {
            at_ms += gap_ms;
            buffer.push(at_ms, value.into(), 0);
        }
        buffer
    }

    fn bits(value: f64) -> u64 {
        if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
    }

    const FUNCTIONS: [OverTimeFunction; 12] = [
        OverTimeFunction::Count,
        OverTimeFunction::Present,
        OverTimeFunction::First,
        OverTimeFunction::Last,
        OverTimeFunction::TsOfFirst,
        OverTimeFunction::TsOfLast,
        OverTimeFunction::Sum,
        OverTimeFunction::Avg,
        OverTimeFunction::Min,
        OverTimeFunction::Max,
        OverTimeFunction::Stdvar,
        OverTimeFunction::Stddev,
    ];

    fn scanned(function: OverTimeFunction, timestamps: &[i64], values: &[f64]) -> f64 {
        use OverTimeFunction as Function;
        match function {
            Function::Count => values.len() as f64,
            Function::First => values[0],
            Function::Last => values[values.len() - 1],
            Function::TsOfFirst => timestamps[0] as f64 / 1000.0,
            Function::TsOfLast => timestamps[timestamps.len() - 1] as f64 / 1000.0,
            Function::Sum => sum(values),
            Function::Avg => mean(values),
            Function::Min => extreme(values, |value, best| value < best),
            Function::Max => extreme(values, |value, best| value > best),
            Function::Stdvar => variance(values),
            Function::Stddev => variance(values).sqrt(),
            _ => 1.0,
        }
    }

    proptest! {
        #[test]
        fn blocks_have_the_bits_of_single_windows(
            samples in prop::collection::vec((prop_oneof![6 => 14..17i64, 1 => 1..90i64], value()), 0..300),
            (start_ms, step_ms, steps) in (-100..500i64, prop_oneof![1..80i64, Just(60), Just(15)], 1..200usize),
            range_ms in prop_oneof![1..400i64, Just(300), Just(60)],
        ) {
            let buffer = buffer(samples);
            let bounds: Vec<WindowBounds> = (0..steps as i64)
                .map(|step| start_ms + step * step_ms)
                .map(|end_ms| WindowBounds { start_ms: end_ms - range_ms, end_ms, step_ms: end_ms + 7 })
                .collect();
            let windows = Windows::new(&buffer, &bounds).lagging(lag(&bounds));
            for function in FUNCTIONS {
                let mut out = StepColumn::new(steps);
                prop_assert!(evaluate(function, &windows, &mut out));
                for (step, window) in windows.iter().enumerate() {
                    let floats = window.floats;
                    let expected =
                        (!floats.is_empty()).then(|| scanned(function, floats.timestamps, floats.values));
                    prop_assert_eq!(out.float(step).map(bits), expected.map(bits), "{:?} at step {}", function, step);
                }
            }
            let mut ahead = StepColumn::new(steps);
            ahead.fill_floats(|step| Some(step as f64));
            let (mut slopes, mut ends) = (StepColumn::new(steps), StepColumn::new(steps));
            prop_assert!(lines::evaluate(RegressionFunction::Deriv, &[], &windows, &mut slopes));
            prop_assert!(lines::evaluate(RegressionFunction::PredictLinear, &[ahead], &windows, &mut ends));
            for (step, window) in windows.iter().enumerate() {
                let (times, values) = (window.floats.timestamps, window.floats.values);
                let slope = (values.len() > 1).then(|| Line::through(times, values, times[0]).slope);
                let line = || Line::through(times, values, window.bounds.step_ms);
                let end = (values.len() > 1).then(|| line().at(step as f64));
                prop_assert_eq!(slopes.float(step).map(bits), slope.map(bits), "slope at step {}", step);
                prop_assert_eq!(ends.float(step).map(bits), end.map(bits), "end at step {}", step);
            }
        }
    }
}
