//! A deliberately naive evaluator to check the engine against: it walks the tree, holds a list of elements per step,
//! looks at every sample of every series for each of them, and remembers nothing.
//!
//! It knows the whole language but annotations and the order of vectors that no sorting function made. Arithmetic of
//! single histograms is `narthex_model`'s; everything else is done anew here, from the definitions of the language.
//!
//! Reading order: this file, `select`, `detail`, `extended`, `rate`, `window`, `regression`, `function`, `date`, `label`, `info`,
//! `histogram`, `classic`, `aggregate`, `limit`, `operand`, `binary`.

mod aggregate;
mod binary;
mod classic;
mod date;
mod detail;
mod extended;
mod function;
mod histogram;
mod info;
mod label;
mod limit;
mod operand;
mod rate;
mod regression;
mod select;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use narthex_eval::QueryValue;
use narthex_eval::context::EvalOptions;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::{FloatHistogram, Labels, SampleValue, Text, Timestamp};
use narthex_plan::{QueryKind, QueryParameters};
use narthex_promql::Expr;
use narthex_promql::ast::{DurationScope, RangeExtension, Unary, UnaryOp};
use narthex_storage::Queryable;

use detail::Detail;
use select::Stored;

/// Why the oracle has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OracleError {
    /// It does not know this part of the language.
    Unsupported(String),
    /// The query fails, as it must in every engine.
    Failed(String),
}

impl fmt::Display for OracleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OracleError::Unsupported(what) => write!(f, "the oracle does not know {what}"),
            OracleError::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for OracleError {}

fn unsupported<T>(what: impl Into<String>) -> Result<T, OracleError> {
    Err(OracleError::Unsupported(what.into()))
}

fn failed<T>(message: impl Into<String>) -> Result<T, OracleError> {
    Err(OracleError::Failed(message.into()))
}

/// The value of an expression over a store.
///
/// # Errors
/// See [`OracleError`].
pub fn evaluate(
    store: &dyn Queryable,
    expr: &Expr,
    parameters: QueryParameters,
    options: EvalOptions,
) -> Result<QueryValue, OracleError> {
    let stored = select::read_all(store)?;
    let oracle = Oracle { stored: &stored, parameters, options, detail: Detail::Full };
    let times: Vec<Timestamp> = parameters.grid.timestamps().collect();
    let value = oracle.value(expr, &times)?;
    match parameters.kind {
        QueryKind::Instant => oracle.instant_result(value),
        QueryKind::Range => range_result(value, &times),
    }
}

/// What an expression is at each of the times it is evaluated at.
enum Value {
    Scalars(Vec<f64>),
    Text(Text),
    Vectors(Vec<Vec<Element>>),
    Windows(Vec<Vec<Window>>),
}

/// One sample of a vector.
#[derive(Clone, Debug)]
struct Element {
    labels: Labels,
    /// Whether the metric name goes at the end.
    drops_name: bool,
    value: SampleValue,
    /// When the sample was taken, for elements that are samples.
    taken_ms: Timestamp,
    /// When its counter started, 0 for unknown.
    started_ms: Timestamp,
}

impl Element {
    fn new(labels: Labels, value: impl Into<SampleValue>) -> Element {
        Element { labels, drops_name: false, value: value.into(), taken_ms: 0, started_ms: 0 }
    }

    /// The same series with a new quantity.
    fn with(&self, value: impl Into<SampleValue>) -> Element {
        Element { value: value.into(), drops_name: true, ..self.clone() }
    }

    fn float(&self) -> Option<f64> {
        match self.value {
            SampleValue::Float(value) => Some(value),
            SampleValue::Histogram(_) => None,
        }
    }

    fn histogram(&self) -> Option<&Arc<FloatHistogram>> {
        match &self.value {
            SampleValue::Float(_) => None,
            SampleValue::Histogram(value) => Some(value),
        }
    }
}

/// A sample as stored.
#[derive(Clone, Debug)]
struct Sample {
    at_ms: Timestamp,
    /// When its counter started, 0 for unknown.
    started_ms: Timestamp,
    value: SampleValue,
}

