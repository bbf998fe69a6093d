//! What is missing: 1 where the input has nothing.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::Labels;
use narthex_promql::functions::{AbsentFunction, FunctionId, OverTimeFunction};
use narthex_storage::{SampleBuffer, SummaryNeed};

use super::window_source::{SummaryKernel, WindowSource};
use super::{Description, Operator, SeriesMetadata};
use crate::column::{Presence, Segments, SeriesBatch};
use crate::functions::{extended, summarised};
use crate::{EvalError, QueryContext, StepColumn, Windows};

/// Where presence is looked for.
pub(super) enum AbsentInput<'a> {
    /// Elements at the step: `absent`.
    Elements(Box<dyn Operator + 'a>),
    /// Samples in the window: `absent_over_time`.
    Windows(Box<dyn WindowSource + 'a>),
}

/// One series that is there where no input series is.
pub(super) struct Absent<'a> {
    labels: &'a Labels,
    input: AbsentInput<'a>,
    steps: usize,
    span: Span,
    is_done: bool,
}

impl<'a> Absent<'a> {
    pub(super) fn new(labels: &'a Labels, input: AbsentInput<'a>, steps: usize, span: Span) -> Absent<'a> {
        Absent { labels, input, steps, span, is_done: false }
    }

    /// The steps at which any series has something.
    fn present(&mut self, context: &QueryContext) -> Result<Presence, EvalError> {
        let mut present = Presence::default();
        present.reset(self.steps);
        let mut batch = SeriesBatch::new();
        match &mut self.input {
            AbsentInput::Elements(input) => {
                while input.next_batch(context, &mut batch)? {
                    batch.columns.iter().for_each(|column| present.union_with(column.presence()));
                }
            }
            AbsentInput::Windows(source) => {
                let bounds = source.bounds();
                let kernel = |_, samples: &SampleBuffer, column: &mut StepColumn| {
                    mark_present(&Windows::new(samples, &bounds), column);
                    Ok(())
                };
                let compute = |_, segments: &Segments<'_>, column: &mut StepColumn| {
                    summarised::over_time(OverTimeFunction::Present, segments, column)
                };
                let summarised = SummaryKernel { need: SummaryNeed::Any, compute: &compute };
                while source.next_batch_summarised(context, &mut batch, &summarised, &kernel)? {
                    batch.columns.iter().for_each(|column| present.union_with(column.presence()));
                }
            }
        }
        Ok(present)
    }
}

/// Puts a number at every step whose window has a sample.
fn mark_present(windows: &Windows<'_>, column: &mut StepColumn) {
    for (step, window) in windows.iter().enumerate() {
        if !window.floats.is_empty() || !window.histograms.is_empty() {
            column.set_float(step, 1.0);
        }
    }
}

impl Operator for Absent<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        match &mut self.input {
            AbsentInput::Elements(input) => input.series(context)?,
            AbsentInput::Windows(source) => {
                if let Some(extension) = source.extension() {
                    extended::check(
                        FunctionId::Absent(AbsentFunction::AbsentOverTime),
                        extension,
                        self.span,
                    )?;
                }
                source.series(context)?
            }
        };
        Ok(Arc::new([SeriesMetadata { labels: self.labels.clone(), drops_name: false }]))
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        batch.start(0);
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(false);
        }
        let present = self.present(context)?;
        let column = batch.push_column(self.steps);
        (0..self.steps).filter(|&step| !present.get(step)).for_each(|step| column.set_float(step, 1.0));
        Ok(true)
    }

    fn describe(&self) -> Description<'_> {
        let (line, inputs) = match &self.input {
            AbsentInput::Elements(input) => ("absent".to_owned(), vec![&**input as &dyn Operator]),
            AbsentInput::Windows(source) => {
                let source = source.describe();
                (format!("absent over {}", source.line), source.inputs)
            }
        };
        Description { line, inputs }
    }
}
