//! `load` carried out: series lines become samples of a store.

use std::collections::BTreeMap;

use narthex_model::histogram::ClassicHistogram;
use narthex_model::labels::{BUCKET_LABEL, METRIC_NAME};
use narthex_model::number::parse_float;
use narthex_model::{FloatHistogram, Labels, LabelsBuilder, SampleValue, Timestamp};
use narthex_promql::series::SequenceValue;
use narthex_storage::Appender;

use crate::script::{Load, LoadedSeries};

/// Appends all samples of `load` and commits them.
///
/// # Errors
/// What the store refused and why, or which classic histogram is none.
pub fn apply(load: &Load, store: &mut dyn Appender) -> Result<(), String> {
    for series in &load.series {
        for (at_ms, start_ms, value) in samples(series, load.step_ms) {
            store
                .append(&series.labels, at_ms, value.clone(), start_ms)
                .map_err(|error| format!("cannot append {} at {at_ms}: {error}", series.labels))?;
        }
    }
    if load.adds_custom_buckets {
        append_custom_buckets(load, store)?;
    }
    store.commit().map_err(|error| error.to_string())
}

/// Time, start and value of each sample.
fn samples(
    series: &LoadedSeries,
    step_ms: i64,
) -> impl Iterator<Item = (Timestamp, Timestamp, &SampleValue)> {
    series.values.iter().enumerate().filter_map(move |(index, value)| {
        let at_ms = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(step_ms);
        let offset_ms = series.start_offsets_ms.get(index).copied().flatten();
        let start_ms = offset_ms.map_or(0, |offset_ms| at_ms.saturating_add(offset_ms));
        Some((at_ms, start_ms, SequenceValue::sample(value)?))
    })
}

/// The classic histograms of a load by base labels and time.
type ClassicHistograms = BTreeMap<Labels, BTreeMap<Timestamp, ClassicHistogram>>;

fn append_custom_buckets(load: &Load, store: &mut dyn Appender) -> Result<(), String> {
    let mut collected = ClassicHistograms::new();
    for series in &load.series {
        collect(series, load.step_ms, &mut collected);
    }
    for (labels, by_time) in collected {
        for (at_ms, classic) in by_time {
            let histogram = converted(&classic).map_err(|reason| {
                format!("cannot convert classic histogram {labels} at {at_ms}: {reason}")
            })?;
            store
                .append(&labels, at_ms, histogram.into(), 0)
                .map_err(|error| format!("cannot append {labels} at {at_ms}: {error}"))?;
        }
    }
    Ok(())
}

fn converted(classic: &ClassicHistogram) -> Result<FloatHistogram, String> {
    let histogram = classic.to_custom().map_err(|error| error.to_string())?;
    histogram.validate().map_err(|error| error.to_string())?;
    Ok(histogram)
}

/// Which part of a classic histogram a series is.
enum Part {
    Bucket(f64),
    Count,
    Sum,
}

/// Adds the samples of a series that is part of a classic histogram.
fn collect(series: &LoadedSeries, step_ms: i64, collected: &mut ClassicHistograms) {
    let Some((part, base)) = part_of(&series.labels) else { return };
    let by_time = collected.entry(base).or_default();
    for (at_ms, _, value) in samples(series, step_ms) {
        let SampleValue::Float(value) = *value else { continue };
        let classic = by_time.entry(at_ms).or_default();
        match part {
            Part::Bucket(upper) => classic.set_bucket(upper, value),
            Part::Count => classic.set_count(value),
            Part::Sum => classic.set_sum(value),
        }
    }
}

