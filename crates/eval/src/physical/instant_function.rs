//! Functions of the element at a step: `math`, `trigonometry`, `date`, `timestamp`.

use std::sync::Arc;

use narthex_model::StepGrid;
use narthex_promql::functions::{DateFunction, FunctionId, MathFunction, TrigonometryFunction};

use super::relabel::renamed;
use super::scalar::ScalarInput;
use super::{Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::functions::{date, math, trigonometry};
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// What happens to each column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum InstantFunction {
    /// Floats through a function.
    Math(MathFunction),
    /// Floats through a function.
    Trigonometry(TrigonometryFunction),
    /// Floats as times.
    Date(DateFunction),
    /// The evaluation time of every element, whichever kind it is.
    StepTime,
    /// Nothing: a selector already yielded the part of the sample that is asked for.
    SamplePart,
    /// No element has what is asked for.
    Nothing,
}

/// Applies one function to every column of its input, in place.
pub(super) struct InstantFunctionOperator<'a> {
    function: InstantFunction,
    input: Box<dyn Operator + 'a>,
    parameters: Vec<ScalarInput<'a>>,
    parameter_columns: Vec<StepColumn>,
    grid: StepGrid,
    output: Reservation,
}

impl<'a> InstantFunctionOperator<'a> {
    pub(super) fn new(
        function: InstantFunction,
        input: Box<dyn Operator + 'a>,
        parameters: Vec<ScalarInput<'a>>,
        grid: StepGrid,
    ) -> InstantFunctionOperator<'a> {
        let (parameter_columns, output) = (Vec::new(), Reservation::default());
        InstantFunctionOperator { function, input, parameters, parameter_columns, grid, output }
    }

    fn apply(&self, column: &mut StepColumn) {
        match self.function {
            InstantFunction::Math(function) => math::evaluate(function, &self.parameter_columns, column),
            InstantFunction::Trigonometry(function) => trigonometry::evaluate(function, column),
            InstantFunction::Date(function) => date::evaluate(function, column),
            InstantFunction::StepTime => {
                for (step, step_ms) in self.grid.timestamps().enumerate() {
                    if column.is_present(step) {
                        column.set_float(step, step_ms as f64 / 1000.0);
                    }
                }
            }
            InstantFunction::SamplePart => {}
            InstantFunction::Nothing => column.reset(self.grid.len),
        }
    }
}

impl Operator for InstantFunctionOperator<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        for parameter in &mut self.parameters {
            self.parameter_columns.push(parameter.column(context)?);
        }
        let (series, held) = renamed(&input, context, |series| series.without_name(context))?;
        self.output = held;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.input.next_batch(context, batch)?;
        for column in &mut batch.columns {
            self.apply(column);
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        let line = match self.function {
            InstantFunction::Math(function) => FunctionId::Math(function).as_str(),
            InstantFunction::Trigonometry(function) => FunctionId::Trigonometry(function).as_str(),
            InstantFunction::Date(function) => FunctionId::Date(function).as_str(),
            InstantFunction::StepTime => "step time",
            InstantFunction::SamplePart => "without name",
            InstantFunction::Nothing => "nothing",
        };
        let parameters = self.parameters.iter().map(ScalarInput::operator);
        Description {
            line: line.into(),
            inputs: std::iter::once(&*self.input as _).chain(parameters).collect(),
        }
    }
}
