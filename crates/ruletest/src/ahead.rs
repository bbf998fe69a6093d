//! Rules evaluated ahead: each once over all evaluations of a test, instead of once per evaluation.
//!
//! What a rule yields at an evaluation is known as soon as all that it may look at is known. That holds for rules that
//! read input series only, and for rules that read what such rules record, as long as they come after them. All others
//! are evaluated when their time comes. Nothing that a test can see depends on which rules are evaluated how.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use narthex_eval::QueryValue;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_model::labels::METRIC_NAME;
use narthex_model::sample::stale_nan;
use narthex_model::{Labels, MatchOp, Matcher, SampleValue, TimeRange, Timestamp};
use narthex_plan::QueryParameters;
use narthex_promql::Expr;
use narthex_promql::ast::visit::walk;
use narthex_promql::ast::{Call, DurationExpr, Modifiers, ValueType};
use narthex_rules::alerting::{ALERTS, ALERTS_FOR_STATE};
use narthex_rules::{EngineQueries, GroupDefinition, RuleDefinition, RuleError, RuleQueries, Surroundings};
use narthex_storage::Appender;
use narthex_tsdb::{Head, HeadLimits};

use crate::input::Input;
use crate::schedule::Schedule;

/// What is known ahead of one rule: its result over all evaluations.
#[derive(Debug)]
struct Known {
    series: Vec<KnownSeries>,
}

/// A series of a result.
#[derive(Debug)]
struct KnownSeries {
    labels: Labels,
    /// In time order.
    samples: Vec<(Timestamp, SampleValue)>,
    /// The first sample that is not of an evaluation before the current one.
    next: usize,
}

/// The results of the rules that could be evaluated ahead, by group and rule.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    known: Vec<Vec<Option<RefCell<Known>>>>,
}

/// Answers the queries of one group: what is known ahead, and the rest from the store.
pub(crate) struct AheadQueries<'a> {
    pub(crate) queries: &'a EngineQueries<'a>,
    pub(crate) ahead: &'a Ahead,
    pub(crate) group: usize,
}

impl RuleQueries for AheadQueries<'_> {
    fn evaluate(
        &self,
        index: usize,
        rule: &RuleDefinition,
        at_ms: Timestamp,
    ) -> Result<Vec<InstantSample>, RuleError> {
        match self.ahead.known.get(self.group).and_then(|rules| rules.get(index)) {
            Some(Some(known)) => Ok(known.borrow_mut().at(at_ms)),
            _ => self.queries.evaluate(index, rule, at_ms),
        }
    }

    fn query(&self, text: &str, at_ms: Timestamp) -> Result<Vec<InstantSample>, RuleError> {
        self.queries.query(text, at_ms)
    }

    fn surroundings(&self) -> &Surroundings {
        self.queries.surroundings()
    }
}

impl Known {
    /// The samples at an evaluation; evaluations are asked for in their order.
    fn at(&mut self, at_ms: Timestamp) -> Vec<InstantSample> {
        let mut samples = Vec::new();
        for KnownSeries { labels, samples: points, next } in &mut self.series {
            while points.get(*next).is_some_and(|point| point.0 < at_ms) {
                *next += 1;
            }
            if let Some((_, value)) = points.get(*next).filter(|point| point.0 == at_ms) {
                samples.push(InstantSample { labels: labels.clone(), at_ms, value: value.clone() });
            }
        }
        samples
    }
}

/// Who writes a metric name, as far as it was looked at.
struct Writer {
    query_offset_ms: i64,
    series: HashSet<Labels>,
}

/// Finds out ahead what can be.
pub(crate) struct Forecast<'a> {
    store: Head,
    queries: &'a EngineQueries<'a>,
    /// Names of input series.
    input_names: HashSet<String>,
    /// How many rules record each name.
    recorded: BTreeMap<&'a str, usize>,
    /// Names that were recorded ahead, by all rules that do so.
    written: HashMap<&'a str, Vec<Writer>>,
    ahead: Ahead,
}

