//! Functions of histograms: `histogram_count` and its like element by element, quantiles and fractions also over the
//! series of a classic histogram.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::labels::METRIC_NAME;
use narthex_model::number::format_openmetrics;
use narthex_model::{StepGrid, Text};
use narthex_promql::functions::{FunctionId, HistogramFunction};

use super::computed::Computed;
use super::histogram_slots::{HistogramAt, HistogramSlot, Slots};
use super::relabel::{self, SeriesList};
use super::scalar::ScalarInput;
use super::{BoxedOperator, Description, Operator, SeriesMetadata, annotate_quantiles};
use crate::column::SeriesBatch;
use crate::functions::histogram::{
    self, ClassicBucket, MonotonicityRepair, NanObservations, classic_fraction, classic_quantile,
};
use crate::limits::column_samples;
use crate::memory::{Reservation, column_bytes};
use crate::{AnnotationKind, EvalError, QueryContext, StepColumn};

/// `histogram_count`, `_sum`, `_avg`, `_stddev`, `_stdvar`: each native histogram becomes a float, in place.
pub(super) struct HistogramSummary<'a> {
    function: HistogramFunction,
    input: BoxedOperator<'a>,
    output: Reservation,
}

impl<'a> HistogramSummary<'a> {
    pub(super) fn new(function: HistogramFunction, input: BoxedOperator<'a>) -> HistogramSummary<'a> {
        HistogramSummary { function, input, output: Reservation::default() }
    }
}

impl Operator for HistogramSummary<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        // Type and unit stay where the name goes at once.
        let renamed = |series: &SeriesMetadata| match context.options.delayed_name_removal {
            true => series.without_name(context),
            false => SeriesMetadata {
                labels: series.labels.filtered(|name, _| name != METRIC_NAME),
                drops_name: series.drops_name,
            },
        };
        let (series, held) = relabel::renamed(&input, context, renamed)?;
        self.output = held;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.input.next_batch(context, batch)?;
        for column in &mut batch.columns {
            histogram::evaluate(self.function, column);
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        let line = FunctionId::Histogram(self.function).as_str().into();
        Description { line, inputs: vec![&*self.input] }
    }
}

/// What is asked of a histogram.
#[derive(Clone, Copy)]
pub(super) enum HistogramQuestion<'a> {
    /// `histogram_quantile`: one parameter.
    Quantile,
    /// `histogram_fraction`: two parameters.
    Fraction,
    /// `histogram_quantiles`: any number of parameters, told apart by this label.
    Quantiles(&'a Text),
}

/// Quantiles and fractions. Whether a series is a bucket or a histogram shows only in its samples, so the input is read
/// before the results are named.
pub(super) struct HistogramFunctionOperator<'a> {
    question: HistogramQuestion<'a>,
    parameters: Vec<ScalarInput<'a>>,
    input: BoxedOperator<'a>,
    grid: StepGrid,
    input_span: Span,
    computed: Computed,
}

impl<'a> HistogramFunctionOperator<'a> {
    /// Asks `input`, which stands at `input_span`.
    pub(super) fn new(
        question: HistogramQuestion<'a>,
        parameters: Vec<ScalarInput<'a>>,
        input: BoxedOperator<'a>,
        grid: StepGrid,
        input_span: Span,
    ) -> HistogramFunctionOperator<'a> {
        HistogramFunctionOperator {
            question,
            parameters,
            input,
            grid,
            input_span,
            computed: Computed::default(),
        }
    }

    fn parameters(&mut self, context: &QueryContext) -> Result<Vec<StepColumn>, EvalError> {
        let is_quantile = !matches!(self.question, HistogramQuestion::Fraction);
        let mut columns = Vec::with_capacity(self.parameters.len());
        for parameter in &mut self.parameters {
            let column = parameter.column(context)?;
            if is_quantile {
                annotate_quantiles(&column, parameter.span(), context);
            }
            columns.push(column);
        }
        Ok(columns)
    }

    fn read(&mut self, context: &QueryContext) -> Result<(Vec<StepColumn>, usize, Reservation), EvalError> {
        let (mut columns, mut held, mut bytes) = (Vec::new(), 0, context.reserve(0)?);
        let mut batch = SeriesBatch::new();
        while self.input.next_batch(context, &mut batch)? {
            context.check()?;
            let samples = batch.columns.iter().map(column_samples).sum();
            context.hold_samples(samples)?;
            held += samples;
            batch.take_columns(&mut columns, &mut bytes)?;
        }
        Ok((columns, held, bytes))
    }

    /// The results of one histogram.
    fn evaluate_slot(
        &self,
        slot: &HistogramSlot,
        columns: &[StepColumn],
        parameters: &[StepColumn],
        context: &QueryContext,
        bytes: &mut Reservation,
    ) -> Result<Vec<SlotResult>, EvalError> {
        context.check()?;
        let asked = if matches!(self.question, HistogramQuestion::Fraction) { 1 } else { parameters.len() };
        let mut results = Vec::new();
        let mut buckets = Vec::with_capacity(slot.buckets.len());
        let notes = Notes { context, span: self.input_span, metric: slot.metric(context) };
        for (step, step_ms) in self.grid.timestamps().enumerate() {
            let found = slot.at(step, columns, &mut buckets);
            if matches!(found, HistogramAt::Both) {
                notes.annotate(AnnotationKind::MixedClassicNative);
            }
            for at in 0..asked {
                let parameter = |at: usize| parameters.get(at).and_then(|column| column.float(step));
                let values = [parameter(at), parameter(at + 1)].map(|value| value.unwrap_or(f64::NAN));
                let value = match &found {
                    HistogramAt::Nothing | HistogramAt::Both => continue,
                    HistogramAt::Native(native) => {
                        let (value, nan) = match self.question {
                            HistogramQuestion::Fraction => histogram::fraction(values[0], values[1], native),
                            _ => histogram::quantile(values[0], native),
                        };
                        notes.annotate_nan(nan);
                        value
                    }
                    HistogramAt::Classic => self.classic(values, &mut buckets, &notes, step_ms),
                };
                result_column(&mut results, at, self.label_value(values[0]), self.grid.len, bytes)?
                    .set_float(step, value);
            }
        }
        Ok(results)
    }

    fn classic(
        &self,
        [first, second]: [f64; 2],
        buckets: &mut Vec<ClassicBucket>,
        notes: &Notes<'_>,
        step_ms: i64,
    ) -> f64 {
        if matches!(self.question, HistogramQuestion::Fraction) {
            return classic_fraction(first, second, buckets);
        }
        let quantile = classic_quantile(first, buckets);
        if let Some(repair) = quantile.repair {
            notes.annotate_repair(repair, step_ms);
        }
        quantile.value
    }

    /// What the label of `histogram_quantiles` says.
    fn label_value(&self, phi: f64) -> Option<String> {
        matches!(self.question, HistogramQuestion::Quantiles(_)).then(|| format_openmetrics(phi))
    }

    fn metadata(&self, slot: &HistogramSlot, value: Option<&str>, context: &QueryContext) -> SeriesMetadata {
        let mut metadata = slot.metadata.without_name(context);
        if let (HistogramQuestion::Quantiles(label), Some(value)) = (self.question, value) {
            metadata.labels = metadata.labels.with(&label.to_str_lossy(), value);
        }
        metadata
    }
}