/// The samples of one series within a window.
#[derive(Clone, Debug)]
struct Window {
    labels: Labels,
    drops_name: bool,
    /// In time order; those of an extended window also hold a lookback before it, and behind it if smoothed.
    samples: Vec<Sample>,
    extension: Option<RangeExtension>,
    /// The window is open here.
    start_ms: Timestamp,
    end_ms: Timestamp,
}

#[derive(Clone, Copy)]
struct Oracle<'a> {
    stored: &'a [Stored],
    parameters: QueryParameters,
    options: EvalOptions,
    /// How much of histograms is looked at.
    detail: Detail,
}

impl Oracle<'_> {
    fn scope(&self) -> DurationScope {
        let range_ms = self.parameters.end_ms.saturating_sub(self.parameters.grid.start_ms);
        DurationScope { step_ms: self.parameters.step_ms(), range_ms }
    }

    fn value(&self, expr: &Expr, times: &[Timestamp]) -> Result<Value, OracleError> {
        Ok(match expr {
            Expr::Number(node) => Value::Scalars(vec![node.value; times.len()]),
            Expr::String(node) => Value::Text(node.value.clone()),
            Expr::Paren(node) => return self.value(&node.expr, times),
            Expr::Selector(node) => Value::Vectors(self.instant_selector(node, times)?),
            Expr::Matrix(node) => Value::Windows(self.range_selector(node, times)?),
            Expr::Subquery(node) => Value::Windows(self.subquery(node, times)?),
            Expr::Call(node) => return self.call(node, times),
            Expr::Aggregate(node) => Value::Vectors(self.aggregate(node, times)?),
            Expr::Binary(node) => return Oracle { detail: Detail::Full, ..*self }.binary(node, times),
            Expr::Unary(node) => return self.unary(node, times),
            Expr::Error(_) => return failed("unreadable expression"),
        })
    }

    fn unary(&self, node: &Unary, times: &[Timestamp]) -> Result<Value, OracleError> {
        match (node.op.value, self.value(&node.expr, times)?) {
            (UnaryOp::Plus, value) => Ok(value),
            (UnaryOp::Minus, Value::Scalars(values)) => {
                Ok(Value::Scalars(values.iter().map(|value| -value).collect()))
            }
            (UnaryOp::Minus, Value::Vectors(steps)) => self.changed(&steps, |one| {
                Some(match &one.value {
                    SampleValue::Float(value) => one.with(-value),
                    SampleValue::Histogram(value) => {
                        let mut negative = FloatHistogram::clone(value);
                        negative.negate();
                        one.with(negative)
                    }
                })
            }),
            _ => unsupported("a signed window"),
        }
    }

    fn vectors(&self, expr: &Expr, times: &[Timestamp]) -> Result<Vec<Vec<Element>>, OracleError> {
        match self.value(expr, times)? {
            Value::Vectors(steps) => Ok(steps),
            _ => unsupported("something else in place of a vector"),
        }
    }

    fn scalars(&self, expr: &Expr, times: &[Timestamp]) -> Result<Vec<f64>, OracleError> {
        match self.value(expr, times)? {
            Value::Scalars(values) => Ok(values),
            _ => unsupported("something else in place of a scalar"),
        }
    }

    fn windows(&self, expr: &Expr, times: &[Timestamp]) -> Result<Vec<Vec<Window>>, OracleError> {
        match self.value(expr, times)? {
            Value::Windows(steps) => Ok(steps),
            _ => unsupported("something else in place of a window"),
        }
    }

    /// Every element replaced or taken out, as operations step by step do it.
    fn changed(
        &self,
        steps: &[Vec<Element>],
        mut change: impl FnMut(&Element) -> Option<Element>,
    ) -> Result<Value, OracleError> {
        let changed = steps.iter().map(|step| step.iter().filter_map(&mut change).collect());
        self.settled(changed.collect())
    }

    /// What an operation yields: without the names it drops, if that happens at once; no label set twice in a step.
    /// Whether a series loses its name later on is decided where it comes first.
    fn settled(&self, mut steps: Vec<Vec<Element>>) -> Result<Value, OracleError> {
        let mut marks: BTreeMap<Labels, bool> = BTreeMap::new();
        for step in &mut steps {
            step.iter_mut().for_each(|element| {
                self.drop_name(element);
                let mark = marks.entry(element.labels.clone()).or_insert(element.drops_name);
                element.drops_name = *mark;
            });
            let labels: BTreeSet<&Labels> = step.iter().map(|element| &element.labels).collect();
            if labels.len() < step.len() {
                return failed(SAME_LABELS);
            }
        }
        Ok(Value::Vectors(steps))
    }

    fn drop_name(&self, element: &mut Element) {
        if !self.options.delayed_name_removal && element.drops_name {
            element.labels = element.labels.without_metric_identity();
            element.drops_name = false;
        }
    }

    fn instant_result(&self, value: Value) -> Result<QueryValue, OracleError> {
        let at_ms = self.parameters.grid.start_ms;
        Ok(match value {
            Value::Scalars(values) => QueryValue::Scalar { at_ms, value: values[0] },
            Value::Text(value) => QueryValue::Text { at_ms, value },
            Value::Vectors(steps) => {
                let finished = finished(steps.into_iter().next().unwrap_or_default())?;
                let sample = |(labels, value)| InstantSample { labels, at_ms, value };
                QueryValue::Vector(finished.into_iter().map(sample).collect())
            }
            Value::Windows(steps) => {
                let mut series = Vec::new();
                for window in steps.into_iter().next().unwrap_or_default() {
                    series.extend(self.window_result(&window)?);
                }
                series.sort_by(|a, b| a.labels.cmp(&b.labels));
                QueryValue::Matrix(series)
            }
        })
    }

    /// A window as a result; extended ones have points at their borders.
    fn window_result(&self, window: &Window) -> Result<Option<RangeSeries>, OracleError> {
        let mut series =
            RangeSeries { labels: final_labels(&window.labels, window.drops_name), ..RangeSeries::default() };
        for sample in extended::shown(window)? {
            push(&mut series, sample.at_ms, sample.value);
        }
        Ok((!series.floats.is_empty() || !series.histograms.is_empty()).then_some(series))
    }
}

