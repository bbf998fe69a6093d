//! Plan to operators: one dispatch, by node and by function family.

use narthex_diag::Span;
use narthex_model::StepGrid;
use narthex_plan::{LogicalNode, QueryParameters};
use narthex_promql::ValueType;
use narthex_promql::functions::{ConversionFunction, FunctionId, InfoFunction};
use narthex_storage::Querier;

use super::BoxedOperator;
use super::absent::{Absent, AbsentInput};
use super::info::{Info, first_shift};
use super::info_series::InfoTimes;
use super::instant_function::{InstantFunction, InstantFunctionOperator};
use super::label_function::LabelFunctionOperator;
use super::merge_duplicates::{Collision, MergeDuplicates};
use super::range_function::{RangeFunction, RangeFunctionOperator};
use super::scalar::{Number, ScalarFunctionOperator, ScalarInput, ScalarOfVector};
use super::sort::Sort;
use super::step_invariant::StepInvariant;
use super::subquery::{SubquerySource, inner_grid};
use super::vector_selector::{Lookup, VectorSelector};
use super::window_source::{MatrixSource, WindowSource};
use crate::context::EvalOptions;
use crate::{EvalError, EvalErrorKind};

/// Makes the operators of a plan.
#[derive(Clone, Copy)]
pub(crate) struct Builder<'a> {
    /// Where samples come from.
    pub querier: &'a dyn Querier,
    /// Switches that change meaning.
    pub(crate) options: EvalOptions,
    /// The times and defaults of the query.
    pub parameters: &'a QueryParameters,
}

