//! Asks an operand only for series that can have a partner in the other one.
//!
//! `sum by (job) (rate(a{job="x"}[5m])) and on (job) b` → `… and on (job) b{job="x"}`,
//! `a{job="x"} / b` → `a{job="x"} / b{job="x"}`
//!
//! A condition on a label by which elements are matched, and which all elements of one operand satisfy, holds for every
//! partner in the other operand, too. What does not satisfy it has no part in the results of arithmetic, comparisons and
//! `and`, nor in what `unless` takes away; so the condition may be added to the selector of that operand. Not so for
//! `or`, for the left side of `unless`, and where `fill` stands in for missing partners.
//!
//! Errors and annotations are results, too:
//!
//! * Two elements of one match group on the side that must be unique are an error even if no element of the other side
//!   is in that group. So conditions are added only where that cannot occur: the side is an aggregation by labels that
//!   are all compared, or a selector of one metric whose elements are compared by all labels, or made of such by
//!   operations on single elements. Set operators have no such error. The same error is only looked for at steps at
//!   which the other side has elements, which is why that side, too, is left alone where it can occur.
//! * Elements that are never matched may still be the only reason of an annotation, or collide when their names go. So
//!   conditions are added to selectors that are operands themselves, or below `last_over_time` and `first_over_time`:
//!   they keep names and have nothing to say. Whatever may annotate, such as `rate` of something that is not named like
//!   a counter, keeps its selection.
//! * Conditions that an absent label satisfies exclude little and are not added.

use narthex_model::labels::METRIC_NAME;
use narthex_model::{MatchOp, Matcher};
use narthex_promql::ValueType;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::GroupSide;
use narthex_promql::functions::{FunctionId, OverTimeFunction};
use narthex_promql::operators::BinaryOp;

use super::{OptimizerPass, Rewrite};
use crate::LogicalPlan;
use crate::logical::{Cardinality, Grouping, LogicalNode, Matching, MatchingLabels, SelectedPart, Selector};

/// See the module.
pub(super) struct PropagateMatchers;

impl OptimizerPass for PropagateMatchers {
    fn name(&self) -> &'static str {
        "propagate_matchers"
    }

    fn run(&self, plan: &mut LogicalPlan) -> Rewrite {
        propagate_below(&mut plan.root)
    }
}

/// Operands first: what they get, they can hand on.
fn propagate_below(node: &mut LogicalNode) -> Rewrite {
    let mut rewrite = Rewrite::Unchanged;
    for child in node.children_mut() {
        if propagate_below(child) == Rewrite::Changed {
            rewrite = Rewrite::Changed;
        }
    }
    if let LogicalNode::Binary { op, matching, lhs, rhs, .. } = node
        && are_vectors(lhs, rhs)
    {
        let flow = Flow::of(*op, matching, lhs, rhs);
        if flow.to_right && narrow(rhs, &shared_conditions(lhs, matching)) == Rewrite::Changed {
            rewrite = Rewrite::Changed;
        }
        if flow.to_left && narrow(lhs, &shared_conditions(rhs, matching)) == Rewrite::Changed {
            rewrite = Rewrite::Changed;
        }
    }
    rewrite
}

fn are_vectors(lhs: &LogicalNode, rhs: &LogicalNode) -> bool {
    [lhs, rhs].iter().all(|side| side.value_type() == ValueType::InstantVector)
}

/// Which operand may be asked for less.
struct Flow {
    to_left: bool,
    to_right: bool,
}

impl Flow {
    fn of(op: BinaryOp, matching: &Matching, lhs: &LogicalNode, rhs: &LogicalNode) -> Flow {
        match op {
            BinaryOp::And => Flow { to_left: true, to_right: true },
            BinaryOp::Unless => Flow { to_left: false, to_right: true },
            BinaryOp::Or => Flow { to_left: false, to_right: false },
            _ => {
                let one = match matching.cardinality {
                    Cardinality::Grouped { many: GroupSide::Right, .. } => lhs,
                    _ => rhs,
                };
                let is_filled = matching.fill_left.is_some() || matching.fill_right.is_some();
                let is_safe = !is_filled && is_unique(one, &matching.labels);
                Flow { to_left: is_safe, to_right: is_safe }
            }
        }
    }
}

/// Whether no two elements of a node at a step have the same matching labels.
fn is_unique(node: &LogicalNode, labels: &MatchingLabels) -> bool {
    match node {
        LogicalNode::VectorSelector { selector, .. } => {
            selector.metric_name().is_some() && are_all_compared(labels)
        }
        LogicalNode::Aggregate { op, grouping, expr, .. } => match op {
            AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk | AggregateOp::LimitRatio => {
                is_unique(expr, labels)
            }
            AggregateOp::CountValues => false,
            _ => are_groups_told_apart(grouping, labels),
        },
        LogicalNode::Binary { op, lhs, rhs, .. } if !op.is_set() => {
            match (lhs.value_type(), rhs.value_type()) {
                (ValueType::Scalar, ValueType::InstantVector) => is_unique(rhs, labels),
                (ValueType::InstantVector, ValueType::Scalar) => is_unique(lhs, labels),
                _ => false,
            }
        }
        LogicalNode::Negate { expr, .. } => is_unique(expr, labels),
        // Series that differ by their names alone are an error of the call.
        LogicalNode::Call { function, args, .. } if is_of_windows(*function) => {
            let mut selectors = args.iter().filter_map(LogicalNode::selector);
            selectors.any(|selector| selector.metric_name().is_some()) && are_all_compared(labels)
        }
        _ => false,
    }
}

