//! What combines elements to operators: binary operators, aggregations, functions of histograms.

use narthex_diag::Span;
use narthex_model::StepGrid;
use narthex_plan::LogicalNode;
use narthex_plan::logical::{Grouping, Matching};
use narthex_promql::ValueType;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::functions::HistogramFunction;
use narthex_promql::operators::BinaryOp;

use super::{Builder, Built, mistyped};
use crate::aggregations::rank::Best;
use crate::arith::{Operation, ScalarSide};
use crate::physical::BoxedOperator;
use crate::physical::aggregate::Aggregate;
use crate::physical::count_values::CountValues;
use crate::physical::histogram_function::{HistogramFunctionOperator, HistogramQuestion, HistogramSummary};
use crate::physical::limit_aggregate::{Limit, LimitAggregate};
use crate::physical::merge_duplicates::{Collision, MergeDuplicates};
use crate::physical::rank_aggregate::RankAggregate;
use crate::physical::scalar::ScalarInput;
use crate::physical::scalar_binary::{ScalarBinary, VectorScalarBinary};
use crate::physical::set_operation::SetOperation;
use crate::physical::unary::Negate;
use crate::physical::vector_binary::VectorBinary;
use crate::{EvalError, EvalErrorKind};

/// The parts of an aggregation node.
#[derive(Clone, Copy)]
pub(super) struct AggregateNode<'a> {
    pub(super) op: AggregateOp,
    pub(super) grouping: &'a Grouping,
    pub(super) parameter: Option<&'a LogicalNode>,
    pub(super) expr: &'a LogicalNode,
    pub(super) span: Span,
}

/// The parts of a binary node.
#[derive(Clone, Copy)]
pub(super) struct BinaryNode<'a> {
    pub(super) op: BinaryOp,
    pub(super) returns_bool: bool,
    pub(super) matching: &'a Matching,
    pub(super) lhs: &'a LogicalNode,
    pub(super) rhs: &'a LogicalNode,
    pub(super) span: Span,
}

