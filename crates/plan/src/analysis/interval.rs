//! Intervals of floats with open or closed ends, and what arithmetic makes of them.
//!
//! Rounding is monotone, so that the rounded ends of a result bound it; but an open end may be reached by rounding, so
//! every computed end is closed.

use std::fmt;

/// How far sums and means may stray beyond exact bounds by rounding, relative to the bound.
const ROUNDING: f64 = 1e-9;

/// All floats between two ends; never NaN.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Lower end.
    pub lo: f64,
    /// Whether `lo` itself is left out.
    pub lo_open: bool,
    /// Upper end.
    pub hi: f64,
    /// Whether `hi` itself is left out.
    pub hi_open: bool,
    /// Whether only whole numbers (and infinities) are in it.
    pub is_integer: bool,
}

impl Interval {
    /// Every float.
    pub const ALL: Interval = Interval::closed(f64::NEG_INFINITY, f64::INFINITY);
    /// None.
    pub const EMPTY: Interval = Interval::closed(f64::INFINITY, f64::NEG_INFINITY);
    /// Zero and above.
    pub const NON_NEGATIVE: Interval = Interval::closed(0.0, f64::INFINITY);
    /// 1.
    pub const ONE: Interval = Interval::closed(1.0, 1.0).whole();
    /// 0 and 1.
    pub const BOOL: Interval = Interval::closed(0.0, 1.0).whole();
    /// 0, 1, 2 …
    pub const NATURAL: Interval = Interval::NON_NEGATIVE.whole();
    /// 1, 2, 3 …
    pub const POSITIVE_COUNT: Interval = Interval::closed(1.0, f64::INFINITY).whole();

    /// Both ends included.
    pub const fn closed(lo: f64, hi: f64) -> Interval {
        Interval { lo, lo_open: false, hi, hi_open: false, is_integer: false }
    }

    /// Only whole numbers.
    pub const fn whole(self) -> Interval {
        Interval { is_integer: true, ..self }
    }

    /// Only `value`; nothing when it is NaN.
    pub fn point(value: f64) -> Interval {
        if value.is_nan() {
            return Interval::EMPTY;
        }
        Interval { is_integer: value.fract() == 0.0 || value.is_infinite(), ..Interval::closed(value, value) }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.lo > self.hi || (self.lo == self.hi && (self.lo_open || self.hi_open))
    }

    /// The only value, if there is exactly one.
    pub fn as_point(&self) -> Option<f64> {
        (self.lo == self.hi && !self.is_empty()).then_some(self.lo)
    }