fn is_of_windows(function: FunctionId) -> bool {
    matches!(function, FunctionId::Rate(_) | FunctionId::OverTime(_) | FunctionId::Regression(_))
}

fn are_all_compared(labels: &MatchingLabels) -> bool {
    matches!(labels, MatchingLabels::Ignoring(ignored) if ignored.is_empty())
}

fn are_groups_told_apart(grouping: &Grouping, labels: &MatchingLabels) -> bool {
    match (grouping, labels) {
        (Grouping::By(by), _) => by.iter().all(|name| is_compared(labels, name)),
        (Grouping::Without(without), MatchingLabels::Ignoring(ignored)) => {
            ignored.iter().all(|name| without.contains(name))
        }
        (Grouping::Without(_), MatchingLabels::On(_)) => false,
    }
}

fn is_compared(labels: &MatchingLabels, name: &str) -> bool {
    match labels {
        MatchingLabels::On(on) => on.iter().any(|one| **one == *name),
        MatchingLabels::Ignoring(ignored) => name != METRIC_NAME && !ignored.iter().any(|one| **one == *name),
    }
}

/// The conditions that every element of a node satisfies and every partner of it, therefore, as well.
fn shared_conditions(node: &LogicalNode, matching: &Matching) -> Vec<Matcher> {
    let mut conditions = conditions(node);
    conditions.retain(|matcher| is_compared(&matching.labels, matcher.name()));
    conditions
}

/// Conditions on labels that every element of a node satisfies; not those on names, types and units, which may go.
fn conditions(node: &LogicalNode) -> Vec<Matcher> {
    match node {
        LogicalNode::VectorSelector { selector, .. } | LogicalNode::MatrixSelector { selector, .. } => {
            let is_kept = |matcher: &&Matcher| !matcher.name().starts_with("__") && !matcher.matches_empty();
            selector.matchers.iter().filter(is_kept).cloned().collect()
        }
        LogicalNode::Call { function, args, .. } if is_of_windows(*function) => args
            .iter()
            .find(|arg| arg.value_type() == ValueType::RangeVector)
            .map_or_else(Vec::new, conditions),
        LogicalNode::Subquery { expr, .. }
        | LogicalNode::Negate { expr, .. }
        | LogicalNode::StepInvariant { expr }
        | LogicalNode::Shared { expr, .. } => conditions(expr),
        LogicalNode::Aggregate { op, grouping, expr, .. } => of_groups(*op, grouping, conditions(expr)),
        LogicalNode::Binary { op, lhs, rhs, .. } => of_operands(*op, lhs, rhs),
        _ => Vec::new(),
    }
}

fn of_groups(op: AggregateOp, grouping: &Grouping, mut conditions: Vec<Matcher>) -> Vec<Matcher> {
    match op {
        AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk | AggregateOp::LimitRatio => {}
        // One of its labels has another value.
        AggregateOp::CountValues => conditions.clear(),
        _ => conditions.retain(|matcher| match grouping {
            Grouping::By(by) => by.iter().any(|name| **name == *matcher.name()),
            Grouping::Without(without) => !without.iter().any(|name| **name == *matcher.name()),
        }),
    }
    conditions
}

fn of_operands(op: BinaryOp, lhs: &LogicalNode, rhs: &LogicalNode) -> Vec<Matcher> {
    match (lhs.value_type(), rhs.value_type()) {
        (ValueType::Scalar, ValueType::InstantVector) => conditions(rhs),
        (ValueType::InstantVector, ValueType::Scalar) => conditions(lhs),
        _ if matches!(op, BinaryOp::And | BinaryOp::Unless) => conditions(lhs),
        _ => Vec::new(),
    }
}

/// Adds conditions to the selector of an operand that has one and nothing to say of what it does not select.
fn narrow(node: &mut LogicalNode, conditions: &[Matcher]) -> Rewrite {
    let Some(selector) = silent_selector(node) else { return Rewrite::Unchanged };
    let is_new = |matcher: &&Matcher| !selector.matchers.contains(matcher) && !is_implied(selector, matcher);
    let new: Vec<Matcher> = conditions.iter().filter(is_new).cloned().collect();
    if new.is_empty() {
        return Rewrite::Unchanged;
    }
    selector.matchers = selector.matchers.iter().cloned().chain(new).collect();
    Rewrite::Changed
}

/// Whether the selector asks for one value of the label anyway, which satisfies the condition.
fn is_implied(selector: &Selector, condition: &Matcher) -> bool {
    selector.matchers.iter().any(|known| {
        let is_fixed = known.op() == MatchOp::Equal && known.name() == condition.name();
        is_fixed && known.value().as_str().is_some_and(|value| condition.matches(value))
    })
}

fn silent_selector(node: &mut LogicalNode) -> Option<&mut Selector> {
    let selector = match node {
        LogicalNode::VectorSelector { selector, part: SelectedPart::Value } => selector,
        LogicalNode::Call {
            function: FunctionId::OverTime(OverTimeFunction::Last | OverTimeFunction::First),
            args,
            ..
        } => match args.as_mut_slice() {
            [LogicalNode::MatrixSelector { selector, .. }] => selector,
            _ => return None,
        },
        _ => return None,
    };
    Some(selector).filter(|selector| selector.extension.is_none())
}
