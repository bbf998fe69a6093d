//! Expression to result: the way a query takes.

use std::sync::Arc;

use narthex_model::{Labels, StepGrid, Text, TimeRange};
use narthex_plan::{LogicalNode, LogicalPlan, Optimizer, QueryKind, QueryParameters, build};
use narthex_promql::{Expr, Interrupt, ValueType};
use narthex_storage::Queryable;

use crate::column::SeriesBatch;
use crate::context::EvalOptions;
use crate::limits::{LimitKind, column_samples};
use crate::memory::block_bytes;
use crate::ordered::{ordered, rearranged};
use crate::physical::build::Builder;
use crate::physical::histogram_stats::HistogramDetail;
use crate::physical::profiled::{CountingQuerier, operator_profiles};
use crate::physical::shared::{Outlines, Sharing};
use crate::physical::tally::Counting;
use crate::physical::{BoxedOperator, Operator, matrix_root};
use crate::result::{InstantSample, RangeSeries};
use crate::{EvalError, Limits, QueryContext, QueryResult, QueryValue, SampleRef, StepColumn};

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

    /// Plans an expression that was parsed without errors.
    ///
    /// # Errors
    /// When it has no plan at these times, there are more of them than the limit allows, or the options forbid it.
    pub fn prepare(&self, expr: &Expr, parameters: QueryParameters) -> Result<Query, EvalError> {
        self.prepare_interruptible(expr, parameters, &Interrupt::new())
    }

    /// As [`Engine::prepare`], unless `interrupt` says to stop.
    ///
    /// # Errors
    /// As [`Engine::prepare`], and when told to stop.
    pub fn prepare_interruptible(
        &self,
        expr: &Expr,
        parameters: QueryParameters,
        interrupt: &Interrupt,
    ) -> Result<Query, EvalError> {
        // Each phase alone is short: the parser bounds the size of expressions.
        let go_on = || interrupt.reason().map_or(Ok(()), |reason| Err(EvalError::stopped(reason)));
        go_on()?;
        let mut plan = build(expr, parameters)?;
        self.options.eval.check(&plan)?;
        go_on()?;
        self.options.optimizer.run(&mut plan);
        go_on()?;
        self.prepare_plan(plan)
    }

    /// Takes a plan as it is.
    ///
    /// # Errors
    /// When it has more steps than the limit allows.
    pub fn prepare_plan(&self, plan: LogicalPlan) -> Result<Query, EvalError> {
        self.check_steps(&plan)?;
        Ok(Query { plan, options: self.options })
    }

    pub(crate) fn check_steps(&self, plan: &LogicalPlan) -> Result<(), EvalError> {
        let (steps, max) = (plan.parameters.grid.len, self.options.limits.steps_max);
        if steps <= max {
            return Ok(());
        }
        let message = format!("query would be evaluated at {steps} steps, more than the limit of {max}");
        Err(EvalError::limit(LimitKind::Steps, message, plan.root.span()))
    }

    pub(crate) fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Plans an expression and evaluates it over a store.
    ///
    /// # Errors
    /// As [`Engine::prepare`] and [`Query::evaluate`].
    pub fn evaluate(
        &self,
        storage: &dyn Queryable,
        expr: &Expr,
        parameters: QueryParameters,
    ) -> Result<QueryResult, EvalError> {
        self.prepare(expr, parameters)?.evaluate(storage)
    }
}

/// A planned query: what to compute, not yet over which data. May be evaluated any number of times.
#[derive(Clone)]
pub struct Query {
    plan: LogicalPlan,
    options: EngineOptions,
}

impl Query {
    /// What is computed, after optimization.
    pub fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// How it is computed: an indented tree of operators, one line each. Nothing is read for it.
    ///
    /// # Errors
    /// When an argument is invalid in itself, such as a regular expression.
    pub fn explain(&self) -> Result<String, EvalError> {
        crate::physical::explain(&self.plan, &self.options)
    }

