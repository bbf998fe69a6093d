//! Queries that are evaluated together: what several of them read or compute is read and computed once.
//!
//! A rule group asks many questions at one time of the same series. Its plans are optimized together, so that every
//! distinct selection is scanned once, with all windows cut from that scan, and every distinct expression is computed
//! once. Each query has its own result, its own error and its own annotations, as if it were evaluated alone; one that
//! fails does no harm to the others.
//!
//! The limits hold for each query, for what it computes by itself, and once more for all that is shared. A query whose
//! shared part is refused before anything is read computes it by itself, within its own limits. The store is looked at
//! once, so that all see the same samples; its warnings are told to each query.
//!
//! ```
//! use narthex_eval::{Engine, EngineOptions};
//! use narthex_model::Labels;
//! use narthex_plan::QueryParameters;
//! use narthex_promql::{Expr, ParseOptions, parse};
//! use narthex_storage::{Appender, MemoryStorage};
//!
//! let mut store = MemoryStorage::new();
//! store.append(&Labels::from_pairs([("__name__", "up"), ("job", "api")]), 0, 1.0.into(), 0)?;
//! let rules = ["sum by (job) (up)", "count by (job) (up)", "up + on (nothing) (up or vector(1))"];
//! let rules: Result<Vec<Expr>, _> =
//!     rules.iter().map(|rule| parse(rule, &ParseOptions::STABLE).into_result()).collect();
//! let group = Engine::new(EngineOptions::STABLE)
//!     .prepare_group(&rules?, QueryParameters::instant(0, 300_000, 60_000));
//! let results = group.evaluate(&store);
//! assert_eq!(results[0].as_ref().map(|result| &result.value), results[1].as_ref().map(|result| &result.value));
//! assert!(results[2].is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use narthex_model::TimeRange;
use narthex_plan::{LogicalPlan, QueryParameters, build};
use narthex_promql::{Expr, Interrupt};
use narthex_storage::{Querier, Queryable};

use crate::engine::{EngineOptions, Root};
use crate::physical::build::Builder;
use crate::physical::histogram_stats::HistogramDetail;
use crate::physical::shared::{Outlines, Sharing};
use crate::physical::tally::Counting;
use crate::{Engine, EvalError, QueryContext, QueryResult};

/// Planned queries of the same times. May be evaluated any number of times.
#[derive(Clone)]
pub struct QueryGroup {
    plans: Vec<LogicalPlan>,
    /// By query: the number of its plan, or why it has none.
    queries: Vec<Result<usize, EvalError>>,
    parameters: QueryParameters,
    options: EngineOptions,
}

impl Engine {
    /// Plans expressions that were parsed without errors, to be evaluated together. An expression without a plan, as
    /// [`Engine::prepare`] would refuse it, fails alone when the group is evaluated.
    pub fn prepare_group<'e>(
        &self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        parameters: QueryParameters,
    ) -> QueryGroup {
        let mut plans = Vec::new();
        let queries = exprs.into_iter().map(|expr| {
            let plan = self.checked_plan(expr, parameters)?;
            plans.push(plan);
            Ok(plans.len() - 1)
        });
        let queries = queries.collect();
        let options = *self.options();
        options.optimizer.run_group(&mut plans);
        QueryGroup { plans, queries, parameters, options }
    }

    fn checked_plan(&self, expr: &Expr, parameters: QueryParameters) -> Result<LogicalPlan, EvalError> {
        let plan = build(expr, parameters)?;
        self.options().eval.check(&plan)?;
        self.check_steps(&plan)?;
        Ok(plan)
    }
}

impl QueryGroup {
    /// What is computed, after optimization; only of queries that have a plan.
    pub fn plans(&self) -> &[LogicalPlan] {
        &self.plans
    }

    /// Evaluates all queries over a store; the results are in the order of the expressions.
    pub fn evaluate(&self, storage: &dyn Queryable) -> Vec<Result<QueryResult, EvalError>> {
        self.evaluate_interruptible(storage, &Interrupt::new())
    }

    /// As [`QueryGroup::evaluate`], until `interrupt` says to stop: queries that are not finished then fail.
    pub fn evaluate_interruptible(
        &self,
        storage: &dyn Queryable,
        interrupt: &Interrupt,
    ) -> Vec<Result<QueryResult, EvalError>> {
        match storage.querier(TimeRange::ALL) {
            Ok(querier) => self.evaluate_over(&*querier, interrupt),
            Err(error) => {
                let error = EvalError::from(error);
                let failed = |query: &Result<usize, EvalError>| query.clone().and(Err(error.clone()));
                self.queries.iter().map(failed).collect()
            }
        }
    }

    fn evaluate_over(
        &self,
        querier: &dyn Querier,
        interrupt: &Interrupt,
    ) -> Vec<Result<QueryResult, EvalError>> {
        let sharing = Arc::new(Sharing::new(self.context(interrupt), Outlines::None));
        // All operators are made before any runs: whoever reads must know who else wants it.
        let made: Vec<Result<Prepared<'_>, EvalError>> = (self.queries.iter())
            .map(|query| {
                let plan = &self.plans[query.clone()?];
                let context = self.context(interrupt).for_part("result", plan.root.span());
                let builder = self.builder(querier, &context, &sharing);
                Ok(Prepared { root: Root::new(plan, builder)?, plan, context })
            })
            .collect();
        drop(sharing);
        let results = made.into_iter().map(|made| made?.evaluate(querier));
        results.collect()
    }

    fn context(&self, interrupt: &Interrupt) -> QueryContext {
        let (limits, eval) = (self.options.limits, self.options.eval);
        QueryContext::interruptible(self.parameters, limits, eval, interrupt.clone())
    }

    fn builder<'a>(
        &'a self,
        querier: &'a dyn Querier,
        context: &QueryContext,
        sharing: &Arc<Sharing<'a>>,
    ) -> Builder<'a> {
        Builder {
            querier,
            options: self.options.eval,
            limits: self.options.limits,
            histograms: HistogramDetail::Full,
            counting: Counting::Nothing,
            parameters: &self.parameters,
            context: context.clone(),
            sharing: Some(Arc::clone(sharing)),
        }
    }
}

/// A query whose operators are made.
struct Prepared<'a> {
    root: Root<'a>,
    plan: &'a LogicalPlan,
    context: QueryContext,
}

impl Prepared<'_> {
    fn evaluate(self, querier: &dyn Querier) -> Result<QueryResult, EvalError> {
        self.context.check()?;
        let value = self.root.value(self.plan, &self.context)?;
        let annotations = self.context.take_annotations().into_sorted();
        Ok(QueryResult { value, annotations, storage_warnings: querier.warnings() })
    }
}
