//! `rate`, `increase`, `delta`, `irate`, `idelta`.

use narthex_model::{CounterResetHint, FloatHistogram, SampleValue, Timestamp};
use narthex_promql::functions::RateFunction;
use std::sync::Arc;

use super::extended::{self, Extended};
use super::{Sample, Window, seconds};

/// What is asked of a window.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) function: RateFunction,
    /// Whether start times of samples count.
    pub(super) uses_starts: bool,
}

impl Change {
    fn is_counter(self) -> bool {
        matches!(self.function, RateFunction::Rate | RateFunction::Increase | RateFunction::Irate)
    }

    /// Whether the counter started anew between two samples, by their start times.
    pub(super) fn starts_anew(self, before: &Sample, sample: &Sample) -> bool {
        let started_ms = sample.started_ms;
        if !self.uses_starts || started_ms == 0 || started_ms >= sample.at_ms {
            return false;
        }
        let was_known = before.started_ms != 0 && before.started_ms < before.at_ms;
        started_ms > before.at_ms || (started_ms == before.at_ms && was_known)
    }

    fn is_histogram_reset(
        self,
        before: (&Sample, &FloatHistogram),
        sample: (&Sample, &FloatHistogram),
    ) -> bool {
        sample.1.detect_reset(before.1) || self.starts_anew(before.0, sample.0)
    }
}

/// The value of the function, if there is one.
pub(super) fn value(change: Change, window: &Window) -> Option<SampleValue> {
    let is_rate = change.function == RateFunction::Rate;
    let per = if is_rate { seconds(window.end_ms - window.start_ms) } else { 1.0 };
    if matches!(change.function, RateFunction::Irate | RateFunction::Idelta) {
        return last_two(change, window);
    }
    if window.extension.is_some() {
        return match extended::values(window, change.is_counter()) {
            Extended::None => None,
            Extended::Floats(values) => Some((float_difference(change, &values) / per).into()),
            Extended::Histograms(values) => {
                // Start times do not count here.
                let change = Change { uses_starts: false, ..change };
                let value = SampleValue::Histogram;
                let unstarted =
                    |one: Arc<FloatHistogram>| Sample { at_ms: 0, started_ms: 0, value: value(one) };
                let samples: Vec<Sample> = values.into_iter().map(unstarted).collect();
                let mut result = histogram_difference(change, &samples, Start::Unknown)?;
                result.div(per);
                Some(result.into())
            }
        };
    }
    extrapolated(change, window)
}

/// Last minus first, and what a counter lost each time it fell.
fn float_difference(change: Change, values: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return 0.0 };
    let falls = values.windows(2).filter(|pair| change.is_counter() && pair[1] < pair[0]);
    falls.fold(last - first, |difference, pair| difference + pair[0])
}

/// Whether a counter is known to have been zero within the window before its first sample.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Unknown,
    Zero(Timestamp),
}

fn extrapolated(change: Change, window: &Window) -> Option<SampleValue> {
    let (first, last) = (window.samples.first()?, window.samples.last()?);
    let start = match first.started_ms {
        0 => Start::Unknown,
        _ if !change.uses_starts || !change.is_counter() => Start::Unknown,
        started_ms if started_ms > window.start_ms && started_ms < first.at_ms => Start::Zero(started_ms),
        _ => Start::Unknown,
    };
    if window.samples.len() < 2 && start == Start::Unknown {
        return None;
    }
    let floats: Vec<f64> =
        window.samples.iter().filter_map(|sample| extended::float(&sample.value)).collect();
    if floats.len() == window.samples.len() {
        let mut difference = last_minus_first(&floats);
        for pair in window.samples.windows(2).zip(floats.windows(2)) {
            let (samples, values) = pair;
            let is_reset = values[1] < values[0] || change.starts_anew(&samples[0], &samples[1]);
            if change.is_counter() && is_reset {
                difference += values[0];
            }
        }
        if start != Start::Unknown {
            difference += floats[0];
        }
        let factor = factor(change, window, start, (floats[0], difference), (first.at_ms, last.at_ms));
        return Some((difference * factor).into());
    }
    if !floats.is_empty() {
        return None;
    }
    let mut result = histogram_difference(change, &window.samples, start)?;
    let first_count = extended::histogram(&first.value)?.count;
    result.mul(factor(change, window, start, (first_count, result.count), (first.at_ms, last.at_ms)));
    Some(result.into())
}

