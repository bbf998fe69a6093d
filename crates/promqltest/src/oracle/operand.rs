//! What an operator makes of two samples.

use narthex_model::histogram::Keep;
use narthex_model::{CounterResetHint, FloatHistogram, SampleValue};
use narthex_promql::operators::BinaryOp;

/// What comes of two samples.
pub(super) enum Outcome {
    /// A new sample.
    Value(SampleValue),
    /// A comparison holds or does not.
    Holds(bool),
    /// The operator does not know such samples.
    Nothing,
}

pub(super) fn combined(op: BinaryOp, left: &SampleValue, right: &SampleValue) -> Outcome {
    match (left, right) {
        (SampleValue::Float(left), SampleValue::Float(right)) => floats(op, *left, *right),
        (SampleValue::Histogram(left), SampleValue::Float(right)) => scaled(op, left, *right),
        (SampleValue::Float(left), SampleValue::Histogram(right)) if op == BinaryOp::Mul => {
            scaled(op, right, *left)
        }
        (SampleValue::Float(_), SampleValue::Histogram(_)) => Outcome::Nothing,
        (SampleValue::Histogram(left), SampleValue::Histogram(right)) => histograms(op, left, right),
    }
}

fn floats(op: BinaryOp, left: f64, right: f64) -> Outcome {
    let value = match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        BinaryOp::Pow => left.powf(right),
        BinaryOp::Atan2 => left.atan2(right),
        BinaryOp::Equal => return Outcome::Holds(left == right),
        BinaryOp::NotEqual => return Outcome::Holds(left != right),
        BinaryOp::Less => return Outcome::Holds(left < right),
        BinaryOp::LessOrEqual => return Outcome::Holds(left <= right),
        BinaryOp::Greater => return Outcome::Holds(left > right),
        BinaryOp::GreaterOrEqual => return Outcome::Holds(left >= right),
        BinaryOp::TrimUpper | BinaryOp::TrimLower | BinaryOp::And | BinaryOp::Or | BinaryOp::Unless => {
            return Outcome::Nothing;
        }
    };
    Outcome::Value(value.into())
}

fn scaled(op: BinaryOp, histogram: &FloatHistogram, number: f64) -> Outcome {
    let mut result = histogram.clone();
    match op {
        BinaryOp::Mul => result.mul(number),
        BinaryOp::Div => result.div(number),
        BinaryOp::TrimUpper => result = histogram.trimmed(Keep::Below, number),
        BinaryOp::TrimLower => result = histogram.trimmed(Keep::Above, number),
        _ => return Outcome::Nothing,
    }
    Outcome::Value(result.into())
}

fn histograms(op: BinaryOp, left: &FloatHistogram, right: &FloatHistogram) -> Outcome {
    let mut result = left.clone();
    let outcome = match op {
        BinaryOp::Equal => return Outcome::Holds(left.equals(right)),
        BinaryOp::NotEqual => return Outcome::Holds(!left.equals(right)),
        BinaryOp::Add => result.add(right),
        BinaryOp::Sub => result.sub(right),
        _ => return Outcome::Nothing,
    };
    match outcome {
        Ok(outcome) if !outcome.counter_resets_collide => {
            if op == BinaryOp::Sub {
                result.counter_reset_hint = CounterResetHint::Gauge;
            }
            result.compact(0);
            Outcome::Value(result.into())
        }
        _ => Outcome::Nothing,
    }
}
