//! Addresses of the server and of its pages.

use super::Context;
use super::strings::query_escape;
use crate::format::Output;
use crate::value::Value;

pub(super) fn external_url(context: &Context<'_>, _: &[Value]) -> Result<Value, String> {
    Ok(Value::from(context.data.external_url.as_str()))
}

pub(super) fn path_prefix(context: &Context<'_>, _: &[Value]) -> Result<Value, String> {
    let address = &context.data.external_url;
    let after_scheme = address.split_once("://").map_or("", |(_, rest)| rest);
    let path = after_scheme.find(['/', '?', '#']).and_then(|at| after_scheme.get(at..)).unwrap_or("");
    Ok(Value::from(path.split(['?', '#']).next().unwrap_or("")))
}

pub(super) fn graph_link(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    page(context, values, "0")
}

pub(super) fn table_link(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    page(context, values, "1")
}

fn page(context: &Context<'_>, values: &[Value], tab: &str) -> Result<Value, String> {
    let mut out = Output::with_limit(context.text_bytes_max);
    out.push("/graph?g0.expr=");
    query_escape(&mut out, values.first().and_then(Value::as_text).unwrap_or(""));
    out.push("&g0.tab=");
    out.push(tab);
    let text = out.finish().ok_or_else(|| format!("text exceeds {} bytes", context.text_bytes_max))?;
    Ok(Value::from(text))
}
