//! A query, and both engines' answers to it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use narthex_eval::context::EvalOptions;
use narthex_eval::{Engine, EngineOptions};
use narthex_model::TimeRange;
use narthex_plan::{Optimizer, QueryParameters};
use narthex_promql::ast::visit::walk;
use narthex_promql::{Expr, ValueType, parse};
use narthex_promqltest::random::samples::END_MS;
use narthex_promqltest::random::{Dialect, QueryGenerator};
use narthex_testkit::SplitMix64;
use narthex_tsdb::Head;

use crate::answer::{self, Answer, Outcome};
use crate::difference::{What, differences, differences_of_series};
use crate::server::Server;

/// The language of the server that is compared with.
const DIALECT: Dialect = Dialect::PROMETHEUS_3_5;
const LOOKBACK_MS: i64 = 300_000;
const SUBQUERY_STEP_MS: i64 = 60_000;

/// A query with its times.
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) query: String,
    pub(crate) parameters: QueryParameters,
    pub(crate) is_range: bool,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Case {
        let mut random = SplitMix64::new(seed);
        let is_range = random.below(2) == 0;
        let unit_ms = if random.below(4) == 0 { 1 } else { 1000 };
        let start_ms = random.between(0, (END_MS + 200_000) / unit_ms) * unit_ms;
        let step_ms = [7_000, 15_000, 30_000, 100_000, 1_500][random.below(5)];
        let end_ms = start_ms + random.between(0, 300) * 1000;
        let parameters = if is_range {
            QueryParameters::range(TimeRange::new(start_ms, end_ms), step_ms, LOOKBACK_MS, SUBQUERY_STEP_MS)
        } else {
            QueryParameters::instant(start_ms, LOOKBACK_MS, SUBQUERY_STEP_MS)
        };
        let mut next = || random.next_u64();
        let mut generator = QueryGenerator::new(&mut next, DIALECT);
        let query = if is_range { generator.range_query() } else { generator.query() };
        Case { seed, query, parameters, is_range }
    }

    pub(crate) fn title(&self) -> String {
        let grid = self.parameters.grid;
        let times =
            if self.is_range { format!(" step {} ×{}", grid.step_ms, grid.len) } else { String::new() };
        format!("seed {}: {}\n    at {}{times}", self.seed, self.query, grid.start_ms)
    }
}

/// Both engines with the same samples.
pub(crate) struct Run {
    pub(crate) server: Server,
    pub(crate) store: Head,
    pub(crate) eval: EvalOptions,
}

impl Run {
    pub(crate) fn ask<'a>(&'a self, case: &'a Case) -> Asked<'a> {
        let ours = match parse(&case.query, &DIALECT.options).into_result() {
            Ok(expr) => self.ours(case, &expr),
            Err(error) => answer::failed(true, error.to_string()),
        };
        Asked { run: self, case, theirs: self.theirs(case), ours }
    }

    fn theirs(&self, case: &Case) -> Answer {
        let (start_ms, end_ms) = (case.parameters.grid.start_ms, case.parameters.end_ms);
        let [start, end] = [start_ms, end_ms].map(seconds);
        let body = if case.is_range {
            let step = seconds(case.parameters.grid.step_ms);
            let form = [("query", case.query.as_str()), ("start", &start), ("end", &end), ("step", &step)];
            self.server.post("/api/v1/query_range", &form)
        } else {
            self.server.post("/api/v1/query", &[("query", case.query.as_str()), ("time", &start)])
        };
        answer::theirs(&body)
    }

    fn ours(&self, case: &Case, expr: &Expr) -> Answer {
        let optimizer = if case.seed.is_multiple_of(2) { Optimizer::ALL } else { Optimizer::NONE };
        let options = EngineOptions { eval: self.eval, optimizer, ..EngineOptions::STABLE };
        let evaluate = || Engine::new(options).evaluate(&self.store, expr, case.parameters);
        match catch_unwind(AssertUnwindSafe(evaluate)) {
            Ok(result) => answer::ours(result, &case.query),
            Err(_) => answer::failed(false, "panicked".to_owned()),
        }
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// A query with its answers.
pub(crate) struct Asked<'a> {
    pub(crate) run: &'a Run,
    pub(crate) case: &'a Case,
    pub(crate) theirs: Answer,
    pub(crate) ours: Answer,
}

impl Asked<'_> {
    pub(crate) fn our_failure(&self) -> Option<&str> {
        self.ours.outcome.as_ref().err().map(|failure| failure.message.as_str())
    }

