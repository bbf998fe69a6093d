//! `info`: the labels of info metrics added to the series of the same target.
//!
//! The info series of a target change over time, so that a base series may become several output series. Which ones is
//! worked out once; batches only send each step's sample to the output series of that step.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::{Labels, LabelsBuilder};
use narthex_plan::LogicalNode;
use narthex_plan::logical::TimeShift;
use narthex_storage::Querier;

use super::info_series::{self, Identity, InfoMatchers, InfoSeries, InfoTimes, TargetInfo};
use super::{BoxedOperator, Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::memory::{Reservation, column_bytes, label_bytes};
use crate::{EvalError, QueryContext, StepColumn};

/// Joins the series of its input with info series.
pub(super) struct Info<'a> {
    base: BoxedOperator<'a>,
    matchers: InfoMatchers,
    times: InfoTimes,
    querier: &'a dyn Querier,
    span: Span,
    join: Option<Join>,
    input: SeriesBatch,
}

/// How the base series map to output series.
struct Join {
    info: InfoSeries,
    /// One per base series.
    routes: Vec<Route>,
    /// The steps at which the base vector has an element; known if there are faults.
    steps: BTreeSet<usize>,
    /// The targets of which it has one at any step.
    targets: BTreeSet<Identity>,
    /// What the routes and the output series take.
    _held: Reservation,
}

/// Where the samples of one base series go.
struct Route {
    /// Number of its first output series; the others follow.
    first: usize,
    /// How many there are.
    outputs: usize,
    /// The target whose choice of the step decides; `None` when all samples take the only way.
    target: Option<Identity>,
    /// By choice of the target.
    ways: Vec<Way>,
}

/// What becomes of a sample.
enum Way {
    /// It goes to the output series of this number, counted from the first of its base series.
    Output(usize),
    /// Nothing matches, and something must.
    Dropped,
    /// Two info metrics disagree on this label.
    Conflict(Box<str>),
}

impl<'a> Info<'a> {
    /// `selector` is the second argument.
    pub(super) fn new(
        base: BoxedOperator<'a>,
        selector: Option<&LogicalNode>,
        times: InfoTimes,
        querier: &'a dyn Querier,
        span: Span,
    ) -> Info<'a> {
        let matchers = InfoMatchers::new(selector.map_or(&[], written_matchers));
        Info { base, matchers, times, querier, span, join: None, input: SeriesBatch::new() }
    }

    fn route(&self, series: &SeriesMetadata, info: &InfoSeries, output: &mut Vec<SeriesMetadata>) -> Route {
        let first = output.len();
        if self.matchers.match_name(series.labels.metric_name()) {
            output.push(series.clone());
            return Route { first, outputs: 1, target: None, ways: vec![Way::Output(0)] };
        }
        let target =
            info_series::identity(&series.labels).filter(|identity| info.targets.contains_key(identity));
        let no_info = [Vec::new()];
        let choices: &[Vec<Labels>] = match &target {
            Some(identity) => &info.targets[identity].choices,
            None => &no_info,
        };
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let ways = choices.iter().map(|chosen| match self.enriched(&series.labels, chosen) {
            Ok(Some(labels)) => Way::Output(*places.entry(labels).or_insert_with_key(|labels| {
                output.push(SeriesMetadata { labels: labels.clone(), drops_name: series.drops_name });
                output.len() - 1 - first
            })),
            Ok(None) => Way::Dropped,
            Err(label) => Way::Conflict(label),
        });
        let ways = ways.collect();
        Route { first, outputs: output.len() - first, target, ways }
    }

    /// The labels of a series with those of its info series; `None` when it has none but must. Labels that the series
    /// has stay as they are.
    ///
    /// # Errors
    /// The label on which two info series disagree.
    fn enriched(&self, base: &Labels, chosen: &[Labels]) -> Result<Option<Labels>, Box<str>> {
        if chosen.is_empty() {
            return Ok(self.matchers.match_nothing().then(|| base.clone()));
        }
        let mut builder = LabelsBuilder::from_labels(base);
        for (name, value) in chosen.iter().flat_map(Labels::iter) {
            if !self.matchers.want_label(name) || base.get(name).is_some() {
                continue;
            }
            let known = builder.value(name);
            if !known.is_empty() && known != value {
                return Err(name.into());
            }
            builder.set(name, value);
        }
        Ok(Some(builder.build()))
    }
}

