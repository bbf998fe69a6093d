//! Answers of both engines in one form.

use std::collections::{BTreeMap, BTreeSet};

use narthex_diag::{Severity, Source};
use narthex_eval::{EvalError, QueryResult, QueryValue};
use narthex_model::{FloatHistogram, Labels, SampleValue, Timestamp};
use serde_json::Value;

/// What came of a query.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Result<Outcome, Failure>,
    /// Warnings and infos without their places; `None` when there are more than the server tells.
    pub(crate) notes: Option<BTreeSet<String>>,
}

/// A query without a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    /// Whether it was refused before it was evaluated.
    pub(crate) is_refusal: bool,
    /// Without its place.
    pub(crate) message: String,
}

/// A result.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// `vector`, `matrix`, `scalar` or `string`.
    pub(crate) form: &'static str,
    /// Samples by series, in time order.
    pub(crate) series: BTreeMap<Labels, Vec<(Timestamp, Point)>>,
    /// The series of a vector in the order given.
    pub(crate) order: Vec<Labels>,
    /// The string.
    pub(crate) text: String,
}

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Point {
    Float(f64),
    /// Count, sum, and for each bucket: which ends belong to it, where it begins and ends, its count.
    Histogram {
        count: f64,
        sum: f64,
        buckets: Vec<[f64; 4]>,
    },
}

impl Outcome {
    fn new(form: &'static str) -> Outcome {
        Outcome { form, series: BTreeMap::new(), order: Vec::new(), text: String::new() }
    }

    fn add(&mut self, labels: Labels, points: impl IntoIterator<Item = (Timestamp, Point)>) {
        self.order.push(labels.clone());
        let samples = self.series.entry(labels).or_default();
        samples.extend(points);
        samples.sort_by_key(|sample| sample.0);
    }

    /// The same samples under labels without the metric name.
    pub(crate) fn without_names(&self) -> Outcome {
        let mut outcome = Outcome::new(self.form);
        for (labels, samples) in &self.series {
            outcome.add(labels.without_metric_identity(), samples.iter().cloned());
        }
        outcome
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty() && self.form != "string"
    }
}

impl Point {
    fn of(value: &SampleValue) -> Point {
        match value {
            SampleValue::Float(value) => Point::Float(*value),
            SampleValue::Histogram(value) => Point::of_histogram(value),
        }
    }

    fn of_histogram(value: &FloatHistogram) -> Point {
        let buckets = value.ascending();
        let buckets =
            buckets.map(|one| [f64::from(one.boundary_code()), one.lower, one.upper, one.count]).collect();
        Point::Histogram { count: value.count, sum: value.sum, buckets }
    }
}

/// Cuts ` (1:5)` off.
fn without_place(note: &str) -> String {
    match note.rsplit_once(" (") {
        Some((text, place)) if place.ends_with(')') && place.contains(':') => text.to_owned(),
        _ => note.to_owned(),
    }
}

/// Our answer.
pub(crate) fn ours(result: Result<QueryResult, EvalError>, query: &str) -> Answer {
    let result = match result {
        Ok(result) => result,
        Err(error) => {
            let is_refusal = error.kind() == narthex_eval::EvalErrorKind::Plan;
            return failed(is_refusal, error.to_string());
        }
    };
    let source = Source::new("<query>", query);
    let mut notes = [BTreeSet::new(), BTreeSet::new()];
    for annotation in &result.annotations {
        let level = usize::from(annotation.kind.severity() == Severity::Info);
        notes[level].insert(without_place(&annotation.text(&source)));
    }
    let is_complete = notes.iter().all(|level| level.len() <= 10);
    let notes = is_complete.then(|| notes.into_iter().flatten().collect());
    Answer { outcome: Ok(our_outcome(&result.value)), notes }
}

/// A query that has no result.
pub(crate) fn failed(is_refusal: bool, message: String) -> Answer {
    Answer { outcome: Err(Failure { is_refusal, message }), notes: None }
}