fn last_minus_first(values: &[f64]) -> f64 {
    values[values.len() - 1] - values[0]
}

/// From the sampled difference to that of the whole window. `counts` are the first value and the difference.
fn factor(
    change: Change,
    window: &Window,
    start: Start,
    counts: (f64, f64),
    sampled_ms: (Timestamp, Timestamp),
) -> f64 {
    let ((first, difference), (first_ms, last_ms)) = (counts, sampled_ms);
    let gaps = window.samples.len() - 1;
    let average = if gaps == 0 { 0.0 } else { seconds(last_ms - first_ms) / gaps as f64 };
    let (sampled, mut before) = match start {
        Start::Unknown => (seconds(last_ms - first_ms), seconds(first_ms - window.start_ms)),
        Start::Zero(zero_ms) => (seconds(last_ms - zero_ms), 0.0),
    };
    let mut after = seconds(window.end_ms - last_ms);
    for distance in [&mut before, &mut after] {
        if *distance >= average * 1.1 {
            *distance = average / 2.0;
        }
    }
    if change.is_counter() && difference > 0.0 && first >= 0.0 {
        let to_zero = sampled * (first / difference);
        before = if to_zero < before { to_zero } else { before };
    }
    let factor = (sampled + before + after) / sampled;
    if change.function == RateFunction::Rate {
        factor / seconds(window.end_ms - window.start_ms)
    } else {
        factor
    }
}

/// Last minus first, and what a counter lost at each reset; a gauge.
fn histogram_difference(change: Change, samples: &[Sample], start: Start) -> Option<FloatHistogram> {
    let mut values: Vec<FloatHistogram> = Vec::new();
    for sample in samples {
        values.push(FloatHistogram::clone(&*extended::histogram(&sample.value)?));
    }
    if change.is_counter() && start == Start::Unknown && values.len() > 1 {
        let is_reset = change.is_histogram_reset((&samples[0], &values[0]), (&samples[1], &values[1]));
        if is_reset {
            // The first sample belongs to a count that is over: it counts for nothing.
            let (schema, custom_values) = (values[1].schema, values[1].custom_values.clone());
            values[0] = FloatHistogram { schema, custom_values, ..FloatHistogram::default() };
        }
    }
    let (first, last) = (values.first()?, values.last()?);
    let relevant: Vec<&FloatHistogram> =
        if change.is_counter() { values.iter().collect() } else { vec![first, last] };
    if relevant.iter().any(|one| one.uses_custom_buckets() != first.uses_custom_buckets()) {
        return None;
    }
    let schema = relevant.iter().map(|one| one.schema).min()?;
    let mut result = if first.uses_custom_buckets() { last.clone() } else { last.copy_to_schema(schema)? };
    if start == Start::Unknown {
        result.sub(first).ok()?;
    }
    for at in 1..values.len() {
        let is_reset =
            change.is_histogram_reset((&samples[at - 1], &values[at - 1]), (&samples[at], &values[at]));
        if change.is_counter() && is_reset {
            result.add(&values[at - 1]).ok()?;
        }
    }
    result.counter_reset_hint = CounterResetHint::Gauge;
    result.compact(0);
    Some(result)
}

fn last_two(change: Change, window: &Window) -> Option<SampleValue> {
    let [.., before, last] = window.samples.as_slice() else { return None };
    let is_irate = change.function == RateFunction::Irate;
    let per = if is_irate { seconds(last.at_ms - before.at_ms) } else { 1.0 };
    match (&before.value, &last.value) {
        (SampleValue::Float(from), SampleValue::Float(to)) => {
            let is_reset = is_irate && (to < from || change.starts_anew(before, last));
            let difference = if is_reset { *to } else { to - from };
            Some((difference / per).into())
        }
        (SampleValue::Histogram(from), SampleValue::Histogram(to)) => {
            let mut result = FloatHistogram::clone(to);
            if !(is_irate && change.is_histogram_reset((before, from), (last, to))) {
                result.sub(from).ok()?;
            }
            result.counter_reset_hint = CounterResetHint::Gauge;
            result.compact(0);
            result.div(per);
            Some(result.into())
        }
        _ => None,
    }
}