/// A result series of a histogram: which parameter it is for, and the value of the label that says so.
struct SlotResult {
    parameter: usize,
    label_value: Option<String>,
    column: StepColumn,
}

/// The column for a parameter with its present value, which may change from step to step.
fn result_column<'r>(
    results: &'r mut Vec<SlotResult>,
    parameter: usize,
    label_value: Option<String>,
    steps: usize,
    bytes: &mut Reservation,
) -> Result<&'r mut StepColumn, EvalError> {
    let is_same = |result: &SlotResult| result.parameter == parameter && result.label_value == label_value;
    let at = match results.iter().position(is_same) {
        Some(known) => known,
        None => {
            bytes.grow(column_bytes(steps))?;
            results.push(SlotResult { parameter, label_value, column: StepColumn::new(steps) });
            results.len() - 1
        }
    };
    Ok(&mut results[at].column)
}

/// Annotations about one histogram.
struct Notes<'a> {
    context: &'a QueryContext,
    span: Span,
    metric: &'a str,
}

impl Notes<'_> {
    fn annotate(&self, kind: impl FnOnce(String) -> AnnotationKind) {
        self.context.annotate(kind(self.metric.to_owned()), self.span);
    }

    fn annotate_nan(&self, nan: NanObservations) {
        match nan {
            NanObservations::Irrelevant => {}
            NanObservations::Result => self.annotate(AnnotationKind::QuantileNanResult),
            NanObservations::Skew => self.annotate(AnnotationKind::QuantileNanSkew),
            NanObservations::Excluded => self.annotate(AnnotationKind::FractionNanExcluded),
        }
    }

    fn annotate_repair(&self, repair: MonotonicityRepair, step_ms: i64) {
        self.annotate(|metric| AnnotationKind::ForcedMonotonicity {
            metric,
            min_bucket: repair.bound_min,
            max_bucket: repair.bound_max,
            max_diff: repair.fall_max,
            first_ms: step_ms,
            last_ms: step_ms,
            samples: 1,
        });
    }
}

impl Operator for HistogramFunctionOperator<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        let parameters = self.parameters(context)?;
        let (columns, held, input_bytes) = self.read(context)?;
        let slots = Slots::new(&input, &columns, context, self.input_span)?;
        let mut output = SeriesList::new(context)?;
        let mut results = Vec::new();
        let mut bytes = context.reserve(0)?;
        for slot in slots.slots() {
            for result in self.evaluate_slot(slot, &columns, &parameters, context, &mut bytes)? {
                let series = self.metadata(slot, result.label_value.as_deref(), context);
                output.push(context, series, Some(&slot.metadata))?;
                results.push(result.column);
            }
        }
        context.release_samples(held);
        drop((columns, input_bytes));
        let (series, series_held) = output.finish()?;
        self.computed = Computed::new(results, bytes, series_held, context)?;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        Ok(self.computed.hand_out(context, batch))
    }

    fn describe(&self) -> Description<'_> {
        let function = match self.question {
            HistogramQuestion::Quantile => HistogramFunction::Quantile,
            HistogramQuestion::Fraction => HistogramFunction::Fraction,
            HistogramQuestion::Quantiles(_) => HistogramFunction::Quantiles,
        };
        let input: &dyn Operator = &*self.input;
        Description {
            line: FunctionId::Histogram(function).as_str().into(),
            inputs: self.parameters.iter().map(ScalarInput::operator).chain([input]).collect(),
        }
    }
}