const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

fn range_result(value: Value, times: &[Timestamp]) -> Result<QueryValue, OracleError> {
    let steps = match value {
        Value::Scalars(values) => {
            values.into_iter().map(|value| vec![Element::new(Labels::empty(), value)]).collect()
        }
        Value::Vectors(steps) => steps,
        Value::Text(_) | Value::Windows(_) => return failed("invalid expression type for range query"),
    };
    let mut series: BTreeMap<Labels, RangeSeries> = BTreeMap::new();
    for (&at_ms, step) in times.iter().zip(steps) {
        for (labels, value) in finished(step)? {
            let new = || RangeSeries { labels: labels.clone(), ..RangeSeries::default() };
            push(series.entry(labels.clone()).or_insert_with(new), at_ms, value);
        }
    }
    Ok(QueryValue::Matrix(series.into_values().collect()))
}

fn push(series: &mut RangeSeries, at_ms: Timestamp, value: SampleValue) {
    match value {
        SampleValue::Float(value) => series.floats.push((at_ms, value)),
        SampleValue::Histogram(value) => series.histograms.push((at_ms, value)),
    }
}

fn final_labels(labels: &Labels, drops_name: bool) -> Labels {
    if drops_name { labels.without_metric_identity() } else { labels.clone() }
}

/// The elements of a result with their final labels.
fn finished(elements: Vec<Element>) -> Result<Vec<(Labels, SampleValue)>, OracleError> {
    let mut known = BTreeSet::new();
    let mut finished = Vec::new();
    for element in elements {
        let labels = final_labels(&element.labels, element.drops_name);
        if !known.insert(labels.clone()) {
            return failed(SAME_LABELS);
        }
        finished.push((labels, element.value));
    }
    Ok(finished)
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A sum that keeps what rounding loses, after Neumaier.
fn compensated(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, lost) = values.into_iter().fold((0.0, 0.0), added);
    if sum.is_infinite() { sum } else { sum + lost }
}

/// A sum and what rounding has lost of it, after another summand.
fn added((sum, lost): (f64, f64), value: f64) -> (f64, f64) {
    let total: f64 = sum + value;
    let lost = match total {
        _ if total.is_infinite() => 0.0,
        _ if sum.abs() >= value.abs() => lost + ((sum - total) + value),
        _ => lost + ((value - total) + sum),
    };
    (total, lost)
}
