//! A result for people: aligned, series written as in a query.

use narthex_eval::QueryValue;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::labels::{METRIC_NAME, is_legacy_metric_name, quote, write_label_name};
use narthex_model::number::{format_plain, format_sample};
use narthex_model::{Labels, SampleValue};

use crate::times::format_time;

/// The lines; a remark when there is nothing.
pub(super) fn write(value: &QueryValue) -> String {
    match value {
        QueryValue::Scalar { value, .. } => format!("{}\n", format_plain(*value)),
        QueryValue::Text { value, .. } => format!("{}\n", value.to_str_lossy()),
        QueryValue::Vector(samples) if samples.is_empty() => "(no series)\n".into(),
        QueryValue::Matrix(series) if series.is_empty() => "(no series)\n".into(),
        QueryValue::Vector(samples) => vector(samples),
        QueryValue::Matrix(series) => series.iter().map(block).collect::<Vec<_>>().join("\n"),
    }
}

fn vector(samples: &[InstantSample]) -> String {
    let rows: Vec<(String, String)> =
        samples.iter().map(|sample| (series_text(&sample.labels), value_text(&sample.value))).collect();
    let width = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
    let padding = |series: &str| " ".repeat(width - series.chars().count());
    rows.iter().map(|(series, value)| format!("{series}{}  {value}\n", padding(series))).collect()
}

/// One series of a range: its name, then a line per sample.
fn block(series: &RangeSeries) -> String {
    let mut text = series_text(&series.labels) + "\n";
    for (at_ms, value) in series.samples() {
        text.push_str(&format!("  {}  {}\n", format_time(at_ms), value_text(&value)));
    }
    text
}

/// A sample's value as text.
fn value_text(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => format_sample(*value),
        SampleValue::Histogram(histogram) => histogram.to_string(),
    }
}

/// `name{a="1"}`, as it would be selected; `{}` without labels.
fn series_text(labels: &Labels) -> String {
    let name = labels.metric_name();
    let is_bare = is_legacy_metric_name(name);
    let mut text = String::from(if is_bare { name } else { "" });
    let mut pairs = labels.iter().filter(|pair| !(is_bare && pair.0 == METRIC_NAME)).peekable();
    if pairs.peek().is_none() && is_bare {
        return text;
    }
    text.push('{');
    for (at, (label, value)) in pairs.enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        write_label_name(&mut text, label);
        text.push('=');
        quote(&mut text, value.as_bytes());
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_longer_than_any_screen_are_aligned_too() {
        let long = "x".repeat(70_000);
        let sample = |value: &str| {
            let labels = Labels::from_pairs([("__name__", "a"), ("x", value)]);
            InstantSample { labels, at_ms: 0, value: 1.0.into() }
        };
        let text = write(&QueryValue::Vector(vec![sample(&long), sample("y")]));
        let widths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(widths[0], widths[1]);
    }
}
