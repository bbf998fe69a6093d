//! Series descriptions as upstream reads them.

use narthex_model::number::format_g;
use narthex_model::{CounterResetHint, FloatHistogram, SampleValue};
use narthex_promql::{SequenceValue, parse_series};
use serde_json::{Value, json};

use crate::{finish, rows};

fn value(value: &SequenceValue) -> Value {
    match value {
        SequenceValue::Omitted => Value::Null,
        SequenceValue::Value { sample: SampleValue::Float(float), .. } => json!(format_g(*float)),
        SequenceValue::Value { sample: SampleValue::Histogram(histogram), states_hint } => {
            json!({"histogram": described(histogram), "hint_set": states_hint})
        }
    }
}

/// In upstream's order, without what is zero.
fn described(histogram: &FloatHistogram) -> String {
    let mut parts = Vec::new();
    let mut number = |key: &str, value: f64| {
        if value != 0.0 {
            parts.push(format!("{key}:{}", format_g(value)));
        }
    };
    let list = |key: &str, values: &[f64]| {
        let values: Vec<String> = values.iter().map(|value| format_g(*value)).collect();
        if values.is_empty() { String::new() } else { format!("{key}:[{}]", values.join(" ")) }
    };
    number("schema", f64::from(histogram.schema));
    number("count", histogram.count);
    number("sum", histogram.sum);
    number("z_bucket", histogram.zero_count);
    number("z_bucket_w", histogram.zero_threshold);
    parts.push(list("custom_values", &histogram.custom_values));
    parts.push(match histogram.counter_reset_hint {
        CounterResetHint::Unknown => String::new(),
        CounterResetHint::Reset => "counter_reset_hint:reset".into(),
        CounterResetHint::NotReset => "counter_reset_hint:not_reset".into(),
        CounterResetHint::Gauge => "counter_reset_hint:gauge".into(),
    });
    let sides = [
        ("", &histogram.positive_spans, &histogram.positive_buckets),
        ("n_", &histogram.negative_spans, &histogram.negative_buckets),
    ];
    for (prefix, spans, buckets) in sides {
        let offset = spans.first().map_or(0, |span| span.offset);
        if offset != 0 {
            parts.push(format!("{prefix}offset:{offset}"));
        }
        parts.push(list(&format!("{prefix}buckets"), buckets));
    }
    parts.retain(|part| !part.is_empty());
    format!("{{{{{}}}}}", parts.join(" "))
}

#[test]
fn series_descriptions_are_read_alike() {
    let mut failures = Vec::new();
    for row in rows("parse_series_dev") {
        let input = row["input"].as_str().unwrap();
        let got = match parse_series(input) {
            Ok(series) => {
                let labels: serde_json::Map<_, _> =
                    series.labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
                let values: Vec<Value> = series.values.iter().map(value).collect();
                json!({"input": input, "labels": labels, "ok": true, "values": values})
            }
            Err(error) => {
                let first = error.first().unwrap();
                let span = first.span();
                let first = json!({"start": span.start, "end": span.end, "msg": first.message});
                json!({"input": input, "ok": false, "errors": [first]})
            }
        };
        let mut expected = row.clone();
        if let Some(errors) = expected["errors"].as_array_mut() {
            errors.truncate(1);
        }
        let fields = expected.as_object_mut().unwrap();
        fields.retain(|_, field| !field.is_null());
        if got != expected {
            failures.push(format!("{input}\n  expected {expected}\n  got      {got}"));
        }
    }
    finish("parse_series", &failures);
}
