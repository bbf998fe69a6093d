//! Functions of windows: reads series after series, hands each to a kernel.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_promql::ast::RangeExtension;
use narthex_promql::functions::{FunctionId, OverTimeFunction, RateFunction, RegressionFunction};
use narthex_storage::{SampleBuffer, SummaryNeed};

use super::relabel::renamed;
use super::scalar::ScalarInput;
use super::window_source::{SummaryKernel, WindowSource};
use super::{Description, Operator, SeriesMetadata};
use crate::column::{Segments, SeriesBatch, WindowBounds, lag};
use crate::functions::{SeriesContext, extended, over_time, rate, regression, summarised};
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn, Windows};

/// A function whose argument is a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RangeFunction {
    Rate(RateFunction),
    OverTime(OverTimeFunction),
    Regression(RegressionFunction),
}

impl RangeFunction {
    pub(super) fn id(self) -> FunctionId {
        match self {
            RangeFunction::Rate(function) => FunctionId::Rate(function),
            RangeFunction::OverTime(function) => FunctionId::OverTime(function),
            RangeFunction::Regression(function) => FunctionId::Regression(function),
        }
    }

    /// What it has to know of samples that it does not see; `None` when it has to see all of them.
    pub(super) fn need(self) -> Option<SummaryNeed> {
        match self {
            RangeFunction::Rate(function) => summarised::need_of_change(function),
            RangeFunction::OverTime(function) => summarised::need_over_time(function),
            RangeFunction::Regression(_) => None,
        }
    }

    /// Only the sample itself is handed on, so its name still fits.
    pub(super) fn keeps_name(self) -> bool {
        matches!(self, RangeFunction::OverTime(OverTimeFunction::First | OverTimeFunction::Last))
    }
}

/// Applies one function to every window of every series.
pub(super) struct RangeFunctionOperator<'a> {
    function: RangeFunction,
    source: Box<dyn WindowSource + 'a>,
    parameters: Vec<ScalarInput<'a>>,
    parameter_columns: Vec<StepColumn>,
    /// The call.
    span: Span,
    /// Its first argument, which annotations point at.
    arg_span: Span,
    input: Arc<[SeriesMetadata]>,
    output: Reservation,
}

impl<'a> RangeFunctionOperator<'a> {
    pub(super) fn new(
        function: RangeFunction,
        source: Box<dyn WindowSource + 'a>,
        parameters: Vec<ScalarInput<'a>>,
        span: Span,
        arg_span: Span,
    ) -> RangeFunctionOperator<'a> {
        let input: Arc<[SeriesMetadata]> = Arc::new([]);
        RangeFunctionOperator {
            function,
            source,
            parameters,
            parameter_columns: Vec::new(),
            span,
            arg_span,
            input,
            output: Reservation::default(),
        }
    }
}

/// One call, the same for every series.
pub(super) struct Call<'c> {
    pub(super) function: RangeFunction,
    pub(super) extension: Option<RangeExtension>,
    pub(super) range_ms: i64,
    pub(super) bounds: &'c [WindowBounds],
    /// See [`lag`].
    pub(super) lag: Option<usize>,
    pub(super) parameters: &'c [StepColumn],
}

impl Call<'_> {
    pub(super) fn evaluate(
        &self,
        samples: &SampleBuffer,
        series: &SeriesContext<'_>,
        out: &mut StepColumn,
    ) -> Result<(), EvalError> {
        let windows =
            Windows::new(samples, self.bounds).lagging(self.lag).stopped_by(series.query.interrupt());
        let (extension, parameters) = (self.extension, self.parameters);
        match self.function {
            RangeFunction::Rate(function) => {
                rate::evaluate(function, extension, self.range_ms, &windows, series, out)
            }
            RangeFunction::OverTime(function) => {
                over_time::evaluate(function, extension, parameters.first(), &windows, series, out)
            }
            RangeFunction::Regression(function) => {
                regression::evaluate(function, parameters, &windows, series, out)
            }
        }
    }
}

impl Call<'_> {
    /// As [`Call::evaluate`], from what samples amount to; `false` when that does not tell the result.
    fn evaluate_summarised(
        &self,
        segments: &Segments<'_>,
        series: &SeriesContext<'_>,
        out: &mut StepColumn,
    ) -> bool {
        match self.function {
            RangeFunction::Rate(function) => {
                summarised::change(function, self.range_ms, self.bounds, segments, series, out);
                true
            }
            RangeFunction::OverTime(function) => summarised::over_time(function, segments, out),
            RangeFunction::Regression(_) => false,
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
        if self.function.keeps_name() {
            return Ok(Arc::clone(&self.input));
        }
        let (series, held) = renamed(&self.input, context, |series| series.without_name(context))?;
        self.output = held;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let bounds = self.source.bounds();
        let call = Call {
            function: self.function,
            extension: self.source.extension(),
            range_ms: self.source.range_ms(),
            bounds: &bounds,
            lag: lag(&bounds),
            parameters: &self.parameter_columns,
        };
        let (input, call_span, arg_span) = (&self.input, self.span, self.arg_span);
        let context_of = |series: usize| {
            let labels = &input[series].labels;
            SeriesContext { query: context, metric: labels.metric_name(), labels, call_span, arg_span }
        };
        let kernel = |series, samples: &SampleBuffer, column: &mut StepColumn| {
            call.evaluate(samples, &context_of(series), column)
        };
        let Some(need) = self.function.need() else {
            return self.source.next_batch(context, batch, &kernel);
        };
        let compute = |series, segments: &Segments<'_>, column: &mut StepColumn| {
            call.evaluate_summarised(segments, &context_of(series), column)
        };
        let summarised = SummaryKernel { need, compute: &compute };
        self.source.next_batch_summarised(context, batch, &summarised, &kernel)
    }

    fn describe(&self) -> Description<'_> {
        let source = self.source.describe();
        let line = format!("{} over {}", self.function.id().as_str(), source.line);
        let parameters = self.parameters.iter().map(ScalarInput::operator);
        Description { line, inputs: source.inputs.into_iter().chain(parameters).collect() }
    }
}
