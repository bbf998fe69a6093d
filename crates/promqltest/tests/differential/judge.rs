//! Whether a query has the same result in the oracle and in every configuration of the engine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use narthex_diag::Source;
use narthex_eval::{Engine, EngineOptions, EvalError, EvalErrorKind, Limits, QueryResult, QueryValue};
use narthex_plan::optimize::PASSES;
use narthex_plan::{Optimizer, QueryKind};
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::walk;
use narthex_promql::functions::{FunctionId, SortFunction};
use narthex_promql::{Expr, ParseOptions, parse};
use narthex_promqltest::oracle::{self, OracleError};
use narthex_storage::{Queryable, WithoutHints};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::case::Case;
use crate::data::Data;
use crate::same::{Tolerance, differences, is_same_sample, points, samples};

/// How a query came out.
pub(crate) enum Outcome {
    /// The same everywhere.
    Same {
        /// Whether there was something to compare.
        has_samples: bool,
    },
    /// It fails everywhere, in the same way.
    FailedAlike,
    /// It is no query.
    Refused,
    /// The oracle does not know this.
    Unsupported(String),
    /// What differs.
    Different(String),
}

/// One of so many queries is evaluated in a group, too, with so many others.
const GROUP_EVERY: u64 = 4;
const COMPANIONS: usize = 5;

/// The engine in all its configurations.
pub(crate) struct Judge {
    one_thread: ThreadPool,
    two_threads: ThreadPool,
}

type Answer = Result<QueryResult, EvalError>;

impl Judge {
    pub(crate) fn new() -> Judge {
        let pool =
            |threads| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be made");
        Judge { one_thread: pool(1), two_threads: pool(2) }
    }

    pub(crate) fn judge(&self, case: &Case, data: &Data) -> Outcome {
        let Ok(expr) = parse(&case.query, &ParseOptions::ALL).into_result() else { return Outcome::Refused };
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge_expr(case, &expr, data)));
        judged.unwrap_or_else(|_| Outcome::Different("panic".to_owned()))
    }

    fn judge_expr(&self, case: &Case, expr: &Expr, data: &Data) -> Outcome {
        let reference = self.two_threads.install(|| answer(case, expr, data, Optimizer::ALL));
        let outcome = against_oracle(case, expr, data, &reference);
        if let Outcome::Different(_) | Outcome::Unsupported(_) = outcome {
            return outcome;
        }
        let single = self.one_thread.install(|| answer(case, expr, data, Optimizer::ALL));
        if let Some(difference) = engines_differ(case, &reference, &single) {
            return Outcome::Different(format!("one thread: {difference}"));
        }
        for (name, optimizer) in optimizers() {
            let other = self.one_thread.install(|| answer(case, expr, data, optimizer));
            if let Some(difference) = engines_differ(case, &reference, &other) {
                return Outcome::Different(format!("{name}: {difference}"));
            }
        }
        let store =
            |store: &dyn Queryable| self.two_threads.install(|| evaluate(case, expr, store, Optimizer::ALL));
        let (summed_up, decoded) = (store(&data.database), store(&WithoutHints(&data.database)));
        if let Some(difference) = engines_differ(case, &decoded, &summed_up) {
            return Outcome::Different(format!("chunks summed up: {difference}"));
        }
        if case.seed.is_multiple_of(GROUP_EVERY)
            && let Some(difference) = self.group_differs(case, data)
        {
            return Outcome::Different(difference);
        }
        outcome
    }

    /// What differs when queries are evaluated together from when each is evaluated alone.
    fn group_differs(&self, case: &Case, data: &Data) -> Option<String> {
        let cases = std::iter::once(case.clone()).chain(case.companions(COMPANIONS));
        let parsed = |case: Case| {
            let expr = parse(&case.query, &ParseOptions::ALL).into_result().ok()?;
            Some((case, expr))
        };
        let parsed: Vec<(Case, Expr)> = cases.filter_map(parsed).collect();
        let engine = engine(case, Optimizer::ALL);
        let group = engine.prepare_group(parsed.iter().map(|(_, expr)| expr), case.parameters);
        let together = self.two_threads.install(|| group.evaluate(&data.head));
        parsed.iter().zip(together).find_map(|((case, expr), together)| {
            let alone = self.one_thread.install(|| answer(case, expr, data, Optimizer::NONE));
            let difference = engines_differ(case, &alone, &together)?;
            let query = &case.query;
            Some(format!("in a group, the query {query}: {difference}"))
        })
    }
}

/// No pass, each alone, each missing.
fn optimizers() -> impl Iterator<Item = (String, Optimizer)> {
    let lone = PASSES.iter().map(|pass| (format!("only {}", pass.name()), Optimizer::NONE.with(pass.name())));
    let missing =
        PASSES.iter().map(|pass| (format!("without {}", pass.name()), Optimizer::ALL.without(pass.name())));
    [("no pass".to_owned(), Optimizer::NONE)].into_iter().chain(lone).chain(missing)
}

fn answer(case: &Case, expr: &Expr, data: &Data, optimizer: Optimizer) -> Answer {
    evaluate(case, expr, &data.head, optimizer)
}

