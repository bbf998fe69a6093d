//! Fields and methods of values.

use narthex_diag::Span;

use super::eval::Arguments;
use super::{Executed, State, fail};
use crate::format::{duration_text, time_fields, time_layout, time_text};
use crate::value::Value;

impl<'t> State<'t> {
    /// `receiver.name`, called when it is a method.
    pub(super) fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        name: &str,
        span: Span,
        arguments: Arguments<'t, '_>,
    ) -> Executed<Value> {
        let found = match receiver {
            // Nil has every field, all nil.
            Value::Nil => return Ok(Value::Nil),
            Value::Labels(labels) => {
                return map_entry(Value::from(labels.value(name)), name, span, arguments);
            }
            Value::Map(map) => {
                return map_entry(map.get(name).cloned().unwrap_or(Value::Nil), name, span, arguments);
            }
            Value::Record(record) => {
                record.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
            }
            Value::Sample(sample) => match name {
                "Labels" => Some(Value::Labels(sample.labels.clone())),
                "Value" => Some(Value::from(sample.value.clone())),
                _ => None,
            },
            Value::Histogram(histogram) => match name {
                "Count" => Some(Value::Float(histogram.count)),
                "Sum" => Some(Value::Float(histogram.sum)),
                "ZeroCount" => Some(Value::Float(histogram.zero_count)),
                "ZeroThreshold" => Some(Value::Float(histogram.zero_threshold)),
                "Schema" => Some(Value::Int(histogram.schema.into())),
                _ => None,
            },
            Value::Time(_) | Value::Duration(_) => return self.method(dot, receiver, name, span, arguments),
            _ => None,
        };
        match found {
            None => no_field(receiver, name, span),
            Some(_) if !arguments.is_empty() => {
                fail(format!("{name} has arguments but cannot be invoked as function"), span)
            }
            Some(value) => Ok(value),
        }
    }

    fn method(
        &mut self,
        dot: &Value,
        receiver: &Value,
        name: &str,
        span: Span,
        arguments: Arguments<'t, '_>,
    ) -> Executed<Value> {
        let mut values = Vec::new();
        for argument in arguments.written {
            values.push(self.operand(dot, argument)?);
        }
        values.extend(arguments.piped.cloned());
        let result = match receiver {
            Value::Time(at_ms) => time_method(*at_ms, name, &values),
            Value::Duration(nanos) => duration_method(*nanos, name, &values),
            _ => Method::Unknown,
        };
        match result {
            Method::Value(value) => Ok(value),
            Method::Unknown => no_field(receiver, name, span),
            Method::WrongCount(want) => {
                fail(format!("wrong number of args for {name}: want {want} got {}", values.len()), span)
            }
            Method::WrongType(want) => {
                let got = values.first().map_or("nil", Value::type_name);
                fail(format!("wrong type for value; expected {want}; got {got}"), span)
            }
        }
    }
}

fn no_field(receiver: &Value, name: &str, span: Span) -> Executed<Value> {
    fail(format!("can't evaluate field {name} in type {}", receiver.type_name()), span)
}

fn map_entry(value: Value, name: &str, span: Span, arguments: Arguments<'_, '_>) -> Executed<Value> {
    if arguments.is_empty() {
        Ok(value)
    } else {
        fail(format!("{name} is not a method but has arguments"), span)
    }
}