/// The part and the labels of the whole; `None` for a series that is no part, or a bucket whose bound is no number.
fn part_of(labels: &Labels) -> Option<(Part, Labels)> {
    let name = labels.metric_name();
    let (part, base_name) = if let Some(base) = name.strip_suffix("_bucket") {
        let upper = parse_float(labels.get(BUCKET_LABEL)?).filter(|upper| !upper.is_nan())?;
        (Part::Bucket(upper), base)
    } else if let Some(base) = name.strip_suffix("_count") {
        (Part::Count, base)
    } else {
        (Part::Sum, name.strip_suffix("_sum")?)
    };
    let mut builder = LabelsBuilder::from_labels(labels);
    Some((part, builder.set(METRIC_NAME, base_name).remove(BUCKET_LABEL).build()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::text::histogram_text;
    use crate::script::Command;
    use narthex_model::TimeRange;
    use narthex_storage::{MemoryStorage, Queryable, SampleBuffer, SelectHints};

    fn load(text: &str, store: &mut MemoryStorage) -> Result<(), String> {
        let parse = crate::parse::parse(text);
        assert!(parse.diagnostics.is_empty(), "{:?}", parse.diagnostics);
        parse.script.commands.iter().try_for_each(|command| match &command.value {
            Command::Load(load) => apply(load, store),
            other => panic!("{other:?}"),
        })
    }

    /// Each series with its samples as `time/start value`.
    fn content(store: &MemoryStorage) -> Vec<String> {
        let querier = store.querier(TimeRange::ALL).unwrap();
        let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).unwrap();
        let mut buffer = SampleBuffer::new();
        let mut lines = Vec::new();
        for number in 0..set.len() {
            set.read(number, TimeRange::ALL, &mut buffer).unwrap();
            let mut line = set.labels(number).to_string();
            for (index, at_ms) in buffer.floats.timestamps.iter().enumerate() {
                let start_ms = buffer.floats.start_timestamps.get(index).unwrap_or(&0);
                line += &format!(" {at_ms}/{start_ms} {}", buffer.floats.values[index]);
            }
            for (at_ms, value) in buffer.histograms.timestamps.iter().zip(&buffer.histograms.values) {
                line += &format!(" {at_ms} {}", histogram_text(value));
            }
            lines.push(line);
        }
        lines
    }

    #[test]
    fn values_stand_at_multiples_of_the_step() {
        let mut store = MemoryStorage::new();
        load("load 10s\n  a 1 _ 3\n  b@st _ -1s-1sx1\n  b 1 2 3\n  a 7 8\n", &mut store).unwrap();
        assert_eq!(
            content(&store),
            [r#"{__name__="a"} 0/0 7 10000/0 8"#, r#"{__name__="b"} 0/0 1 10000/9000 2 20000/18000 3"#]
        );
        let refused = load("load 5s\n  a 0 1\n", &mut store).unwrap_err();
        assert!(refused.contains(r#"cannot append {__name__="a"} at 0: "#), "{refused}");
    }

    #[test]
    fn classic_histograms_are_converted_beside_their_series() {
        let mut store = MemoryStorage::new();
        let text = "load_with_nhcb 1m\n  h_bucket{le=\"1\", x=\"y\"} 1 4\n  h_bucket{le=\"+Inf\", x=\"y\"} 3 9\n  \
                    h_bucket{le=\"bad\", x=\"y\"} 9 9\n  h_sum{x=\"y\"} 2.5\n  h_count{x=\"y\"} 3 9\n";
        load(text, &mut store).unwrap();
        let content = content(&store);
        assert_eq!(content.len(), 6);
        assert_eq!(
            content[0],
            r#"{__name__="h", x="y"} 0 {{schema:-53 count:3 sum:2.5 custom_values:[1] buckets:[1 2]}} 60000 {{schema:-53 count:9 custom_values:[1] buckets:[4 5]}}"#
        );
        let text = "load_with_nhcb 1m\n  g_bucket{le=\"1\"} 5\n  g_bucket{le=\"2\"} 3\n";
        let refused = load(text, &mut store).unwrap_err();
        assert!(refused.contains(r#"cannot convert classic histogram {__name__="g"} at 0"#), "{refused}");
    }
}