    /// The surroundings of one evaluation, for [`Query::evaluate_in`].
    pub fn context(&self) -> QueryContext {
        self.interruptible_context(&Interrupt::new())
    }

    /// As [`Query::context`], stopped by a token that others may know already.
    pub fn interruptible_context(&self, interrupt: &Interrupt) -> QueryContext {
        let (limits, eval) = (self.options.limits, self.options.eval);
        let context = QueryContext::interruptible(self.plan.parameters, limits, eval, interrupt.clone());
        context.for_part("result", self.plan.root.span())
    }

    /// Evaluates the query over a store.
    ///
    /// # Errors
    /// When the data do not fit the query, a limit is reached, or the store fails.
    pub fn evaluate(&self, storage: &dyn Queryable) -> Result<QueryResult, EvalError> {
        self.evaluate_in(&self.context(), storage)
    }

    /// Evaluates the query in surroundings made by [`Query::context`], through which another thread may cancel it. One
    /// context is for one evaluation.
    ///
    /// # Errors
    /// As [`Query::evaluate`], and when the evaluation was canceled.
    pub fn evaluate_in(
        &self,
        context: &QueryContext,
        storage: &dyn Queryable,
    ) -> Result<QueryResult, EvalError> {
        context.check()?;
        let querier = storage.querier(TimeRange::ALL)?;
        let parameters = &self.plan.parameters;
        let (options, limits) = (self.options.eval, self.options.limits);
        let counting = context.profile().map(|profile| CountingQuerier::new(&*querier, profile));
        let outlines = if context.profile().is_some() { Outlines::Kept } else { Outlines::None };
        let builder = Builder {
            querier: counting.as_ref().map_or(&*querier, |counting| counting),
            options,
            limits,
            histograms: HistogramDetail::Full,
            counting: Counting::EachStep,
            parameters,
            context: context.clone(),
            // Whose samples are counted reads them by itself, as upstream does.
            sharing: context.tally().is_none().then(|| Arc::new(Sharing::new(context.clone(), outlines))),
        };
        let value = Root::new(&self.plan, builder)?.value(&self.plan, context)?;
        let annotations = context.take_annotations().into_sorted();
        Ok(QueryResult { value, annotations, storage_warnings: querier.warnings() })
    }
}

