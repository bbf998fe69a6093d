//! What a binary operator makes of two elements, and of whole columns of floats.

use std::sync::Arc;

use narthex_model::histogram::{IncompatibleSchemas, Keep, Reconciliation};
use narthex_model::{CounterResetHint, FloatHistogram, SampleValue};
use narthex_promql::operators::{BinaryOp, OperatorKind};

use crate::{AnnotationKind, SampleRef};

/// An operator that works on elements, with its `bool` modifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Operation {
    /// The operator; not a set operator.
    pub op: BinaryOp,
    /// Whether a comparison says 0 or 1 instead of filtering.
    pub returns_bool: bool,
}

/// What comes of two elements.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Outcome {
    /// The element of the result, if there is one.
    pub value: Option<SampleValue>,
    /// What is to be said of it.
    pub note: Option<AnnotationKind>,
}

/// On which side of an operator the scalar stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ScalarSide {
    /// `2 * x`
    Left,
    /// `x * 2`
    Right,
}

impl Outcome {
    fn of(value: impl Into<SampleValue>) -> Outcome {
        Outcome { value: Some(value.into()), note: None }
    }

    fn nothing(note: AnnotationKind) -> Outcome {
        Outcome { value: None, note: Some(note) }
    }
}

impl Operation {
    /// Whether the name goes.
    pub(crate) fn drops_name(self) -> bool {
        self.returns_bool || self.makes_quantity()
    }

    /// Whether the result is a new quantity: of arithmetic.
    pub(crate) fn makes_quantity(self) -> bool {
        self.op.kind() == OperatorKind::Arithmetic
    }

    /// What comes of two elements of any kind. A comparison keeps the left one.
    pub(crate) fn apply(self, left: SampleRef<'_>, right: SampleRef<'_>) -> Outcome {
        match (left, right) {
            (SampleRef::Float(left), SampleRef::Float(right)) => self.floats(left, right),
            (SampleRef::Float(left), SampleRef::Histogram(right)) => self.scaled_by_left(left, right),
            (SampleRef::Histogram(left), SampleRef::Float(right)) => self.scaled_or_trimmed(left, right),
            (SampleRef::Histogram(left), SampleRef::Histogram(right)) => self.histograms(left, right),
        }
    }

    /// [`Operation::apply`] with a scalar: what a comparison keeps is the element of the vector, on either side.
    pub(crate) fn apply_scalar(self, element: SampleRef<'_>, scalar: f64, side: ScalarSide) -> Outcome {
        let scalar = SampleRef::Float(scalar);
        let mut outcome = match side {
            ScalarSide::Right => return self.apply(element, scalar),
            ScalarSide::Left => self.apply(scalar, element),
        };
        if self.op.is_comparison() && !self.returns_bool && outcome.value.is_some() {
            outcome.value = Some(element.to_value());
        }
        outcome
    }

    fn floats(self, left: f64, right: f64) -> Outcome {
        match compare(self.op, left, right) {
            Some(holds) => self.compared(holds, SampleValue::Float(left)),
            None => match compute(self.op, left, right) {
                Some(value) => Outcome::of(value),
                None => self.incompatible("float", "float"),
            },
        }
    }

    fn compared(self, holds: bool, left: SampleValue) -> Outcome {
        let value = match (self.returns_bool, holds) {
            (true, _) => Some(SampleValue::Float(f64::from(u8::from(holds)))),
            (false, true) => Some(left),
            (false, false) => None,
        };
        Outcome { value, note: None }
    }

    fn scaled_by_left(self, factor: f64, histogram: &FloatHistogram) -> Outcome {
        match self.op {
            BinaryOp::Mul => changed(histogram, |histogram| histogram.mul(factor)),
            _ => self.incompatible("float", "histogram"),
        }
    }

    fn scaled_or_trimmed(self, histogram: &FloatHistogram, value: f64) -> Outcome {
        match self.op {
            BinaryOp::Mul => changed(histogram, |histogram| histogram.mul(value)),
            BinaryOp::Div => changed(histogram, |histogram| histogram.div(value)),
            BinaryOp::TrimUpper => Outcome::of(histogram.trimmed(Keep::Below, value)),
            BinaryOp::TrimLower => Outcome::of(histogram.trimmed(Keep::Above, value)),
            _ => self.incompatible("histogram", "float"),
        }
    }

