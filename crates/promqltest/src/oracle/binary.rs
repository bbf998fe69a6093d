//! Binary operators: every element of one side against every element of the other.

use std::collections::BTreeSet;

use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder, SampleValue, Timestamp};
use narthex_promql::ast::{Binary, GroupSide, MatchingKind};
use narthex_promql::operators::{BinaryOp, OperatorKind};

use super::operand::{Outcome, combined};
use super::{Element, Oracle, OracleError, Value, failed, unsupported};

impl Oracle<'_> {
    pub(super) fn binary(&self, node: &Binary, times: &[Timestamp]) -> Result<Value, OracleError> {
        match (self.value(&node.lhs, times)?, self.value(&node.rhs, times)?) {
            (Value::Scalars(left), Value::Scalars(right)) => {
                let values = left.into_iter().zip(right);
                values
                    .map(|(left, right)| scalar(node.op, left, right))
                    .collect::<Result<_, _>>()
                    .map(Value::Scalars)
            }
            (Value::Vectors(left), Value::Scalars(right)) => {
                let pairs = left.iter().zip(right);
                let step = |(left, right): (&Vec<Element>, f64)| {
                    let right = SampleValue::from(right);
                    left.iter()
                        .filter_map(|one| outcome(node, one, (&one.value, &right), &one.value))
                        .collect()
                };
                self.settled(pairs.map(step).collect())
            }
            (Value::Scalars(left), Value::Vectors(right)) => {
                let pairs = left.into_iter().zip(&right);
                let step = |(left, right): (f64, &Vec<Element>)| {
                    let left = SampleValue::from(left);
                    right
                        .iter()
                        .filter_map(|one| outcome(node, one, (&left, &one.value), &one.value))
                        .collect()
                };
                self.settled(pairs.map(step).collect())
            }
            (Value::Vectors(left), Value::Vectors(right)) => {
                let pairs = left.into_iter().zip(right);
                let step = |(left, right): (Vec<Element>, Vec<Element>)| match node.op.kind() {
                    OperatorKind::Set => Ok(set(node, left, right)),
                    _ => self.matched(node, &left, &right),
                };
                self.settled(pairs.map(step).collect::<Result<_, _>>()?)
            }
            _ => unsupported("operations on windows and strings"),
        }
    }

    fn matched(
        &self,
        node: &Binary,
        left: &[Element],
        right: &[Element],
    ) -> Result<Vec<Element>, OracleError> {
        let pairs = Pairs::new(node, left, right)?;
        let mut seen = BTreeSet::new();
        let mut elements = Vec::new();
        for (key, many, one) in pairs.list {
            if !is_grouped(node) && !seen.insert((key.clone(), Labels::empty())) {
                return failed("multiple matches for labels: many-to-one matching must be explicit");
            }
            let base = Element { labels: result_labels(node, &many.labels, &one.labels), ..many.clone() };
            let (left, right) =
                if pairs.is_left_many { (&many.value, &one.value) } else { (&one.value, &many.value) };
            let Some(mut outcome) = outcome(node, &base, (left, right), left) else { continue };
            self.drop_name(&mut outcome);
            if is_grouped(node) && !seen.insert((key, outcome.labels.clone())) {
                return failed("multiple matches for labels: grouping labels must ensure unique matches");
            }
            elements.push(outcome);
        }
        Ok(elements)
    }
}

/// A comparison of scalars says 0 or 1.
fn scalar(op: BinaryOp, left: f64, right: f64) -> Result<f64, OracleError> {
    match combined(op, &left.into(), &right.into()) {
        Outcome::Value(SampleValue::Float(value)) => Ok(value),
        Outcome::Holds(holds) => Ok(f64::from(u8::from(holds))),
        _ => failed(format!("operator {:?} not allowed for Scalar operations", op.as_str())),
    }
}

/// What becomes of `base`, whose labels count; a comparison keeps `kept`.
fn outcome(
    node: &Binary,
    base: &Element,
    operands: (&SampleValue, &SampleValue),
    kept: &SampleValue,
) -> Option<Element> {
    match combined(node.op, operands.0, operands.1) {
        Outcome::Value(value) if node.op.kind() == OperatorKind::Trim => {
            Some(Element { value, ..base.clone() })
        }
        Outcome::Value(value) => Some(base.with(value)),
        Outcome::Holds(holds) if node.bool_modifier.is_some() => Some(base.with(f64::from(u8::from(holds)))),
        Outcome::Holds(true) => Some(Element { value: kept.clone(), ..base.clone() }),
        Outcome::Holds(false) | Outcome::Nothing => None,
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

/// The partners of a step: key, element of the side with many, element of the other.
struct Pairs {
    is_left_many: bool,
    list: Vec<(Labels, Element, Element)>,
}

impl Pairs {
    fn new(node: &Binary, left: &[Element], right: &[Element]) -> Result<Pairs, OracleError> {
        let is_left_many = many_side(node) == GroupSide::Left;
        // Upstream fills the "many" side by `fill_left`, whichever side that is.
        let fill = (node.fill.left.map(|one| one.value), node.fill.right.map(|one| one.value));
        let (many, one) = if is_left_many { (left, right) } else { (right, left) };
        let mut list = Vec::new();
        if (many.is_empty() || one.is_empty()) && fill == (None, None) {
            return Ok(Pairs { is_left_many, list });
        }
        let keys = |side: &[Element]| -> Vec<Labels> {
            side.iter().map(|element| key(node, &element.labels)).collect()
        };
        let (many_keys, one_keys) = (keys(many), keys(one));
        if (1..one_keys.len()).any(|at| one_keys[..at].contains(&one_keys[at])) {
            return failed("many-to-many matching not allowed: matching labels must be unique on one side");
        }
        for (element, key) in many.iter().zip(&many_keys) {
            let found = one_keys.iter().position(|other| other == key).map(|at| one[at].clone());
            let partner = found.or_else(|| Some(Element::new(key.clone(), fill.1?)));
            list.extend(partner.map(|partner| (key.clone(), element.clone(), partner)));
        }
        for (element, key) in one.iter().zip(one_keys) {
            if let (Some(value), false) = (fill.0, many_keys.contains(&key)) {
                list.push((key.clone(), Element::new(key, value), element.clone()));
            }
        }
        Ok(Pairs { is_left_many, list })
    }
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
