//! Comma-separated values: a line per sample, a column per label.
//!
//! The first line names the columns: `timestamp`, `value`, then the labels of all series, sorted, the metric name as
//! `__name__`; a label that is itself called as one of them, or `histogram`, has low lines behind its name. A timestamp
//! is in seconds, as in JSON; a value has the digits it has there; a native histogram stands in `value` as its JSON,
//! which begins with a brace. The field of a label that a series does not have is empty. Samples of a series stand
//! together, in time order.
//!
//! Fields are quoted as in RFC 4180; lines end with a line feed. What was said of the answer (warnings, infos) has no
//! place in it.

use std::sync::Arc;

use narthex_eval::QueryValue;
use narthex_eval::result::RangeSeries;
use narthex_model::number::{format_plain, push_sample};
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};

use super::{Remarked, column_name, label_names};
use crate::JsonWriter;
use crate::chunks::{ChunkSink, Chunks, Closed};
use crate::json::{histogram_object, push_seconds};

pub(super) fn write(value: &Remarked<'_>, sink: &mut dyn ChunkSink) -> Result<(), Closed> {
    let mut out = Chunks::new(sink);
    let names = label_names(value.value);
    out.buffer.extend_from_slice(b"timestamp,value");
    for name in &names {
        push_field(&mut out.buffer, &column_name(name, &names));
    }
    out.buffer.push(b'\n');
    match value.value {
        QueryValue::Scalar { at_ms, value } => lone_line(&mut out.buffer, *at_ms, &format_plain(*value)),
        QueryValue::Text { at_ms, value } => lone_line(&mut out.buffer, *at_ms, &value.to_str_lossy()),
        QueryValue::Vector(samples) => {
            for sample in samples {
                let labels = label_fields(&names, &sample.labels);
                match &sample.value {
                    SampleValue::Float(value) => float_line(&mut out, sample.at_ms, *value, &labels)?,
                    SampleValue::Histogram(value) => histogram_line(&mut out, sample.at_ms, value, &labels)?,
                }
            }
        }
        QueryValue::Matrix(series) => {
            for one in series {
                write_series(&mut out, one, &label_fields(&names, &one.labels))?;
            }
        }
    }
    out.finish()
}

/// Both kinds of samples in time order, in which each kind is already.
fn write_series(out: &mut Chunks<'_>, series: &RangeSeries, labels: &[u8]) -> Result<(), Closed> {
    let mut histograms = series.histograms.iter().peekable();
    for &(at_ms, value) in &series.floats {
        while let Some((earlier_ms, histogram)) = histograms.next_if(|histogram| histogram.0 < at_ms) {
            histogram_line(out, *earlier_ms, histogram, labels)?;
        }
        float_line(out, at_ms, value, labels)?;
    }
    histograms.try_for_each(|(at_ms, value)| histogram_line(out, *at_ms, value, labels))
}

/// The fields behind the value, and the end of the line: the same for all samples of a series.
fn label_fields(names: &[&str], labels: &Labels) -> Vec<u8> {
    let mut fields = Vec::new();
    for name in names {
        push_field(&mut fields, labels.get(name).unwrap_or(""));
    }
    fields.push(b'\n');
    fields
}

fn float_line(out: &mut Chunks<'_>, at_ms: Timestamp, value: f64, labels: &[u8]) -> Result<(), Closed> {
    push_seconds(&mut out.buffer, at_ms);
    out.buffer.push(b',');
    push_sample(&mut out.buffer, value);
    out.buffer.extend_from_slice(labels);
    out.checkpoint()
}

fn histogram_line(
    out: &mut Chunks<'_>,
    at_ms: Timestamp,
    value: &Arc<FloatHistogram>,
    labels: &[u8],
) -> Result<(), Closed> {
    push_seconds(&mut out.buffer, at_ms);
    push_field(&mut out.buffer, &histogram_text(value));
    out.buffer.extend_from_slice(labels);
    out.checkpoint()
}

