//! What a request is answered with, and its JSON.

use narthex_diag::{Severity, Source};
use narthex_eval::{Annotation, QueryValue};
use narthex_model::number::format_sample;
use narthex_model::{Labels, Timestamp};
use serde_json::Value;

use crate::chunks::{ChunkSink, Closed};
use crate::json::{JsonWriter, write_value};

/// More warnings than this are counted, not shown; likewise infos.
const ANNOTATIONS_MAX: usize = 10;

/// A successful answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked for.
    pub data: Data,
    /// What makes the data doubtful.
    pub warnings: Vec<String>,
    /// What may be worth knowing.
    pub infos: Vec<String>,
}

/// What stands under `data`.
#[derive(Clone, Debug)]
pub enum Data {
    /// The value of a query.
    Query(QueryValue, Option<QueryStatistics>),
    /// Names or values of labels.
    Strings(Vec<String>),
    /// Series.
    Series(Vec<Labels>),
    /// One text.
    Text(String),
    /// Anything small.
    Json(Value),
}

/// What a query took.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct QueryStatistics {
    /// Until the query was taken up.
    pub queue_seconds: f64,
    /// For parsing and planning.
    pub preparation_seconds: f64,
    /// For evaluation.
    pub evaluation_seconds: f64,
    /// Samples that were looked at, over all steps.
    pub samples_total: u64,
    /// The same at the time of each step; empty unless asked for.
    pub samples_by_step: Vec<(Timestamp, u64)>,
    /// The most samples held at once.
    pub samples_peak: usize,
}

impl Answer {
    /// Nothing but data.
    pub fn new(data: Data) -> Answer {
        Answer { data, warnings: Vec::new(), infos: Vec::new() }
    }

    /// Adds what a query raised: the first ones of each kind, and how many more there are.
    pub(crate) fn annotate(&mut self, annotations: &[Annotation], query: &str) {
        if annotations.is_empty() {
            return;
        }
        let source = Source::new("", query);
        for (severity, name, texts) in
            [(Severity::Warning, "warning", &mut self.warnings), (Severity::Info, "info", &mut self.infos)]
        {
            let all: Vec<&Annotation> =
                annotations.iter().filter(|annotation| annotation.kind.severity() == severity).collect();
            texts.extend(all.iter().take(ANNOTATIONS_MAX).map(|annotation| annotation.text(&source)));
            let omitted = all.len().saturating_sub(ANNOTATIONS_MAX);
            if omitted > 0 {
                texts.push(format!("{omitted} more {name} annotations omitted"));
            }
        }
    }

    /// Writes the whole body.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn write(&self, sink: &mut dyn ChunkSink) -> Result<(), Closed> {
        let mut out = JsonWriter::new(sink);
        out.raw("{\"status\":\"success\",\"data\":");
        self.data.write(&mut out)?;
        for (name, texts) in [("warnings", &self.warnings), ("infos", &self.infos)] {
            if !texts.is_empty() {
                out.raw(",\"");
                out.raw(name);
                out.raw("\":");
                strings(&mut out, texts)?;
            }
        }
        out.raw("}");
        out.finish()
    }
}

impl Data {
    fn write(&self, out: &mut JsonWriter<'_>) -> Result<(), Closed> {
        match self {
            Data::Query(value, statistics) => {
                out.raw("{");
                write_value(out, value)?;
                statistics.iter().for_each(|statistics| statistics.write(out));
                out.raw("}");
                Ok(())
            }
            Data::Strings(texts) => strings(out, texts),
            Data::Series(series) => out.list(series, |out, labels| {
                out.labels(labels);
                Ok(())
            }),
            Data::Text(text) => {
                out.html_string(text);
                Ok(())
            }
            Data::Json(value) => json(out, value),
        }
    }
}

impl QueryStatistics {
    fn write(&self, out: &mut JsonWriter<'_>) {
        let (queue, preparation, evaluation) =
            (self.queue_seconds, self.preparation_seconds, self.evaluation_seconds);
        let timings = [
            ("evalTotalTime", preparation + evaluation),
            ("resultSortTime", 0.0),
            ("queryPreparationTime", preparation),
            ("innerEvalTime", evaluation),
            ("execQueueTime", queue),
            ("execTotalTime", queue + preparation + evaluation),
        ];
        let timings = timings.map(|(name, seconds)| format!("\"{name}\":{}", format_sample(seconds)));
        out.raw(&format!(",\"stats\":{{\"timings\":{{{}}},\"samples\":{{", timings.join(",")));
        if !self.samples_by_step.is_empty() {
            let step = |(at_ms, samples): &(Timestamp, u64)| {
                format!("[{},{samples}]", format_sample(*at_ms as f64 / 1000.0))
            };
            let steps: Vec<String> = self.samples_by_step.iter().map(step).collect();
            out.raw(&format!("\"totalQueryableSamplesPerStep\":[{}],", steps.join(",")));
        }
        let (total, peak) = (self.samples_total, self.samples_peak);
        out.raw(&format!("\"totalQueryableSamples\":{total},\"peakSamples\":{peak}}}}}"));
    }
}

fn strings(out: &mut JsonWriter<'_>, texts: &[String]) -> Result<(), Closed> {
    out.list(texts, |out, text| {
        out.html_string(text);
        Ok(())
    })
}

/// Any JSON, keys in order, strings safe within HTML.
fn json(out: &mut JsonWriter<'_>, value: &Value) -> Result<(), Closed> {
    match value {
        Value::String(text) => out.html_string(text),
        Value::Array(items) => out.list(items, json)?,
        Value::Object(members) => {
            let mut separator = "{";
            for (name, member) in members {
                out.raw(separator);
                separator = ",";
                out.html_string(name);
                out.raw(":");
                json(out, member)?;
            }
            out.raw(if members.is_empty() { "{}" } else { "}" });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => out.raw(&value.to_string()),
    }
    Ok(())
}