/// The root of a plan, its operators made.
pub(crate) enum Root<'a> {
    /// It is known already.
    Text(&'a Text),
    /// Windows are handed out as they are.
    Windows(Box<Builder<'a>>),
    /// A vector or scalar.
    Operator(BoxedOperator<'a>),
}

impl<'a> Root<'a> {
    pub(crate) fn new(plan: &'a LogicalPlan, builder: Builder<'a>) -> Result<Root<'a>, EvalError> {
        Ok(match &plan.root {
            LogicalNode::Text { value, .. } => Root::Text(value),
            root if root.value_type() == ValueType::RangeVector => Root::Windows(Box::new(builder)),
            root => Root::Operator(builder.root(root)?),
        })
    }

    pub(crate) fn value(
        self,
        plan: &'a LogicalPlan,
        context: &QueryContext,
    ) -> Result<QueryValue, EvalError> {
        match self {
            Root::Text(value) => {
                Ok(QueryValue::Text { at_ms: plan.parameters.grid.start_ms, value: value.clone() })
            }
            Root::Windows(builder) => matrix_root(&plan.root, &builder, context).map(QueryValue::Matrix),
            Root::Operator(mut operator) => {
                let value = operator_value(&mut *operator, plan.root.value_type(), context)?;
                if let Some(profile) = context.profile() {
                    profile.keep(operator_profiles(operator.describe(), operator.figures()));
                }
                Ok(value)
            }
        }
    }
}

/// The value of a query that yields scalars or instant vectors.
fn operator_value(
    operator: &mut dyn Operator,
    root_type: ValueType,
    context: &QueryContext,
) -> Result<QueryValue, EvalError> {
    let parameters = &context.parameters;
    let at_ms = parameters.grid.start_ms;
    match (parameters.kind, root_type) {
        (QueryKind::Instant, ValueType::Scalar) => {
            let mut value = f64::NAN;
            collect(operator, context, |_, column| {
                value = column.float(0).unwrap_or(f64::NAN);
                Ok(())
            })?;
            Ok(QueryValue::Scalar { at_ms, value })
        }
        (QueryKind::Instant, _) => {
            let mut samples = Vec::new();
            let mut held = context.reserve(0)?;
            collect(operator, context, |labels, column| {
                // A growing list has up to as much room again.
                held.grow_soon(2 * size_of::<InstantSample>())?;
                let sample = column.get(0).map(SampleRef::to_value);
                samples.extend(sample.map(|value| InstantSample { labels: labels.clone(), at_ms, value }));
                Ok(())
            })?;
            held.grow(0)?;
            Ok(QueryValue::Vector(samples))
        }
        (QueryKind::Range, _) => {
            let mut series = Vec::new();
            let mut held = context.reserve(0)?;
            collect(operator, context, |labels, column| {
                held.grow(range_series_bytes(column))?;
                series.push(range_series(labels.clone(), column, parameters.grid));
                Ok(())
            })?;
            sorted_by_labels(series, context).map(QueryValue::Matrix)
        }
    }
}

/// Hands out every series that has a sample.
fn collect(
    operator: &mut dyn Operator,
    context: &QueryContext,
    mut accept: impl FnMut(&Labels, &StepColumn) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    let series = operator.series(context)?;
    let mut batch = SeriesBatch::new();
    while operator.next_batch(context, &mut batch)? {
        context.hold_samples(batch.columns.iter().map(column_samples).sum())?;
        for (number, column) in batch.iter().filter(|(_, column)| !column.is_absent()) {
            accept(&series[number].labels, column)?;
        }
    }
    Ok(())
}

/// The order of every matrix.
pub(crate) fn sorted_by_labels(
    series: Vec<RangeSeries>,
    context: &QueryContext,
) -> Result<Vec<RangeSeries>, EvalError> {
    // What a store hands out is sorted, and mostly stays so.
    if series.is_sorted_by(|left, right| left.labels <= right.labels) {
        return Ok(series);
    }
    let _held = context.reserve(series.len() * 2 * size_of::<RangeSeries>())?;
    let places = ordered(series.len(), context, |a, b| series[a].labels.cmp(&series[b].labels))?;
    Ok(rearranged(series, &places))
}

/// What a column takes as part of a result. Its histograms are counted with the column they are shared with.
fn range_series_bytes(column: &StepColumn) -> usize {
    2 * size_of::<RangeSeries>() + block_bytes(column.presence().count() * size_of::<(i64, f64)>())
}

fn range_series(labels: Labels, column: &StepColumn, grid: StepGrid) -> RangeSeries {
    let mut series = RangeSeries { labels, ..RangeSeries::default() };
    if !column.has_histograms() {
        let values = column.values();
        series.floats.reserve_exact(column.presence().count());
        if column.presence().is_all() {
            series.floats.extend(grid.timestamps().zip(values.iter().copied()));
        } else {
            series.floats.extend(column.presence().iter().map(|step| (grid.timestamp(step), values[step])));
        }
        return series;
    }
    let histograms = column.iter().filter(|(_, value)| matches!(value, SampleRef::Histogram(_))).count();
    series.floats.reserve_exact(column.presence().count() - histograms);
    series.histograms.reserve_exact(histograms);
    for (step, value) in column.iter() {
        let at_ms = grid.timestamp(step);
        match value {
            SampleRef::Float(value) => series.floats.push((at_ms, value)),
            SampleRef::Histogram(value) => series.histograms.push((at_ms, Arc::clone(value))),
        }
    }
    series
}
