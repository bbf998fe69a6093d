//! Scalars: one float per step, from no series.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::StepGrid;
use narthex_model::number::format_plain;
use narthex_plan::QueryKind;
use narthex_promql::functions::{FunctionId, ScalarFunction};

use super::{Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::functions::math::{larger, smaller};
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// The metadata of a scalar: one series without labels.
pub(super) fn scalar_series() -> Arc<[SeriesMetadata]> {
    Arc::new([SeriesMetadata::unlabeled()])
}

/// A scalar argument: its operator, and the column once computed.
pub(crate) struct ScalarInput<'a> {
    operator: Box<dyn Operator + 'a>,
    steps: usize,
    span: Span,
    /// What the column takes.
    bytes: Reservation,
}

impl<'a> ScalarInput<'a> {
    /// The scalar that `operator` yields over `steps` steps.
    pub(crate) fn new(operator: Box<dyn Operator + 'a>, steps: usize, span: Span) -> ScalarInput<'a> {
        ScalarInput { operator, steps, span, bytes: Reservation::default() }
    }

    /// Where the argument stands.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// What computes it.
    pub(crate) fn operator(&self) -> &(dyn Operator + '_) {
        &*self.operator
    }

    /// The value at every step; called once.
    pub(crate) fn column(&mut self, context: &QueryContext) -> Result<StepColumn, EvalError> {
        self.operator.series(context)?;
        let mut batch = SeriesBatch::new();
        self.operator.next_batch(context, &mut batch)?;
        let (mut columns, mut bytes) = (Vec::new(), context.reserve(0)?);
        batch.take_columns(&mut columns, &mut bytes)?;
        self.bytes = bytes;
        Ok(columns.pop().unwrap_or_else(|| StepColumn::new(self.steps)))
    }
}

/// Hands out one column, then nothing.
fn yield_once(
    is_done: &mut bool,
    steps: usize,
    batch: &mut SeriesBatch,
    fill: impl FnOnce(&mut StepColumn) -> Result<(), EvalError>,
) -> Result<bool, EvalError> {
    batch.start(0);
    if std::mem::replace(is_done, true) {
        return Ok(false);
    }
    fill(batch.push_column(steps))?;
    Ok(true)
}

/// A constant.
pub(super) struct Number {
    value: f64,
    steps: usize,
    is_done: bool,
}

impl Number {
    pub(super) fn new(value: f64, steps: usize) -> Number {
        Number { value, steps, is_done: false }
    }
}

impl Operator for Number {
    fn series(&mut self, _: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        Ok(scalar_series())
    }

    fn next_batch(&mut self, _: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        yield_once(&mut self.is_done, self.steps, batch, |column| {
            (0..self.steps).for_each(|step| column.set_float(step, self.value));
            Ok(())
        })
    }

    fn describe(&self) -> Description<'_> {
        Description { line: format!("number {}", format_plain(self.value)), inputs: Vec::new() }
    }
}

/// `time`, `pi`, `start`, `end`, `step`, `range`, `min_of`, `max_of`.
pub(super) struct ScalarFunctionOperator<'a> {
    function: ScalarFunction,
    args: Vec<ScalarInput<'a>>,
    grid: StepGrid,
    is_done: bool,
}

impl<'a> ScalarFunctionOperator<'a> {
    pub(super) fn new(
        function: ScalarFunction,
        args: Vec<ScalarInput<'a>>,
        grid: StepGrid,
    ) -> ScalarFunctionOperator<'a> {
        ScalarFunctionOperator { function, args, grid, is_done: false }
    }
}

impl Operator for ScalarFunctionOperator<'_> {
    fn series(&mut self, _: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        Ok(scalar_series())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let (function, grid) = (self.function, self.grid);
        let args = &mut self.args;
        yield_once(&mut self.is_done, grid.len, batch, |column| {
            let args = args.iter_mut().map(|arg| arg.column(context)).collect::<Result<Vec<_>, _>>()?;
            for (step, step_ms) in grid.timestamps().enumerate() {
                let arg = |at: usize| args.get(at).and_then(|arg| arg.float(step)).unwrap_or(f64::NAN);
                let value = match function {
                    ScalarFunction::Time => step_ms as f64 / 1000.0,
                    ScalarFunction::Pi => std::f64::consts::PI,
                    ScalarFunction::MinOf => smaller(arg(0), arg(1)),
                    ScalarFunction::MaxOf => larger(arg(0), arg(1)),
                    ScalarFunction::Start
                    | ScalarFunction::End
                    | ScalarFunction::Step
                    | ScalarFunction::Range => of_query(function, context),
                };
                column.set_float(step, value);
            }
            Ok(())
        })
    }

    fn describe(&self) -> Description<'_> {
        let line = FunctionId::Scalar(self.function).as_str().to_owned();
        Description { line, inputs: self.args.iter().map(ScalarInput::operator).collect() }
    }
}

/// The bounds of the outermost query in seconds. Unlike the duration of that name, `step()` is 0 when start and end
/// are the same.
fn of_query(function: ScalarFunction, context: &QueryContext) -> f64 {
    let parameters = &context.parameters;
    let (start_ms, end_ms) = (parameters.grid.start_ms, parameters.end_ms);
    let ms = match function {
        ScalarFunction::Start => start_ms,
        ScalarFunction::End => end_ms,
        ScalarFunction::Range => end_ms.saturating_sub(start_ms),
        _ if parameters.kind == QueryKind::Instant || start_ms == end_ms => 0,
        _ => parameters.grid.step_ms,
    };
    ms as f64 / 1000.0
}

/// `scalar(vector)`: the only float of each step, NaN unless there is exactly one.
pub(super) struct ScalarOfVector<'a> {
    input: Box<dyn Operator + 'a>,
    steps: usize,
    is_done: bool,
}

impl<'a> ScalarOfVector<'a> {
    pub(super) fn new(input: Box<dyn Operator + 'a>, steps: usize) -> ScalarOfVector<'a> {
        ScalarOfVector { input, steps, is_done: false }
    }
}

impl Operator for ScalarOfVector<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        self.input.series(context)?;
        Ok(scalar_series())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let (input, steps) = (&mut self.input, self.steps);
        yield_once(&mut self.is_done, steps, batch, |column| {
            let _held = context.reserve(steps * size_of::<u32>())?;
            let mut counts = vec![0_u32; steps];
            let mut part = SeriesBatch::new();
            while input.next_batch(context, &mut part)? {
                for one in &part.columns {
                    for step in one.presence().iter() {
                        if let Some(value) = one.float(step) {
                            counts[step] += 1;
                            column.set_float(step, value);
                        }
                    }
                }
            }
            for (step, _) in counts.iter().enumerate().filter(|(_, count)| **count != 1) {
                column.set_float(step, f64::NAN);
            }
            Ok(())
        })
    }

    fn describe(&self) -> Description<'_> {
        Description { line: "scalar".into(), inputs: vec![&*self.input] }
    }
}