/// What became of a method call.
enum Method {
    Value(Value),
    Unknown,
    WrongCount(usize),
    WrongType(&'static str),
}

const NANOS_PER_MS: i64 = 1_000_000;

/// The methods of a point in time that make sense in a text. Time zones are not among them: there is only UTC.
fn time_method(at_ms: i64, name: &str, arguments: &[Value]) -> Method {
    let fields = time_fields(at_ms);
    let plain = match name {
        "String" => Value::from(time_text(at_ms)),
        "UTC" => Value::Time(at_ms),
        "Unix" => Value::Int(at_ms.div_euclid(1000)),
        "UnixMilli" => Value::Int(at_ms),
        "UnixNano" => Value::Int(at_ms.wrapping_mul(NANOS_PER_MS)),
        "Year" => Value::Int(fields.year),
        "Month" => Value::from(month_name(fields.month)),
        "Weekday" => Value::from(weekday_name(fields.weekday)),
        "Day" => Value::Int(fields.day.into()),
        "YearDay" => Value::Int(fields.year_day.into()),
        "Hour" => Value::Int(fields.hour.into()),
        "Minute" => Value::Int(fields.minute.into()),
        "Second" => Value::Int(fields.second.into()),
        "Nanosecond" => Value::Int(i64::from(fields.millisecond) * NANOS_PER_MS),
        _ => return time_method_with_argument(at_ms, name, arguments),
    };
    if arguments.is_empty() { Method::Value(plain) } else { Method::WrongCount(0) }
}

fn time_method_with_argument(at_ms: i64, name: &str, arguments: &[Value]) -> Method {
    if !matches!(name, "Format" | "Add" | "Sub" | "Before" | "After" | "Equal") {
        return Method::Unknown;
    }
    match (name, arguments) {
        ("Format", [Value::Text(layout)]) => Method::Value(Value::from(time_layout(at_ms, layout))),
        ("Format", [_]) => Method::WrongType("string"),
        ("Add", [Value::Duration(nanos)]) => {
            Method::Value(Value::Time(at_ms.saturating_add(nanos / NANOS_PER_MS)))
        }
        ("Add", [_]) => Method::WrongType("time.Duration"),
        ("Sub", [Value::Time(other)]) => {
            Method::Value(Value::Duration(at_ms.saturating_sub(*other).saturating_mul(NANOS_PER_MS)))
        }
        ("Before", [Value::Time(other)]) => Method::Value(Value::Bool(at_ms < *other)),
        ("After", [Value::Time(other)]) => Method::Value(Value::Bool(at_ms > *other)),
        ("Equal", [Value::Time(other)]) => Method::Value(Value::Bool(at_ms == *other)),
        (_, [_]) => Method::WrongType("time.Time"),
        _ => Method::WrongCount(1),
    }
}

fn month_name(month: u32) -> &'static str {
    crate::format::MONTHS.get(month as usize - 1).copied().unwrap_or("")
}

fn weekday_name(weekday: u32) -> &'static str {
    crate::format::WEEKDAYS.get(weekday as usize).copied().unwrap_or("")
}

fn duration_method(nanos: i64, name: &str, arguments: &[Value]) -> Method {
    let plain = match name {
        "String" => Value::from(duration_text(nanos)),
        "Hours" => Value::Float(nanos as f64 / 3.6e12),
        "Minutes" => Value::Float(nanos as f64 / 6e10),
        "Seconds" => Value::Float(nanos as f64 / 1e9),
        "Milliseconds" => Value::Int(nanos / NANOS_PER_MS),
        "Microseconds" => Value::Int(nanos / 1000),
        "Nanoseconds" => Value::Int(nanos),
        "Abs" => Value::Duration(nanos.saturating_abs()),
        "Truncate" | "Round" => {
            return match arguments {
                [Value::Duration(unit)] => Method::Value(Value::Duration(to_multiple(nanos, *unit, name))),
                [_] => Method::WrongType("time.Duration"),
                _ => Method::WrongCount(1),
            };
        }
        _ => return Method::Unknown,
    };
    if arguments.is_empty() { Method::Value(plain) } else { Method::WrongCount(0) }
}

/// The multiple of `unit` towards zero, or the nearest one (halves away from zero); the value when `unit` is not
/// positive.
fn to_multiple(nanos: i64, unit: i64, name: &str) -> i64 {
    if unit <= 0 {
        return nanos;
    }
    let rest = nanos % unit;
    let truncated = nanos - rest;
    let rounds_away = name == "Round" && rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
    if rounds_away { truncated.saturating_add(unit.saturating_mul(rest.signum())) } else { truncated }
}
