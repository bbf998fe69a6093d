//! A deliberately naive evaluator to check the engine against: it walks the tree anew at every step, looks at every
//! sample of every series, sums without compensation and remembers nothing.
//!
//! It knows floats and the greater part of the language; [`OracleError::Unsupported`] says where it ends. Names are
//! removed at the end, as with delayed name removal. Order of vectors and annotations are not its business.

mod aggregate;
mod binary;
mod function;
mod select;
mod window;

use std::collections::BTreeMap;
use std::fmt;

use narthex_eval::QueryValue;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::{Labels, Text, Timestamp};
use narthex_plan::{QueryKind, QueryParameters};
use narthex_promql::Expr;
use narthex_promql::ast::{DurationScope, UnaryOp};
use narthex_storage::Queryable;

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
) -> Result<QueryValue, OracleError> {
    let stored = select::read_all(store)?;
    let oracle = Oracle { stored: &stored, parameters };
    match parameters.kind {
        QueryKind::Instant => oracle.instant_result(expr),
        QueryKind::Range => oracle.range_result(expr),
    }
}

/// A value at one instant.
enum Value {
    Scalar(f64),
    Text(Text),
    Vector(Vec<Element>),
    Windows(Vec<Window>),
}

/// One float of a vector.
#[derive(Clone, Debug)]
struct Element {
    labels: Labels,
    /// Whether the metric name goes at the end.
    drops_name: bool,
    value: f64,
    /// When the sample was taken, for elements that are samples.
    taken_ms: Timestamp,
}

impl Element {
    /// The same series with a new quantity.
    fn with(&self, value: f64) -> Element {
        Element { value, drops_name: true, ..self.clone() }
    }

    fn unlabelled(value: f64) -> Element {
        Element { labels: Labels::empty(), drops_name: true, value, taken_ms: 0 }
    }
}

/// The samples of one series within a window.
struct Window {
    labels: Labels,
    drops_name: bool,
    samples: Vec<(Timestamp, f64)>,
    /// The window is open here.
    start_ms: Timestamp,
    end_ms: Timestamp,
}

#[derive(Clone, Copy)]
struct Oracle<'a> {
    stored: &'a [Stored],
    parameters: QueryParameters,
}

impl Oracle<'_> {
    fn scope(&self) -> DurationScope {
        let range_ms = self.parameters.end_ms.saturating_sub(self.parameters.grid.start_ms);
        DurationScope { step_ms: self.parameters.step_ms(), range_ms }
    }

    fn value(&self, expr: &Expr, at_ms: Timestamp) -> Result<Value, OracleError> {
        Ok(match expr {
            Expr::Number(node) => Value::Scalar(node.value),
            Expr::String(node) => Value::Text(node.value.clone()),
            Expr::Paren(node) => return self.value(&node.expr, at_ms),
            Expr::Selector(node) => Value::Vector(self.instant_selector(node, at_ms)?),
            Expr::Matrix(node) => Value::Windows(self.range_selector(node, at_ms)?),
            Expr::Subquery(node) => Value::Windows(self.subquery(node, at_ms)?),
            Expr::Call(node) => return self.call(node, at_ms),
            Expr::Aggregate(node) => Value::Vector(self.aggregate(node, at_ms)?),
            Expr::Binary(node) => return self.binary(node, at_ms),
            Expr::Unary(node) => match (node.op.value, self.value(&node.expr, at_ms)?) {
                (UnaryOp::Plus, value) => value,
                (UnaryOp::Minus, Value::Scalar(value)) => Value::Scalar(-value),
                (UnaryOp::Minus, Value::Vector(elements)) => {
                    Value::Vector(elements.iter().map(|one| one.with(-one.value)).collect())
                }
                _ => return unsupported("a signed window"),
            },
            Expr::Error(_) => return failed("unreadable expression"),
        })
    }

    fn vector(&self, expr: &Expr, at_ms: Timestamp) -> Result<Vec<Element>, OracleError> {
        match self.value(expr, at_ms)? {
            Value::Vector(elements) => Ok(elements),
            _ => unsupported("something else in place of a vector"),
        }
    }

    fn scalar(&self, expr: &Expr, at_ms: Timestamp) -> Result<f64, OracleError> {
        match self.value(expr, at_ms)? {
            Value::Scalar(value) => Ok(value),
            _ => unsupported("something else in place of a scalar"),
        }
    }

    fn windows(&self, expr: &Expr, at_ms: Timestamp) -> Result<Vec<Window>, OracleError> {
        match self.value(expr, at_ms)? {
            Value::Windows(windows) => Ok(windows),
            _ => unsupported("something else in place of a window"),
        }
    }

    fn instant_result(&self, expr: &Expr) -> Result<QueryValue, OracleError> {
        let at_ms = self.parameters.grid.start_ms;
        Ok(match self.value(expr, at_ms)? {
            Value::Scalar(value) => QueryValue::Scalar { at_ms, value },
            Value::Text(value) => QueryValue::Text { at_ms, value },
            Value::Vector(elements) => {
                let final_values = named(elements)?.into_iter();
                QueryValue::Vector(
                    final_values
                        .map(|(labels, value)| InstantSample { labels, at_ms, value: value.into() })
                        .collect(),
                )
            }
            Value::Windows(windows) => {
                let series = windows.into_iter().filter(|window| !window.samples.is_empty());
                let mut series: Vec<RangeSeries> = series
                    .map(|window| RangeSeries {
                        labels: final_labels(&window.labels, window.drops_name),
                        floats: window.samples,
                        histograms: Vec::new(),
                    })
                    .collect();
                series.sort_by(|a, b| a.labels.cmp(&b.labels));
                QueryValue::Matrix(series)
            }
        })
    }

    fn range_result(&self, expr: &Expr) -> Result<QueryValue, OracleError> {
        let mut series: BTreeMap<Labels, Vec<(Timestamp, f64)>> = BTreeMap::new();
        for at_ms in self.parameters.grid.timestamps() {
            let elements = match self.value(expr, at_ms)? {
                Value::Scalar(value) => vec![Element::unlabelled(value)],
                Value::Vector(elements) => elements,
                Value::Text(_) | Value::Windows(_) => {
                    return failed("invalid expression type for range query");
                }
            };
            for (labels, value) in named(elements)? {
                series.entry(labels).or_default().push((at_ms, value));
            }
        }
        let series = series.into_iter();
        let matrix = series.map(|(labels, floats)| RangeSeries { labels, floats, histograms: Vec::new() });
        Ok(QueryValue::Matrix(matrix.collect()))
    }
}

fn final_labels(labels: &Labels, drops_name: bool) -> Labels {
    if drops_name { labels.without_metric_identity() } else { labels.clone() }
}

/// The elements of a result by their final labels.
fn named(elements: Vec<Element>) -> Result<BTreeMap<Labels, f64>, OracleError> {
    let mut named = BTreeMap::new();
    for element in elements {
        if named.insert(final_labels(&element.labels, element.drops_name), element.value).is_some() {
            return failed("vector cannot contain metrics with the same labelset");
        }
    }
    Ok(named)
}
