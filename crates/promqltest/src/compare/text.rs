//! Values as failures show them: in the notation of scripts.

use std::fmt::Write;

use narthex_eval::QueryValue;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::number::format_g;
use narthex_model::{BucketSpan, CounterResetHint, FloatHistogram, Labels, SampleValue, Timestamp};
use narthex_promql::series::SequenceValue;

/// Most empty buckets written out between two populated ones; with wider gaps the spans are listed.
const GAP_MAX: u32 = 1000;

/// A histogram in series notation, which can be read again unless it has wide gaps.
pub(crate) fn histogram_text(histogram: &FloatHistogram) -> String {
    let mut whole = histogram.clone();
    whole.compact(GAP_MAX);
    let mut parts = Vec::new();
    if whole.schema != 0 {
        parts.push(format!("schema:{}", whole.schema));
    }
    let numbers = [
        ("count", whole.count),
        ("sum", whole.sum),
        ("z_bucket", whole.zero_count),
        ("z_bucket_w", whole.zero_threshold),
    ];
    parts.extend(
        numbers.iter().filter(|row| row.1 != 0.0).map(|row| format!("{}:{}", row.0, format_g(row.1))),
    );
    if whole.uses_custom_buckets() {
        parts.push(format!("custom_values:{}", list(&whole.custom_values)));
    }
    let hint = match whole.counter_reset_hint {
        CounterResetHint::Unknown => None,
        CounterResetHint::Reset => Some("reset"),
        CounterResetHint::NotReset => Some("not_reset"),
        CounterResetHint::Gauge => Some("gauge"),
    };
    parts.extend(hint.map(|hint| format!("counter_reset_hint:{hint}")));
    push_side(&mut parts, "", &whole.positive_spans, &whole.positive_buckets);
    push_side(&mut parts, "n_", &whole.negative_spans, &whole.negative_buckets);
    format!("{{{{{}}}}}", parts.join(" "))
}

fn push_side(parts: &mut Vec<String>, prefix: &str, spans: &[BucketSpan], buckets: &[f64]) {
    match spans {
        [] => return,
        [span] if span.offset == 0 => {}
        [span] => parts.push(format!("{prefix}offset:{}", span.offset)),
        several => {
            let spans: Vec<String> =
                several.iter().map(|span| format!("{}+{}", span.offset, span.length)).collect();
            parts.push(format!("{prefix}spans:[{}]", spans.join(" ")));
        }
    }
    if !buckets.is_empty() {
        parts.push(format!("{prefix}buckets:{}", list(buckets)));
    }
}

fn list(numbers: &[f64]) -> String {
    let texts: Vec<String> = numbers.iter().map(|&number| format_g(number)).collect();
    format!("[{}]", texts.join(" "))
}

/// A float or histogram in series notation.
pub fn value_text(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => format_g(*value),
        SampleValue::Histogram(histogram) => histogram_text(histogram),
    }
}

/// An expected value with six decimals, `_` for none.
pub(crate) fn sequence_value_text(value: &SequenceValue) -> String {
    match value.sample() {
        None => "_".to_owned(),
        Some(SampleValue::Float(value)) => fixed(*value),
        Some(SampleValue::Histogram(histogram)) => histogram_text(histogram),
    }
}

/// `[1.000000 _ 2.000000]`
pub(crate) fn sequence_text(values: &[SequenceValue]) -> String {
    let texts: Vec<String> = values.iter().map(sequence_value_text).collect();
    format!("[{}]", texts.join(" "))
}

fn fixed(value: f64) -> String {
    narthex_model::number::special(value).map_or_else(|| format!("{value:.6}"), str::to_owned)
}

/// `2 float points [1 @[0] 2 @[60000]] and 0 histogram points []`
pub(crate) fn points_text(series: &RangeSeries) -> String {
    let floats: Vec<String> =
        series.floats.iter().map(|&(at_ms, value)| point(&format_g(value), at_ms)).collect();
    let histograms: Vec<String> =
        series.histograms.iter().map(|(at_ms, value)| point(&histogram_text(value), *at_ms)).collect();
    format!("{} and {}", counted(&floats, "float"), counted(&histograms, "histogram"))
}

