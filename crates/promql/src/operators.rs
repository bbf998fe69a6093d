//! The binary operators: one table of names, precedences and kinds.

use crate::reference::{OPERATORS_PAGE, section};

/// What an operator does with two elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OperatorKind {
    /// Makes a new quantity of two.
    Arithmetic,
    /// Keeps or drops the left element, or says 0 or 1 with `bool`.
    Comparison,
    /// Cuts observations off a native histogram.
    Trim,
    /// Works on whole vectors: which elements are there.
    Set,
}

/// A binary operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BinaryOp {
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
    /// `atan2`
    Atan2,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `</`
    TrimUpper,
    /// `>/`
    TrimLower,
    /// `and`
    And,
    /// `or`
    Or,
    /// `unless`
    Unless,
}

/// A row of the operator table.
#[derive(Clone, Copy, Debug)]
pub struct OperatorSpec {
    /// The operator.
    pub op: BinaryOp,
    /// As printed.
    pub text: &'static str,
    /// Higher binds tighter.
    pub precedence: u8,
    /// What it does.
    pub kind: OperatorKind,
}

const fn row(op: BinaryOp, text: &'static str, precedence: u8, kind: OperatorKind) -> OperatorSpec {
    OperatorSpec { op, text, precedence, kind }
}

/// All binary operators in the order of [`BinaryOp`]. Unary signs bind like `*`; only `^` is right-associative.
pub const OPERATORS: [OperatorSpec; 18] = [
    row(BinaryOp::Add, "+", 4, OperatorKind::Arithmetic),
    row(BinaryOp::Sub, "-", 4, OperatorKind::Arithmetic),
    row(BinaryOp::Mul, "*", UNARY_PRECEDENCE, OperatorKind::Arithmetic),
    row(BinaryOp::Div, "/", UNARY_PRECEDENCE, OperatorKind::Arithmetic),
    row(BinaryOp::Mod, "%", UNARY_PRECEDENCE, OperatorKind::Arithmetic),
    row(BinaryOp::Pow, "^", 6, OperatorKind::Arithmetic),
    row(BinaryOp::Atan2, "atan2", UNARY_PRECEDENCE, OperatorKind::Arithmetic),
    row(BinaryOp::Equal, "==", 3, OperatorKind::Comparison),
    row(BinaryOp::NotEqual, "!=", 3, OperatorKind::Comparison),
    row(BinaryOp::Less, "<", 3, OperatorKind::Comparison),
    row(BinaryOp::LessOrEqual, "<=", 3, OperatorKind::Comparison),
    row(BinaryOp::Greater, ">", 3, OperatorKind::Comparison),
    row(BinaryOp::GreaterOrEqual, ">=", 3, OperatorKind::Comparison),
    row(BinaryOp::TrimUpper, "</", 3, OperatorKind::Trim),
    row(BinaryOp::TrimLower, ">/", 3, OperatorKind::Trim),
    row(BinaryOp::And, "and", 2, OperatorKind::Set),
    row(BinaryOp::Or, "or", 1, OperatorKind::Set),
    row(BinaryOp::Unless, "unless", 2, OperatorKind::Set),
];

/// How tight a sign binds: `-2^2` is `-(2^2)`, `-x*y` is `(-x)*y`.
pub const UNARY_PRECEDENCE: u8 = 5;

impl BinaryOp {
    /// The row of this operator.
    pub fn spec(self) -> &'static OperatorSpec {
        &OPERATORS[self as usize]
    }

    /// As printed.
    pub fn as_str(self) -> &'static str {
        self.spec().text
    }

    /// Its section of the reference, in Markdown: meaning, edge cases, examples.
    pub fn documentation(self) -> &'static str {
        section(OPERATORS_PAGE, self.as_str())
    }

    /// Higher binds tighter.
    pub fn precedence(self) -> u8 {
        self.spec().precedence
    }

    /// What it does.
    pub fn kind(self) -> OperatorKind {
        self.spec().kind
    }

    /// Whether it is one of `== != < <= > >=`.
    pub fn is_comparison(self) -> bool {
        self.kind() == OperatorKind::Comparison
    }

    /// Whether it is one of `and or unless`.
    pub fn is_set(self) -> bool {
        self.kind() == OperatorKind::Set
    }

    /// Whether `a ^ b ^ c` means `a ^ (b ^ c)`.
    pub fn is_right_associative(self) -> bool {
        self == BinaryOp::Pow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_operators_place() {
        assert!(OPERATORS.iter().enumerate().all(|(at, spec)| spec.op as usize == at));
    }
}
