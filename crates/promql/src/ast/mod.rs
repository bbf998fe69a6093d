//! The tree of a PromQL expression: a value that knows where every part of it stood.
//!
//! Every node has a `span` (upstream's position range of the node), and keywords, labels, matchers and modifiers have
//! theirs, so that a diagnostic can point at exactly what it means and an edit can replace exactly that.

pub mod dump;
mod duration;
pub mod format;
mod print;
mod selector;
pub mod visit;

use narthex_diag::{Span, Spanned};
use narthex_model::Text;

pub use dump::dump;
pub use duration::{DurationError, DurationErrorKind, DurationExpr, DurationOp, DurationScope};
pub use format::{WIDTH, format, pretty};
pub use selector::{At, AtValue, LabelMatcher, Modifiers, Offset, RangeExtension, VectorSelector};
pub use visit::{Descend, Visitor, visit, walk, walk_mut};

use crate::aggregations::AggregateOp;
use crate::functions::FunctionId;
use crate::operators::BinaryOp;

/// What an expression yields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ValueType {
    /// One float per step.
    Scalar,
    /// At most one sample per series and step.
    InstantVector,
    /// A window of samples per series and step.
    RangeVector,
    /// One string.
    String,
}

impl ValueType {
    /// As documented, and as printed in messages: `instant vector`.
    pub fn as_str(self) -> &'static str {
        match self {
            ValueType::Scalar => "scalar",
            ValueType::InstantVector => "instant vector",
            ValueType::RangeVector => "range vector",
            ValueType::String => "string",
        }
    }
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    /// `1`, `0x10`, `5m`
    Number(NumberLiteral),
    /// `"text"`
    String(StringLiteral),
    /// `up{job="x"} offset 5m`
    Selector(Box<VectorSelector>),
    /// `up[5m]`
    Matrix(Box<MatrixSelector>),
    /// `up[5m:1m]`
    Subquery(Box<Subquery>),
    /// `rate(x[5m])`
    Call(Box<Call>),
    /// `sum by (a) (x)`
    Aggregate(Box<Aggregate>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `-a`
    Unary(Box<Unary>),
    /// `(a)`
    Paren(Box<Paren>),
    /// Something that could not be read; diagnostics say why.
    Error(Span),
}

/// A number; a duration is a number of seconds that remembers how to print itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NumberLiteral {
    /// The value; of a duration in seconds.
    pub value: f64,
    /// Whether it was written as a duration.
    pub is_duration: bool,
    /// Where it stands, a folded sign included.
    pub span: Span,
}

/// A string.
#[derive(Clone, PartialEq, Debug)]
pub struct StringLiteral {
    /// The value, escapes resolved.
    pub value: Text,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A window of samples per series and step.
#[derive(Clone, PartialEq, Debug)]
pub struct MatrixSelector {
    /// The whole node.
    pub span: Span,
    /// Which series; the modifiers of the whole stand here, wherever they were written.
    pub selector: VectorSelector,
    /// The brackets and what is between them.
    pub brackets: Span,
    /// Length of the window.
    pub range: DurationExpr,
}

/// An expression evaluated over a window of inner steps.
#[derive(Clone, PartialEq, Debug)]
pub struct Subquery {
    /// The whole node.
    pub span: Span,
    /// What is evaluated.
    pub expr: Expr,
    /// The brackets and what is between them.
    pub brackets: Span,
    /// Length of the window.
    pub range: DurationExpr,
    /// Distance of the inner steps; the default of the engine when absent.
    pub step: Option<DurationExpr>,
    /// `offset`, `@`.
    pub modifiers: Modifiers,
}

/// A function call.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The whole node.
    pub span: Span,
    /// Which function; `None` when no function has the name (a diagnostic says so).
    pub function: Option<FunctionId>,
    /// The name.
    pub name: Span,
    /// The parentheses and what is between them.
    pub parens: Span,
    /// The arguments.
    pub args: Vec<Expr>,
}

/// An aggregation over groups of series.
#[derive(Clone, PartialEq, Debug)]
pub struct Aggregate {
    /// The whole node.
    pub span: Span,
    /// Which operator.
    pub op: AggregateOp,
    /// The operator's name.
    pub op_span: Span,
    /// `by (…)` or `without (…)`.
    pub grouping: Option<Grouping>,
    /// The parentheses and what is between them.
    pub parens: Span,
    /// The first of two arguments.
    pub parameter: Option<Expr>,
    /// What is aggregated.
    pub expr: Expr,
}

