//! A result as comma-separated values: a line per sample, metric, time and value.

use narthex_eval::QueryValue;
use narthex_model::number::format_sample;
use narthex_model::{Labels, SampleValue, Timestamp};

use crate::times::format_time;

/// The header and the lines; histograms in their text form.
pub(super) fn write(value: &QueryValue) -> String {
    let mut out = String::from("metric,time,value\n");
    match value {
        QueryValue::Scalar { at_ms, value } => line(&mut out, "", *at_ms, &format_sample(*value)),
        QueryValue::Text { at_ms, value } => line(&mut out, "", *at_ms, &value.to_str_lossy()),
        QueryValue::Vector(samples) => {
            for sample in samples {
                sample_line(&mut out, &sample.labels, sample.at_ms, &sample.value);
            }
        }
        QueryValue::Matrix(series) => {
            for one in series {
                for (at_ms, value) in one.samples() {
                    sample_line(&mut out, &one.labels, at_ms, &value);
                }
            }
        }
    }
    out
}

fn sample_line(out: &mut String, labels: &Labels, at_ms: Timestamp, value: &SampleValue) {
    line(out, &labels.to_string(), at_ms, &value_text(value));
}

/// A sample's value as text.
pub(super) fn value_text(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => format_sample(*value),
        SampleValue::Histogram(histogram) => histogram.to_string(),
    }
}

fn line(out: &mut String, metric: &str, at_ms: Timestamp, value: &str) {
    let [metric, time, value] = [metric, &format_time(at_ms), value].map(quoted);
    out.push_str(&format!("{metric},{time},{value}\n"));
}

/// RFC 4180: in quotes when a quote, comma or line break is inside; quotes doubled.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_eval::result::InstantSample;

    #[test]
    fn fields_with_quotes_are_quoted() {
        let labels = Labels::from_pairs([("job", "a"), ("x", "1")]);
        let vector = QueryValue::Vector(vec![InstantSample { labels, at_ms: 0, value: 2.0.into() }]);
        let expected = "metric,time,value\n\"{job=\"\"a\"\", x=\"\"1\"\"}\",1970-01-01T00:00:00Z,2\n";
        assert_eq!(write(&vector), expected);
    }
}