fn evaluate(case: &Case, expr: &Expr, store: &dyn Queryable, optimizer: Optimizer) -> Answer {
    engine(case, optimizer).evaluate(store, expr, case.parameters)
}

fn engine(case: &Case, optimizer: Optimizer) -> Engine {
    Engine::new(EngineOptions { limits: Limits::DEFAULT, eval: case.options, optimizer })
}

fn against_oracle(case: &Case, expr: &Expr, data: &Data, answer: &Answer) -> Outcome {
    let different = |text: String| Outcome::Different(format!("oracle: {text}"));
    let expected = match oracle::evaluate(&data.head, expr, case.parameters, case.options) {
        Err(OracleError::Unsupported(what)) => return Outcome::Unsupported(what),
        other => other,
    };
    let (expected, actual) = match (expected, answer) {
        (Err(_), Err(error)) => {
            let is_fault_of_query = matches!(error.kind(), EvalErrorKind::Execution | EvalErrorKind::Plan);
            return if is_fault_of_query {
                Outcome::FailedAlike
            } else {
                different(format!("must fail otherwise than: {error}"))
            };
        }
        (Err(error), Ok(_)) => return different(format!("must fail: {error}")),
        (Ok(_), Err(error)) => return different(format!("must not fail: {error}")),
        (Ok(expected), Ok(actual)) => (expected, &actual.value),
    };
    let tolerance = tolerance(expr);
    let (expected_points, actual_points) = (points(&expected), points(actual));
    if let Some(difference) = differences(&expected_points, &actual_points, tolerance) {
        return different(format!("{tolerance:?}{difference}"));
    }
    match out_of_order(case, expr, &expected, actual) {
        Some(text) => different(text),
        None => Outcome::Same { has_samples: !expected_points.is_empty() },
    }
}

/// The order of summation is fixed over time, but not over series.
fn tolerance(expr: &Expr) -> Tolerance {
    let mut tolerance = Tolerance::None;
    walk(expr, &mut |node| {
        if let Expr::Aggregate(node) = node
            && matches!(
                node.op,
                AggregateOp::Sum | AggregateOp::Avg | AggregateOp::Stddev | AggregateOp::Stdvar
            )
        {
            tolerance = Tolerance::Rounding;
        }
    });
    tolerance
}

/// What is wrong with the order, where it means something.
fn out_of_order(case: &Case, expr: &Expr, expected: &QueryValue, actual: &QueryValue) -> Option<String> {
    let Expr::Call(call) = expr.without_parens() else { return None };
    let Some(FunctionId::Sort(function)) = call.function else { return None };
    if case.parameters.kind == QueryKind::Range {
        return None;
    }
    let (expected, actual) = (samples(expected), samples(actual));
    // The order of equal values is open.
    let by_value = matches!(function, SortFunction::Sort | SortFunction::SortDesc);
    let is_same = expected
        .iter()
        .zip(&actual)
        .all(|(a, b)| if by_value { is_same_sample(&a.2, &b.2, Tolerance::Rounding) } else { a.0 == b.0 });
    (!is_same).then(|| format!("the order must be {expected:?}, is {actual:?}"))
}

/// What differs between two configurations of the engine: value, order, annotations or error.
fn engines_differ(case: &Case, reference: &Answer, other: &Answer) -> Option<String> {
    let (reference, other) = match (reference, other) {
        (Ok(reference), Ok(other)) => (reference, other),
        // Of several faults either may be found first.
        (Err(a), Err(b)) if a.kind() == b.kind() => return None,
        (a, b) => {
            let text = |answer: &Answer| {
                answer.as_ref().err().map_or("a result".to_owned(), |error| format!("{error:?}"))
            };
            return Some(format!("expected {}, got {}", text(a), text(b)));
        }
    };
    let (a, b) = (samples(&reference.value), samples(&other.value));
    let is_same_point = |(a, b): (&_, &(narthex_model::Labels, i64, _))| {
        let a: &(narthex_model::Labels, i64, narthex_model::SampleValue) = a;
        a.0 == b.0 && a.1 == b.1 && is_same_sample(&a.2, &b.2, Tolerance::None)
    };
    if a.len() != b.len() || !a.iter().zip(&b).all(is_same_point) {
        let (a, b) = (points(&reference.value), points(&other.value));
        let difference = differences(&a, &b, Tolerance::None);
        return Some(difference.unwrap_or_else(|| "another order".to_owned()));
    }
    let source = Source::new("<query>", case.query.as_str());
    let texts = |result: &QueryResult| -> Vec<String> {
        result.annotations.iter().map(|one| without_counts(&one.text(&source)).to_owned()).collect()
    };
    let (a, b) = (texts(reference), texts(other));
    (a != b).then(|| format!("expected the annotations {a:?}, got {b:?}"))
}

/// An annotation without how often and when it was met: what is computed once for all steps, as upstream computes what
/// no step changes, meets it once.
fn without_counts(text: &str) -> &str {
    let end = [", over ", " occurrences)"].iter().filter_map(|mark| text.find(mark)).min();
    end.map_or(text, |end| &text[..end])
}
