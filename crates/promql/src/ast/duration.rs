//! Durations that are computed: `[5m + step() * 2]`.

use std::fmt;

use narthex_diag::Span;

/// A duration as written.
#[derive(Clone, PartialEq, Debug)]
pub enum DurationExpr {
    /// `5m`, `300`, `1.5`
    Literal {
        /// Seconds.
        seconds: f64,
        /// Whether it was written with a unit.
        is_duration: bool,
        /// Where it stands, a folded sign included.
        span: Span,
    },
    /// `step()`: the step of the query, 0 for an instant query.
    Step(Span),
    /// `range()`: end minus start of the query, 0 for an instant query.
    Range(Span),
    /// `-d`, `+d`
    Signed {
        /// Whether the sign is a minus.
        is_negative: bool,
        /// What is signed.
        expr: Box<DurationExpr>,
        /// Sign and expression.
        span: Span,
    },
    /// `(d)`
    Paren {
        /// What is between the parentheses.
        expr: Box<DurationExpr>,
        /// The parentheses and what is between them.
        span: Span,
    },
    /// `a + b`, `min_of(a, b)`
    Binary {
        /// The operation.
        op: DurationOp,
        /// Left operand.
        lhs: Box<DurationExpr>,
        /// Right operand.
        rhs: Box<DurationExpr>,
        /// The whole.
        span: Span,
    },
}

/// An operation on two durations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DurationOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `min_of(a, b)`
    MinOf,
    /// `max_of(a, b)`
    MaxOf,
}

impl DurationOp {
    /// The operator or function name.
    pub fn as_str(self) -> &'static str {
        match self {
            DurationOp::Add => "+",
            DurationOp::Sub => "-",
            DurationOp::Mul => "*",
            DurationOp::Div => "/",
            DurationOp::Mod => "%",
            DurationOp::Pow => "^",
            DurationOp::MinOf => "min_of",
            DurationOp::MaxOf => "max_of",
        }
    }

    /// Whether it is written as a call.
    pub fn is_call(self) -> bool {
        matches!(self, DurationOp::MinOf | DurationOp::MaxOf)
    }
}

/// What `step()` and `range()` mean: the outermost query's, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DurationScope {
    /// Step of the query; 0 for an instant query.
    pub step_ms: i64,
    /// End minus start of the query; 0 for an instant query.
    pub range_ms: i64,
}

/// Why a duration has no usable value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DurationErrorKind {
    /// Zero or negative where it must be positive.
    NotPositive,
    /// NaN or an infinity.
    NotFinite,
    /// Beyond 292 years.
    OutOfRange,
    /// Divided by zero.
    DivisionByZero,
    /// Remainder of a division by zero.
    ModuloByZero,
}

/// A duration without a usable value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DurationError {
    /// Which part.
    pub span: Span,
    /// Why.
    pub kind: DurationErrorKind,
}

/// Byte offsets and reason, as upstream prints them: `8:14: duration must be greater than 0`.
impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            DurationErrorKind::NotPositive => "duration must be greater than 0",
            DurationErrorKind::NotFinite => "duration is NaN or infinite",
            DurationErrorKind::OutOfRange => "duration is out of range",
            DurationErrorKind::DivisionByZero => "division by zero",
            DurationErrorKind::ModuloByZero => "modulo by zero",
        };
        write!(f, "{}:{}: {reason}", self.span.start, self.span.end)
    }
}

impl std::error::Error for DurationError {}

/// Largest number of seconds whose nanoseconds fit 63 bits.
const SECONDS_MAX: f64 = i64::MAX as f64 / 1e9;

