//! Functions of windows from what their samples amount to: the very bits that a look at every sample gives, or nothing.

use narthex_promql::functions::{OverTimeFunction, RateFunction};
use narthex_storage::SummaryNeed;

use super::SeriesContext;
use super::extrapolation::{Borders, zero_share};
use super::rate::{Change, hint_at_non_counter};
use crate::StepColumn;
use crate::column::{Segment, Segments, WindowBounds};

/// What a function has to know of samples that it does not see; `None` when it has to see all of them.
pub(crate) fn need_over_time(function: OverTimeFunction) -> Option<SummaryNeed> {
    use OverTimeFunction as Function;
    match function {
        Function::Sum | Function::Avg => Some(SummaryNeed::Sum),
        Function::Count
        | Function::Present
        | Function::First
        | Function::Last
        | Function::TsOfFirst
        | Function::TsOfLast
        | Function::Min
        | Function::Max
        | Function::Changes
        | Function::Resets => Some(SummaryNeed::Any),
        Function::TsOfMin
        | Function::TsOfMax
        | Function::Stdvar
        | Function::Stddev
        | Function::Mad
        | Function::Quantile => None,
    }
}

/// As [`need_over_time`].
pub(crate) fn need_of_change(function: RateFunction) -> Option<SummaryNeed> {
    match function {
        // What a counter lost is added in order: it has to be known piece by piece.
        RateFunction::Rate | RateFunction::Increase => Some(SummaryNeed::NoResets),
        RateFunction::Delta => Some(SummaryNeed::Any),
        RateFunction::Irate | RateFunction::Idelta => None,
    }
}

/// Fills `out`; `false`, perhaps half way, when what is known does not tell the bits.
pub(crate) fn over_time(function: OverTimeFunction, segments: &Segments<'_>, out: &mut StepColumn) -> bool {
    (0..segments.len()).all(|step| match segments.total(step) {
        None => true,
        Some(total) => match value_over_time(function, &total) {
            Some(value) => {
                out.set_float(step, value);
                true
            }
            None => false,
        },
    })
}

fn value_over_time(function: OverTimeFunction, total: &Segment) -> Option<f64> {
    use OverTimeFunction as Function;
    let summary = &total.summary;
    Some(match function {
        Function::Sum => summary.sum?,
        Function::Avg => summary.sum? / summary.samples as f64,
        Function::Count => summary.samples as f64,
        Function::Present => 1.0,
        Function::First => summary.first,
        Function::Last => summary.last,
        Function::TsOfFirst => total.first_ms as f64 / 1000.0,
        Function::TsOfLast => total.last_ms as f64 / 1000.0,
        Function::Min => summary.min,
        Function::Max => summary.max,
        Function::Changes => summary.changes as f64,
        Function::Resets => summary.resets as f64,
        Function::TsOfMin
        | Function::TsOfMax
        | Function::Stdvar
        | Function::Stddev
        | Function::Mad
        | Function::Quantile => return None,
    })
}

/// Fills `out` with `rate`, `increase` or `delta`.
pub(crate) fn change(
    function: RateFunction,
    range_ms: i64,
    bounds: &[WindowBounds],
    segments: &Segments<'_>,
    series: &SeriesContext<'_>,
    out: &mut StepColumn,
) {
    let change = Change::of(function);
    for (step, bounds) in bounds.iter().enumerate() {
        let Some(total) = segments.total(step).filter(|total| total.summary.samples >= 2) else { continue };
        let (first, last) = (total.summary.first, total.summary.last);
        let mut difference = last - first;
        if change.is_counter() && total.summary.resets > 0 {
            difference = replayed(difference, segments, step);
        }
        let times = [bounds.start_ms, total.first_ms, total.last_ms, bounds.end_ms];
        let borders = Borders::of_samples(change, range_ms, times, total.summary.samples as usize);
        out.set_float(step, difference * borders.factor(zero_share(change, first, difference)));
    }
    if change.is_counter() {
        hint_at_non_counter(series, out);
    }
}

/// The difference between two values, with what was lost in between added in order.
fn replayed(mut difference: f64, segments: &Segments<'_>, step: usize) -> f64 {
    let mut before: Option<f64> = None;
    for segment in segments.window(step) {
        if let Some(before) = before.filter(|before| segment.summary.first < *before) {
            difference += before;
        }
        difference = segments.falls(segment).iter().fold(difference, |sum, fall| sum + fall);
        before = Some(segment.summary.last);
    }
    difference
}
