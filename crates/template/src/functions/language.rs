//! The functions that the template language brings along.

use super::Context;
use super::strings::query_escape;
use crate::format::{self, Directive, Output, Shape, print_value};
use crate::value::Value;

/// What remains of `and` and `or` once no argument decided: the last argument.
pub(super) fn last(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(values.last().cloned().unwrap_or(Value::Nil))
}

pub(super) fn not(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::Bool(!values.first().is_some_and(Value::is_true)))
}

/// No field holds a function, so there is nothing to call.
pub(super) fn call(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    match values.first() {
        None | Some(Value::Nil) => Err("call of nil".to_owned()),
        Some(value) => Err(format!("non-function of type {}", value.type_name())),
    }
}

pub(super) fn len(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let value = values.first().unwrap_or(&Value::Nil);
    match value.len() {
        Some(len) => Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX))),
        None => Err(format!("len of type {}", pointed_type(value))),
    }
}

/// The type behind a pointer.
fn pointed_type(value: &Value) -> &str {
    value.type_name().trim_start_matches('*')
}

pub(super) fn index(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let Some((item, keys)) = values.split_first() else { return Err("index of untyped nil".to_owned()) };
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    keys.iter().try_fold(item.clone(), |item, key| element(&item, key))
}

fn element(item: &Value, key: &Value) -> Result<Value, String> {
    match item {
        Value::Labels(labels) => Ok(Value::from(labels.value(text_key(key)?))),
        Value::Map(map) => Ok(map.get(text_key(key)?).cloned().unwrap_or(Value::Nil)),
        Value::Text(text) | Value::Html(text) => {
            let byte = text.as_bytes().get(position(key, text.len())?);
            byte.map(|&byte| Value::Int(byte.into()))
                .ok_or_else(|| "reflect: string index out of range".to_owned())
        }
        Value::Samples(samples) => {
            let sample = samples.get(position(key, samples.len())?).cloned();
            sample.map(Value::Sample).ok_or_else(|| OUT_OF_RANGE.to_owned())
        }
        Value::List(items) => {
            items.get(position(key, items.len())?).cloned().ok_or_else(|| OUT_OF_RANGE.to_owned())
        }
        Value::Nil => Err("index of nil pointer".to_owned()),
        _ => Err(format!("can't index item of type {}", pointed_type(item))),
    }
}

const OUT_OF_RANGE: &str = "reflect: slice index out of range";

fn text_key(key: &Value) -> Result<&str, String> {
    match key {
        Value::Text(text) => Ok(text),
        Value::Nil => Err("value is nil; should be of type string".to_owned()),
        _ => Err(format!("value has type {}; should be string", key.type_name())),
    }
}

/// A key of a list: an integer up to and with `max`.
fn position(key: &Value, max: usize) -> Result<usize, String> {
    match key {
        Value::Int(number) => {
            let position = usize::try_from(*number).ok().filter(|&position| position <= max);
            position.ok_or_else(|| format!("index out of range: {number}"))
        }
        Value::Nil => Err("cannot index slice/array with nil".to_owned()),
        _ => Err(format!("cannot index slice/array with type {}", key.type_name())),
    }
}

pub(super) fn slice(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let Some((item, keys)) = values.split_first().filter(|(item, _)| !matches!(item, Value::Nil)) else {
        return Err("slice of untyped nil".to_owned());
    };
    if keys.len() > 3 {
        return Err(format!("too many slice indexes: {}", keys.len()));
    }
    let len = match item {
        Value::Text(_) | Value::Html(_) if keys.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::Text(_) | Value::Html(_) | Value::Samples(_) | Value::List(_) => item.len().unwrap_or(0),
        _ => return Err(format!("can't slice item of type {}", pointed_type(item))),
    };
    let positions: Vec<usize> = keys.iter().map(|key| position(key, len)).collect::<Result<_, _>>()?;
    let from = positions.first().copied().unwrap_or(0);
    let to = positions.get(1).copied().unwrap_or(len);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    if let Some(&capacity) = positions.get(2).filter(|&&capacity| to > capacity) {
        return Err(format!("invalid slice index: {to} > {capacity}"));
    }
    Ok(part(item, from, to))
}

/// The part `from..to`, which lies inside. Half characters of a string become replacement characters.
fn part(item: &Value, from: usize, to: usize) -> Value {
    let cut = |text: &str| String::from_utf8_lossy(text.as_bytes().get(from..to).unwrap_or(&[])).into();
    match item {
        Value::Text(text) => Value::Text(cut(text)),
        Value::Html(text) => Value::Html(cut(text)),
        Value::Samples(samples) => Value::Samples(samples.get(from..to).unwrap_or(&[]).into()),
        Value::List(items) => Value::List(items.get(from..to).unwrap_or(&[]).into()),
        _ => Value::Nil,
    }
}

fn made(context: &Context<'_>, write: impl FnOnce(&mut Output)) -> Result<Value, String> {
    let mut out = Output::with_limit(context.text_bytes_max);
    write(&mut out);
    let text = out.finish().ok_or_else(|| format!("text exceeds {} bytes", context.text_bytes_max))?;
    Ok(Value::from(text))
}

pub(super) fn print(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    made(context, |out| format::print(out, values))
}

pub(super) fn println(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    made(context, |out| format::println(out, values))
}

pub(super) fn printf(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let (layout, arguments) = values.split_first().ok_or("missing format")?;
    made(context, |out| format::printf(out, layout.as_text().unwrap_or(""), arguments))
}

/// The arguments as `html`, `js` and `urlquery` print them: pointers show what they point to, nil is named.
fn printed(context: &Context<'_>, values: &[Value]) -> Result<String, String> {
    let mut out = Output::with_limit(context.text_bytes_max);
    let mut after_text = true;
    for (at, value) in values.iter().enumerate() {
        let is_text = matches!(value, Value::Text(_) | Value::Html(_) | Value::Nil);
        if at > 0 && !is_text && !after_text {
            out.push(" ");
        }
        print_value(&mut out, value, 'v', &Directive::default(), Shape::Action);
        after_text = is_text;
    }
    out.finish().ok_or_else(|| format!("text exceeds {} bytes", context.text_bytes_max))
}

fn escaped(
    context: &Context<'_>,
    values: &[Value],
    escape: impl Fn(&mut Output, char),
) -> Result<Value, String> {
    let text = printed(context, values)?;
    made(context, |out| text.chars().for_each(|c| escape(out, c)))
}

pub(super) fn html(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    escaped(context, values, |out, c| match c {
        '\0' => out.push("\u{fffd}"),
        '"' => out.push("&#34;"),
        '\'' => out.push("&#39;"),
        '&' => out.push("&amp;"),
        '<' => out.push("&lt;"),
        '>' => out.push("&gt;"),
        _ => out.push_char(c),
    })
}

pub(super) fn js(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    escaped(context, values, |out, c| match c {
        '\\' | '\'' | '"' => {
            out.push("\\");
            out.push_char(c);
        }
        '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => out.push(&format!("\\u{:04X}", u32::from(c))),
        // Separators and controls beyond ASCII are the unprintable characters that occur.
        '\u{7f}' => out.push_char(c),
        _ if c.is_control() || (c.is_whitespace() && c != ' ') => {
            out.push(&format!("\\u{:04X}", u32::from(c)));
        }
        _ => out.push_char(c),
    })
}

pub(super) fn urlquery(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let text = printed(context, values)?;
    made(context, |out| query_escape(out, &text))
}
