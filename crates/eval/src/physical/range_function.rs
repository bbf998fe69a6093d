//! Functions of windows: reads series after series, hands each to a kernel.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_promql::functions::{FunctionId, OverTimeFunction, RateFunction, RegressionFunction};

use super::scalar::ScalarInput;
use super::window_source::WindowSource;
use super::{Description, Operator, SeriesMetadata, series_per_batch};
use crate::column::SeriesBatch;
use crate::functions::{SeriesContext, extended, over_time, rate, regression};
use crate::{EvalError, QueryContext, StepColumn, Windows};

/// A function whose argument is a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RangeFunction {
    Rate(RateFunction),
    OverTime(OverTimeFunction),
    Regression(RegressionFunction),
}

impl RangeFunction {
    fn id(self) -> FunctionId {
        match self {
            RangeFunction::Rate(function) => FunctionId::Rate(function),
            RangeFunction::OverTime(function) => FunctionId::OverTime(function),
            RangeFunction::Regression(function) => FunctionId::Regression(function),
        }
    }

    /// Only the sample itself is handed on, so its name still fits.
    fn keeps_name(self) -> bool {
        matches!(self, RangeFunction::OverTime(OverTimeFunction::First | OverTimeFunction::Last))
    }
}

/// Applies one function to every window of every series.
pub(super) struct RangeFunctionOperator<'a> {
    function: RangeFunction,
    source: Box<dyn WindowSource + 'a>,
    parameters: Vec<ScalarInput<'a>>,
    parameter_columns: Vec<StepColumn>,
    span: Span,
    input: Arc<[SeriesMetadata]>,
    next: usize,
}

impl<'a> RangeFunctionOperator<'a> {
    pub(super) fn new(
        function: RangeFunction,
        source: Box<dyn WindowSource + 'a>,
        parameters: Vec<ScalarInput<'a>>,
        span: Span,
    ) -> RangeFunctionOperator<'a> {
        let input: Arc<[SeriesMetadata]> = Arc::new([]);
        RangeFunctionOperator {
            function,
            source,
            parameters,
            parameter_columns: Vec::new(),
            span,
            input,
            next: 0,
        }
    }

    fn steps(&self) -> usize {
        self.source.bounds().len()
    }

    fn annotate_parameters(&self, context: &QueryContext) {
        if self.function != RangeFunction::OverTime(OverTimeFunction::Quantile) {
            return;
        }
        if let (Some(input), Some(column)) = (self.parameters.first(), self.parameter_columns.first()) {
            super::annotate_quantiles(column, input.span(), context);
        }
    }
}

impl Operator for RangeFunctionOperator<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        if let Some(extension) = self.source.extension() {
            extended::check(self.function.id(), extension, self.span)?;
        }
        self.input = self.source.series(context)?;
        for parameter in &mut self.parameters {
            self.parameter_columns.push(parameter.column(context)?);
        }
        if !self.input.is_empty() {
            self.annotate_parameters(context);
        }
        if self.function.keeps_name() {
            return Ok(Arc::clone(&self.input));
        }
        Ok(self.input.iter().map(|series| series.without_name(context)).collect())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        batch.start(self.next);
        while self.next < self.input.len() && batch.columns.len() < series_per_batch(self.steps()) {
            let labels = &self.input[self.next].labels;
            let series = SeriesContext {
                query: context,
                metric: labels.metric_name(),
                labels,
                call_span: self.span,
                arg_span: self.source.span(),
            };
            let (range_ms, extension) = (self.source.range_ms(), self.source.extension());
            let bounds = self.source.bounds();
            let windows = Windows::new(self.source.read_next(context)?, &bounds);
            let out = batch.push_column(bounds.len());
            let parameters = &self.parameter_columns;
            match self.function {
                RangeFunction::Rate(function) => {
                    rate::evaluate(function, extension, range_ms, &windows, &series, out)?;
                }
                RangeFunction::OverTime(function) => {
                    over_time::evaluate(function, extension, parameters.first(), &windows, &series, out)?;
                }
                RangeFunction::Regression(function) => {
                    regression::evaluate(function, parameters, &windows, &series, out)?;
                }
            }
            self.next += 1;
        }
        Ok(!batch.columns.is_empty())
    }

    fn describe(&self) -> Description<'_> {
        let source = self.source.describe();
        let line = format!("{} over {}", self.function.id().as_str(), source.line);
        let parameters = self.parameters.iter().map(ScalarInput::operator);
        Description { line, inputs: source.inputs.into_iter().chain(parameters).collect() }
    }
}
