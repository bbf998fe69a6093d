//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: only values of one kind compare, an integer does not equal a float.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Context;
use crate::format::{Directive, Output, Shape, print_value};
use crate::value::Value;

pub(super) fn eq(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    equals_any(values).map(Value::Bool)
}

pub(super) fn ne(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    equals_any(values).map(|equal| Value::Bool(!equal))
}

pub(super) fn lt(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    is_less(values).map(Value::Bool)
}

pub(super) fn le(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    is_at_most(values).map(Value::Bool)
}

/// The opposite of `le`: true when one side is NaN.
pub(super) fn gt(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    is_at_most(values).map(|at_most| Value::Bool(!at_most))
}

/// The opposite of `lt`: true when one side is NaN.
pub(super) fn ge(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    is_less(values).map(|less| Value::Bool(!less))
}

const NOT_COMPARABLE: &str = "invalid type for comparison";

fn equals_any(values: &[Value]) -> Result<bool, String> {
    let Some((first, others)) = values.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err("missing argument for comparison".to_owned());
    };
    for other in others {
        if equals(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equals(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Text(a) | Value::Html(a), Value::Text(b) | Value::Html(b)) => Ok(a == b),
        _ if is_basic(a) || is_basic(b) => Err(incompatible(a, b)),
        (Value::Sample(a), Value::Sample(b)) => Ok(Arc::ptr_eq(a, b)),
        (Value::Time(a), Value::Time(b)) => Ok(a == b),
        (Value::Duration(a), Value::Duration(b)) => Ok(a == b),
        (Value::Histogram(a), Value::Histogram(b)) => Ok(Arc::ptr_eq(a, b)),
        _ => Err(format!("non-comparable type {}: {}", shown(b), b.type_name())),
    }
}

fn is_basic(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Html(_))
}

fn incompatible(a: &Value, b: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())
}

fn shown(value: &Value) -> String {
    let mut out = Output::with_limit(1000);
    print_value(&mut out, value, 'v', &Directive::default(), Shape::Argument);
    out.finish().unwrap_or_default()
}

fn is_less(values: &[Value]) -> Result<bool, String> {
    let [a, b] = values else { return Err("missing argument for comparison".to_owned()) };
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Text(a) | Value::Html(a), Value::Text(b) | Value::Html(b)) => Some(a.cmp(b)),
        (Value::Bool(_), Value::Bool(_)) => return Err(NOT_COMPARABLE.to_owned()),
        _ if is_basic(a) && is_basic(b) => return Err(incompatible(a, b)),
        _ => return Err(NOT_COMPARABLE.to_owned()),
    };
    Ok(order == Some(Ordering::Less))
}

fn is_at_most(values: &[Value]) -> Result<bool, String> {
    Ok(is_less(values)? || equals_any(values)?)
}
