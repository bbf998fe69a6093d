//! Labels rewritten, and orders that look at labels or values.

use std::cmp::Ordering;

use narthex_model::labels::METRIC_NAME;
use narthex_model::{LabelsBuilder, Timestamp};
use narthex_plan::QueryKind;
use narthex_promql::Expr;
use narthex_promql::ast::Call;
use narthex_promql::functions::{LabelFunction, SortFunction};
use narthex_regex::Regex;

use super::{Element, Oracle, OracleError, Value, failed, unsupported};

/// A string argument.
pub(super) fn text(arg: &Expr) -> Result<String, OracleError> {
    match arg.without_parens() {
        Expr::String(node) => match node.value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => failed("a label is no UTF-8"),
        },
        _ => unsupported("a computed string"),
    }
}

impl Oracle<'_> {
    pub(super) fn label_function(
        &self,
        function: LabelFunction,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Value, OracleError> {
        let steps = self.vectors(&node.args[0], times)?;
        let rest: Vec<String> = node.args[1..].iter().map(text).collect::<Result<_, _>>()?;
        let name = function_name(function);
        let target = &rest[0];
        let regex = match function {
            LabelFunction::Replace => match Regex::new(&rest[3]) {
                Ok(regex) => Some(regex),
                Err(_) => return failed(format!("invalid regular expression in {name}(): {}", rest[3])),
            },
            LabelFunction::Join => None,
        };
        if target.is_empty() {
            return failed(format!("invalid destination label name in {name}()"));
        }
        if function == LabelFunction::Join && rest[2..].iter().any(String::is_empty) {
            return failed(format!("invalid source label name in {name}()"));
        }
        self.changed(&steps, |one| {
            let value = match &regex {
                Some(regex) => {
                    let Some(captures) = regex.captures(one.labels.value(&rest[2])) else {
                        return Some(one.clone());
                    };
                    let mut value = String::new();
                    captures.expand(&rest[1], &mut value);
                    value
                }
                None => {
                    let sources = rest[2..].iter().map(|source| one.labels.value(source));
                    sources.collect::<Vec<_>>().join(&rest[1])
                }
            };
            let labels = LabelsBuilder::from_labels(&one.labels).set(target, &value).build();
            Some(Element { labels, drops_name: one.drops_name && target != METRIC_NAME, ..one.clone() })
        })
    }

    /// Order counts in instant queries; only floats can be ordered by value.
    pub(super) fn sort(
        &self,
        function: SortFunction,
        node: &Call,
        times: &[Timestamp],
    ) -> Result<Value, OracleError> {
        let names: Vec<String> = node.args[1..].iter().map(text).collect::<Result<_, _>>()?;
        let mut steps = self.vectors(&node.args[0], times)?;
        let by_value = matches!(function, SortFunction::Sort | SortFunction::SortDesc);
        for step in &mut steps {
            step.retain(|one| !by_value || one.float().is_some());
            if self.parameters.kind == QueryKind::Instant {
                step.sort_by(|a, b| match function {
                    SortFunction::Sort => by_float(a, b, 1.0),
                    SortFunction::SortDesc => by_float(a, b, -1.0),
                    SortFunction::SortByLabel => by_labels(a, b, &names),
                    SortFunction::SortByLabelDesc => by_labels(b, a, &names),
                });
            }
        }
        Ok(Value::Vectors(steps))
    }
}

fn function_name(function: LabelFunction) -> &'static str {
    match function {
        LabelFunction::Join => "label_join",
        LabelFunction::Replace => "label_replace",
    }
}

/// By value times `sign`, NaN last.
fn by_float(a: &Element, b: &Element, sign: f64) -> Ordering {
    let (a, b) = (a.float().unwrap_or(f64::NAN), b.float().unwrap_or(f64::NAN));
    a.is_nan().cmp(&b.is_nan()).then((a * sign).partial_cmp(&(b * sign)).unwrap_or(Ordering::Equal))
}

fn by_labels(a: &Element, b: &Element, names: &[String]) -> Ordering {
    let differing = names.iter().map(|name| natural(a.labels.value(name), b.labels.value(name)));
    differing.fold(Ordering::Equal, Ordering::then).then(a.labels.cmp(&b.labels))
}

/// Run by run of digits and others; numbers by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (a_runs, b_runs) = (runs(a), runs(b));
    for (a, b) in a_runs.iter().zip(&b_runs) {
        let order = match (a.parse::<i64>(), b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a_runs.len().cmp(&b_runs.len())
}

fn runs(text: &str) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    let mut was_digit = None;
    for character in text.chars() {
        let is_digit = character.is_ascii_digit();
        if was_digit == Some(is_digit) {
            runs.iter_mut().last().into_iter().for_each(|run| run.push(character));
        } else {
            runs.push(character.to_string());
        }
        was_digit = Some(is_digit);
    }
    runs
}
