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

impl<'a> Builder<'a> {
    pub(super) fn negate(&self, expr: &'a LogicalNode, span: Span, grid: StepGrid) -> Built<'a> {
        let operator = Box::new(Negate::new(self.operator(expr, grid)?, expr.value_type()));
        Ok(self.without_names(operator, Collision::SameStep, grid, span))
    }

    pub(super) fn binary(&self, node: BinaryNode<'a>, grid: StepGrid) -> Built<'a> {
        let BinaryNode { op, lhs, rhs, span, .. } = node;
        match (lhs.value_type(), rhs.value_type()) {
            (ValueType::Scalar, ValueType::Scalar) => {
                let (left, right) = (self.scalar(lhs, grid)?, self.scalar(rhs, grid)?);
                Ok(Box::new(ScalarBinary::new(op, left, right, grid.len, span)?))
            }
            (ValueType::Scalar, _) => self.vector_scalar(node, (rhs, lhs), ScalarSide::Left, grid),
            (_, ValueType::Scalar) => self.vector_scalar(node, (lhs, rhs), ScalarSide::Right, grid),
            _ => self.vector_vector(node, grid),
        }
    }

    fn vector_scalar(
        &self,
        node: BinaryNode<'a>,
        (vector, scalar): (&'a LogicalNode, &'a LogicalNode),
        side: ScalarSide,
        grid: StepGrid,
    ) -> Built<'a> {
        let operation = Operation { op: node.op, returns_bool: node.returns_bool };
        let (vector, scalar) = (self.operator(vector, grid)?, self.scalar(scalar, grid)?);
        let operator = VectorScalarBinary::new(operation, vector, scalar, side, node.span);
        Ok(self.without_names(Box::new(operator), Collision::SameStep, grid, node.span))
    }

    fn vector_vector(&self, node: BinaryNode<'a>, grid: StepGrid) -> Built<'a> {
        let BinaryNode { op, returns_bool, matching, lhs, rhs, span } = node;
        let (left, right) = (self.operator(lhs, grid)?, self.operator(rhs, grid)?);
        let operator: BoxedOperator<'a> = if op.is_set() {
            Box::new(SetOperation::new(op, &matching.labels, left, right, grid.len))
        } else {
            let operation = Operation { op, returns_bool };
            Box::new(VectorBinary::new(operation, matching, left, right, grid.len, span))
        };
        Ok(Box::new(MergeDuplicates::new(operator, Collision::SameStep, grid.len, span)))
    }

    pub(super) fn aggregate(&self, node: AggregateNode<'a>, grid: StepGrid) -> Built<'a> {
        match node.op {
            AggregateOp::Topk => self.ranked(Best::Largest, node, grid),
            AggregateOp::Bottomk => self.ranked(Best::Smallest, node, grid),
            AggregateOp::Limitk => self.limited(Limit::Count, node, grid),
            AggregateOp::LimitRatio => self.limited(Limit::Ratio, node, grid),
            AggregateOp::CountValues => self.count_values(node, grid),
            _ => {
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
                Ok(Box::new(CountValues::new(value, node.grouping, input, grid.len, *span)))
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

/// Plans of checked expressions have one where it is needed.
fn no_parameter(node: AggregateNode<'_>) -> EvalError {
    let message = format!("{} lacks its parameter", node.op.as_str());
    EvalError::new(EvalErrorKind::Plan, message, node.span)
}
