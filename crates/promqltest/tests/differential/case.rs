//! One query of the comparison with its times and the switches of the language.

use narthex_eval::context::EvalOptions;
use narthex_model::TimeRange;
use narthex_plan::optimize::Rewrite;
use narthex_plan::{Optimizer, QueryKind, QueryParameters, build};
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::walk;
use narthex_promql::functions::{FunctionId, HistogramFunction};
use narthex_promql::{Expr, ParseOptions, parse};
use narthex_promqltest::random::samples::END_MS;
use narthex_promqltest::random::{Dialect, QueryGenerator};
use narthex_testkit::SplitMix64;

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) query: String,
    pub(crate) parameters: QueryParameters,
    pub(crate) options: EvalOptions,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Case {
        let mut random = SplitMix64::new(seed);
        let parameters = parameters(&mut random);
        let options = EvalOptions {
            delayed_name_removal: random.below(2) == 0,
            start_timestamps: random.below(2) == 0,
            type_and_unit_labels: random.below(4) == 0,
            ..EvalOptions::STABLE
        };
        let query = query(&mut random, parameters.kind);
        Case { seed, query, parameters, options }
    }

    /// Other queries at the same times, as those of a rule group.
    pub(crate) fn companions(&self, count: usize) -> Vec<Case> {
        let mut random = SplitMix64::new(self.seed ^ 0xc0);
        let companion = |_| Case { query: query(&mut random, self.parameters.kind), ..self.clone() };
        (0..count).map(companion).collect()
    }

    /// The optimizer passes that have something to do.
    pub(crate) fn passes_that_change_it(&self) -> Vec<&'static str> {
        let Ok(expr) = parse(&self.query, &ParseOptions::ALL).into_result() else { return Vec::new() };
        let Ok(mut plan) = build(&expr, self.parameters) else { return Vec::new() };
        let records = Optimizer::ALL.run_recorded(&mut plan).into_iter();
        records.filter(|record| record.rewrite == Rewrite::Changed).map(|record| record.name).collect()
    }

    /// Times and switches in words.
    pub(crate) fn circumstances(&self) -> String {
        let (grid, options) = (self.parameters.grid, self.options);
        let times = match self.parameters.kind {
            QueryKind::Instant => format!("at {}", grid.start_ms),
            QueryKind::Range => {
                format!("from {} to {} step {}", grid.start_ms, self.parameters.end_ms, grid.step_ms)
            }
        };
        let lookback_ms = self.parameters.lookback_ms;
        format!("{times} lookback {lookback_ms}, {options:?}")
    }
}

fn query(random: &mut SplitMix64, kind: QueryKind) -> String {
    let mut next = || random.next_u64();
    let mut generator = QueryGenerator::new(&mut next, Dialect::ALL);
    let mut query = || match kind {
        QueryKind::Instant => generator.query(),
        QueryKind::Range => generator.range_query(),
    };
    std::iter::repeat_with(&mut query).find(|query| !is_open(query)).unwrap_or_default()
}

/// Whether the language leaves open what a query yields: vectors that are made anew have no order, so that any of their
/// elements may be the first, or of equal ones the better.
fn is_open(query: &str) -> bool {
    let Ok(expr) = parse(query, &ParseOptions::ALL).into_result() else { return false };
    let mut is_open = false;
    walk(&expr, &mut |node| {
        if let Expr::Aggregate(node) = node {
            is_open |= match node.op {
                AggregateOp::Limitk => holds(&node.expr, |below| is_made_anew(below) || is_grouped(below)),
                AggregateOp::Topk | AggregateOp::Bottomk => holds(&node.expr, is_made_anew),
                _ => false,
            };
        }
    });
    is_open
}

fn holds(expr: &Expr, is_wanted: impl Fn(&Expr) -> bool) -> bool {
    let mut holds = false;
    walk(expr, &mut |node| holds |= is_wanted(node));
    holds
}

/// Whether elements are made that no order of series orders.
fn is_made_anew(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(node) => node.op == AggregateOp::CountValues,
        Expr::Call(node) => matches!(
            node.function,
            Some(FunctionId::Histogram(
                HistogramFunction::Quantile | HistogramFunction::Quantiles | HistogramFunction::Fraction
            ))
        ),
        _ => false,
    }
}

fn is_grouped(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate(_))
}

fn parameters(random: &mut SplitMix64) -> QueryParameters {
    let start_ms = random.between(-100, END_MS / 1000 + 300) * 1000;
    let lookback_ms = [300_000, 300_000, 60_000][random.below(3)];
    if random.below(3) == 0 {
        return QueryParameters::instant(start_ms, lookback_ms, 60_000);
    }
    let step_ms = [7_000, 15_000, 30_000, 100_000, 400_000][random.below(5)];
    let end_ms = start_ms + random.between(0, 25 * step_ms / 1000) * 1000;
    QueryParameters::range(TimeRange::new(start_ms, end_ms), step_ms, lookback_ms, 60_000)
}