    fn histograms(self, left: &Arc<FloatHistogram>, right: &FloatHistogram) -> Outcome {
        match self.op {
            BinaryOp::Add => self.combined("addition", left, |sum| sum.add(right)),
            BinaryOp::Sub => self.combined("subtraction", left, |difference| {
                let outcome = difference.sub(right);
                difference.counter_reset_hint = CounterResetHint::Gauge;
                outcome
            }),
            BinaryOp::Equal => self.compared(left.equals(right), SampleValue::Histogram(Arc::clone(left))),
            BinaryOp::NotEqual => {
                self.compared(!left.equals(right), SampleValue::Histogram(Arc::clone(left)))
            }
            _ => self.incompatible("histogram", "histogram"),
        }
    }

    /// A sum or difference. One whose operands disagree about a counter reset is left out, with a warning.
    fn combined(
        self,
        name: &'static str,
        left: &FloatHistogram,
        combine: impl FnOnce(&mut FloatHistogram) -> Result<Reconciliation, IncompatibleSchemas>,
    ) -> Outcome {
        let mut total = left.clone();
        let Ok(outcome) = combine(&mut total) else {
            return Outcome::nothing(AnnotationKind::IncompatibleBucketLayout(self.op.as_str()));
        };
        if outcome.counter_resets_collide {
            return Outcome::nothing(AnnotationKind::CounterResetCollision(name));
        }
        total.compact(0);
        let note = outcome.custom_bounds_differ.then_some(AnnotationKind::CustomBucketsReconciled(name));
        Outcome { note, ..Outcome::of(total) }
    }

    fn incompatible(self, left: &'static str, right: &'static str) -> Outcome {
        Outcome::nothing(AnnotationKind::IncompatibleOperands(left, self.op.as_str(), right))
    }
}

fn changed(histogram: &FloatHistogram, change: impl FnOnce(&mut FloatHistogram)) -> Outcome {
    let mut result = histogram.clone();
    change(&mut result);
    Outcome::of(result)
}

/// What a comparison says; `None` for other operators.
pub(crate) fn compare(op: BinaryOp, left: f64, right: f64) -> Option<bool> {
    Some(match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Less => left < right,
        BinaryOp::LessOrEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterOrEqual => left >= right,
        _ => return None,
    })
}

/// What arithmetic makes of two floats; `None` for other operators.
pub(crate) fn compute(op: BinaryOp, left: f64, right: f64) -> Option<f64> {
    let mut result = [left];
    compute_all(op, &mut result, &[right]).then_some(result[0])
}

/// Arithmetic over all steps of two columns, into the left one: the operator is told apart once, not per step. `false`
/// when it is no arithmetic one; then nothing is changed.
pub(crate) fn compute_all(op: BinaryOp, left: &mut [f64], right: &[f64]) -> bool {
    match op {
        BinaryOp::Add => each(left, right, |left, right| left + right),
        BinaryOp::Sub => each(left, right, |left, right| left - right),
        BinaryOp::Mul => each(left, right, |left, right| left * right),
        BinaryOp::Div => each(left, right, |left, right| left / right),
        BinaryOp::Mod => each(left, right, |left, right| left % right),
        BinaryOp::Pow => each(left, right, f64::powf),
        BinaryOp::Atan2 => each(left, right, f64::atan2),
        _ => return false,
    }
    true
}

fn each(left: &mut [f64], right: &[f64], compute: impl Fn(f64, f64) -> f64) {
    for (left, &right) in left.iter_mut().zip(right) {
        *left = compute(*left, right);
    }
}

#[cfg(test)]
mod tests {
    use narthex_model::BucketSpan;

    use super::*;

    fn filter(op: BinaryOp) -> Operation {
        Operation { op, returns_bool: false }
    }

    fn histogram(value: f64) -> Arc<FloatHistogram> {
        Arc::new(FloatHistogram {
            count: value,
            sum: value,
            positive_spans: vec![BucketSpan { offset: 0, length: 1 }],
            positive_buckets: vec![value],
            ..FloatHistogram::default()
        })
    }