/// The conditions of a selector; optimizer passes may have wrapped it.
fn written_matchers(node: &LogicalNode) -> &[narthex_model::Matcher] {
    match node {
        LogicalNode::VectorSelector { selector, .. } => &selector.matchers,
        LogicalNode::StepInvariant { expr } | LogicalNode::Shared { expr, .. } => written_matchers(expr),
        _ => &[],
    }
}

/// When the first selector in `node` looks at samples, the shifts of subqueries around it included: info series are
/// looked at as of the same time.
pub(super) fn first_shift(node: &LogicalNode) -> Option<TimeShift> {
    match node {
        LogicalNode::VectorSelector { selector, .. } | LogicalNode::MatrixSelector { selector, .. } => {
            Some(selector.shift)
        }
        LogicalNode::Subquery { expr, shift, .. } => first_shift(expr).map(|inner| match inner.at_ms {
            Some(_) => inner,
            None => {
                TimeShift { at_ms: shift.at_ms, offset_ms: shift.offset_ms.saturating_add(inner.offset_ms) }
            }
        }),
        _ => node.children().into_iter().find_map(first_shift),
    }
}

impl Operator for Info<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let base = self.base.series(context)?;
        let is_enriched = |series: &&SeriesMetadata| !self.matchers.match_name(series.labels.metric_name());
        let identities: BTreeSet<Identity> = base
            .iter()
            .filter(is_enriched)
            .filter_map(|series| info_series::identity(&series.labels))
            .collect();
        let info =
            info_series::read(self.querier, &self.matchers, self.times, &identities, context, self.span)?;
        let (mut output, mut routes) = (Vec::new(), Vec::with_capacity(base.len()));
        let mut held = context.reserve(base.len() * size_of::<Route>())?;
        for series in base.iter() {
            context.check()?;
            let route = self.route(series, &info, &mut output);
            let texts: usize = output[route.first..].iter().map(|series| label_bytes(&series.labels)).sum();
            let lists = 3 * route.outputs * size_of::<SeriesMetadata>() + route.ways.len() * size_of::<Way>();
            held.grow(texts + lists)?;
            routes.push(route);
        }
        self.join =
            Some(Join { info, routes, steps: BTreeSet::new(), targets: BTreeSet::new(), _held: held });
        Ok(output.into())
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        context.check()?;
        let Some(join) = &mut self.join else { return Ok(false) };
        let has_more = self.base.next_batch(context, &mut self.input)?;
        batch.start(join.routes.get(self.input.first).map_or(0, |route| route.first));
        for (series, column) in self.input.iter() {
            join.note(series, column);
            let route = &join.routes[series];
            drop(context.reserve(route.outputs * column_bytes(column.len()))?);
            join.send(route, column, batch, self.span)?;
            batch.settle(context)?;
        }
        if !has_more {
            join.check_faults()?;
        }
        Ok(has_more)
    }

    fn describe(&self) -> Description<'_> {
        Description { line: "info".into(), inputs: vec![&*self.base] }
    }
}

impl Join {
    /// Remembers what decides whether faults of info series matter.
    fn note(&mut self, series: usize, column: &StepColumn) {
        if self.info.faults.is_empty() || column.is_absent() {
            return;
        }
        self.steps.extend(column.iter().map(|(step, _)| step));
        self.targets.extend(self.routes[series].target.clone());
    }

    /// Fails when info series are at fault at a step of the base vector: known only after all of it is seen, since it
    /// need not have an element of that target at that step.
    fn check_faults(&self) -> Result<(), EvalError> {
        let mut faults = self.info.faults.iter();
        let fault =
            faults.find(|((step, target), _)| self.steps.contains(step) && self.targets.contains(target));
        fault.map_or(Ok(()), |(_, fault)| Err(fault.clone()))
    }

    fn send(
        &self,
        route: &Route,
        column: &StepColumn,
        batch: &mut SeriesBatch,
        span: Span,
    ) -> Result<(), EvalError> {
        let from = batch.columns.len();
        (0..route.outputs).for_each(|_| {
            batch.push_column(column.len());
        });
        let target: Option<&TargetInfo> =
            route.target.as_ref().and_then(|identity| self.info.targets.get(identity));
        for (step, value) in column.iter() {
            match &route.ways[target.map_or(0, |target| target.by_step[step])] {
                Way::Output(output) => batch.columns[from + output].set_ref(step, value),
                Way::Dropped => {}
                Way::Conflict(label) => {
                    return Err(EvalError::execution(format!("conflicting label: {label}"), span));
                }
            }
        }
        Ok(())
    }
}
