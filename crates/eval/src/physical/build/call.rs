//! Calls to operators: one dispatch by function family.

use narthex_diag::Span;
use narthex_model::StepGrid;
use narthex_plan::LogicalNode;
use narthex_plan::logical::SelectedPart;
use narthex_promql::ValueType;
use narthex_promql::functions::{
    ConversionFunction, DateFunction, FunctionId, LabelFunction, ScalarFunction, SortFunction,
};

use super::{Builder, Built, mistyped, not_implemented};
use crate::EvalError;
use crate::physical::BoxedOperator;
use crate::physical::info::{Info, first_shift};
use crate::physical::info_series::InfoTimes;
use crate::physical::instant_function::{InstantFunction, InstantFunctionOperator};
use crate::physical::label_function::LabelFunctionOperator;
use crate::physical::merge_duplicates::{Collision, MergeDuplicates};
use crate::physical::range_function::{RangeFunction, RangeFunctionOperator};
use crate::physical::scalar::{ScalarFunctionOperator, ScalarInput, ScalarOfVector};
use crate::physical::sort::Sort;

/// A call: its arguments, its place in the query, and the steps it is evaluated at.
#[derive(Clone, Copy)]
struct Call<'a> {
    args: &'a [LogicalNode],
    span: Span,
    grid: StepGrid,
}

impl<'a> Builder<'a> {
    pub(super) fn call(
        &self,
        function: FunctionId,
        args: &'a [LogicalNode],
        span: Span,
        grid: StepGrid,
    ) -> Built<'a> {
        let call = Call { args, span, grid };
        match function {
            FunctionId::Rate(function) => self.range_function(RangeFunction::Rate(function), call),
            FunctionId::OverTime(function) => self.range_function(RangeFunction::OverTime(function), call),
            FunctionId::Regression(function) => {
                self.range_function(RangeFunction::Regression(function), call)
            }
            FunctionId::Math(function) => self.instant_function(InstantFunction::Math(function), call),
            FunctionId::Trigonometry(function) => {
                self.instant_function(InstantFunction::Trigonometry(function), call)
            }
            FunctionId::Date(function) => self.date(function, call),
            FunctionId::Scalar(function) => {
                Ok(Box::new(ScalarFunctionOperator::new(function, self.scalars(args, grid)?, grid)))
            }
            FunctionId::Conversion(function) => self.conversion(function, call),
            FunctionId::Label(function) => self.label_function(function, call),
            FunctionId::Sort(function) => self.sort(function, call),
            FunctionId::Info(_) => self.info(call),
            FunctionId::Histogram(function) => self.histogram_function(function, args, span, grid),
            FunctionId::Absent(_) => Err(not_implemented(function.as_str(), span)),
        }
    }

    pub(super) fn scalars(
        &self,
        nodes: &'a [LogicalNode],
        grid: StepGrid,
    ) -> Result<Vec<ScalarInput<'a>>, EvalError> {
        nodes.iter().map(|node| self.scalar(node, grid)).collect()
    }

    /// The first argument, an instant vector, and the others.
    fn first(&self, call: Call<'a>) -> Result<(BoxedOperator<'a>, &'a [LogicalNode]), EvalError> {
        let (first, rest) = call.args.split_first().ok_or_else(|| too_few_arguments(call.span))?;
        Ok((self.operator(first, call.grid)?, rest))
    }

    fn range_function(&self, function: RangeFunction, call: Call<'a>) -> Built<'a> {
        let Call { args, span, grid } = call;
        let arg_span = args.first().map_or(span, LogicalNode::span);
        let (windows, scalars): (Vec<_>, Vec<_>) =
            args.iter().partition(|arg| arg.value_type() == ValueType::RangeVector);
        let windows = windows.first().ok_or_else(|| too_few_arguments(span))?;
        let source = self.windows(windows, grid)?;
        let scalars = scalars.iter().map(|node| self.scalar(node, grid)).collect::<Result<_, _>>()?;
        let operator = RangeFunctionOperator::new(function, source, scalars, span, arg_span);
        Ok(self.without_names(Box::new(operator), Collision::AnyStep, grid, span))
    }

    fn instant_function(&self, function: InstantFunction, call: Call<'a>) -> Built<'a> {
        let (input, parameters) = self.first(call)?;
        let parameters = self.scalars(parameters, call.grid)?;
        let operator = InstantFunctionOperator::new(function, input, parameters, call.grid);
        Ok(self.without_names(Box::new(operator), Collision::SameStep, call.grid, call.span))
    }

    /// Without an argument: of the evaluation time.
    fn date(&self, function: DateFunction, call: Call<'a>) -> Built<'a> {
        let function = InstantFunction::Date(function);
        if !call.args.is_empty() {
            return self.instant_function(function, call);
        }
        let time = ScalarFunctionOperator::new(ScalarFunction::Time, Vec::new(), call.grid);
        Ok(Box::new(InstantFunctionOperator::new(function, Box::new(time), Vec::new(), call.grid)))
    }

    fn conversion(&self, function: ConversionFunction, call: Call<'a>) -> Built<'a> {
        let is_selector =
            matches!(call.args, [LogicalNode::VectorSelector { part, .. }] if *part != SelectedPart::Value);
        let function = match function {
            ConversionFunction::Scalar => {
                return Ok(Box::new(ScalarOfVector::new(self.first(call)?.0, call.grid.len)));
            }
            ConversionFunction::Vector => return Ok(self.first(call)?.0),
            ConversionFunction::StartTimestamp if !self.options.start_timestamps => InstantFunction::Nothing,
            ConversionFunction::Timestamp | ConversionFunction::StartTimestamp if is_selector => {
                InstantFunction::SamplePart
            }
            ConversionFunction::Timestamp => InstantFunction::StepTime,
            ConversionFunction::StartTimestamp => InstantFunction::Nothing,
        };
        self.instant_function(function, call)
    }

    fn label_function(&self, function: LabelFunction, call: Call<'a>) -> Built<'a> {
        let (input, texts) = self.first(call)?;
        let texts: Vec<&LogicalNode> = texts.iter().collect();
        let operator = LabelFunctionOperator::new(function, &texts, input, call.span)?;
        Ok(merged(Box::new(operator), call))
    }

    fn sort(&self, function: SortFunction, call: Call<'a>) -> Built<'a> {
        let (input, names) = self.first(call)?;
        let name = |node: &LogicalNode| match node {
            LogicalNode::Text { value, .. } => Ok(value.to_str_lossy().into_owned()),
            _ => Err(mistyped("a string", node)),
        };
        let names = names.iter().map(name).collect::<Result<_, _>>()?;
        Ok(Box::new(Sort::new(function, names, input, call.span)))
    }

    fn info(&self, call: Call<'a>) -> Built<'a> {
        let (base, selector) = self.first(call)?;
        let shift = call.args.first().and_then(first_shift).unwrap_or_default();
        let times = InfoTimes { grid: call.grid, shift, lookback_ms: self.parameters.lookback_ms };
        let info = Info::new(base, selector.first(), times, self.querier, call.span);
        Ok(merged(Box::new(info), call))
    }
}

/// An operator that changes labels, so that series may become identical.
fn merged<'a>(operator: BoxedOperator<'a>, call: Call<'_>) -> BoxedOperator<'a> {
    Box::new(MergeDuplicates::new(operator, Collision::SameStep, call.grid.len, call.span))
}

/// Plans of checked expressions have none.
pub(super) fn too_few_arguments(span: Span) -> EvalError {
    EvalError::new(crate::EvalErrorKind::Plan, "too few arguments", span)
}
