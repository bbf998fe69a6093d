//! Any text as a duration or a float, any bits as a float to print.

use narthex_model::PromDuration;
use narthex_model::duration::DURATION_MAX_MS;
use narthex_model::number::{
    format_g, format_g_digits, format_openmetrics, format_plain, format_sample, parse_float,
};

use crate::input::{Numbers, text};

/// See the module.
pub fn target(data: &[u8]) {
    if let Some(text) = text(data) {
        text.lines().for_each(check_text);
    }
    let bits = Numbers::new(data).next_u64();
    check_float(f64::from_bits(bits));
    check_duration(PromDuration::from_ms(bits as i64));
}

fn check_text(text: &str) {
    if let Ok(duration) = PromDuration::parse(text) {
        assert!((0..=DURATION_MAX_MS).contains(&duration.ms));
        check_duration(duration);
    }
    if let Some(value) = parse_float(text) {
        check_float(value);
    }
}

/// Negative durations and those past the limit print, but are not read.
fn check_duration(duration: PromDuration) {
    let printed = duration.to_string();
    if (0..=DURATION_MAX_MS).contains(&duration.ms) {
        assert_eq!(PromDuration::parse(&printed), Ok(duration), "{printed}");
    }
}

fn check_float(value: f64) {
    for format in [format_plain, format_g, format_sample, format_openmetrics] {
        let printed = format(value);
        let read = parse_float(&printed);
        let is_same =
            read.is_some_and(|read| read.to_bits() == value.to_bits() || read.is_nan() && value.is_nan());
        assert!(is_same, "{value:?} as {printed} is {read:?}");
    }
    let short = parse_float(&format_g_digits(value, 4));
    assert!(
        short.is_none_or(|short| value.is_nan() || short == value || (short / value - 1.0).abs() < 0.001)
    );
}
