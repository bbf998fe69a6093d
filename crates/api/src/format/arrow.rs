//! An Arrow IPC stream: a row per sample, a column per label.
//!
//! Columns: `timestamp` (milliseconds, UTC), `value` (64-bit float, null where a histogram is; text where the result is a
//! string), `histogram` (its JSON as text; only where the result holds any), then the labels of all series, sorted, as
//! dictionaries of text, null where a series does not have the label; a label that is itself called as one of the first
//! three has low lines behind its name. Samples of a series stand together, in time order. What was said of the answer
//! stands in the metadata of the schema, under `warnings` and `infos`, as JSON lists.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use narthex_eval::QueryValue;
use narthex_model::{Labels, SampleValue, Text, Timestamp};

use super::csv::histogram_text;
use super::{Remarked, column_name, label_names};
use crate::Answer;
use crate::chunks::{ChunkSink, Chunks, Closed};

/// Rows of a batch: enough that its head does not count, few enough to be handed over on the way.
const BATCH_ROWS: usize = 16 * 1024;

pub(super) fn write(value: &Remarked<'_>, sink: &mut dyn ChunkSink) -> Result<(), Closed> {
    let mut out = Output(Chunks::new(sink));
    // Arrays are made to fit the schema, so that only writing can fail.
    stream(value, &mut out).map_err(|_| Closed)?;
    out.0.finish()
}

/// Chunks as something that can be written to.
struct Output<'a>(Chunks<'a>);

impl io::Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.buffer.extend_from_slice(bytes);
        self.0.checkpoint().map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stream(value: &Remarked<'_>, out: &mut Output<'_>) -> Result<(), ArrowError> {
    let answer = value.answer;
    match value.value {
        QueryValue::Text { at_ms, value } => text_stream(answer, *at_ms, value, out),
        QueryValue::Scalar { at_ms, value } => {
            let mut table = Table::new(Vec::new(), &[], HasHistograms::No);
            table.push(0, *at_ms, &SampleValue::Float(*value));
            table.finish(&mut Stream::start(table.schema(answer), out)?)
        }
        QueryValue::Vector(samples) => {
            let is_histogram = |value: &SampleValue| matches!(value, SampleValue::Histogram(_));
            let has_histograms = samples.iter().any(|sample| is_histogram(&sample.value)).into();
            let labels: Vec<&Labels> = samples.iter().map(|sample| &sample.labels).collect();
            let mut table = Table::new(label_names(value.value), &labels, has_histograms);
            let mut stream = Stream::start(table.schema(answer), out)?;
            for (number, sample) in samples.iter().enumerate() {
                table.push(number, sample.at_ms, &sample.value);
                table.checkpoint(&mut stream)?;
            }
            table.finish(&mut stream)
        }
        QueryValue::Matrix(series) => {
            let has_histograms = series.iter().any(|one| !one.histograms.is_empty()).into();
            let labels: Vec<&Labels> = series.iter().map(|one| &one.labels).collect();
            let mut table = Table::new(label_names(value.value), &labels, has_histograms);
            let mut stream = Stream::start(table.schema(answer), out)?;
            for (number, one) in series.iter().enumerate() {
                for (at_ms, value) in one.samples() {
                    table.push(number, at_ms, &value);
                    table.checkpoint(&mut stream)?;
                }
            }
            table.finish(&mut stream)
        }
    }
}

/// A string: one row.
fn text_stream(
    answer: &Answer,
    at_ms: Timestamp,
    value: &Text,
    out: &mut Output<'_>,
) -> Result<(), ArrowError> {
    let fields = vec![timestamp_field(), Field::new("value", DataType::Utf8, false)];
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata(answer)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMillisecondArray::from(vec![at_ms]).with_timezone("UTC")),
        Arc::new(StringArray::from(vec![value.to_str_lossy().as_ref()])),
    ];
    let mut stream = Stream::start(Arc::clone(&schema), out)?;
    stream.writer.write(&RecordBatch::try_new(schema, columns)?)?;
    stream.writer.finish()
}

fn timestamp_field() -> Field {
    Field::new("timestamp", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), false)
}

/// What was said of an answer.
fn metadata(answer: &Answer) -> HashMap<String, String> {
    let said = [("warnings", &answer.warnings), ("infos", &answer.infos)];
    let said = said.into_iter().filter(|(_, texts)| !texts.is_empty());
    said.map(|(name, texts)| (name.to_owned(), serde_json::json!(texts).to_string())).collect()
}

