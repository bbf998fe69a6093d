//! Whether a result is what a script expects.
//!
//! The first sentence of a failure is worded as upstream's runner words it, so that people and tools recognize it;
//! [`difference`] adds what differs, series by series.

mod annotations;
mod close;
mod difference;
mod matrix;
pub(crate) mod text;
mod vector;

use narthex_eval::QueryValue;
use narthex_model::number::format_g;

use crate::script::{EvalTimes, Expectation, ExpectedValue};

pub(crate) use annotations::{Said, check_annotations, check_error};
pub(crate) use difference::difference;
pub use text::value_text;

/// Compares a value with the expected one; the error says in one sentence what differs first.
pub(crate) fn check_value(
    expected: &Expectation,
    times: EvalTimes,
    actual: &QueryValue,
) -> Result<(), String> {
    match (&expected.value, actual) {
        (ExpectedValue::Text(wanted), QueryValue::Text { value, .. }) if wanted == value => Ok(()),
        (ExpectedValue::Text(wanted), QueryValue::Text { value, .. }) => {
            let (wanted, value) = (wanted.to_str_lossy(), value.to_str_lossy());
            Err(format!("expected string {wanted:?} but got {value:?}"))
        }
        (ExpectedValue::Text(wanted), other) => {
            let wanted = wanted.to_str_lossy();
            Err(format!("expected string {wanted:?} but got {}", text::result_text(other)))
        }
        (_, QueryValue::Text { value, .. }) => {
            Err(format!("expected no string but got {:?}", value.to_str_lossy()))
        }
        (ExpectedValue::Scalar(wanted), QueryValue::Scalar { value, .. }) => check_scalar(*wanted, *value),
        (ExpectedValue::Scalar(_), other) => {
            Err(format!("expected scalar result, but got {}", text::result_text(other)))
        }
        (_, QueryValue::Scalar { .. }) => {
            Err(format!("expected vector or matrix result, but got {}", text::result_text(actual)))
        }
        (ExpectedValue::Series { range_vector: Some(_), .. }, QueryValue::Vector(_)) => {
            Err(format!("expected range vector, but got {}", text::result_text(actual)))
        }
        (ExpectedValue::Series { series, .. }, QueryValue::Vector(samples)) => {
            vector::check(series, samples, expected.checks_order())
        }
        (ExpectedValue::Series { .. }, QueryValue::Matrix(_)) if expected.checks_order() => {
            Err("expected ordered result, but query returned a matrix".to_owned())
        }
        (ExpectedValue::Series { series, range_vector }, QueryValue::Matrix(actual)) => {
            matrix::check(series, range_vector.unwrap_or(times.times()), actual)
        }
    }
}

fn check_scalar(wanted: f64, value: f64) -> Result<(), String> {
    if close::floats_close(wanted, value) {
        return Ok(());
    }
    Err(format!("expected scalar {} but got {}", format_g(wanted), format_g(value)))
}
