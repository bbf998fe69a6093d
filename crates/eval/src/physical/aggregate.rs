//! Aggregations that make one new element per group.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_plan::logical::Grouping;
use narthex_promql::aggregations::AggregateOp;

use super::aggregate_state::AggregateState;
use super::scalar::ScalarInput;
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::aggregations::groups::grouping_text;
use crate::column::SeriesBatch;
use crate::{AnnotationKind, EvalError, QueryContext, StepColumn};

/// Streams its input into one accumulator per group.
pub(super) struct Aggregate<'a> {
    state: AggregateState<'a>,
    parameter: Option<ScalarInput<'a>>,
    input: BoxedOperator<'a>,
    has_read_input: bool,
}

impl<'a> Aggregate<'a> {
    /// `op` over the groups of `input`, which stands at `input_span`; `parameter` is φ of `quantile`.
    pub(super) fn new(
        op: AggregateOp,
        grouping: &'a Grouping,
        parameter: Option<ScalarInput<'a>>,
        input: BoxedOperator<'a>,
        steps: usize,
        input_span: Span,
    ) -> Aggregate<'a> {
        let state = AggregateState::new(op, grouping, steps, input_span);
        Aggregate { state, parameter, input, has_read_input: false }
    }

    fn read_input(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        let mut batch = SeriesBatch::new();
        while self.input.next_batch(context, &mut batch)? {
            context.check()?;
            for (series, column) in batch.iter() {
                self.state.add(series, column, context)?;
            }
        }
        Ok(())
    }
}

/// Warns of φ outside of [0, 1]: NaN, the largest and the smallest one.
fn annotate_quantiles(column: &StepColumn, span: Span, context: &QueryContext) {
    let values = || (0..column.len()).filter_map(|step| column.float(step));
    let largest = values().fold(f64::NEG_INFINITY, f64::max);
    let smallest = values().fold(f64::INFINITY, f64::min);
    let bad = [
        values().any(f64::is_nan).then_some(f64::NAN),
        (largest > 1.0).then_some(largest),
        (smallest < 0.0).then_some(smallest),
    ];
    for value in bad.into_iter().flatten() {
        context.annotate(AnnotationKind::QuantileOutOfRange(value), span);
    }
}

impl Operator for Aggregate<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        if let Some(parameter) = &mut self.parameter {
            self.state.parameter = parameter.column(context)?;
            annotate_quantiles(&self.state.parameter, parameter.span(), context);
        }
        self.state.group(input, context)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        if !std::mem::replace(&mut self.has_read_input, true) {
            self.read_input(context)?;
        }
        Ok(self.state.hand_out(context, batch))
    }

    fn describe(&self) -> Description<'_> {
        let input: &dyn Operator = &*self.input;
        let parameter = self.parameter.iter().map(ScalarInput::operator);
        Description {
            line: format!("{}{}", self.state.op.as_str(), grouping_text(self.state.grouping)),
            inputs: parameter.chain([input]).collect(),
        }
    }
}