impl DurationExpr {
    /// A literal of whole milliseconds, without a place.
    pub fn from_ms(ms: i64) -> DurationExpr {
        DurationExpr::Literal { seconds: ms as f64 / 1000.0, is_duration: true, span: Span::default() }
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            DurationExpr::Step(span) | DurationExpr::Range(span) => *span,
            DurationExpr::Literal { span, .. }
            | DurationExpr::Signed { span, .. }
            | DurationExpr::Paren { span, .. }
            | DurationExpr::Binary { span, .. } => *span,
        }
    }

    /// The span that upstream's messages give: parentheses and the names of `min_of` and `max_of` are left out, but
    /// the parenthesis before a literal is not.
    pub fn reported_span(&self) -> Span {
        match self {
            DurationExpr::Paren { expr, span } if expr.is_literal() => Span { end: expr.span().end, ..*span },
            DurationExpr::Paren { expr, .. } => expr.reported_span(),
            DurationExpr::Signed { expr, span, .. } => Span { end: expr.reported_span().end, ..*span },
            DurationExpr::Binary { lhs, rhs, .. } => lhs.reported_span().to(rhs.reported_span()),
            other => other.span(),
        }
    }

    /// Whether it is a single number or duration, needing no evaluation.
    pub fn is_literal(&self) -> bool {
        matches!(self, DurationExpr::Literal { .. })
    }

    /// The value in milliseconds, truncated.
    ///
    /// # Errors
    /// When a part divides by zero, or the value is not finite or too long.
    pub fn evaluate_ms(&self, scope: DurationScope) -> Result<i64, DurationError> {
        let seconds = self.evaluate_seconds(scope)?;
        let fault = |kind| Err(DurationError { span: self.reported_span(), kind });
        if !seconds.is_finite() {
            return fault(DurationErrorKind::NotFinite);
        }
        if seconds.abs() >= SECONDS_MAX {
            return fault(DurationErrorKind::OutOfRange);
        }
        match self {
            // A literal is kept in nanoseconds and cut to milliseconds only when used.
            DurationExpr::Literal { .. } => Ok((seconds * 1e9).round() as i64 / 1_000_000),
            _ => Ok((seconds * 1000.0) as i64),
        }
    }

    /// The value in milliseconds where it must be positive.
    ///
    /// # Errors
    /// As [`DurationExpr::evaluate_ms`], and when the value is zero or negative.
    pub fn evaluate_positive_ms(&self, scope: DurationScope) -> Result<i64, DurationError> {
        let ms = self.evaluate_ms(scope)?;
        let is_positive = self.evaluate_seconds(scope)? > 0.0;
        if is_positive {
            Ok(ms)
        } else {
            Err(DurationError { span: self.reported_span(), kind: DurationErrorKind::NotPositive })
        }
    }

    fn evaluate_seconds(&self, scope: DurationScope) -> Result<f64, DurationError> {
        Ok(match self {
            DurationExpr::Literal { seconds, .. } => *seconds,
            DurationExpr::Step(_) => scope.step_ms as f64 / 1000.0,
            DurationExpr::Range(_) => scope.range_ms as f64 / 1000.0,
            DurationExpr::Paren { expr, .. } => expr.evaluate_seconds(scope)?,
            DurationExpr::Signed { is_negative, expr, .. } => {
                let seconds = expr.evaluate_seconds(scope)?;
                if *is_negative { -seconds } else { seconds }
            }
            DurationExpr::Binary { op, lhs, rhs, .. } => {
                combine(*op, lhs.evaluate_seconds(scope)?, rhs.evaluate_seconds(scope)?)
                    .map_err(|kind| DurationError { span: self.reported_span(), kind })?
            }
        })
    }
}

fn combine(op: DurationOp, lhs: f64, rhs: f64) -> Result<f64, DurationErrorKind> {
    Ok(match op {
        DurationOp::Add => lhs + rhs,
        DurationOp::Sub => lhs - rhs,
        DurationOp::Mul => lhs * rhs,
        DurationOp::Div if rhs == 0.0 => return Err(DurationErrorKind::DivisionByZero),
        DurationOp::Div => lhs / rhs,
        DurationOp::Mod if rhs == 0.0 => return Err(DurationErrorKind::ModuloByZero),
        DurationOp::Mod => lhs % rhs,
        DurationOp::Pow => lhs.powf(rhs),
        DurationOp::MinOf => lhs.min(rhs),
        DurationOp::MaxOf => lhs.max(rhs),
    })
}
