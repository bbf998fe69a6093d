//! Binary operators with a scalar on at least one side.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_promql::operators::BinaryOp;

use super::relabel::renamed;
use super::scalar::{ScalarInput, scalar_series};
use super::step_notes::StepNotes;
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::arith::{Operation, ScalarSide, compare, compute, compute_all};
use crate::column::SeriesBatch;
use crate::memory::Reservation;
use crate::{EvalError, QueryContext, StepColumn};

/// An operator between two scalars.
pub(super) struct ScalarBinary<'a> {
    op: BinaryOp,
    sides: [ScalarInput<'a>; 2],
    steps: usize,
    is_done: bool,
}

impl<'a> ScalarBinary<'a> {
    /// `lhs op rhs` at `steps` steps.
    ///
    /// # Errors
    /// When the operator takes no scalars; the expression stands at `span`.
    pub(super) fn new(
        op: BinaryOp,
        lhs: ScalarInput<'a>,
        rhs: ScalarInput<'a>,
        steps: usize,
        span: Span,
    ) -> Result<ScalarBinary<'a>, EvalError> {
        if scalar(op, 0.0, 0.0).is_none() {
            let message = format!("operator \"{}\" not allowed for Scalar operations", op.as_str());
            return Err(EvalError::execution(message, span));
        }
        Ok(ScalarBinary { op, sides: [lhs, rhs], steps, is_done: false })
    }
}

/// Arithmetic as a number, a comparison as 0 or 1; `None` for other operators.
fn scalar(op: BinaryOp, left: f64, right: f64) -> Option<f64> {
    let compared = compare(op, left, right).map(|holds| f64::from(u8::from(holds)));
    compared.or_else(|| compute(op, left, right))
}

impl Operator for ScalarBinary<'_> {
    fn series(&mut self, _: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        Ok(scalar_series())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        batch.start(0);
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(false);
        }
        let [left, right] = &mut self.sides;
        let (left, right) = (left.column(context)?, right.column(context)?);
        let column = batch.push_column(self.steps);
        for step in 0..self.steps {
            let at = |side: &StepColumn| side.float(step).unwrap_or(f64::NAN);
            if let Some(value) = scalar(self.op, at(&left), at(&right)) {
                column.set_float(step, value);
            }
        }
        Ok(true)
    }

    fn describe(&self) -> Description<'_> {
        let inputs = self.sides.iter().map(ScalarInput::operator).collect();
        Description { line: format!("scalar {} scalar", self.op.as_str()), inputs }
    }
}

/// An operator between a vector and a scalar; works on the vector's columns in place.
pub(super) struct VectorScalarBinary<'a> {
    operation: Operation,
    vector: BoxedOperator<'a>,
    scalar: ScalarInput<'a>,
    side: ScalarSide,
    span: Span,
    scalar_column: StepColumn,
    notes: StepNotes,
    output: Reservation,
}

impl<'a> VectorScalarBinary<'a> {
    /// The scalar stands on `side`, the expression at `span`.
    pub(super) fn new(
        operation: Operation,
        vector: BoxedOperator<'a>,
        scalar: ScalarInput<'a>,
        side: ScalarSide,
        span: Span,
    ) -> VectorScalarBinary<'a> {
        let (scalar_column, notes) = (StepColumn::default(), StepNotes::default());
        let output = Reservation::default();
        VectorScalarBinary { operation, vector, scalar, side, span, scalar_column, notes, output }
    }

    fn apply(&mut self, column: &mut StepColumn) {
        if !column.has_histograms() && self.apply_floats(column) {
            return;
        }
        for step in 0..column.len() {
            let Some(element) = column.get(step) else { continue };
            let scalar = self.scalar_column.float(step).unwrap_or(f64::NAN);
            let outcome = self.operation.apply_scalar(element, scalar, self.side);
            if let Some(note) = outcome.note {
                self.notes.put(step, column.len(), note);
            }
            match outcome.value {
                Some(value) => column.set(step, value),
                None => column.remove(step),
            }
        }
    }

    /// Arithmetic over floats alone, on all steps at once: where nothing is present nothing is read later.
    fn apply_floats(&self, column: &mut StepColumn) -> bool {
        let (op, scalars) = (self.operation.op, self.scalar_column.values());
        match self.side {
            ScalarSide::Right => compute_all(op, column.values_mut(), scalars),
            ScalarSide::Left => {
                let mut left = scalars.to_vec();
                let is_computed = compute_all(op, &mut left, column.values());
                if is_computed {
                    column.values_mut().copy_from_slice(&left);
                }
                is_computed
            }
        }
    }
}

impl Operator for VectorScalarBinary<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let vector = self.vector.series(context)?;
        self.scalar_column = self.scalar.column(context)?;
        if !self.operation.drops_name() {
            return Ok(vector);
        }
        let (series, held) = renamed(&vector, context, |series| series.without_name(context))?;
        self.output = held;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        let has_more = self.vector.next_batch(context, batch)?;
        for column in &mut batch.columns {
            self.apply(column);
        }
        if !has_more {
            self.notes.annotate(context, self.span);
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        let op = self.operation.op.as_str();
        let (vector, scalar): (&dyn Operator, &dyn Operator) = (&*self.vector, self.scalar.operator());
        match self.side {
            ScalarSide::Left => {
                Description { line: format!("scalar {op} vector"), inputs: vec![scalar, vector] }
            }
            ScalarSide::Right => {
                Description { line: format!("vector {op} scalar"), inputs: vec![vector, scalar] }
            }
        }
    }
}
