//! Values under the verbs of `printf`.

use super::number::{print_float, print_int};
use super::{Directive, Output, duration_text, time_text};
use crate::value::{Record, Sample, Value};

/// Where a value is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// As the argument of a print function: samples show that they are pointers.
    Argument,
    /// As the result of an action.
    Action,
    /// Inside a map, a list or a record.
    Element,
}

/// Appends `value` under `verb`. A verb that does not fit leaves `%!verb(type=value)`.
pub(crate) fn print_value(out: &mut Output, value: &Value, verb: char, directive: &Directive, shape: Shape) {
    if verb == 'T' && shape != Shape::Element {
        let name = if matches!(value, Value::Nil) { "<nil>" } else { value.type_name() };
        return directive.pad(out, &truncated(name, directive.precision));
    }
    let fits = match value {
        Value::Nil => nil(out, verb, directive, shape),
        Value::Bool(flag) => print_bool(out, *flag, verb, directive),
        Value::Int(number) => print_int(out, *number, verb, directive),
        Value::Float(number) => print_float(out, *number, verb, directive),
        Value::Text(text) | Value::Html(text) => print_text(out, text, verb, directive),
        Value::Time(at_ms) => print_text(out, &time_text(*at_ms), verb, directive),
        Value::Duration(nanos) => print_text(out, &duration_text(*nanos), verb, directive),
        Value::Histogram(histogram) => print_text(out, &histogram.to_string(), verb, directive),
        Value::Labels(labels) => {
            let entries = labels.iter().map(|(name, text)| (name, Value::from(text)));
            print_map(out, "map[string]string", entries, verb, directive);
            true
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key.as_str(), value.clone()));
            print_map(out, value.type_name(), entries, verb, directive);
            true
        }
        Value::Samples(samples) => {
            let items = samples.iter().map(|sample| Value::Sample(sample.clone()));
            print_list(out, value.type_name(), items, verb, directive);
            true
        }
        Value::List(items) => {
            print_list(out, value.type_name(), items.iter().cloned(), verb, directive);
            true
        }
        Value::Sample(sample) => {
            print_sample(out, sample, verb, directive, shape);
            true
        }
        Value::Record(record) => {
            print_record(out, record, verb, directive);
            true
        }
    };
    if !fits {
        bad_verb(out, value, verb, directive, shape);
    }
}

/// Width and precision stay in force for the value shown.
fn bad_verb(out: &mut Output, value: &Value, verb: char, directive: &Directive, shape: Shape) {
    out.push(&format!("%!{verb}("));
    if !matches!(value, Value::Nil) {
        out.push(&format!("{}=", value.type_name()));
    }
    print_value(out, value, 'v', directive, shape);
    out.push(")");
}

fn nil(out: &mut Output, verb: char, directive: &Directive, shape: Shape) -> bool {
    if verb != 'v' {
        return false;
    }
    match shape {
        Shape::Action => out.push("<no value>"),
        Shape::Argument => directive.pad(out, "<nil>"),
        Shape::Element => out.push("<nil>"),
    }
    true
}

fn print_bool(out: &mut Output, flag: bool, verb: char, directive: &Directive) -> bool {
    let fits = matches!(verb, 't' | 'v');
    if fits {
        directive.pad(out, if flag { "true" } else { "false" });
    }
    fits
}

fn print_text(out: &mut Output, text: &str, verb: char, directive: &Directive) -> bool {
    match verb {
        'v' if directive.sharp_v => directive.pad(out, &quote(text, false)),
        'v' | 's' => directive.pad(out, &truncated(text, directive.precision)),
        'q' => quoted(out, &truncated(text, directive.precision), directive),
        'x' | 'X' => hex(out, text, verb, directive),
        _ => return false,
    }
    true
}

fn truncated(text: &str, precision: Option<usize>) -> String {
    precision.map_or_else(|| text.to_owned(), |max| text.chars().take(max).collect())
}

fn quoted(out: &mut Output, text: &str, directive: &Directive) {
    let raw = directive.sharp
        && text.chars().all(|c| c == '\t' || (!c.is_control() && c != '`' && c != '\u{feff}'));
    if raw {
        return directive.pad(out, &format!("`{text}`"));
    }
    directive.pad(out, &quote(text, directive.plus));
}