/// A stream that has begun.
struct Stream<'o, 'c> {
    schema: Arc<Schema>,
    writer: StreamWriter<&'o mut Output<'c>>,
}

impl<'o, 'c> Stream<'o, 'c> {
    fn start(schema: Arc<Schema>, out: &'o mut Output<'c>) -> Result<Stream<'o, 'c>, ArrowError> {
        Ok(Stream { writer: StreamWriter::try_new(out, &schema)?, schema })
    }
}

/// Whether there is a column for histograms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HasHistograms {
    Yes,
    No,
}

impl From<bool> for HasHistograms {
    fn from(has_histograms: bool) -> HasHistograms {
        if has_histograms { HasHistograms::Yes } else { HasHistograms::No }
    }
}

/// The rows of the next batch.
struct Table<'a> {
    labels: Vec<LabelColumn<'a>>,
    has_histograms: HasHistograms,
    /// The series of each row.
    series: Vec<usize>,
    timestamps: Vec<Timestamp>,
    values: Vec<Option<f64>>,
    histograms: Vec<Option<String>>,
}

/// The values of one label: each text once, and which of them each series has.
struct LabelColumn<'a> {
    name: &'a str,
    keys: Vec<Option<i32>>,
    texts: ArrayRef,
}

impl<'a> LabelColumn<'a> {
    fn new(name: &'a str, series: &[&'a Labels]) -> LabelColumn<'a> {
        let mut numbers: HashMap<&str, i32> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut key = |labels: &&'a Labels| {
            let text = labels.get(name)?;
            Some(*numbers.entry(text).or_insert_with(|| {
                texts.push(text);
                i32::try_from(texts.len() - 1).unwrap_or(i32::MAX)
            }))
        };
        let keys = series.iter().map(&mut key).collect();
        LabelColumn { name, keys, texts: Arc::new(StringArray::from(texts)) }
    }

    /// The column of rows that belong to `series`. All batches share the texts, which are written once.
    fn array(&self, series: &[usize]) -> Result<ArrayRef, ArrowError> {
        let keys: Int32Array = series.iter().map(|&number| self.keys[number]).collect();
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&self.texts))?))
    }
}

