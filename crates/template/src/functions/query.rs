//! Queries and their samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Context;
use crate::value::{Sample, Value};

/// What Go says when a nil sample is read.
const NIL_SAMPLE: &str = "runtime error: invalid memory address or nil pointer dereference";

pub(super) fn query(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let expression = values.first().and_then(Value::as_text).unwrap_or("");
    let samples = context.queries.query(expression, context.now_ms())?;
    Ok(Value::Samples(samples.into_iter().map(Arc::new).collect()))
}

fn samples(value: Option<&Value>) -> &[Arc<Sample>] {
    match value {
        Some(Value::Samples(samples)) => samples,
        _ => &[],
    }
}

fn sample(value: Option<&Value>) -> Result<&Sample, String> {
    match value {
        Some(Value::Sample(sample)) => Ok(sample),
        _ => Err(NIL_SAMPLE.to_owned()),
    }
}

pub(super) fn first(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let first = samples(values.first()).first().cloned();
    first.map(Value::Sample).ok_or_else(|| "first() called on vector with no elements".to_owned())
}

pub(super) fn label(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let name = values.first().and_then(Value::as_text).unwrap_or("");
    Ok(Value::from(sample(values.get(1))?.labels.value(name)))
}

pub(super) fn value(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::from(sample(values.first())?.value.clone()))
}

pub(super) fn strvalue(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::from(sample(values.first())?.labels.value("__value__")))
}

/// Stable: samples with equal values keep their order.
pub(super) fn sort_by_label(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let name = values.first().and_then(Value::as_text).unwrap_or("");
    let mut sorted = samples(values.get(1)).to_vec();
    sorted.sort_by(|a, b| a.labels.value(name).cmp(b.labels.value(name)));
    Ok(Value::Samples(sorted.into()))
}

pub(super) fn args(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let entries = values.iter().enumerate().map(|(at, value)| (format!("arg{at}"), value.clone()));
    Ok(Value::Map(Arc::new(entries.collect::<BTreeMap<_, _>>())))
}
