//! The value of a query as it stands under `data`.

use std::sync::Arc;

use narthex_eval::QueryValue;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::histogram::Bucket;
use narthex_model::number::{format_plain, format_sample, push_sample};
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};

use super::JsonWriter;
use crate::chunks::Closed;

/// Writes `"resultType":…,"result":…`, without braces around it.
///
/// # Errors
/// When nobody reads.
pub fn write_value(out: &mut JsonWriter<'_>, value: &QueryValue) -> Result<(), Closed> {
    let kind = match value {
        QueryValue::Scalar { .. } => "scalar",
        QueryValue::Text { .. } => "string",
        QueryValue::Vector(_) => "vector",
        QueryValue::Matrix(_) => "matrix",
    };
    out.raw("\"resultType\":\"");
    out.raw(kind);
    out.raw("\",\"result\":");
    match value {
        QueryValue::Scalar { at_ms, value } => lone_point(out, *at_ms, &format_plain(*value)),
        QueryValue::Text { at_ms, value } => lone_point(out, *at_ms, &value.to_str_lossy()),
        QueryValue::Vector(samples) => out.list(samples, vector_sample)?,
        QueryValue::Matrix(series) => out.list(series, matrix_series)?,
    }
    Ok(())
}

fn vector_sample(out: &mut JsonWriter<'_>, sample: &InstantSample) -> Result<(), Closed> {
    metric(out, &sample.labels);
    match &sample.value {
        SampleValue::Float(value) => {
            out.raw(",\"value\":");
            out.point(sample.at_ms, *value);
        }
        SampleValue::Histogram(value) => {
            out.raw(",\"histogram\":");
            histogram_point(out, sample.at_ms, value)?;
        }
    }
    out.raw("}");
    Ok(())
}

fn matrix_series(out: &mut JsonWriter<'_>, series: &RangeSeries) -> Result<(), Closed> {
    metric(out, &series.labels);
    if !series.floats.is_empty() {
        out.raw(",\"values\":");
        out.list(&series.floats, |out, &(at_ms, value)| {
            out.point(at_ms, value);
            Ok(())
        })?;
    }
    if !series.histograms.is_empty() {
        out.raw(",\"histograms\":");
        out.list(&series.histograms, |out, (at_ms, value)| histogram_point(out, *at_ms, value))?;
    }
    out.raw("}");
    Ok(())
}

/// `{"metric":{…}`, left open.
fn metric(out: &mut JsonWriter<'_>, labels: &Labels) {
    out.raw("{\"metric\":");
    out.labels(labels);
}

impl JsonWriter<'_> {
    /// A float as a string of its digits.
    pub fn quoted_float(&mut self, value: f64) {
        self.chunks.buffer.push(b'"');
        push_sample(&mut self.chunks.buffer, value);
        self.chunks.buffer.push(b'"');
    }
}

/// `[seconds,histogram]`
fn histogram_point(
    out: &mut JsonWriter<'_>,
    at_ms: Timestamp,
    histogram: &Arc<FloatHistogram>,
) -> Result<(), Closed> {
    out.raw("[");
    out.seconds(at_ms);
    out.raw(",");
    histogram_object(out, histogram)?;
    out.raw("]");
    Ok(())
}

/// `{"count":…,"sum":…,"buckets":[…]}`; empty buckets are left out.
pub(crate) fn histogram_object(out: &mut JsonWriter<'_>, histogram: &FloatHistogram) -> Result<(), Closed> {
    out.raw("{\"count\":");
    out.quoted_float(histogram.count);
    out.raw(",\"sum\":");
    out.quoted_float(histogram.sum);
    let mut buckets = histogram.ascending().filter(|bucket| bucket.count != 0.0).peekable();
    if buckets.peek().is_some() {
        out.raw(",\"buckets\":");
        out.list(buckets, bucket_entry)?;
    }
    out.raw("}");
    Ok(())
}

/// `[boundaries,"lower","upper","count"]`
fn bucket_entry(out: &mut JsonWriter<'_>, bucket: Bucket) -> Result<(), Closed> {
    out.raw("[");
    out.raw(&bucket.boundary_code().to_string());
    for number in [bucket.lower, bucket.upper, bucket.count] {
        out.raw(",");
        out.quoted_float(number);
    }
    out.raw("]");
    Ok(())
}

/// A scalar or string: its time is an ordinary JSON number, and its text is safe within HTML, unlike those of series.
fn lone_point(out: &mut JsonWriter<'_>, at_ms: Timestamp, text: &str) {
    out.raw("[");
    out.raw(&format_sample(at_ms as f64 / 1000.0));
    out.raw(",");
    out.html_string(text);
    out.raw("]");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &QueryValue) -> String {
        let mut body = Vec::new();
        let mut out = JsonWriter::new(&mut body);
        write_value(&mut out, value).unwrap();
        out.finish().unwrap();
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn results_are_written_as_the_api_does() {
        let labels = Labels::from_pairs([("__name__", "up"), ("job", "a\"<")]);
        let vector = QueryValue::Vector(vec![InstantSample {
            labels: labels.clone(),
            at_ms: 1500,
            value: 1e21.into(),
        }]);
        assert_eq!(
            written(&vector),
            "\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"job\":\"a\\\"<\"},\"value\":[1.500,\"1e+21\"]}]"
        );
        let series = RangeSeries { labels, floats: vec![(0, 1.0), (1000, f64::NAN)], histograms: Vec::new() };
        assert!(written(&QueryValue::Matrix(vec![series])).contains("\"values\":[[0,\"1\"],[1,\"NaN\"]]"));
        assert_eq!(
            written(&QueryValue::Scalar { at_ms: 10, value: 1e21 }),
            "\"resultType\":\"scalar\",\"result\":[0.01,\"1000000000000000000000\"]"
        );
        assert_eq!(written(&QueryValue::Matrix(Vec::new())), "\"resultType\":\"matrix\",\"result\":[]");
    }
}