    pub(crate) fn their_failure(&self) -> Option<&str> {
        self.theirs.outcome.as_ref().err().map(|failure| failure.message.as_str())
    }

    /// Whether names are removed at the end.
    pub(crate) fn is_delayed(&self) -> bool {
        self.run.eval.delayed_name_removal
    }

    pub(crate) fn query_has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.case.query.contains(word))
    }

    /// Whether native histograms may be selected.
    pub(crate) fn has_native(&self) -> bool {
        self.query_has(&["native", "custom", "mixed"])
    }

    /// Whether the samples are the same when metric names are left out; trivially so when one of the answers is that
    /// series are the same without them.
    pub(crate) fn agree_without_names(&self) -> bool {
        let (Ok(theirs), Ok(ours)) = (&self.theirs.outcome, &self.ours.outcome) else {
            let failures = [self.their_failure(), self.our_failure()];
            return failures
                .into_iter()
                .flatten()
                .any(|text| text.starts_with("vector cannot contain metrics"));
        };
        let [theirs, ours] = [theirs, ours].map(Outcome::without_names);
        let differences = differences_of_series(&theirs, &ours);
        differences.iter().all(|one| matches!(one.what, What::Float | What::Histogram))
    }

    /// Whether warnings and infos are the same after a change.
    pub(crate) fn notes_agree(&self, change: impl Fn(&str) -> String) -> bool {
        let [theirs, ours] = [&self.theirs, &self.ours].map(|answer| {
            let notes = answer.notes.iter().flatten();
            notes.map(|note| change(note)).collect::<BTreeSet<String>>()
        });
        theirs == ours
    }

    /// Whether the server gives our answer when asked again: some of its answers depend on the order of a hash table or
    /// on memory that is used twice.
    pub(crate) fn is_unsteady(&self) -> bool {
        (0..20).any(|_| {
            // What lies in the memory that is used twice changes with time.
            std::thread::sleep(std::time::Duration::from_millis(20));
            differences(&self.case.query, &self.run.theirs(self.case), &self.ours).is_empty()
        })
    }

    /// The failures of all parts of the query, each evaluated by itself by our engine: at each step, and over all that
    /// its subqueries look at; also with arguments that do not fail themselves.
    pub(crate) fn failures_of_parts(&self) -> Vec<String> {
        let Ok(expr) = parse(&self.case.query, &DIALECT.options).into_result() else { return Vec::new() };
        let wide = QueryParameters::range(
            TimeRange::new(-4_000_000, 4_000_000),
            5_000,
            LOOKBACK_MS,
            SUBQUERY_STEP_MS,
        );
        let instant = |at_ms| QueryParameters::instant(at_ms, LOOKBACK_MS, SUBQUERY_STEP_MS);
        let times: Vec<_> = self.case.parameters.grid.timestamps().map(instant).chain([wide]).collect();
        let mut failures = BTreeSet::new();
        walk(&expr, &mut |part| {
            for part in [part.clone(), with_harmless_operands(part)] {
                for &parameters in &times {
                    let case = Case { query: String::new(), parameters, ..*self.case };
                    let answer = self.run.ours(&case, &part);
                    failures.extend(answer.outcome.err().map(|failure| failure.message));
                }
            }
        });
        failures.into_iter().collect()
    }
}

/// The same call or aggregation over `vector(1)`.
fn with_harmless_operands(part: &Expr) -> Expr {
    let harmless = parse("vector(1)", &DIALECT.options).into_result().expect("a valid query");
    let mut part = part.clone();
    match &mut part {
        Expr::Aggregate(aggregate) => aggregate.expr = harmless,
        Expr::Call(call) => {
            let vectors =
                call.args.iter_mut().filter(|arg| arg.value_type() == Some(ValueType::InstantVector));
            vectors.for_each(|arg| *arg = harmless.clone());
        }
        _ => {}
    }
    part
}
