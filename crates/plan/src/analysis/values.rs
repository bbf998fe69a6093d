//! Which values the elements of a vector, or a scalar, have: the facts and how comparisons narrow them.

use std::fmt;

use narthex_diag::Span;
use narthex_promql::operators::BinaryOp;

use super::interval::Interval;
use super::reason::{Reason, Why};

/// What a conclusion rests on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Basis {
    /// It holds for all data.
    Proof,
    /// It holds for data that is what its name or use says: counters that only go up, `up` being 0 or 1.
    Declared,
}

/// What is known of values. All unset means that there is no value at all.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ValueFacts {
    /// The floats there may be.
    pub floats: Interval,
    /// Whether NaN is possible.
    pub may_be_nan: bool,
    /// Whether native histograms are possible.
    pub may_be_histogram: bool,
    /// What this rests on.
    pub basis: Basis,
    /// What decides it.
    pub reason: Reason,
}

/// Whether a comparison holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// For every pair of values.
    Always,
    /// For some, perhaps.
    Sometimes,
    /// For none.
    Never,
}

impl ValueFacts {
    /// Nothing is known.
    pub fn any(span: Span) -> ValueFacts {
        ValueFacts {
            floats: Interval::ALL,
            may_be_nan: true,
            may_be_histogram: true,
            basis: Basis::Proof,
            reason: Reason::new(span, Why::Unknown),
        }
    }

    /// Any float, NaN included.
    pub fn any_float(span: Span) -> ValueFacts {
        ValueFacts { may_be_histogram: false, ..ValueFacts::any(span) }
    }

    /// Floats of `floats`, never NaN.
    pub fn within(floats: Interval, reason: Reason) -> ValueFacts {
        ValueFacts { floats, may_be_nan: false, may_be_histogram: false, basis: Basis::Proof, reason }
    }

    /// Only `value`.
    pub fn constant(value: f64, span: Span) -> ValueFacts {
        let reason = Reason::new(span, Why::Constant);
        ValueFacts { may_be_nan: value.is_nan(), ..ValueFacts::within(Interval::point(value), reason) }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.floats.is_empty() && !self.may_be_nan && !self.may_be_histogram
    }

    /// The only value, NaN included.
    pub fn as_constant(&self) -> Option<f64> {
        if self.may_be_histogram {
            return None;
        }
        match (self.may_be_nan, self.floats.is_empty()) {
            (true, true) => Some(f64::NAN),
            (false, false) => self.floats.as_point(),
            _ => None,
        }
    }

    /// Whether a value is among those possible.
    pub fn contains(&self, value: f64) -> bool {
        if value.is_nan() { self.may_be_nan } else { self.floats.contains(value) }
    }

    /// What holds for the values of both.
    #[must_use]
    pub fn union(&self, other: &ValueFacts) -> ValueFacts {
        ValueFacts {
            floats: self.floats.hull(&other.floats),
            may_be_nan: self.may_be_nan || other.may_be_nan,
            may_be_histogram: self.may_be_histogram || other.may_be_histogram,
            basis: self.basis.max(other.basis),
            reason: self.reason,
        }
    }

    /// What holds for values that both allow.
    #[must_use]
    pub fn intersection(&self, other: &ValueFacts) -> ValueFacts {
        ValueFacts {
            floats: self.floats.intersection(&other.floats),
            may_be_nan: self.may_be_nan && other.may_be_nan,
            may_be_histogram: self.may_be_histogram && other.may_be_histogram,
            basis: self.basis.max(other.basis),
            reason: self.reason,
        }
    }

    /// The values for which `value op limit` can hold.
    #[must_use]
    pub fn narrowed(&self, op: BinaryOp, limit: &ValueFacts, span: Span) -> ValueFacts {
        let is_equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
        let floats = match op {
            BinaryOp::NotEqual => self.floats_unequal_to(limit),
            _ => self.floats.intersection(&passing(op, &limit.floats)),
        };
        let is_narrower = floats != self.floats;
        ValueFacts {
            floats,
            may_be_nan: op == BinaryOp::NotEqual && self.may_be_nan,
            may_be_histogram: is_equality && self.may_be_histogram && limit.may_be_histogram,
            basis: self.basis.max(limit.basis),
            reason: if is_narrower { Reason::new(span, Why::Filtered) } else { self.reason },
        }
    }

    /// The floats for which `value != limit` can hold: an end that is excluded opens, a hole in the middle is not seen.
    fn floats_unequal_to(&self, limit: &ValueFacts) -> Interval {
        let excluded = limit.floats.as_point().filter(|_| !limit.may_be_nan && !limit.may_be_histogram);
        let Some(excluded) = excluded else { return self.floats };
        let opened = Interval {
            lo_open: self.floats.lo_open || self.floats.lo == excluded,
            hi_open: self.floats.hi_open || self.floats.hi == excluded,
            ..self.floats
        };
        opened.intersection(&Interval::ALL)
    }

    /// Whether `self op limit` holds.
    pub fn compared(&self, op: BinaryOp, limit: &ValueFacts) -> Verdict {
        if self.narrowed(op, limit, Span::default()).is_empty() {
            return Verdict::Never;
        }
        let is_unclear = self.may_be_histogram || limit.may_be_histogram;
        let has_nan = self.may_be_nan || limit.may_be_nan;
        if is_unclear || (has_nan && op != BinaryOp::NotEqual) {
            return Verdict::Sometimes;
        }
        match holds_for_all(&self.floats, op, &limit.floats) {
            true => Verdict::Always,
            false => Verdict::Sometimes,
        }
    }
}

/// The floats for which `float op limit` can hold; `!=` is no interval.
fn passing(op: BinaryOp, limit: &Interval) -> Interval {
    if limit.is_empty() {
        return Interval::EMPTY;
    }
    let above = Interval { lo: limit.lo, ..Interval::ALL };
    let below = Interval { hi: limit.hi, ..Interval::ALL };
    match op {
        BinaryOp::Greater => Interval { lo_open: true, ..above },
        BinaryOp::GreaterOrEqual => Interval { lo_open: limit.lo_open, ..above },
        BinaryOp::Less => Interval { hi_open: true, ..below },
        BinaryOp::LessOrEqual => Interval { hi_open: limit.hi_open, ..below },
        BinaryOp::Equal => *limit,
        _ => Interval::ALL,
    }
}

fn holds_for_all(values: &Interval, op: BinaryOp, limits: &Interval) -> bool {
    let strictly_above = |high: &Interval, low: &Interval| {
        high.lo > low.hi || (high.lo == low.hi && (high.lo_open || low.hi_open))
    };
    match op {
        BinaryOp::Greater => strictly_above(values, limits),
        BinaryOp::Less => strictly_above(limits, values),
        BinaryOp::GreaterOrEqual => values.lo >= limits.hi,
        BinaryOp::LessOrEqual => values.hi <= limits.lo,
        BinaryOp::Equal => values.as_point().is_some() && values.as_point() == limits.as_point(),
        BinaryOp::NotEqual => values.intersection(limits).is_empty(),
        _ => false,
    }
}

/// `[0, +Inf] whole or NaN or histogram`, with `declared` where it is no proof.
impl fmt::Display for ValueFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.floats)?;
        if self.may_be_nan {
            f.write_str(" or NaN")?;
        }
        if self.may_be_histogram {
            f.write_str(" or histogram")?;
        }
        match self.basis {
            Basis::Proof => Ok(()),
            Basis::Declared => f.write_str(", declared"),
        }
    }
}