    fn shown(outcome: &Outcome) -> String {
        match (&outcome.value, &outcome.note) {
            (Some(SampleValue::Float(value)), None) => value.to_string(),
            (Some(SampleValue::Histogram(value)), None) => value.to_string(),
            (None, Some(AnnotationKind::IncompatibleOperands(left, op, right))) => {
                format!("! {left} {op} {right}")
            }
            (None, Some(AnnotationKind::IncompatibleBucketLayout(_))) => "! layout".into(),
            (None, Some(AnnotationKind::CounterResetCollision(name))) => format!("! {name}"),
            (None, None) => "-".into(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn floats_follow_the_table() {
        use BinaryOp as Op;
        let rows = [
            (Op::Add, 1.0, 2.0, "3"),
            (Op::Mod, -5.0, 3.0, "-2"),
            (Op::Mod, 5.0, 0.0, "NaN"),
            (Op::Div, 1.0, 0.0, "inf"),
            (Op::Pow, 2.0, 10.0, "1024"),
            (Op::Less, 1.0, 2.0, "1"),
            (Op::Less, 2.0, 1.0, "-"),
            (Op::NotEqual, f64::NAN, 1.0, "NaN"),
            (Op::TrimUpper, 1.0, 2.0, "! float </ float"),
        ];
        for (op, left, right, expected) in rows {
            let outcome = filter(op).apply(SampleRef::Float(left), SampleRef::Float(right));
            assert_eq!(shown(&outcome), expected, "{op:?}");
        }
    }

    #[test]
    fn kinds_follow_the_table() {
        use BinaryOp as Op;
        let one = histogram(1.0);
        let (number, histogram) = (SampleRef::Float(2.0), SampleRef::Histogram(&one));
        let rows = [
            (Op::Mul, number, histogram, "{count:2, sum:2, (0.5,1]:2}"),
            (Op::Div, number, histogram, "! float / histogram"),
            (Op::Div, histogram, number, "{count:0.5, sum:0.5, (0.5,1]:0.5}"),
            (Op::Equal, histogram, number, "! histogram == float"),
            (Op::TrimUpper, histogram, number, "{count:1, sum:1, (0.5,1]:1}"),
            (Op::TrimLower, histogram, number, "{count:0, sum:0}"),
            (Op::Add, histogram, histogram, "{count:2, sum:2, (0.5,1]:2}"),
            (Op::Sub, histogram, histogram, "{count:0, sum:0}"),
            (Op::NotEqual, histogram, histogram, "-"),
            (Op::Greater, histogram, histogram, "! histogram > histogram"),
        ];
        for (op, left, right, expected) in rows {
            assert_eq!(shown(&filter(op).apply(left, right)), expected, "{op:?}");
        }
    }

    #[test]
    fn incompatible_histograms_leave_nothing() {
        let hinted =
            |hint| Arc::new(FloatHistogram { counter_reset_hint: hint, ..(*histogram(1.0)).clone() });
        let (reset, none) = (hinted(CounterResetHint::Reset), hinted(CounterResetHint::NotReset));
        let custom = Arc::new(FloatHistogram { schema: -53, ..FloatHistogram::default() });
        let apply = |op, left, right| {
            shown(&filter(op).apply(SampleRef::Histogram(left), SampleRef::Histogram(right)))
        };
        assert_eq!(apply(BinaryOp::Add, &reset, &none), "! addition");
        assert_eq!(apply(BinaryOp::Sub, &reset, &none), "! subtraction");
        assert_eq!(apply(BinaryOp::Add, &reset, &custom), "! layout");
    }

    #[test]
    fn scalars_never_replace_the_element() {
        let less = filter(BinaryOp::Less);
        assert_eq!(shown(&less.apply_scalar(SampleRef::Float(5.0), 3.0, ScalarSide::Left)), "5");
        assert_eq!(shown(&less.apply_scalar(SampleRef::Float(5.0), 3.0, ScalarSide::Right)), "-");
        let says = Operation { returns_bool: true, ..less };
        assert_eq!(shown(&says.apply_scalar(SampleRef::Float(5.0), 3.0, ScalarSide::Left)), "1");
        assert_eq!(shown(&says.apply_scalar(SampleRef::Float(5.0), 3.0, ScalarSide::Right)), "0");
        let one = histogram(1.0);
        let equal = Operation { op: BinaryOp::Equal, returns_bool: true };
        let outcome = equal.apply_scalar(SampleRef::Histogram(&one), 1.0, ScalarSide::Right);
        assert_eq!(shown(&outcome), "! histogram == float");
    }
}