    /// Whether `value` is in it.
    pub fn contains(&self, value: f64) -> bool {
        let above = value > self.lo || (value == self.lo && !self.lo_open);
        let below = value < self.hi || (value == self.hi && !self.hi_open);
        above && below && (!self.is_integer || value.is_infinite() || value.fract() == 0.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Interval) -> Interval {
        let (lo, lo_open) = match (self.lo > other.lo, self.lo == other.lo) {
            (_, true) => (self.lo, self.lo_open || other.lo_open),
            (true, _) => (self.lo, self.lo_open),
            (false, _) => (other.lo, other.lo_open),
        };
        let (hi, hi_open) = match (self.hi < other.hi, self.hi == other.hi) {
            (_, true) => (self.hi, self.hi_open || other.hi_open),
            (true, _) => (self.hi, self.hi_open),
            (false, _) => (other.hi, other.hi_open),
        };
        let is_integer = self.is_integer || other.is_integer;
        Interval { lo, lo_open, hi, hi_open, is_integer }.tightened()
    }

    /// What holds both.
    #[must_use]
    pub fn hull(&self, other: &Interval) -> Interval {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        let (lo, lo_open) = match (self.lo < other.lo, self.lo == other.lo) {
            (_, true) => (self.lo, self.lo_open && other.lo_open),
            (true, _) => (self.lo, self.lo_open),
            (false, _) => (other.lo, other.lo_open),
        };
        let (hi, hi_open) = match (self.hi > other.hi, self.hi == other.hi) {
            (_, true) => (self.hi, self.hi_open && other.hi_open),
            (true, _) => (self.hi, self.hi_open),
            (false, _) => (other.hi, other.hi_open),
        };
        Interval { lo, lo_open, hi, hi_open, is_integer: self.is_integer && other.is_integer }
    }

    /// Ends of whole numbers moved to whole numbers.
    fn tightened(self) -> Interval {
        if !self.is_integer {
            return self;
        }
        let inner = |end: f64, is_open: bool, rounded: f64, step: f64| match end.is_infinite() {
            true => (end, is_open),
            false if is_open && rounded == end && (end + step) != end => (end + step, false),
            false if rounded == end => (end, is_open),
            false => (rounded, false),
        };
        let (lo, lo_open) = inner(self.lo, self.lo_open, self.lo.ceil(), 1.0);
        let (hi, hi_open) = inner(self.hi, self.hi_open, self.hi.floor(), -1.0);
        Interval { lo, lo_open, hi, hi_open, is_integer: true }
    }

    /// Whether infinities are in it.
    pub fn has_infinity(&self) -> bool {
        self.contains(f64::INFINITY) || self.contains(f64::NEG_INFINITY)
    }

    /// Whether it holds both signs, so that infinities of both may meet.
    pub fn is_mixed(&self) -> bool {
        self.lo < 0.0 && self.hi > 0.0
    }

    /// Bounds of means and interpolations of values in it, rounding included.
    #[must_use]
    pub fn blurred(&self) -> Interval {
        if self.is_empty() {
            return *self;
        }
        Interval::closed(blur_down(self.lo), blur_up(self.hi))
    }

    /// Bounds of sums of one or more values in it.
    #[must_use]
    pub fn summed(&self) -> Interval {
        if self.is_empty() {
            return *self;
        }
        let lo = if self.lo >= 0.0 { blur_down(self.lo) } else { f64::NEG_INFINITY };
        let hi = if self.hi <= 0.0 { blur_up(self.hi) } else { f64::INFINITY };
        Interval { is_integer: self.is_integer, ..Interval::closed(lo, hi) }.tightened()
    }

    /// The image under a function that never falls.
    #[must_use]
    pub fn mapped(&self, rising: impl Fn(f64) -> f64) -> Interval {
        if self.is_empty() {
            return *self;
        }
        Interval::closed(rising(self.lo), rising(self.hi))
    }

    /// With the opposite signs.
    #[must_use]
    pub fn negated(&self) -> Interval {
        Interval {
            lo: 0.0 - self.hi,
            lo_open: self.hi_open,
            hi: 0.0 - self.lo,
            hi_open: self.lo_open,
            ..*self
        }
    }

    /// Bounds of `combine` over both, for an operation that is monotone in each operand: its extremes lie at the ends.
    /// Combinations that are NaN give no bounds: everything is possible.
    #[must_use]
    pub fn combined(&self, other: &Interval, combine: impl Fn(f64, f64) -> f64) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let corners = [
            combine(self.lo, other.lo),
            combine(self.lo, other.hi),
            combine(self.hi, other.lo),
            combine(self.hi, other.hi),
        ];
        if corners.iter().any(|corner| corner.is_nan()) {
            return Interval::ALL;
        }
        let lo = corners.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = corners.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Interval::closed(lo, hi)
    }
}

fn blur_down(bound: f64) -> f64 {
    if bound.is_finite() { bound - bound.abs() * ROUNDING } else { bound }
}

fn blur_up(bound: f64) -> f64 {
    if bound.is_finite() { bound + bound.abs() * ROUNDING } else { bound }
}

/// In mathematical notation: `(5, +Inf]`, `{1}`, `{0..1}` for whole numbers, `∅`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |value: f64| match value {
            f64::INFINITY => "+Inf".to_owned(),
            f64::NEG_INFINITY => "-Inf".to_owned(),
            value => value.to_string(),
        };
        if self.is_empty() {
            return f.write_str("∅");
        }
        if let Some(value) = self.as_point() {
            return write!(f, "{{{}}}", end(value));
        }
        let (open, close) = (if self.lo_open { "(" } else { "[" }, if self.hi_open { ")" } else { "]" });
        let suffix = if self.is_integer { " whole" } else { "" };
        write!(f, "{open}{}, {}{close}{suffix}", end(self.lo), end(self.hi))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_tighten_open_ends() {
        let above = Interval { lo_open: true, ..Interval::closed(0.0, f64::INFINITY) };
        assert_eq!(Interval::BOOL.intersection(&above).as_point(), Some(1.0));
        assert_eq!(Interval::NATURAL.intersection(&above).to_string(), "[1, +Inf] whole");
        assert!(Interval::BOOL.intersection(&Interval::closed(0.25, 0.75)).is_empty());
    }

    #[test]
    fn intersections_and_hulls() {
        let low = Interval { hi_open: true, ..Interval::closed(-1.0, 3.0) };
        let high = Interval { lo_open: true, ..Interval::closed(3.0, 9.0) };
        assert!(low.intersection(&high).is_empty());
        assert_eq!(low.hull(&high).to_string(), "[-1, 9]");
        assert_eq!(Interval::EMPTY.hull(&high), high);
        assert_eq!(low.negated().to_string(), "(-3, 1]");
    }

    #[test]
    fn combinations_that_may_be_undefined_have_no_bounds() {
        let product = Interval::NON_NEGATIVE.combined(&Interval::NON_NEGATIVE, |a, b| a * b);
        assert_eq!(product, Interval::ALL);
        let sum = Interval::closed(1.0, 2.0).combined(&Interval::closed(-1.0, 5.0), |a, b| a + b);
        assert_eq!(sum, Interval::closed(0.0, 7.0));
    }
}