impl<'a> BinaryNode<'a> {
    /// The parts of `node`, if it is binary.
    pub(super) fn of(node: &'a LogicalNode) -> Option<BinaryNode<'a>> {
        match node {
            LogicalNode::Binary { op, returns_bool, matching, lhs, rhs, span } => {
                let (op, returns_bool, span) = (*op, *returns_bool, *span);
                Some(BinaryNode { op, returns_bool, matching, lhs, rhs, span })
            }
            _ => None,
        }
    }
}

impl<'a> Builder<'a> {
    pub(super) fn negate(&self, expr: &'a LogicalNode, span: Span, grid: StepGrid) -> Built<'a> {
        let operator = Box::new(Negate::new(self.operator(expr, grid)?, expr.value_type()));
        Ok(self.without_names(operator, Collision::SameStep, grid, span))
    }

    /// Chains lean to the left and may be long: they are walked, not recursed into.
    pub(super) fn binary(&self, node: BinaryNode<'a>, grid: StepGrid) -> Built<'a> {
        let mut chain = vec![node];
        let mut leftmost = node.lhs;
        while let Some(next) = BinaryNode::of(leftmost) {
            chain.push(next);
            leftmost = next.lhs;
        }
        let mut built = self.operator(leftmost, grid)?;
        for node in chain.into_iter().rev() {
            let linked = self.link(node, built, grid)?;
            built = self.metered(linked, node.op.as_str(), node.span, grid);
        }
        Ok(built)
    }

    /// A binary operator whose left operand is `left`.
    fn link(&self, node: BinaryNode<'a>, left: BoxedOperator<'a>, grid: StepGrid) -> Built<'a> {
        let BinaryNode { op, returns_bool, lhs, rhs, span, .. } = node;
        let operation = Operation { op, returns_bool };
        let right = self.operator(rhs, grid)?;
        let scalar = |operator, node: &LogicalNode| ScalarInput::new(operator, grid.len, node.span());
        let vector_scalar = |vector, scalar, side| {
            let operator = Box::new(VectorScalarBinary::new(operation, vector, scalar, side, span));
            self.without_names(operator, Collision::SameStep, grid, span)
        };
        Ok(match (lhs.value_type(), rhs.value_type()) {
            (ValueType::Scalar, ValueType::Scalar) => {
                Box::new(ScalarBinary::new(op, scalar(left, lhs), scalar(right, rhs), grid.len, span)?)
            }
            (ValueType::Scalar, _) => vector_scalar(right, scalar(left, lhs), ScalarSide::Left),
            (_, ValueType::Scalar) => vector_scalar(left, scalar(right, rhs), ScalarSide::Right),
            _ => join(node, left, right, grid),
        })
    }

    pub(super) fn aggregate(&self, node: AggregateNode<'a>, grid: StepGrid) -> Built<'a> {
        match node.op {
            AggregateOp::Topk => self.ranked(Best::Largest, node, grid),
            AggregateOp::Bottomk => self.ranked(Best::Smallest, node, grid),
            AggregateOp::Limitk => self.limited(Limit::Count, node, grid),
            AggregateOp::LimitRatio => self.limited(Limit::Ratio, node, grid),
            AggregateOp::CountValues => self.count_values(node, grid),
            _ => {
                if let Some(fed) = self.fed(node, grid)? {
                    return Ok(fed);
                }
                let AggregateNode { op, grouping, parameter, expr, .. } = node;
                let phi = parameter.map(|node| self.scalar(node, grid)).transpose()?;
                let input = self.operator(expr, grid)?;
                Ok(Box::new(Aggregate::new(op, grouping, phi, input, grid.len, expr.span())))
            }
        }
    }

    fn ranked(&self, best: Best, node: AggregateNode<'a>, grid: StepGrid) -> Built<'a> {
        let AggregateNode { grouping, expr, .. } = node;
        let (parameter, input) = (self.parameter(node, grid)?, self.operator(expr, grid)?);
        Ok(Box::new(RankAggregate::new(best, grouping, parameter, input, grid.len, expr.span())))
    }

    fn limited(&self, limit: Limit, node: AggregateNode<'a>, grid: StepGrid) -> Built<'a> {
        let (parameter, input) = (self.parameter(node, grid)?, self.operator(node.expr, grid)?);
        Ok(Box::new(LimitAggregate::new(limit, node.grouping, parameter, input, grid.len)))
    }

    fn count_values(&self, node: AggregateNode<'a>, grid: StepGrid) -> Built<'a> {
        match node.parameter {
            Some(LogicalNode::Text { value, span }) => {
                let input = self.operator(node.expr, grid)?;
                Ok(Box::new(CountValues::new(value, node.grouping, input, *span)))
            }
            Some(other) => Err(mistyped("a string", other)),
            None => Err(no_parameter(node)),
        }
    }

    fn parameter(&self, node: AggregateNode<'a>, grid: StepGrid) -> Result<ScalarInput<'a>, EvalError> {
        self.scalar(node.parameter.ok_or_else(|| no_parameter(node))?, grid)
    }

    pub(super) fn histogram_function(
        &self,
        function: HistogramFunction,
        args: &'a [LogicalNode],
        span: Span,
        grid: StepGrid,
    ) -> Built<'a> {
        let (question, parameters, input) = match (function, args) {
            (HistogramFunction::Quantile, [parameters @ .., input]) => {
                (HistogramQuestion::Quantile, parameters, input)
            }
            (HistogramFunction::Fraction, [parameters @ .., input]) => {
                (HistogramQuestion::Fraction, parameters, input)
            }
            (HistogramFunction::Quantiles, [input, LogicalNode::Text { value, .. }, parameters @ ..]) => {
                (HistogramQuestion::Quantiles(value), parameters, input)
            }
            (_, [input]) => {
                let operator = Box::new(HistogramSummary::new(function, self.operator(input, grid)?));
                return Ok(self.without_names(operator, Collision::SameStep, grid, span));
            }
            _ => return Err(super::call::too_few_arguments(span)),
        };
        let parameters = self.scalars(parameters, grid)?;
        let vector = self.operator(input, grid)?;
        let operator = HistogramFunctionOperator::new(question, parameters, vector, grid, input.span());
        Ok(Box::new(MergeDuplicates::new(Box::new(operator), Collision::SameStep, grid.len, span)))
    }
}

/// A binary operator between two vectors. `and` and `unless` yield series of the left side, which are distinct.
fn join<'a>(
    node: BinaryNode<'a>,
    left: BoxedOperator<'a>,
    right: BoxedOperator<'a>,
    grid: StepGrid,
) -> BoxedOperator<'a> {
    let BinaryNode { op, returns_bool, matching, span, .. } = node;
    let operator: BoxedOperator<'a> = match op {
        BinaryOp::And | BinaryOp::Unless => {
            return Box::new(SetOperation::new(op, &matching.labels, left, right, grid.len));
        }
        BinaryOp::Or => Box::new(SetOperation::new(op, &matching.labels, left, right, grid.len)),
        _ => {
            let operation = Operation { op, returns_bool };
            Box::new(VectorBinary::new(operation, matching, left, right, grid.len, span))
        }
    };
    Box::new(MergeDuplicates::new(operator, Collision::SameStep, grid.len, span))
}

/// Plans of checked expressions have one where it is needed.
fn no_parameter(node: AggregateNode<'_>) -> EvalError {
    let message = format!("{} lacks its parameter", node.op.as_str());
    EvalError::new(EvalErrorKind::Plan, message, node.span)
}