/// Which labels make a group.
#[derive(Clone, PartialEq, Debug)]
pub struct Grouping {
    /// The keyword and the list.
    pub span: Span,
    /// `by` or `without`.
    pub keyword: Spanned<GroupingKind>,
    /// The labels in the order written.
    pub labels: Vec<Spanned<Box<str>>>,
}

/// Whether the listed labels are kept or dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupingKind {
    /// Kept.
    By,
    /// Dropped.
    Without,
}

/// Two operands.
#[derive(Clone, PartialEq, Debug)]
pub struct Binary {
    /// The whole node.
    pub span: Span,
    /// Which operator.
    pub op: BinaryOp,
    /// The operator.
    pub op_span: Span,
    /// The keyword `bool`.
    pub bool_modifier: Option<Span>,
    /// `on (…)` or `ignoring (…)` with what follows.
    pub matching: Option<VectorMatching>,
    /// Values for missing partners.
    pub fill: Fill,
    /// Left operand.
    pub lhs: Expr,
    /// Right operand.
    pub rhs: Expr,
}

/// Which labels decide that two series are partners.
#[derive(Clone, PartialEq, Debug)]
pub struct VectorMatching {
    /// `on` or `ignoring`.
    pub keyword: Spanned<MatchingKind>,
    /// The labels in the order written.
    pub labels: Vec<Spanned<Box<str>>>,
    /// `group_left` or `group_right`.
    pub group: Option<GroupModifier>,
}

/// Whether the listed labels are the ones compared or the ones left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MatchingKind {
    /// Only the listed labels are compared.
    On,
    /// All but the listed labels are compared.
    Ignoring,
}

/// Which side may have many series per partner.
#[derive(Clone, PartialEq, Debug)]
pub struct GroupModifier {
    /// `group_left` or `group_right`.
    pub keyword: Spanned<GroupSide>,
    /// Labels copied from the "one" side.
    pub labels: Vec<Spanned<Box<str>>>,
}

/// The side with many series.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupSide {
    /// `group_left`: many on the left.
    Left,
    /// `group_right`: many on the right.
    Right,
}

/// Values that stand in for missing partners.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Fill {
    /// For a missing left element.
    pub left: Option<Spanned<f64>>,
    /// For a missing right element.
    pub right: Option<Spanned<f64>>,
}

/// A signed expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Unary {
    /// The whole node.
    pub span: Span,
    /// The sign.
    pub op: Spanned<UnaryOp>,
    /// What is signed.
    pub expr: Expr,
}

/// A sign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// An expression in parentheses.
#[derive(Clone, PartialEq, Debug)]
pub struct Paren {
    /// The parentheses and what is between them.
    pub span: Span,
    /// What is between them.
    pub expr: Expr,
}

impl Expr {
    /// Where the node stands.
    pub fn span(&self) -> Span {
        match self {
            Expr::Number(node) => node.span,
            Expr::String(node) => node.span,
            Expr::Selector(node) => node.span,
            Expr::Matrix(node) => node.span,
            Expr::Subquery(node) => node.span,
            Expr::Call(node) => node.span,
            Expr::Aggregate(node) => node.span,
            Expr::Binary(node) => node.span,
            Expr::Unary(node) => node.span,
            Expr::Paren(node) => node.span,
            Expr::Error(span) => *span,
        }
    }

    /// What the expression yields; `None` where it could not be read or calls an unknown function.
    pub fn value_type(&self) -> Option<ValueType> {
        match self {
            Expr::Number(_) => Some(ValueType::Scalar),
            Expr::String(_) => Some(ValueType::String),
            Expr::Selector(_) | Expr::Aggregate(_) => Some(ValueType::InstantVector),
            Expr::Matrix(_) | Expr::Subquery(_) => Some(ValueType::RangeVector),
            Expr::Call(node) => node.function.map(|function| function.spec().returns),
            Expr::Binary(node) => match (node.lhs.value_type(), node.rhs.value_type()) {
                (Some(ValueType::Scalar), Some(ValueType::Scalar)) => Some(ValueType::Scalar),
                (None, _) | (_, None) => None,
                _ => Some(ValueType::InstantVector),
            },
            Expr::Unary(node) => node.expr.value_type(),
            Expr::Paren(node) => node.expr.value_type(),
            Expr::Error(_) => None,
        }
    }

    /// The expression inside any parentheses around it.
    pub fn without_parens(&self) -> &Expr {
        let mut expr = self;
        while let Expr::Paren(node) = expr {
            expr = &node.expr;
        }
        expr
    }
}
