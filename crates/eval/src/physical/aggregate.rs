//! Aggregations that make one new element per group.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_plan::logical::Grouping;
use narthex_promql::aggregations::AggregateOp;

use super::scalar::ScalarInput;
use super::{BoxedOperator, Description, Operator, SeriesMetadata, series_per_batch};
use crate::aggregations::groups::{Groups, grouping_text};
use crate::aggregations::{Accumulator, AggregateContext, accumulator};
use crate::column::SeriesBatch;
use crate::limits::column_samples;
use crate::memory::Reservation;
use crate::{AnnotationKind, EvalError, QueryContext, StepColumn};

/// Streams its input into one accumulator per group.
pub(super) struct Aggregate<'a> {
    op: AggregateOp,
    grouping: &'a Grouping,
    parameter: Option<ScalarInput<'a>>,
    input: BoxedOperator<'a>,
    steps: usize,
    input_span: Span,
    input_series: Arc<[SeriesMetadata]>,
    groups: Groups,
    parameter_column: StepColumn,
    accumulators: Vec<Box<dyn Accumulator>>,
    /// Samples in the accumulators, which of most operators hold none.
    held_samples: usize,
    /// What the accumulators take.
    bytes: Reservation,
    /// Groups handed out; `None` before the input is read.
    next: Option<usize>,
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
        Aggregate {
            op,
            grouping,
            parameter,
            input,
            steps,
            input_span,
            input_series: Arc::new([]),
            groups: Groups::default(),
            parameter_column: StepColumn::default(),
            accumulators: Vec::new(),
            held_samples: 0,
            bytes: Reservation::default(),
            next: None,
        }
    }

    fn read_input(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        let (op, steps) = (self.op, self.steps);
        self.bytes = context.reserve(0)?;
        for _ in 0..self.groups.len() {
            let made = accumulator(op, steps);
            self.bytes.grow(made.iter().map(|one| one.size_bytes()).sum())?;
            self.accumulators.extend(made);
        }
        let surroundings =
            AggregateContext { query: context, span: self.input_span, parameter: &self.parameter_column };
        let mut batch = SeriesBatch::new();
        while self.input.next_batch(context, &mut batch)? {
            context.check()?;
            if op == AggregateOp::Quantile {
                let held = batch.columns.iter().map(column_samples).sum();
                context.hold_samples(held)?;
                self.held_samples += held;
            }
            for (series, column) in batch.iter() {
                let metric = self.input_series[series].labels.metric_name();
                let accumulator = &mut self.accumulators[self.groups.of_series[series]];
                let before = accumulator.size_bytes();
                accumulator.add(column, metric, &surroundings);
                self.bytes.grow(accumulator.size_bytes() - before)?;
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
        self.input_series = self.input.series(context)?;
        if let Some(parameter) = &mut self.parameter {
            self.parameter_column = parameter.column(context)?;
            annotate_quantiles(&self.parameter_column, parameter.span(), context);
        }
        self.groups = Groups::new(&self.input_series, self.grouping, context)?;
        Ok(self.groups.metadata.as_slice().into())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let first = match self.next {
            Some(next) => next,
            None => {
                self.read_input(context)?;
                0
            }
        };
        batch.start(first);
        let last = (first + series_per_batch(self.steps)).min(self.accumulators.len());
        self.next = Some(last);
        let surroundings =
            AggregateContext { query: context, span: self.input_span, parameter: &self.parameter_column };
        for accumulator in &mut self.accumulators[first..last] {
            accumulator.finish(&surroundings, batch.push_column(self.steps));
        }
        if first == last {
            context.release_samples(std::mem::take(&mut self.held_samples));
        }
        Ok(first < last)
    }

    fn describe(&self) -> Description<'_> {
        let input: &dyn Operator = &*self.input;
        let parameter = self.parameter.iter().map(ScalarInput::operator);
        Description {
            line: format!("{}{}", self.op.as_str(), grouping_text(self.grouping)),
            inputs: parameter.chain([input]).collect(),
        }
    }
}
