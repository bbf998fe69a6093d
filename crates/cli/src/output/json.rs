//! A result as the HTTP API has it under `data`, byte for byte.

use narthex_eval::QueryValue;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::histogram::Bucket;
use narthex_model::number::{format_plain, format_sample};
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};

/// `{"resultType":…,"result":…}` and a line break.
pub(super) fn write(value: &QueryValue) -> String {
    let mut out = String::new();
    let kind = match value {
        QueryValue::Scalar { .. } => "scalar",
        QueryValue::Text { .. } => "string",
        QueryValue::Vector(_) => "vector",
        QueryValue::Matrix(_) => "matrix",
    };
    out.push_str(&format!("{{\"resultType\":\"{kind}\",\"result\":"));
    match value {
        QueryValue::Scalar { at_ms, value } => lone_point(&mut out, *at_ms, &format_plain(*value)),
        QueryValue::Text { at_ms, value } => lone_point(&mut out, *at_ms, &value.to_str_lossy()),
        QueryValue::Vector(samples) => list(&mut out, samples, vector_sample),
        QueryValue::Matrix(series) => list(&mut out, series, matrix_series),
    }
    out.push_str("}\n");
    out
}

fn list<T>(out: &mut String, items: &[T], write_item: impl Fn(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_item(out, item);
    }
    out.push(']');
}

fn vector_sample(out: &mut String, sample: &InstantSample) {
    metric(out, &sample.labels);
    match &sample.value {
        SampleValue::Float(value) => {
            out.push_str(",\"value\":");
            point(out, sample.at_ms, &format_sample(*value));
        }
        SampleValue::Histogram(value) => {
            out.push_str(",\"histogram\":");
            histogram_point(out, &(sample.at_ms, value));
        }
    }
    out.push('}');
}

fn matrix_series(out: &mut String, series: &RangeSeries) {
    metric(out, &series.labels);
    if !series.floats.is_empty() {
        out.push_str(",\"values\":");
        list(out, &series.floats, |out, &(at_ms, value)| point(out, at_ms, &format_sample(value)));
    }
    if !series.histograms.is_empty() {
        out.push_str(",\"histograms\":");
        list(out, &series.histograms, |out, (at_ms, value)| histogram_point(out, &(*at_ms, value)));
    }
    out.push('}');
}

/// `{"metric":{…}`, left open.
fn metric(out: &mut String, labels: &Labels) {
    out.push_str("{\"metric\":{");
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        string(out, name);
        out.push(':');
        string(out, value);
    }
    out.push('}');
}

/// `[seconds,"text"]`
fn point(out: &mut String, at_ms: Timestamp, text: &str) {
    out.push('[');
    seconds(out, at_ms);
    out.push(',');
    string(out, text);
    out.push(']');
}

fn histogram_point(out: &mut String, point: &(Timestamp, &std::sync::Arc<FloatHistogram>)) {
    let (at_ms, histogram) = point;
    out.push('[');
    seconds(out, *at_ms);
    let (count, sum) = (format_sample(histogram.count), format_sample(histogram.sum));
    out.push_str(&format!(",{{\"count\":\"{count}\",\"sum\":\"{sum}\""));
    let buckets: Vec<Bucket> = histogram.ascending().filter(|bucket| bucket.count != 0.0).collect();
    if !buckets.is_empty() {
        out.push_str(",\"buckets\":");
        list(out, &buckets, |out, bucket| {
            let [lower, upper, count] = [bucket.lower, bucket.upper, bucket.count].map(format_sample);
            out.push_str(&format!("[{},\"{lower}\",\"{upper}\",\"{count}\"]", bucket.boundary_code()));
        });
    }
    out.push_str("}]");
}

/// Whole seconds, with three decimals if there are milliseconds.
fn seconds(out: &mut String, at_ms: Timestamp) {
    let sign = if at_ms < 0 { "-" } else { "" };
    let (whole, rest) = (at_ms.unsigned_abs() / 1000, at_ms.unsigned_abs() % 1000);
    out.push_str(&format!("{sign}{whole}"));
    if rest != 0 {
        out.push_str(&format!(".{rest:03}"));
    }
}

/// A scalar or string result: its time is an ordinary JSON number, its text is escaped for use in HTML, unlike those of
/// series.
fn lone_point(out: &mut String, at_ms: Timestamp, text: &str) {
    out.push_str(&format!("[{},\"", format_sample(at_ms as f64 / 1000.0)));
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            _ => escaped(out, character),
        }
    }
    out.push_str("\"]");
}

/// A JSON string: quotes, backslashes and controls escaped.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        escaped(out, character);
    }
    out.push('"');
}

fn escaped(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
        _ => out.push(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_written_as_the_api_does() {
        let labels = Labels::from_pairs([("__name__", "up"), ("job", "a\"<")]);
        let vector = QueryValue::Vector(vec![InstantSample {
            labels: labels.clone(),
            at_ms: 1500,
            value: 1e21.into(),
        }]);
        assert_eq!(
            write(&vector),
            "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"job\":\"a\\\"<\"},\"value\":[1.500,\"1e+21\"]}]}\n"
        );
        let series = RangeSeries { labels, floats: vec![(0, 1.0), (1000, f64::NAN)], histograms: Vec::new() };
        assert!(write(&QueryValue::Matrix(vec![series])).contains("\"values\":[[0,\"1\"],[1,\"NaN\"]]"));
        assert_eq!(
            write(&QueryValue::Scalar { at_ms: 10, value: 1e21 }),
            "{\"resultType\":\"scalar\",\"result\":[0.01,\"1000000000000000000000\"]}\n"
        );
        assert_eq!(write(&QueryValue::Matrix(Vec::new())), "{\"resultType\":\"matrix\",\"result\":[]}\n");
    }
}