fn our_outcome(value: &QueryValue) -> Outcome {
    let mut outcome;
    match value {
        QueryValue::Scalar { at_ms, value } => {
            outcome = Outcome::new("scalar");
            outcome.add(Labels::empty(), [(*at_ms, Point::Float(*value))]);
        }
        QueryValue::Text { value, .. } => {
            outcome = Outcome::new("string");
            outcome.text = value.to_str_lossy().into_owned();
        }
        QueryValue::Vector(samples) => {
            outcome = Outcome::new("vector");
            for sample in samples {
                outcome.add(sample.labels.clone(), [(sample.at_ms, Point::of(&sample.value))]);
            }
        }
        QueryValue::Matrix(series) => {
            outcome = Outcome::new("matrix");
            for one in series {
                let samples = one.samples();
                outcome
                    .add(one.labels.clone(), samples.iter().map(|(at_ms, value)| (*at_ms, Point::of(value))));
            }
        }
    }
    outcome
}

/// The answer of a server.
pub(crate) fn theirs(body: &str) -> Answer {
    let answer: Value = serde_json::from_str(body).expect("JSON");
    if answer["status"] != "success" {
        let message = answer["error"].as_str().expect("a message").to_owned();
        let is_refusal = answer["errorType"] == "bad_data";
        let message =
            message.strip_prefix("invalid parameter \"query\": ").map_or(message.clone(), str::to_owned);
        return failed(is_refusal, message);
    }
    let mut notes = BTreeSet::new();
    let mut is_complete = true;
    for level in ["warnings", "infos"] {
        for note in answer[level].as_array().into_iter().flatten() {
            let note = note.as_str().expect("a text");
            is_complete &= !note.ends_with("annotations omitted");
            notes.insert(without_place(note));
        }
    }
    let outcome = Ok(their_outcome(&answer["data"]));
    Answer { outcome, notes: is_complete.then_some(notes) }
}

fn their_outcome(data: &Value) -> Outcome {
    let result = &data["result"];
    let elements = || result.as_array().expect("a list").iter();
    match data["resultType"].as_str().expect("a type") {
        "scalar" => {
            let mut outcome = Outcome::new("scalar");
            outcome.add(Labels::empty(), [float(result)]);
            outcome
        }
        "string" => {
            let mut outcome = Outcome::new("string");
            outcome.text = result[1].as_str().expect("a string").to_owned();
            outcome
        }
        "vector" => {
            let mut outcome = Outcome::new("vector");
            for element in elements() {
                let sample = element.get("value").map(float).or(element.get("histogram").map(histogram));
                outcome.add(labels(&element["metric"]), sample);
            }
            outcome
        }
        _ => {
            let mut outcome = Outcome::new("matrix");
            for element in elements() {
                let floats = element["values"].as_array().into_iter().flatten().map(float);
                let histograms = element["histograms"].as_array().into_iter().flatten().map(histogram);
                outcome.add(labels(&element["metric"]), floats.chain(histograms));
            }
            outcome
        }
    }
}

fn labels(metric: &Value) -> Labels {
    let pairs = metric.as_object().expect("labels").iter();
    Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str().expect("a label value"))))
}

fn time_ms(seconds: &Value) -> Timestamp {
    (seconds.as_f64().expect("seconds") * 1000.0).round() as Timestamp
}

fn number(text: &Value) -> f64 {
    text.as_str().and_then(|text| text.parse().ok()).expect("a number in a string")
}

fn float(sample: &Value) -> (Timestamp, Point) {
    (time_ms(&sample[0]), Point::Float(number(&sample[1])))
}

fn histogram(sample: &Value) -> (Timestamp, Point) {
    let value = &sample[1];
    let bucket = |bucket: &Value| {
        let code = bucket[0].as_f64().expect("a number");
        [code, number(&bucket[1]), number(&bucket[2]), number(&bucket[3])]
    };
    let buckets = value["buckets"].as_array().into_iter().flatten().map(bucket).collect();
    let point = Point::Histogram { count: number(&value["count"]), sum: number(&value["sum"]), buckets };
    (time_ms(&sample[0]), point)
}