/// A text in double quotes, escaped as Go does; `ascii` escapes all that is not.
pub(super) fn quote(text: &str, ascii: bool) -> String {
    let mut quoted = String::new();
    narthex_model::labels::quote(&mut quoted, text.as_bytes());
    if !ascii {
        return quoted;
    }
    let escaped = |c: char| match u32::from(c) {
        0..0x80 => c.to_string(),
        code @ 0x80..0x1_0000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    quoted.chars().map(escaped).collect()
}

fn hex(out: &mut Output, text: &str, verb: char, directive: &Directive) {
    let bytes = text.as_bytes();
    let bytes = bytes.get(..directive.precision.unwrap_or(bytes.len())).unwrap_or(bytes);
    let prefix = if directive.sharp { format!("0{verb}") } else { String::new() };
    let pairs =
        bytes.iter().map(|byte| if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") });
    let pairs: Vec<String> = pairs.collect();
    let joined = match (pairs.is_empty(), directive.space) {
        (true, _) => String::new(),
        (_, true) => format!("{prefix}{}", pairs.join(&format!(" {prefix}"))),
        _ => format!("{prefix}{}", pairs.concat()),
    };
    directive.pad(out, &joined);
}

fn print_map<'a>(
    out: &mut Output,
    type_name: &str,
    entries: impl Iterator<Item = (&'a str, Value)>,
    verb: char,
    directive: &Directive,
) {
    out.push(if directive.sharp_v { type_name } else { "map" });
    out.push(if directive.sharp_v { "{" } else { "[" });
    for (at, (key, value)) in entries.enumerate() {
        if at > 0 {
            out.push(if directive.sharp_v { ", " } else { " " });
        }
        print_value(out, &Value::from(key), verb, directive, Shape::Element);
        out.push(":");
        print_value(out, &value, verb, directive, Shape::Element);
        if out.overflowed() {
            return;
        }
    }
    out.push(if directive.sharp_v { "}" } else { "]" });
}

fn print_list(
    out: &mut Output,
    type_name: &str,
    items: impl Iterator<Item = Value>,
    verb: char,
    directive: &Directive,
) {
    out.push(if directive.sharp_v { type_name } else { "" });
    out.push(if directive.sharp_v { "{" } else { "[" });
    for (at, value) in items.enumerate() {
        if at > 0 {
            out.push(if directive.sharp_v { ", " } else { " " });
        }
        print_value(out, &value, verb, directive, Shape::Element);
        if out.overflowed() {
            return;
        }
    }
    out.push(if directive.sharp_v { "}" } else { "]" });
}

/// A pointer to a record. In lists Go prints its address, which says nothing; here it is the record there too.
fn print_sample(out: &mut Output, sample: &Sample, verb: char, directive: &Directive, shape: Shape) {
    if shape == Shape::Argument {
        out.push("&");
    }
    let fields =
        [("Labels", Value::Labels(sample.labels.clone())), ("Value", Value::from(sample.value.clone()))];
    print_fields(out, "template.sample", fields.iter().map(|(name, value)| (*name, value)), verb, directive);
}

fn print_record(out: &mut Output, record: &Record, verb: char, directive: &Directive) {
    let fields = record.fields.iter().map(|(name, value)| (*name, value));
    print_fields(out, record.type_name, fields, verb, directive);
}

fn print_fields<'a>(
    out: &mut Output,
    type_name: &str,
    fields: impl Iterator<Item = (&'a str, &'a Value)>,
    verb: char,
    directive: &Directive,
) {
    out.push(if directive.sharp_v { type_name } else { "" });
    out.push("{");
    for (at, (name, value)) in fields.enumerate() {
        if at > 0 {
            out.push(if directive.sharp_v { ", " } else { " " });
        }
        if directive.plus_v || directive.sharp_v {
            out.push(name);
            out.push(":");
        }
        print_value(out, value, verb, directive, Shape::Element);
    }
    out.push("}");
}