fn point(value: &str, at_ms: Timestamp) -> String {
    format!("{value} @[{at_ms}]")
}

fn counted(points: &[String], kind: &str) -> String {
    let noun = if points.len() == 1 { "point" } else { "points" };
    format!("{} {kind} {noun} [{}]", points.len(), points.join(" "))
}

/// A whole result, one line per sample or series.
pub(crate) fn result_text(value: &QueryValue) -> String {
    match value {
        QueryValue::Scalar { at_ms, value } => format!("scalar: {}", point(&format_g(*value), *at_ms)),
        QueryValue::Text { value, .. } => format!("string {:?}", value.to_str_lossy()),
        QueryValue::Vector(samples) => {
            let lines: Vec<String> = samples.iter().map(sample_line).collect();
            format!("vector {}", lines.join("\n"))
        }
        QueryValue::Matrix(series) => {
            let lines: Vec<String> = series.iter().map(series_lines).collect();
            format!("matrix {}", lines.join("\n"))
        }
    }
}

fn sample_line(sample: &InstantSample) -> String {
    format!("{} => {}", sample.labels, point(&value_text(&sample.value), sample.at_ms))
}

fn series_lines(series: &RangeSeries) -> String {
    let mut text = format!("{} =>", series.labels);
    for (at_ms, value) in &series.floats {
        let _ = write!(text, "\n{}", point(&format_g(*value), *at_ms));
    }
    for (at_ms, value) in &series.histograms {
        let _ = write!(text, "\n{}", point(&histogram_text(value), *at_ms));
    }
    text
}

/// `{a="1"} 1 @[0] 2 @[60000]`
pub(crate) fn series_line<'a>(
    labels: &Labels,
    points: impl Iterator<Item = (Timestamp, &'a SampleValue)>,
) -> String {
    let mut text = labels.to_string();
    for (at_ms, value) in points {
        let _ = write!(text, " {}", point(&value_text(value), at_ms));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use narthex_promql::parse_series;

    #[test]
    fn histograms_are_written_as_they_are_read() {
        for text in [
            "{{}}",
            "{{schema:-1 count:1 sum:4 offset:1 buckets:[1]}}",
            "{{count:-3.5 z_bucket:2 z_bucket_w:0.001 counter_reset_hint:gauge buckets:[1 0 2] n_offset:-5 n_buckets:[4 5]}}",
            "{{schema:-53 sum:+Inf custom_values:[5 10] counter_reset_hint:not_reset buckets:[1e+06 NaN]}}",
        ] {
            let text = text.replace("sum:+Inf ", "");
            let series = parse_series(&format!("a {text}")).unwrap();
            let Some(SampleValue::Histogram(histogram)) = series.values[0].sample() else { panic!("{text}") };
            assert_eq!(histogram_text(histogram), text);
        }
        let mut wide = FloatHistogram { positive_buckets: vec![1.0, 2.0], ..FloatHistogram::default() };
        wide.positive_spans =
            vec![BucketSpan { offset: -4, length: 1 }, BucketSpan { offset: i32::MAX, length: 1 }];
        assert_eq!(histogram_text(&wide), "{{spans:[-4+1 2147483647+1] buckets:[1 2]}}");
    }

    #[test]
    fn points_are_counted() {
        let series =
            RangeSeries { labels: Labels::empty(), floats: vec![(0, 1.5), (1000, -2.0)], histograms: vec![] };
        assert_eq!(points_text(&series), "2 float points [1.5 @[0] -2 @[1000]] and 0 histogram points []");
        assert_eq!(result_text(&QueryValue::Matrix(vec![series])), "matrix {} =>\n1.5 @[0]\n-2 @[1000]");
    }
}