impl<'a> Forecast<'a> {
    /// Over the whole of `input`, from `start_ms` to the evaluation `last_ms` after it.
    pub(crate) fn run(
        groups: &'a [&'a GroupDefinition],
        schedule: &Schedule,
        input: &Input,
        (start_ms, last_ms): (Timestamp, i64),
        queries: &'a EngineQueries<'a>,
    ) -> Ahead {
        let mut store = Head::new(HeadLimits::EMBEDDED);
        // What the store refuses is refused again, and told of, when its time comes.
        if input.append_all_to(start_ms.saturating_add(last_ms), &mut store).is_err() {
            return Ahead::default();
        }
        let rules = groups.iter().flat_map(|group| &group.rules).filter(|rule| !rule.is_alerting());
        let mut recorded: BTreeMap<&str, usize> = BTreeMap::new();
        rules.for_each(|rule| *recorded.entry(&rule.name).or_default() += 1);
        let input_names = input.names().map(str::to_owned).collect();
        let (written, ahead) = (HashMap::new(), Ahead::default());
        let mut forecast = Forecast { store, queries, input_names, recorded, written, ahead };
        for (number, group) in groups.iter().enumerate() {
            let interval_ms = schedule.interval_of(number);
            let rules = group.rules.iter();
            let known = rules.map(|rule| forecast.rule(rule, group, (start_ms, last_ms, interval_ms)));
            let known = known.collect();
            forecast.ahead.known.push(known);
        }
        forecast.ahead
    }

    /// What is known ahead of the rule; what it records is then in the store.
    fn rule(
        &mut self,
        rule: &'a RuleDefinition,
        &GroupDefinition { query_offset_ms, limit, .. }: &GroupDefinition,
        (start_ms, last_ms, interval_ms): (Timestamp, i64, i64),
    ) -> Option<RefCell<Known>> {
        if !looks_back_only(&rule.expr) || !self.reads_what_is_known(&rule.expr, query_offset_ms) {
            return None;
        }
        let first_ms = start_ms.saturating_sub(query_offset_ms);
        let range = TimeRange::new(first_ms, first_ms.saturating_add(last_ms));
        let series = self.evaluate(&rule.expr, range, interval_ms)?;
        if !rule.is_alerting() && limit.is_none() {
            self.record(rule, query_offset_ms, &series, (range, interval_ms));
        }
        let known = series.into_iter().map(|one| {
            let samples = one.samples();
            KnownSeries { labels: one.labels, samples, next: 0 }
        });
        Some(RefCell::new(Known { series: known.collect() }))
    }

    /// Whether each selector reads input, or names that were recorded ahead by rules before this one, or nothing.
    fn reads_what_is_known(&self, expr: &Expr, query_offset_ms: i64) -> bool {
        let mut is_known = true;
        walk(expr, &mut |expr| {
            let selector = match expr {
                Expr::Selector(selector) => selector,
                Expr::Matrix(matrix) => &matrix.selector,
                _ => return,
            };
            let matchers: Vec<Matcher> = selector.all_matchers().collect();
            is_known = is_known && self.is_known(&matchers, query_offset_ms);
        });
        is_known
    }

    fn is_known(&self, matchers: &[Matcher], query_offset_ms: i64) -> bool {
        let names: Vec<&Matcher> = matchers.iter().filter(|one| one.name() == METRIC_NAME).collect();
        let selects = |name: &str| names.iter().all(|one| one.matches(name));
        if names.is_empty() || selects(ALERTS) || selects(ALERTS_FOR_STATE) {
            return false;
        }
        let name = names.iter().find(|one| one.op() == MatchOp::Equal);
        let is_settled = |name: &str| {
            let Some(&rules) = self.recorded.get(name) else { return true };
            let writers = self.written.get(name).map_or(&[][..], Vec::as_slice);
            // A name that comes in as well may be refused when it is recorded.
            !self.input_names.contains(name)
                && writers.len() == rules
                && writers.iter().all(|writer| writer.query_offset_ms <= query_offset_ms)
        };
        match name.and_then(|name| name.value().as_str()) {
            Some(name) => is_settled(name),
            None => self.recorded.keys().filter(|name| selects(name)).all(|name| is_settled(name)),
        }
    }

    /// `None` when it fails: whether and when it does in earnest will be seen.
    fn evaluate(&self, expr: &Expr, range: TimeRange, step_ms: i64) -> Option<Vec<RangeSeries>> {
        let EngineQueries { engine, lookback_ms, subquery_step_ms, .. } = *self.queries;
        let parameters = QueryParameters::range(range, step_ms, lookback_ms, subquery_step_ms);
        match engine.evaluate(&self.store, expr, parameters).ok()?.value {
            QueryValue::Matrix(series) => Some(series),
            _ => None,
        }
    }

    /// Writes what the rule will write, unless it or another rule might refuse to: then nobody reads it ahead.
    fn record(
        &mut self,
        rule: &'a RuleDefinition,
        query_offset_ms: i64,
        series: &[RangeSeries],
        (range, interval_ms): (TimeRange, i64),
    ) {
        let mut labels = HashSet::with_capacity(series.len());
        let named: Vec<Labels> = series.iter().map(|one| rule.recorded_labels(&one.labels)).collect();
        let is_unique = named.iter().all(|one| labels.insert(one.clone()));
        let others = self.written.get(rule.name.as_str()).map_or(&[][..], Vec::as_slice);
        let is_shared = others.iter().any(|other| !other.series.is_disjoint(&labels));
        if !is_unique || is_shared {
            return;
        }
        for (labels, one) in named.iter().zip(series) {
            if self.append(labels, &one.samples(), range, interval_ms).is_none() {
                return;
            }
        }
        self.written.entry(&rule.name).or_default().push(Writer { query_offset_ms, series: labels });
    }

    /// The samples of a series, and a stale marker at the first evaluation after each run of them.
    fn append(
        &mut self,
        labels: &Labels,
        samples: &[(Timestamp, SampleValue)],
        range: TimeRange,
        interval_ms: i64,
    ) -> Option<()> {
        for (place, (at_ms, value)) in samples.iter().enumerate() {
            self.store.append(labels, *at_ms, value.clone(), 0).ok()?;
            let next_ms = at_ms.saturating_add(interval_ms);
            let goes_on = samples.get(place + 1).is_some_and(|next| next.0 == next_ms);
            if !goes_on && next_ms <= range.max_ms {
                self.store.append(labels, next_ms, SampleValue::Float(stale_nan()), 0).ok()?;
            }
        }
        Some(())
    }
}

