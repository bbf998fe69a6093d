//! Binary operators: every element of one side against every element of the other.

use std::collections::BTreeSet;

use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder, Timestamp};
use narthex_promql::ast::{Binary, GroupSide, MatchingKind};
use narthex_promql::operators::{BinaryOp, OperatorKind};

use super::{Element, Oracle, OracleError, Value, failed, unsupported};

impl Oracle<'_> {
    pub(super) fn binary(&self, node: &Binary, at_ms: Timestamp) -> Result<Value, OracleError> {
        if node.op.kind() == OperatorKind::Trim || node.fill.left.is_some() || node.fill.right.is_some() {
            return unsupported("trimming and filling");
        }
        match (self.value(&node.lhs, at_ms)?, self.value(&node.rhs, at_ms)?) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                let answer = combined(node.op, left, right);
                Ok(Value::Scalar(answer.unwrap_or_else(|holds| f64::from(u8::from(holds)))))
            }
            (Value::Vector(left), Value::Scalar(right)) => {
                let elements =
                    left.iter().filter_map(|one| element(node, one, (one.value, right), one.value));
                Ok(Value::Vector(elements.collect()))
            }
            (Value::Scalar(left), Value::Vector(right)) => {
                let elements =
                    right.iter().filter_map(|one| element(node, one, (left, one.value), one.value));
                Ok(Value::Vector(elements.collect()))
            }
            (Value::Vector(left), Value::Vector(right)) if node.op.is_set() => {
                Ok(Value::Vector(set(node, left, right)))
            }
            (Value::Vector(left), Value::Vector(right)) => matched(node, &left, &right).map(Value::Vector),
            _ => unsupported("operations on windows and strings"),
        }
    }
}

/// The result of arithmetic, or whether a comparison holds.
fn combined(op: BinaryOp, left: f64, right: f64) -> Result<f64, bool> {
    match op {
        BinaryOp::Add => Ok(left + right),
        BinaryOp::Sub => Ok(left - right),
        BinaryOp::Mul => Ok(left * right),
        BinaryOp::Div => Ok(left / right),
        BinaryOp::Mod => Ok(left % right),
        BinaryOp::Pow => Ok(left.powf(right)),
        BinaryOp::Atan2 => Ok(left.atan2(right)),
        BinaryOp::Equal => Err(left == right),
        BinaryOp::NotEqual => Err(left != right),
        BinaryOp::Less => Err(left < right),
        BinaryOp::LessOrEqual => Err(left <= right),
        BinaryOp::Greater => Err(left > right),
        BinaryOp::GreaterOrEqual => Err(left >= right),
        BinaryOp::TrimUpper | BinaryOp::TrimLower | BinaryOp::And | BinaryOp::Or | BinaryOp::Unless => {
            Err(false)
        }
    }
}

/// The outcome for `base`, whose labels count; a comparison keeps `kept`.
fn element(node: &Binary, base: &Element, operands: (f64, f64), kept: f64) -> Option<Element> {
    match combined(node.op, operands.0, operands.1) {
        Ok(value) => Some(base.with(value)),
        Err(holds) if node.bool_modifier.is_some() => Some(base.with(f64::from(u8::from(holds)))),
        Err(true) => Some(Element { value: kept, ..base.clone() }),
        Err(false) => None,
    }
}

/// Whether only the listed labels decide.
fn is_on(node: &Binary) -> bool {
    node.matching.as_ref().is_some_and(|matching| matching.keyword.value == MatchingKind::On)
}

fn is_listed(node: &Binary, name: &str) -> bool {
    node.matching.as_ref().is_some_and(|one| one.labels.iter().any(|label| &*label.value == name))
}

fn key(node: &Binary, labels: &Labels) -> Labels {
    if is_on(node) {
        labels.filtered(|name, _| is_listed(node, name))
    } else {
        labels.filtered(|name, _| name != METRIC_NAME && !is_listed(node, name))
    }
}

fn set(node: &Binary, left: Vec<Element>, right: Vec<Element>) -> Vec<Element> {
    let keys =
        |side: &[Element]| -> BTreeSet<Labels> { side.iter().map(|one| key(node, &one.labels)).collect() };
    let (left_keys, right_keys) = (keys(&left), keys(&right));
    let in_right = |one: &Element| right_keys.contains(&key(node, &one.labels));
    match node.op {
        BinaryOp::And => left.into_iter().filter(in_right).collect(),
        BinaryOp::Unless => left.into_iter().filter(|one| !in_right(one)).collect(),
        _ => {
            let added = right.into_iter().filter(|one| !left_keys.contains(&key(node, &one.labels)));
            left.into_iter().chain(added).collect()
        }
    }
}

/// The side that may have several elements per key; of a one-to-one matching the left one.
fn many_side(node: &Binary) -> GroupSide {
    let group = node.matching.as_ref().and_then(|matching| matching.group.as_ref());
    group.map_or(GroupSide::Left, |group| group.keyword.value)
}

fn is_grouped(node: &Binary) -> bool {
    node.matching.as_ref().is_some_and(|matching| matching.group.is_some())
}

fn matched(node: &Binary, left: &[Element], right: &[Element]) -> Result<Vec<Element>, OracleError> {
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    let is_left_many = many_side(node) == GroupSide::Left;
    let (many, one) = if is_left_many { (left, right) } else { (right, left) };
    let one_keys: Vec<Labels> = one.iter().map(|element| key(node, &element.labels)).collect();
    if (1..one_keys.len()).any(|at| one_keys[..at].contains(&one_keys[at])) {
        return failed("many-to-many matching not allowed: matching labels must be unique on one side");
    }
    let mut seen = BTreeSet::new();
    let mut elements = Vec::new();
    for element in many {
        let key = key(node, &element.labels);
        let Some(partner) = one_keys.iter().position(|other| *other == key) else { continue };
        let (a, b) = (element.value, one[partner].value);
        let operands = if is_left_many { (a, b) } else { (b, a) };
        let labels = result_labels(node, &element.labels, &one[partner].labels);
        let is_new = if is_grouped(node) { true } else { seen.insert((key.clone(), Labels::empty())) };
        if !is_new {
            return failed("multiple matches for labels: many-to-one matching must be explicit");
        }
        let base = Element { labels: labels.clone(), ..element.clone() };
        let Some(outcome) = self::element(node, &base, operands, operands.0) else { continue };
        if is_grouped(node) && !seen.insert((key, labels)) {
            return failed("multiple matches for labels: grouping labels must ensure unique matches");
        }
        elements.push(outcome);
    }
    Ok(elements)
}

fn result_labels(node: &Binary, many: &Labels, one: &Labels) -> Labels {
    let makes_new = node.op.kind() == OperatorKind::Arithmetic;
    let base = if makes_new { many.without_metric_identity() } else { many.clone() };
    let group = node.matching.as_ref().and_then(|matching| matching.group.as_ref());
    let Some(group) = group else {
        return match (&node.matching, is_on(node)) {
            (None, _) => base,
            (Some(_), true) => base.filtered(|name, _| is_listed(node, name)),
            (Some(_), false) => base.filtered(|name, _| !is_listed(node, name)),
        };
    };
    let mut builder = LabelsBuilder::from_labels(&base);
    for label in &group.labels {
        builder.set(&label.value, one.value(&label.value));
    }
    builder.build()
}
