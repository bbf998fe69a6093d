//! Expression to result: the way a query takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::{Labels, TimeRange};
use narthex_plan::{LogicalNode, LogicalPlan, Optimizer, QueryKind, QueryParameters, build};
use narthex_promql::{Expr, ValueType};
use narthex_storage::Queryable;

use crate::column::SeriesBatch;
use crate::context::EvalOptions;
use crate::limits::column_samples;
use crate::physical::build::Builder;
use crate::physical::{SeriesMetadata, matrix_root, same_labelset};
use crate::result::{InstantSample, RangeSeries};
use crate::{EvalError, EvalErrorKind, Limits, QueryContext, QueryResult, QueryValue, SampleRef, StepColumn};

/// How an engine works.
#[derive(Clone, Copy)]
pub struct EngineOptions {
    /// How much a query may use.
    pub limits: Limits,
    /// Switches that change meaning.
    pub eval: EvalOptions,
    /// Which passes run over a plan; none changes a result.
    pub optimizer: Optimizer,
}

impl EngineOptions {
    /// What a server does unless told otherwise.
    pub const STABLE: EngineOptions =
        EngineOptions { limits: Limits::DEFAULT, eval: EvalOptions::STABLE, optimizer: Optimizer::ALL };
}

/// Evaluates queries. Holds no data and no state: cheap to make, free to share.
#[derive(Clone, Copy)]
pub struct Engine {
    options: EngineOptions,
}

impl Engine {
    /// An engine that works as the options say.
    pub fn new(options: EngineOptions) -> Engine {
        Engine { options }
    }

    /// Plans an expression and evaluates it over a store.
    ///
    /// # Errors
    /// When it has no plan at these times, the data do not fit it, a limit is reached, or the store fails.
    pub fn evaluate(
        &self,
        storage: &dyn Queryable,
        expr: &Expr,
        parameters: QueryParameters,
    ) -> Result<QueryResult, EvalError> {
        let mut plan = build(expr, parameters)?;
        self.options.optimizer.run(&mut plan);
        self.evaluate_plan(storage, &plan)
    }

    /// Evaluates a plan over a store.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn evaluate_plan(
        &self,
        storage: &dyn Queryable,
        plan: &LogicalPlan,
    ) -> Result<QueryResult, EvalError> {
        let context = QueryContext::new(plan.parameters, self.options.limits, self.options.eval);
        self.evaluate_in(storage, plan, &context)
    }

    /// Evaluates a plan in surroundings of the caller's, who may cancel it from another thread.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn evaluate_in(
        &self,
        storage: &dyn Queryable,
        plan: &LogicalPlan,
        context: &QueryContext,
    ) -> Result<QueryResult, EvalError> {
        let (steps, max) = (plan.parameters.grid.len, context.limits.steps_max);
        if steps > max {
            let message = format!("query would be evaluated at {steps} steps, more than the limit of {max}");
            return Err(EvalError::new(EvalErrorKind::Limit, message, plan.root.span()));
        }
        let querier = storage.querier(TimeRange::ALL)?;
        let builder = Builder { querier: &*querier, options: context.options, parameters: &plan.parameters };
        let value = root_value(plan, builder, context)?;
        Ok(QueryResult { value, annotations: context.take_annotations().into_sorted() })
    }
}

fn root_value(
    plan: &LogicalPlan,
    builder: Builder<'_>,
    context: &QueryContext,
) -> Result<QueryValue, EvalError> {
    let parameters = &plan.parameters;
    let at_ms = parameters.grid.start_ms;
    if let LogicalNode::Text { value, .. } = &plan.root {
        return Ok(QueryValue::Text { at_ms, value: value.clone() });
    }
    if plan.root.value_type() == ValueType::RangeVector {
        return matrix_root(&plan.root, builder, context).map(QueryValue::Matrix);
    }
    let mut operator = builder.operator(&plan.root, parameters.grid)?;
    let series = operator.series(context)?;
    let mut columns = Vec::with_capacity(series.len());
    let mut batch = SeriesBatch::new();
    while operator.next_batch(context, &mut batch)? {
        context.hold_samples(batch.columns.iter().map(column_samples).sum())?;
        columns.append(&mut batch.columns);
    }
    let rows = finished(&series, columns, plan.root.span())?;
    Ok(match (parameters.kind, plan.root.value_type()) {
        (QueryKind::Instant, ValueType::Scalar) => {
            let value = rows.first().and_then(|row| row.1.float(0)).unwrap_or(f64::NAN);
            QueryValue::Scalar { at_ms, value }
        }
        (QueryKind::Instant, _) => QueryValue::Vector(vector(rows, parameters)),
        (QueryKind::Range, _) => QueryValue::Matrix(matrix(rows, parameters)),
    })
}

/// The last of delayed name removal: marked series lose their names, and what became identical is merged.
fn finished(
    series: &Arc<[SeriesMetadata]>,
    columns: Vec<StepColumn>,
    span: Span,
) -> Result<Vec<(Labels, StepColumn)>, EvalError> {
    let mut rows: Vec<(Labels, StepColumn)> = Vec::with_capacity(columns.len());
    let mut places: BTreeMap<Labels, usize> = BTreeMap::new();
    for (metadata, column) in series.iter().zip(columns) {
        if column.is_absent() {
            continue;
        }
        let labels = if metadata.drops_name {
            metadata.labels.without_metric_identity()
        } else {
            metadata.labels.clone()
        };
        let place = *places.entry(labels.clone()).or_insert(rows.len());
        match rows.get_mut(place) {
            None => rows.push((labels, column)),
            Some(row) if row.1.presence().intersects(column.presence()) => return Err(same_labelset(span)),
            Some(row) => column.iter().for_each(|(step, value)| row.1.set_ref(step, value)),
        }
    }
    Ok(rows)
}

fn vector(rows: Vec<(Labels, StepColumn)>, parameters: &QueryParameters) -> Vec<InstantSample> {
    let at_ms = parameters.grid.start_ms;
    let sample = |(labels, column): (Labels, StepColumn)| {
        Some(InstantSample { labels, at_ms, value: column.get(0)?.to_value() })
    };
    rows.into_iter().filter_map(sample).collect()
}

fn matrix(mut rows: Vec<(Labels, StepColumn)>, parameters: &QueryParameters) -> Vec<RangeSeries> {
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    let series = |(labels, column): (Labels, StepColumn)| {
        let mut series = RangeSeries { labels, ..RangeSeries::default() };
        for (step, value) in column.iter() {
            let at_ms = parameters.grid.timestamp(step);
            match value {
                SampleRef::Float(value) => series.floats.push((at_ms, value)),
                SampleRef::Histogram(value) => series.histograms.push((at_ms, Arc::clone(value))),
            }
        }
        series
    };
    rows.into_iter().map(series).collect()
}
