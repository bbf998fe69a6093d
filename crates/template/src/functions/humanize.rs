//! Numbers, durations and times for people.

use narthex_model::PromDuration;
use narthex_model::number::{format_g, format_g_digits, parse_float};

use super::Context;
use crate::format::time_text;
use crate::value::Value;

/// A number from whatever stands for one; strings are read.
fn number(values: &[Value]) -> Result<f64, String> {
    match values.first().unwrap_or(&Value::Nil) {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Duration(nanos) => Ok(*nanos as f64 / 1e9),
        Value::Text(text) => parse_float(text).ok_or_else(|| not_a_number(text)),
        Value::Nil => Err("can't convert <nil> to float".to_owned()),
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

fn not_a_number(text: &str) -> String {
    let mut quoted = String::new();
    narthex_model::labels::quote(&mut quoted, text.as_bytes());
    let overflows = text.parse::<f64>().is_ok_and(f64::is_infinite);
    let reason = if overflows { "value out of range" } else { "invalid syntax" };
    format!("strconv.ParseFloat: parsing {quoted}: {reason}")
}

fn four_digits(value: f64) -> String {
    format_g_digits(value, 4)
}

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const LARGE_BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// Divides until the value is below `base` or the prefixes run out.
fn scaled_down(mut value: f64, base: f64, prefixes: &[&'static str]) -> (f64, &'static str) {
    let mut chosen = "";
    for prefix in prefixes {
        if value.abs() < base {
            break;
        }
        chosen = prefix;
        value /= base;
    }
    (value, chosen)
}

/// Multiplies until the value is at least one.
fn scaled_up(mut value: f64) -> (f64, &'static str) {
    let mut chosen = "";
    for prefix in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        chosen = prefix;
        value *= 1000.0;
    }
    (value, chosen)
}

pub(super) fn humanize(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let value = number(values)?;
    if value == 0.0 || !value.is_finite() {
        return Ok(Value::from(four_digits(value)));
    }
    let (value, prefix) =
        if value.abs() >= 1.0 { scaled_down(value, 1000.0, &LARGE) } else { scaled_up(value) };
    Ok(Value::from(four_digits(value) + prefix))
}

pub(super) fn humanize_1024(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let value = number(values)?;
    if value.abs() <= 1.0 || !value.is_finite() {
        return Ok(Value::from(four_digits(value)));
    }
    let (value, prefix) = scaled_down(value, 1024.0, &LARGE_BINARY);
    Ok(Value::from(four_digits(value) + prefix))
}

pub(super) fn humanize_duration(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::from(duration_for_people(number(values)?)))
}

fn duration_for_people(value: f64) -> String {
    if !value.is_finite() {
        return four_digits(value);
    }
    if value == 0.0 {
        return four_digits(value) + "s";
    }
    if value.abs() < 1.0 {
        let (value, prefix) = scaled_up(value);
        return format!("{}{prefix}s", four_digits(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let value = value.abs();
    let whole = value as i64;
    let (seconds, minutes, hours, days) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four_digits(value)),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, ..) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

pub(super) fn humanize_percentage(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::from(four_digits(number(values)? * 100.0) + "%"))
}

pub(super) fn humanize_timestamp(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let value = number(values)?;
    if !value.is_finite() {
        return Ok(Value::from(four_digits(value)));
    }
    Ok(Value::from(time_text(unix_ms(value)?)))
}

pub(super) fn to_time(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let value = number(values)?;
    if !value.is_finite() {
        return Err("value is NaN or Inf".to_owned());
    }
    unix_ms(value).map(Value::Time)
}

/// Milliseconds of Unix seconds, as far as 64-bit nanoseconds reach.
fn unix_ms(seconds: f64) -> Result<i64, String> {
    let nanos = seconds * 1e9;
    if nanos > i64::MAX as f64 || nanos < i64::MIN as f64 {
        let seconds = format_g(seconds);
        return Err(format!(
            "{seconds} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok(nanos as i64 / 1_000_000)
}

pub(super) fn to_duration(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::Duration((number(values)? * 1e9) as i64))
}

pub(super) fn now(context: &Context<'_>, _: &[Value]) -> Result<Value, String> {
    Ok(Value::Float(context.now_ms() as f64 / 1000.0))
}

pub(super) fn parse_duration(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let text = values.first().and_then(Value::as_text).unwrap_or("");
    let (sign, magnitude) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let duration = PromDuration::parse(magnitude).map_err(|error| error.to_string())?;
    Ok(Value::Float(sign * duration.seconds()))
}
