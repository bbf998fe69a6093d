//! Strings: case, hosts, escapes, regular expressions.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Context;
use crate::format::Output;
use crate::value::Value;

/// Longest text that a replacement might become before it is cut to the limit of the caller.
const REPLACED_BYTES_MAX: usize = 64 << 20;

fn text(values: &[Value], at: usize) -> &str {
    values.get(at).and_then(Value::as_text).unwrap_or("")
}

fn finished(context: &Context<'_>, out: Output) -> Result<Value, String> {
    let text = out.finish().ok_or_else(|| format!("text exceeds {} bytes", context.text_bytes_max))?;
    Ok(Value::from(text))
}

pub(super) fn to_upper(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::from(text(values, 0).chars().map(upper).collect::<String>()))
}

pub(super) fn to_lower(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let lower =
        |c: char| if c.to_lowercase().count() == 1 { c.to_lowercase().next().unwrap_or(c) } else { c };
    Ok(Value::from(text(values, 0).chars().map(lower).collect::<String>()))
}

/// Go maps character by character: those whose upper case is several stay as they are.
fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Upper case for the first letter of each word, the others stay. Letters, digits, marks and underscores make words;
/// one full stop, colon or apostrophe between two letters does not part them.
pub(super) fn title(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let mut in_word = false;
    let mut after_mid = false;
    let mut titled = String::new();
    for c in text(values, 0).chars() {
        let mid =
            matches!(c, '.' | ':' | '\'' | '·' | '‘' | '’' | '․' | '‧' | '﹒' | '﹕' | '＇' | '．' | '：');
        if after_mid && mid {
            in_word = false;
        }
        let is_cased = c.is_lowercase() || c.is_uppercase();
        match (is_cased, in_word) {
            (true, false) => titled.extend(c.to_uppercase()),
            _ => titled.push(c),
        }
        if is_cased {
            in_word = true;
        } else if !(mid || c == '_' || c.is_alphanumeric()) {
            in_word = false;
        }
        after_mid = mid;
    }
    Ok(Value::from(titled))
}

pub(super) fn safe_html(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::Html(text(values, 0).into()))
}

/// Splits `host:port` and `[host]:port`; `None` when the text is neither.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let brackets = host.contains(['[', ']']) || port.contains(['[', ']']);
    (!brackets).then_some((host, port))
}

pub(super) fn strip_port(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let text = text(values, 0);
    Ok(Value::from(split_host_port(text).map_or(text, |(host, _)| host)))
}

pub(super) fn strip_domain(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let text = text(values, 0);
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    if host.parse::<Ipv4Addr>().is_ok() || host.parse::<Ipv6Addr>().is_ok() {
        return Ok(Value::from(text));
    }
    let name = host.split('.').next().unwrap_or("");
    let joined = match port {
        "" => name.to_owned(),
        _ if name.contains(':') => format!("[{name}]:{port}"),
        _ => format!("{name}:{port}"),
    };
    Ok(Value::from(joined))
}

pub(super) fn url_query_escape(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let mut out = Output::with_limit(context.text_bytes_max);
    query_escape(&mut out, text(values, 0));
    finished(context, out)
}

/// Percent-encodes all but letters, digits and `-_.~`; a space becomes `+`.
pub(super) fn query_escape(out: &mut Output, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push_char(byte.into()),
            b' ' => out.push("+"),
            _ => out.push(&format!("%{byte:02X}")),
        }
    }
}

pub(super) fn matches(_: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let regex = narthex_regex::UnanchoredRegex::new(text(values, 0)).map_err(|error| error.to_string())?;
    Ok(Value::Bool(regex.is_match(text(values, 1))))
}

pub(super) fn replace_all(context: &Context<'_>, values: &[Value]) -> Result<Value, String> {
    let (pattern, template, text) = (text(values, 0), text(values, 1), text(values, 2));
    let regex = narthex_regex::UnanchoredRegex::new(pattern)
        .map_err(|error| format!("regexp: Compile(`{pattern}`): {error}"))?;
    // Every position may match, and each `$` repeats at most the whole text over all matches.
    let copies = (text.len() + 1).saturating_mul(template.len());
    let groups = template.matches('$').count().saturating_mul(text.len());
    if copies.saturating_add(groups) > REPLACED_BYTES_MAX {
        return Err("replacement is too long".to_owned());
    }
    let mut out = Output::with_limit(context.text_bytes_max);
    out.push(&regex.replace_all(text, template));
    finished(context, out)
}