impl<'a> Table<'a> {
    fn new(names: Vec<&'a str>, series: &[&'a Labels], has_histograms: HasHistograms) -> Table<'a> {
        Table {
            labels: names.into_iter().map(|name| LabelColumn::new(name, series)).collect(),
            has_histograms,
            series: Vec::new(),
            timestamps: Vec::new(),
            values: Vec::new(),
            histograms: Vec::new(),
        }
    }

    fn schema(&self, answer: &Answer) -> Arc<Schema> {
        let mut fields = vec![timestamp_field(), Field::new("value", DataType::Float64, true)];
        if self.has_histograms == HasHistograms::Yes {
            fields.push(Field::new("histogram", DataType::Utf8, true));
        }
        let names: Vec<&str> = self.labels.iter().map(|label| label.name).collect();
        fields.extend(names.iter().map(|name| {
            Field::new_dictionary(column_name(name, &names), DataType::Int32, DataType::Utf8, true)
        }));
        Arc::new(Schema::new_with_metadata(fields, metadata(answer)))
    }

    fn push(&mut self, series: usize, at_ms: Timestamp, value: &SampleValue) {
        let (value, histogram) = match value {
            SampleValue::Float(value) => (Some(*value), None),
            SampleValue::Histogram(histogram) => (None, Some(histogram_text(histogram))),
        };
        self.series.push(series);
        self.timestamps.push(at_ms);
        self.values.push(value);
        if self.has_histograms == HasHistograms::Yes {
            self.histograms.push(histogram);
        }
    }

    /// Writes a batch if there are rows enough for one.
    fn checkpoint(&mut self, stream: &mut Stream<'_, '_>) -> Result<(), ArrowError> {
        if self.series.len() < BATCH_ROWS { Ok(()) } else { self.write_batch(stream) }
    }

    /// Writes what is left, and the end of the stream.
    fn finish(&mut self, stream: &mut Stream<'_, '_>) -> Result<(), ArrowError> {
        if !self.series.is_empty() {
            self.write_batch(stream)?;
        }
        stream.writer.finish()
    }

    fn write_batch(&mut self, stream: &mut Stream<'_, '_>) -> Result<(), ArrowError> {
        let timestamps = TimestampMillisecondArray::from(std::mem::take(&mut self.timestamps));
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(timestamps.with_timezone("UTC")),
            Arc::new(Float64Array::from(std::mem::take(&mut self.values))),
        ];
        if self.has_histograms == HasHistograms::Yes {
            columns.push(Arc::new(StringArray::from(std::mem::take(&mut self.histograms))));
        }
        for label in &self.labels {
            columns.push(label.array(&self.series)?);
        }
        self.series.clear();
        stream.writer.write(&RecordBatch::try_new(Arc::clone(&stream.schema), columns)?)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Array, cast::AsArray, types::Float64Type, types::TimestampMillisecondType};
    use arrow_ipc::reader::StreamReader;
    use narthex_eval::result::RangeSeries;
    use narthex_model::number::{format_plain, format_sample};
    use proptest::prelude::*;

    use super::*;
    use crate::Data;
    use crate::format::testing::{Row, rows_of, value};

    fn answer(value: &QueryValue) -> Answer {
        Answer::new(Data::Query(value.clone(), None))
    }

    fn written(answer: &Answer, value: &QueryValue) -> Vec<u8> {
        let mut body = Vec::new();
        write(&Remarked { value, answer }, &mut body).unwrap();
        body
    }

    fn batches(body: &[u8]) -> Vec<RecordBatch> {
        StreamReader::try_new(body, None).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// The rows of a batch; `digits` writes floats as the value that is expected has them.
    fn rows(batch: &RecordBatch, digits: fn(f64) -> String) -> Vec<Row> {
        let schema = batch.schema();
        let text = |column: &ArrayRef, row: usize| match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
            DataType::Float64 => digits(column.as_primitive::<Float64Type>().value(row)),
            _ => {
                let column = column.as_dictionary::<Int32Type>();
                let texts = column.values().as_string::<i32>();
                texts.value(column.key(row).unwrap()).to_owned()
            }
        };
        let has_histograms = schema.fields().get(2).is_some_and(|field| *field.data_type() == DataType::Utf8);
        let labels_from = if has_histograms { 3 } else { 2 };
        let row = |row: usize| {
            let there = |at: &usize| batch.column(*at).is_valid(row);
            let value = (1..labels_from).find(there).unwrap();
            let labels = (labels_from..batch.num_columns()).filter(there);
            Row {
                at_ms: batch.column(0).as_primitive::<TimestampMillisecondType>().value(row),
                value: text(batch.column(value), row),
                labels: labels
                    .map(|at| (schema.field(at).name().clone(), text(batch.column(at), row)))
                    .collect(),
            }
        };
        (0..batch.num_rows()).map(row).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in value()) {
            let digits = if matches!(value, QueryValue::Scalar { .. }) { format_plain } else { format_sample };
            let batches = batches(&written(&answer(&value), &value));
            let read: Vec<Row> = batches.iter().flat_map(|batch| rows(batch, digits)).collect();
            prop_assert_eq!(read, rows_of(&value));
        }
    }

    #[test]
    fn long_results_are_several_batches() {
        let labels = Labels::from_pairs([("job", "a")]);
        let floats = (0..2 * BATCH_ROWS as i64 + 1).map(|at_ms| (at_ms, 1.0)).collect();
        let value = QueryValue::Matrix(vec![RangeSeries { labels, floats, histograms: Vec::new() }]);
        let lengths: Vec<usize> =
            batches(&written(&answer(&value), &value)).iter().map(RecordBatch::num_rows).collect();
        assert_eq!(lengths, [BATCH_ROWS, BATCH_ROWS, 1]);
    }

    #[test]
    fn warnings_are_in_the_metadata() {
        let value = QueryValue::Vector(Vec::new());
        let answer = Answer { warnings: vec!["a \"b\"".into()], ..answer(&value) };
        let body = written(&answer, &value);
        let reader = StreamReader::try_new(&*body, None).unwrap();
        assert_eq!(reader.schema().metadata()["warnings"], r#"["a \"b\""]"#);
        assert!(!reader.schema().metadata().contains_key("infos"));
    }
}
