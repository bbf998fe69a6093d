//! What templates compute with, and what they are given.

use std::collections::BTreeMap;
use std::sync::Arc;

use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};

/// A value. Cloning is cheap.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value: `nil`, a missing entry of a map of anything.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// Integer constants, lengths, indices.
    Int(i64),
    /// Sample values and constants written with a point or an exponent.
    Float(f64),
    /// A string.
    Text(Arc<str>),
    /// What `safeHtml` gives.
    Html(Arc<str>),
    /// A map from strings to strings; a missing entry is the empty string.
    Labels(Labels),
    /// A map from strings to anything.
    Map(Arc<BTreeMap<String, Value>>),
    /// What `query` gives.
    Samples(Arc<[Arc<Sample>]>),
    /// One of them.
    Sample(Arc<Sample>),
    /// A list of anything.
    List(Arc<[Value]>),
    /// A fixed set of fields.
    Record(Arc<Record>),
    /// A point in time, Unix milliseconds.
    Time(Timestamp),
    /// A length of time in nanoseconds.
    Duration(i64),
    /// A native histogram.
    Histogram(Arc<FloatHistogram>),
}

/// One result of an instant query.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// Labels with the metric name.
    pub labels: Labels,
    /// The value.
    pub value: SampleValue,
}

/// Named fields; reading any other is an error.
#[derive(Clone, Debug)]
pub struct Record {
    /// The name errors call it by.
    pub type_name: &'static str,
    /// Names and values in their printed order.
    pub fields: Vec<(&'static str, Value)>,
}

/// What the template of an alerting rule is given.
#[derive(Clone, PartialEq, Debug)]
pub struct Data {
    /// `.Labels`, `$labels`: the labels of the series that fired, without metric name.
    pub labels: Labels,
    /// `.ExternalLabels`, `$externalLabels`.
    pub external_labels: Labels,
    /// `.ExternalURL`, `$externalURL`, `externalURL`.
    pub external_url: String,
    /// `.Value`, `$value`.
    pub value: SampleValue,
    /// `now`, and when `query` is evaluated; Unix milliseconds.
    pub now_ms: Timestamp,
}

impl Data {
    /// The dot that templates start with.
    pub(crate) fn to_record(&self) -> Value {
        Value::Record(Arc::new(Record {
            type_name: "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; \
                        Value interface {} }",
            fields: vec![
                ("Labels", Value::Labels(self.labels.clone())),
                ("ExternalLabels", Value::Labels(self.external_labels.clone())),
                ("ExternalURL", Value::from(self.external_url.as_str())),
                ("Value", Value::from(self.value.clone())),
            ],
        }))
    }
}

impl Value {
    /// The Go type, as errors and `%T` name it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float64",
            Value::Text(_) => "string",
            Value::Html(_) => "template.HTML",
            Value::Labels(_) => "map[string]string",
            Value::Map(_) => "map[string]interface {}",
            Value::Samples(_) => "template.queryResult",
            Value::Sample(_) => "*template.sample",
            Value::List(_) => "[]interface {}",
            Value::Record(record) => record.type_name,
            Value::Time(_) => "*time.Time",
            Value::Duration(_) => "*time.Duration",
            Value::Histogram(_) => "*histogram.FloatHistogram",
        }
    }

    /// Whether `if` and `with` take the value as true: it is not the zero of its type, not empty, not nil.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(flag) => *flag,
            Value::Int(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Text(_)
            | Value::Html(_)
            | Value::Labels(_)
            | Value::Map(_)
            | Value::Samples(_)
            | Value::List(_) => self.len() != Some(0),
            Value::Sample(_)
            | Value::Record(_)
            | Value::Time(_)
            | Value::Duration(_)
            | Value::Histogram(_) => true,
        }
    }

    /// Bytes of a string, entries of a map, elements of a list; `None` for what has no length.
    pub fn len(&self) -> Option<usize> {
        match self {
            Value::Text(text) | Value::Html(text) => Some(text.len()),
            Value::Labels(labels) => Some(labels.len()),
            Value::Map(map) => Some(map.len()),
            Value::Samples(samples) => Some(samples.len()),
            Value::List(items) => Some(items.len()),
            _ => None,
        }
    }

    /// Whether there is a length and it is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The text of a string of either kind.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Html(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text.into())
    }
}

impl From<SampleValue> for Value {
    fn from(value: SampleValue) -> Value {
        match value {
            SampleValue::Float(number) => Value::Float(number),
            SampleValue::Histogram(histogram) => Value::Histogram(histogram),
        }
    }
}