/// Functions that depend on the bounds of the query, or read more than is written down.
const ODD_FUNCTIONS: [&str; 5] = ["start", "end", "step", "range", "info"];

fn is_odd(call: &Call) -> bool {
    call.function.is_none_or(|function| ODD_FUNCTIONS.contains(&function.spec().name))
}

/// Whether the value at a time depends only on samples up to that time, and not on the bounds of the query.
fn looks_back_only(expr: &Expr) -> bool {
    let mut looks_back = matches!(expr.value_type(), Some(ValueType::InstantVector | ValueType::Scalar));
    walk(expr, &mut |expr| {
        looks_back = looks_back
            && match expr {
                Expr::Selector(selector) => are_plain(&selector.modifiers),
                Expr::Matrix(matrix) => are_plain(&matrix.selector.modifiers) && is_plain(&matrix.range),
                Expr::Subquery(subquery) => {
                    are_plain(&subquery.modifiers)
                        && is_plain(&subquery.range)
                        && subquery.step.as_ref().is_none_or(is_plain)
                }
                Expr::Call(call) => !is_odd(call),
                Expr::Error(_) => false,
                _ => true,
            };
    });
    looks_back
}

fn are_plain(modifiers: &Modifiers) -> bool {
    let Modifiers { offset, at, extension } = modifiers;
    at.is_none() && extension.is_none() && offset.as_ref().is_none_or(|offset| is_plain(&offset.value))
}

fn is_plain(duration: &DurationExpr) -> bool {
    matches!(duration, DurationExpr::Literal { seconds, .. } if *seconds >= 0.0)
}
