//! Whether an expression has any element at all, and why one that has none has none.

use std::fmt;

use narthex_promql::Expr;
use narthex_promql::ast::{Binary, Call, MatchingKind, ValueType, VectorSelector};
use narthex_promql::functions::{AbsentFunction, ConversionFunction, FunctionId, MathFunction};
use narthex_promql::operators::BinaryOp;

use super::Node;
use super::correlation::compares_the_same;
use super::label_transfer::conflict;
use super::labels::{Conflict, LabelFacts};
use super::operands::Operands;
use super::value_transfer::mirrored;
use super::values::{ValueFacts, Verdict};

/// Whether there are elements.
#[derive(Clone, PartialEq, Debug)]
pub enum Presence<'e> {
    /// At least one at every time.
    Always,
    /// It depends on the data.
    Sometimes,
    /// Not one at any time.
    Never(Emptiness<'e>),
}

/// Why there is no element.
#[derive(Clone, PartialEq, Debug)]
pub enum Emptiness<'e> {
    /// What it is made of is empty already.
    Inherited,
    /// No value satisfies the comparison.
    Comparison,
    /// Two conditions on the same values exclude each other.
    Contradiction,
    /// The operands never agree on a label.
    Labels(Box<Conflict<'e>>),
    /// The matchers of a selector exclude each other on this label.
    Matchers(&'e str),
    /// It is the absence of something that is always there.
    AbsentOfPresent,
    /// Everything is removed by `unless`.
    AllRemoved,
    /// The bounds of `clamp` are the wrong way round.
    CrossedBounds,
}

impl Presence<'_> {
    /// Whether there is never an element.
    pub fn is_never(&self) -> bool {
        matches!(self, Presence::Never(_))
    }

    /// The same for a node that has an element whenever its operand has.
    fn passed_on<'e>(&self) -> Presence<'e> {
        match self {
            Presence::Always => Presence::Always,
            Presence::Sometimes => Presence::Sometimes,
            Presence::Never(_) => Presence::Never(Emptiness::Inherited),
        }
    }

    /// The same for a node that may lose elements of its operand.
    fn thinned<'e>(&self) -> Presence<'e> {
        match self {
            Presence::Always | Presence::Sometimes => Presence::Sometimes,
            Presence::Never(_) => Presence::Never(Emptiness::Inherited),
        }
    }
}

impl fmt::Display for Presence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Presence::Always => return f.write_str("always"),
            Presence::Sometimes => return f.write_str("sometimes"),
            Presence::Never(emptiness) => emptiness,
        };
        match why {
            Emptiness::Inherited => f.write_str("never"),
            Emptiness::Comparison => f.write_str("never: comparison"),
            Emptiness::Contradiction => f.write_str("never: contradiction"),
            Emptiness::Labels(conflict) => write!(f, "never: labels differ in {}", conflict.label),
            Emptiness::Matchers(label) => write!(f, "never: matchers of {label}"),
            Emptiness::AbsentOfPresent => f.write_str("never: absent of what is there"),
            Emptiness::AllRemoved => f.write_str("never: all removed"),
            Emptiness::CrossedBounds => f.write_str("never: crossed bounds"),
        }
    }
}

/// Whether `expr`, whose own labels and values are given, has elements; a scalar always has one.
pub(super) fn presence_of<'e>(
    expr: &'e Expr,
    labels: &LabelFacts<'e>,
    values: &ValueFacts,
    operands: Operands<'_, 'e>,
) -> Presence<'e> {
    let inner = || operands.last().map_or(Presence::Sometimes, |node| node.presence.passed_on());
    match expr {
        Expr::Number(_) | Expr::String(_) => Presence::Always,
        Expr::Error(_) => Presence::Sometimes,
        Expr::Selector(node) => of_selector(node, labels),
        Expr::Matrix(node) => of_selector(&node.selector, labels),
        // A window may fall between two steps.
        Expr::Subquery(_) => operands.last().map_or(Presence::Sometimes, |node| node.presence.thinned()),
        Expr::Paren(_) | Expr::Unary(_) => inner(),
        Expr::Aggregate(node) if node.op.selects_elements() => {
            operands.last().map_or(Presence::Sometimes, |node| node.presence.thinned())
        }
        Expr::Aggregate(_) => match inner() {
            // Elements that cannot be aggregated, as histograms by `min`, are dropped.
            Presence::Always if operands.last().is_some_and(|node| node.values.may_be_histogram) => {
                Presence::Sometimes
            }
            presence => presence,
        },
        Expr::Call(node) => of_call(node, operands),
        Expr::Binary(node) => of_binary(node, values, operands),
    }
}

fn of_selector<'e>(node: &'e VectorSelector, labels: &LabelFacts<'e>) -> Presence<'e> {
    let _ = node;
    let impossible = labels.named().iter().find(|fact| fact.values.is_impossible());
    match impossible {
        Some(fact) => Presence::Never(Emptiness::Matchers(fact.name)),
        None => Presence::Sometimes,
    }
}

