//! Instant vectors against expected series.

use narthex_eval::result::InstantSample;
use narthex_model::SampleValue;
use narthex_model::number::format_g;
use narthex_promql::series::SequenceValue;

use super::close::{Hint, floats_close, histograms_close};
use super::text::{histogram_text, sequence_text, sequence_value_text, value_text};
use crate::script::ExpectedSeries;

/// The first difference in the order of `actual`, then the first expected series that is missing.
pub(super) fn check(
    expected: &[ExpectedSeries],
    actual: &[InstantSample],
    checks_order: bool,
) -> Result<(), String> {
    for (position, sample) in actual.iter().enumerate() {
        let labels = &sample.labels;
        let Some(place) = expected.iter().position(|series| series.labels == *labels) else {
            return Err(format!(
                "unexpected metric {labels} in result, has value {}",
                value_text(&sample.value)
            ));
        };
        if checks_order && place != position {
            let values = sequence_text(&expected[place].values);
            return Err(format!(
                "expected metric {labels} with {values} at position {} but was at {}",
                place + 1,
                position + 1
            ));
        }
        if actual[..position].iter().any(|before| before.labels == *labels) {
            return Err(format!("metric {labels} is twice in the result"));
        }
        check_sample(expected[place].values.first().unwrap_or(&SequenceValue::Omitted), sample)?;
    }
    let is_missing = |series: &ExpectedSeries| actual.iter().all(|sample| sample.labels != series.labels);
    match expected.iter().position(is_missing) {
        None => Ok(()),
        Some(place) => {
            let series = &expected[place];
            let values = sequence_text(&series.values);
            Err(format!("expected metric {} with {}: {values} not found", series.labels, place + 1))
        }
    }
}

fn check_sample(expected: &SequenceValue, sample: &InstantSample) -> Result<(), String> {
    let labels = &sample.labels;
    let SequenceValue::Value { sample: wanted, states_hint } = expected else {
        return Err(format!("expected nothing for {labels} but got {}", value_text(&sample.value)));
    };
    let hint = Hint::of(*states_hint);
    match (wanted, &sample.value) {
        (SampleValue::Float(wanted), SampleValue::Float(value)) if floats_close(*wanted, *value) => Ok(()),
        (SampleValue::Float(wanted), SampleValue::Float(value)) => {
            Err(format!("expected {} for {labels} but got {}", format_g(*wanted), format_g(*value)))
        }
        (SampleValue::Float(_), SampleValue::Histogram(value)) => {
            let wanted = sequence_value_text(expected);
            Err(format!(
                "expected float value {wanted} for {labels} but got histogram {}",
                histogram_text(value)
            ))
        }
        (SampleValue::Histogram(wanted), SampleValue::Float(value)) => Err(format!(
            "expected histogram {} for {labels} but got float value {}",
            histogram_text(wanted),
            format_g(*value)
        )),
        (SampleValue::Histogram(wanted), SampleValue::Histogram(value)) => {
            if histograms_close(wanted, value, hint) {
                return Ok(());
            }
            let (wanted, value) = (histogram_text(wanted), histogram_text(value));
            Err(format!("expected {wanted} for {labels} but got {value}"))
        }
    }
}