impl<'a> Builder<'a> {
    /// The operator of a node that yields scalars or instant vectors on `grid`.
    ///
    /// # Errors
    /// When an argument is invalid in itself, such as a regular expression.
    pub(crate) fn operator(
        &self,
        node: &'a LogicalNode,
        grid: StepGrid,
    ) -> Result<BoxedOperator<'a>, EvalError> {
        let steps = grid.len;
        Ok(match node {
            LogicalNode::Number { value, .. } => Box::new(Number::new(*value, steps)),
            LogicalNode::VectorSelector { selector, part } => {
                let lookback_ms = self.parameters.lookback_ms;
                let lookup = Lookup { selector, part: *part, grid, lookback_ms };
                Box::new(VectorSelector::new(lookup, self.querier))
            }
            LogicalNode::Call { function, args, span } => self.call(*function, args, *span, grid)?,
            LogicalNode::Absent { labels, expr, span } => {
                let input = match expr.value_type() {
                    ValueType::RangeVector => AbsentInput::Windows(self.windows(expr, grid)?),
                    _ => AbsentInput::Elements(self.operator(expr, grid)?),
                };
                Box::new(Absent::new(labels, input, steps, *span))
            }
            LogicalNode::StepInvariant { expr } => {
                let once = StepGrid { len: steps.min(1), ..grid };
                Box::new(StepInvariant::new(self.operator(expr, once)?, steps))
            }
            LogicalNode::Text { span, .. }
            | LogicalNode::MatrixSelector { span, .. }
            | LogicalNode::Subquery { span, .. } => {
                let found = node.value_type().as_str();
                return Err(EvalError::execution(
                    format!("expected an instant vector or scalar, got a {found}"),
                    *span,
                ));
            }
            LogicalNode::Aggregate { op, span, .. } => return Err(not_implemented(op.as_str(), *span)),
            LogicalNode::Binary { op, span, .. } => return Err(not_implemented(op.as_str(), *span)),
            LogicalNode::Negate { span, .. } => return Err(not_implemented("-", *span)),
        })
    }

    /// The windows of a node that yields range vectors, one per step of `grid`.
    ///
    /// # Errors
    /// As [`Builder::operator`].
    pub(super) fn windows(
        &self,
        node: &'a LogicalNode,
        grid: StepGrid,
    ) -> Result<Box<dyn WindowSource + 'a>, EvalError> {
        match node {
            LogicalNode::MatrixSelector { selector, range_ms, span } => {
                let lookback_ms = self.parameters.lookback_ms;
                let source = MatrixSource::new(selector, *range_ms, *span, grid, lookback_ms, self.querier);
                Ok(Box::new(source))
            }
            LogicalNode::Subquery { expr, range_ms, step_ms, shift, span } => {
                let inner = inner_grid(grid, *shift, *range_ms, *step_ms);
                let operator = self.operator(expr, inner)?;
                Ok(Box::new(SubquerySource::new(operator, inner, grid, *shift, *range_ms, *span)))
            }
            _ => {
                let found = node.value_type().as_str();
                Err(EvalError::execution(format!("expected a range vector, got a {found}"), node.span()))
            }
        }
    }

    pub(super) fn scalar(&self, node: &'a LogicalNode, grid: StepGrid) -> Result<ScalarInput<'a>, EvalError> {
        Ok(ScalarInput::new(self.operator(node, grid)?, grid.len, node.span()))
    }

    fn scalars(&self, nodes: &'a [LogicalNode], grid: StepGrid) -> Result<Vec<ScalarInput<'a>>, EvalError> {
        nodes.iter().map(|node| self.scalar(node, grid)).collect()
    }

    fn call(
        &self,
        function: FunctionId,
        args: &'a [LogicalNode],
        span: Span,
        grid: StepGrid,
    ) -> Result<BoxedOperator<'a>, EvalError> {
        let steps = grid.len;
        let merged = |input| Box::new(MergeDuplicates::new(input, Collision::SameStep, steps, span));
        Ok(match (function, args) {
            (FunctionId::Rate(function), _) => {
                self.range_function(RangeFunction::Rate(function), args, span, grid)?
            }
            (FunctionId::OverTime(function), _) => {
                self.range_function(RangeFunction::OverTime(function), args, span, grid)?
            }
            (FunctionId::Regression(function), _) => {
                self.range_function(RangeFunction::Regression(function), args, span, grid)?
            }
            (FunctionId::Math(function), [input, parameters @ ..]) => {
                self.instant_function(InstantFunction::Math(function), input, parameters, span, grid)?
            }
            (FunctionId::Trigonometry(function), [input]) => {
                self.instant_function(InstantFunction::Trigonometry(function), input, &[], span, grid)?
            }
            (FunctionId::Date(function), [input]) => {
                self.instant_function(InstantFunction::Date(function), input, &[], span, grid)?
            }
            (FunctionId::Date(function), []) => {
                let time = narthex_promql::functions::ScalarFunction::Time;
                let now = Box::new(ScalarFunctionOperator::new(time, Vec::new(), grid));
                let function = InstantFunction::Date(function);
                Box::new(InstantFunctionOperator::new(function, now, Vec::new(), grid))
            }
            (FunctionId::Scalar(function), _) => {
                Box::new(ScalarFunctionOperator::new(function, self.scalars(args, grid)?, grid))
            }
            (FunctionId::Conversion(function), [input]) => self.conversion(function, input, span, grid)?,
            (FunctionId::Label(function), [input, texts @ ..]) => {
                let texts: Vec<&LogicalNode> = texts.iter().collect();
                let input = self.operator(input, grid)?;
                let operator = LabelFunctionOperator::new(function, &texts, input, span)?;
                merged(Box::new(operator))
            }
            (FunctionId::Sort(function), [input, names @ ..]) => {
                let text = |node: &LogicalNode| match node {
                    LogicalNode::Text { value, .. } => value.to_str_lossy().into_owned(),
                    _ => String::new(),
                };
                Box::new(Sort::new(
                    function,
                    names.iter().map(text).collect(),
                    self.operator(input, grid)?,
                    span,
                ))
            }
            (FunctionId::Info(InfoFunction::Info), [base, selector @ ..]) => {
                let shift = first_shift(base).unwrap_or_default();
                let times = InfoTimes { grid, shift, lookback_ms: self.parameters.lookback_ms };
                let base = self.operator(base, grid)?;
                let info = Info::new(base, selector.first(), times, self.querier, span);
                merged(Box::new(info))
            }
            _ => return Err(not_implemented(function.as_str(), span)),
        })
    }

    /// An operator that takes names away; where they go at once, series may become identical.
    fn without_names(
        &self,
        operator: BoxedOperator<'a>,
        collision: Collision,
        grid: StepGrid,
        span: Span,
    ) -> BoxedOperator<'a> {
        if self.options.delayed_name_removal {
            return operator;
        }
        Box::new(MergeDuplicates::new(operator, collision, grid.len, span))
    }

    fn range_function(
        &self,
        function: RangeFunction,
        args: &'a [LogicalNode],
        span: Span,
        grid: StepGrid,
    ) -> Result<BoxedOperator<'a>, EvalError> {
        let (windows, scalars): (Vec<_>, Vec<_>) =
            args.iter().partition(|arg| arg.value_type() == ValueType::RangeVector);
        let Some(windows) = windows.first() else {
            return Err(EvalError::execution("expected a range vector", span));
        };
        let source = self.windows(windows, grid)?;
        let arg_span = args.first().map_or(span, LogicalNode::span);
        let scalars = scalars.iter().map(|node| self.scalar(node, grid)).collect::<Result<_, _>>()?;
        let operator = RangeFunctionOperator::new(function, source, scalars, span, arg_span);
        Ok(self.without_names(Box::new(operator), Collision::AnyStep, grid, span))
    }

    fn instant_function(
        &self,
        function: InstantFunction,
        input: &'a LogicalNode,
        parameters: &'a [LogicalNode],
        span: Span,
        grid: StepGrid,
    ) -> Result<BoxedOperator<'a>, EvalError> {
        let parameters = self.scalars(parameters, grid)?;
        let operator = InstantFunctionOperator::new(function, self.operator(input, grid)?, parameters, grid);
        Ok(self.without_names(Box::new(operator), Collision::SameStep, grid, span))
    }

    fn conversion(
        &self,
        function: ConversionFunction,
        input: &'a LogicalNode,
        span: Span,
        grid: StepGrid,
    ) -> Result<BoxedOperator<'a>, EvalError> {
        let is_selector = matches!(input, LogicalNode::VectorSelector { .. });
        let function = match function {
            ConversionFunction::Scalar => {
                return Ok(Box::new(ScalarOfVector::new(self.operator(input, grid)?, grid.len)));
            }
            ConversionFunction::Vector => InstantFunction::Vector,
            ConversionFunction::StartTimestamp if !self.options.start_timestamps => InstantFunction::Nothing,
            ConversionFunction::Timestamp | ConversionFunction::StartTimestamp if is_selector => {
                InstantFunction::SamplePart
            }
            ConversionFunction::Timestamp => InstantFunction::StepTime,
            ConversionFunction::StartTimestamp => InstantFunction::Nothing,
        };
        self.instant_function(function, input, &[], span, grid)
    }
}

/// The error of something that has no operator.
fn not_implemented(name: &str, span: Span) -> EvalError {
    EvalError::new(EvalErrorKind::NotImplemented, format!("{name}() is not implemented yet"), span)
}