fn of_call<'e>(node: &'e Call, operands: Operands<'_, 'e>) -> Presence<'e> {
    let Some(function) = node.function else { return Presence::Sometimes };
    let argument = |at| operands.argument(node, at);
    let parameters = function.spec().parameters;
    let is_vector = |kind: &ValueType| matches!(kind, ValueType::InstantVector | ValueType::RangeVector);
    let input = parameters.iter().position(is_vector).and_then(argument);
    match (function, input) {
        (FunctionId::Conversion(ConversionFunction::Scalar | ConversionFunction::Vector), _) | (_, None) => {
            Presence::Always
        }
        (FunctionId::Absent(which), Some(input)) => match (&input.presence, which) {
            (Presence::Never(_), _) => Presence::Always,
            (Presence::Always, AbsentFunction::Absent) => Presence::Never(Emptiness::AbsentOfPresent),
            _ => Presence::Sometimes,
        },
        (FunctionId::Math(MathFunction::Clamp), Some(input)) => {
            let bounds = [1, 2].map(|at| argument(at).and_then(|bound| bound.values.as_constant()));
            match bounds {
                [Some(min), Some(max)] if min > max => match input.presence {
                    Presence::Never(_) => Presence::Never(Emptiness::Inherited),
                    _ => Presence::Never(Emptiness::CrossedBounds),
                },
                _ => floats_of(input),
            }
        }
        (FunctionId::Label(_) | FunctionId::Sort(_), Some(input)) => input.presence.passed_on(),
        (FunctionId::Math(_) | FunctionId::Trigonometry(_) | FunctionId::Date(_), Some(input)) => {
            floats_of(input)
        }
        (_, Some(input)) => input.presence.thinned(),
    }
}

/// Functions of floats drop histograms.
fn floats_of<'e>(input: &Node<'_>) -> Presence<'e> {
    match input.values.may_be_histogram {
        true => input.presence.thinned(),
        false => input.presence.passed_on(),
    }
}

fn of_binary<'e>(node: &'e Binary, values: &ValueFacts, operands: Operands<'_, 'e>) -> Presence<'e> {
    let Some((lhs, rhs)) = operands.pair() else { return Presence::Sometimes };
    match node.op {
        BinaryOp::Or => return of_or(lhs, rhs),
        BinaryOp::Unless => return of_unless(node, lhs, rhs),
        _ => {}
    }
    if (lhs.presence.is_never() && node.fill.left.is_none())
        || (rhs.presence.is_never() && node.fill.right.is_none())
    {
        return Presence::Never(Emptiness::Inherited);
    }
    let is_vector = |expr: &Expr| expr.value_type() == Some(ValueType::InstantVector);
    let are_vectors = is_vector(&node.lhs) && is_vector(&node.rhs);
    let has_fill = node.fill.left.is_some() || node.fill.right.is_some();
    if are_vectors
        && !has_fill
        && let Some(conflict) = conflict(node, &lhs.labels, &rhs.labels)
    {
        return Presence::Never(Emptiness::Labels(Box::new(conflict)));
    }
    if node.op == BinaryOp::And {
        let is_contradiction = compares_the_same(node, lhs, rhs) && values.is_empty();
        return match is_contradiction {
            true => Presence::Never(Emptiness::Contradiction),
            false => of_match(node, lhs, rhs),
        };
    }
    let kept = match are_vectors {
        true => of_match(node, lhs, rhs),
        false if is_vector(&node.lhs) => lhs.presence.passed_on(),
        false => rhs.presence.passed_on(),
    };
    if node.op.is_comparison() && node.bool_modifier.is_none() {
        return of_comparison(node, lhs, rhs, kept);
    }
    // Operations on histograms may have no result.
    match lhs.values.may_be_histogram || rhs.values.may_be_histogram {
        true => kept.thinned(),
        false => kept,
    }
}

/// Elements that find a partner: certain only when neither side has a label to differ in.
fn of_match<'e>(node: &Binary, lhs: &Node<'_>, rhs: &Node<'_>) -> Presence<'e> {
    let matches_all = match &node.matching {
        Some(matching) => matching.keyword.value == MatchingKind::On && matching.labels.is_empty(),
        None => has_no_labels(lhs) && has_no_labels(rhs),
    };
    let are_there = lhs.presence == Presence::Always && rhs.presence == Presence::Always;
    if matches_all && are_there { Presence::Always } else { Presence::Sometimes }
}

fn has_no_labels(node: &Node<'_>) -> bool {
    node.labels.is_closed() && node.labels.possible_names().next().is_none()
}

fn of_comparison<'e>(node: &Binary, lhs: &Node<'_>, rhs: &Node<'_>, kept: Presence<'e>) -> Presence<'e> {
    let verdict = match node.lhs.value_type() {
        Some(ValueType::Scalar) => rhs.values.compared(mirrored(node.op), &lhs.values),
        _ => lhs.values.compared(node.op, &rhs.values),
    };
    match verdict {
        Verdict::Never => Presence::Never(Emptiness::Comparison),
        Verdict::Always => kept,
        Verdict::Sometimes => kept.thinned(),
    }
}

fn of_or<'e>(lhs: &Node<'_>, rhs: &Node<'_>) -> Presence<'e> {
    match (&lhs.presence, &rhs.presence) {
        (Presence::Always, _) | (_, Presence::Always) => Presence::Always,
        (Presence::Never(_), Presence::Never(_)) => Presence::Never(Emptiness::Inherited),
        _ => Presence::Sometimes,
    }
}

fn of_unless<'e>(node: &'e Binary, lhs: &Node<'e>, rhs: &Node<'e>) -> Presence<'e> {
    let matches_all = node
        .matching
        .as_ref()
        .is_some_and(|matching| matching.keyword.value == MatchingKind::On && matching.labels.is_empty());
    match (&lhs.presence, &rhs.presence) {
        (Presence::Never(_), _) => Presence::Never(Emptiness::Inherited),
        (_, Presence::Never(_)) => lhs.presence.passed_on(),
        (_, Presence::Always) if matches_all || (has_no_labels(lhs) && has_no_labels(rhs)) => {
            Presence::Never(Emptiness::AllRemoved)
        }
        _ if conflict(node, &lhs.labels, &rhs.labels).is_some() => lhs.presence.passed_on(),
        _ => Presence::Sometimes,
    }
}