/// A histogram as the JSON it has in other answers.
pub(super) fn histogram_text(value: &FloatHistogram) -> String {
    let mut text = Vec::new();
    let mut json = JsonWriter::new(&mut text);
    let written = histogram_object(&mut json, value).and_then(|()| json.finish());
    debug_assert!(written.is_ok(), "memory does not close");
    String::from_utf8(text).expect("JSON is made of strings and digits")
}

/// A value without labels.
fn lone_line(out: &mut Vec<u8>, at_ms: Timestamp, text: &str) {
    push_seconds(out, at_ms);
    push_field(out, text);
    out.push(b'\n');
}

/// A comma and a field: in quotes when a quote, comma or line break is inside; quotes doubled.
fn push_field(out: &mut Vec<u8>, field: &str) {
    out.push(b',');
    if field.contains(['"', ',', '\n', '\r']) {
        out.push(b'"');
        out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(field.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::testing::{Row, rows_of, value};
    use crate::{Answer, Data};
    use narthex_model::instant::parse_time;

    fn written(value: &QueryValue) -> String {
        let mut body = Vec::new();
        let answer = Answer::new(Data::Query(value.clone(), None));
        write(&Remarked { value, answer: &answer }, &mut body).unwrap();
        String::from_utf8(body).unwrap()
    }

    /// The records of a text, by the grammar of RFC 4180 with bare line feeds.
    fn records(text: &str) -> Vec<Vec<String>> {
        let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
        let (mut is_quoted, mut characters) = (false, text.chars().peekable());
        while let Some(character) = characters.next() {
            match character {
                '"' if is_quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => record.push(std::mem::take(&mut field)),
                '\n' if !is_quoted => {
                    record.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut record));
                }
                other => field.push(other),
            }
        }
        records
    }

    #[test]
    fn a_line_per_sample_a_column_per_label() {
        let labels = Labels::from_pairs([("__name__", "up"), ("job", "a,\"b\"")]);
        let other = Labels::from_pairs([("zone", "x\ny")]);
        let series = |labels, floats| RangeSeries { labels, floats, histograms: Vec::new() };
        let mut matrix =
            vec![series(labels, vec![(0, 1.0), (1500, f64::NAN)]), series(other, vec![(-1, -0.5)])];
        let histogram = FloatHistogram { count: 2.0, sum: 1.5, ..FloatHistogram::default() };
        matrix[1].histograms.push((-2000, Arc::new(histogram)));
        let expected = "timestamp,value,__name__,job,zone\n0,1,up,\"a,\"\"b\"\"\",\n1.500,NaN,up,\"a,\"\"b\"\"\",\n\
            -2,\"{\"\"count\"\":\"\"2\"\",\"\"sum\"\":\"\"1.5\"\"}\",,,\"x\ny\"\n-0.001,-0.5,,,\"x\ny\"\n";
        assert_eq!(written(&QueryValue::Matrix(matrix)), expected);
        let text = QueryValue::Text { at_ms: 10, value: "a\"b".into() };
        assert_eq!(written(&text), "timestamp,value\n0.010,\"a\"\"b\"\n");
        assert_eq!(written(&QueryValue::Vector(Vec::new())), "timestamp,value\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in value()) {
            let mut records = records(&written(&value)).into_iter();
            let head = records.next().unwrap();
            prop_assert_eq!(&head[..2], ["timestamp", "value"]);
            let read: Vec<Row> = records.map(|record| {
                let fields = head.iter().zip(&record).skip(2).filter(|field| !field.1.is_empty());
                Row {
                    at_ms: parse_time(&record[0]).unwrap(),
                    value: record[1].clone(),
                    labels: fields.map(|(name, value)| (name.clone(), value.clone())).collect(),
                }
            }).collect();
            prop_assert_eq!(read, rows_of(&value));
        }
    }
}
