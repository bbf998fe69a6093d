//! Hostile queries end as they should, on a small stack, within exactly the memory they may have, and when told to.
//!
//! Times and real memory are measured by `cargo xtask death` over the same queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use narthex_eval::{Engine, EngineOptions, EvalError, EvalErrorKind, Limits, QueryContext};
use narthex_model::{Labels, Matcher, TimeRange};
use narthex_plan::QueryParameters;
use narthex_promql::ast::{dump, pretty};
use narthex_promql::{Interrupt, ParseOptions, StopReason, parse, parse_interruptible};
use narthex_storage::{
    Appender, MemoryStorage, Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError,
};
use narthex_testkit::hostile::{Bomb, Nesting, bombs, nestings};

/// Rust's default for threads; the main thread has more.
const STACK_BYTES: usize = 2 << 20;
const END_MS: i64 = 600_000;
const LIMITS: Limits = Limits { bytes_max: 4 << 20, points_max: 1_000_000_000, ..Limits::DEFAULT };

/// `series` series with a sample every ten seconds of ten minutes.
fn store(series: usize) -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for number in 0..series {
        let i = format!("{number:04}");
        let labels = Labels::from_pairs([("__name__", "m"), ("i", &i), ("x", "abcd")]);
        for at_ms in (0..=END_MS).step_by(10_000) {
            let value = number as f64 + at_ms as f64 / 1e7;
            store.append(&labels, at_ms, value.into(), 0).expect("in order");
        }
    }
    store
}

fn parameters(steps: usize) -> QueryParameters {
    match steps {
        1 => QueryParameters::instant(END_MS, 300_000, 60_000),
        _ => {
            let step_ms = END_MS / steps as i64;
            let range = TimeRange::new(END_MS - (steps as i64 - 1) * step_ms, END_MS);
            QueryParameters::range(range, step_ms, 300_000, 60_000)
        }
    }
}

fn on_small_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        builder.spawn_scoped(scope, run).expect("a thread").join().expect("the stack holds")
    })
}

/// How a query ended, and the memory it was given.
struct Ended {
    outcome: Result<narthex_eval::QueryResult, EvalError>,
    context: QueryContext,
}

fn evaluate(store: &dyn Queryable, query: &str, steps: usize, limits: Limits) -> Option<Ended> {
    let expr = parse(query, &ParseOptions::ALL).into_result().ok()?;
    let engine = Engine::new(EngineOptions { limits, ..EngineOptions::STABLE });
    let prepared = engine.prepare(&expr, parameters(steps)).expect("the steps are few");
    let context = prepared.context();
    let outcome = prepared.evaluate_in(&context, store);
    Some(Ended { outcome, context })
}

fn outcome_of(ended: Option<&Ended>) -> &'static str {
    match ended.map(|ended| &ended.outcome) {
        None => "syntax",
        Some(Ok(_)) => "value",
        Some(Err(error)) => error.limit_kind().map_or("another error", |limit| limit.as_str()),
    }
}

#[test]
fn f20_what_nests_too_deep_is_refused_by_name_and_the_rest_evaluated() {
    for nesting in nestings() {
        for levels in [1, 10, 1_000, 10_000, 100_000] {
            let found = on_small_stack(|| read_completely(&nesting, levels));
            let is_short = levels <= 10;
            let fits = match nesting.outcome.as_str() {
                "value" => found == "value",
                "depth" if is_short => found == "value" || found.starts_with("type:"),
                "chain" if is_short => found == "value" || found.starts_with("type:"),
                "depth" => found.contains("nests deeper than the limit of 256"),
                "chain" => {
                    let is_limit =
                        found.contains("a chain of more than 512") || found.contains("more than 131072");
                    is_limit || found.starts_with("type:")
                }
                _ => levels == 1 || found != "value",
            };
            assert!(fits, "{} × {levels}: {found}", nesting.name);
        }
    }
}

/// Everything that can be done with a text: it is read, copied, printed, planned, explained and evaluated.
fn read_completely(nesting: &Nesting, levels: usize) -> String {
    let text = nesting.text(levels);
    let parsed = parse(&text, &ParseOptions::ALL);
    let copy = parsed.expr.clone();
    assert!(!dump(&copy).is_empty() && !copy.to_string().is_empty() && !pretty(&copy, 80).is_empty());
    let expr = match parsed.into_result() {
        Ok(expr) => expr,
        Err(error) => {
            let first = error.diagnostics.first().expect("there is one");
            let is_type = first.code == narthex_promql::error::TYPE_ERROR;
            return if is_type { format!("type: {error}") } else { error.to_string() };
        }
    };
    let engine = Engine::new(EngineOptions::STABLE);
    let query = engine.prepare(&expr, QueryParameters::instant(0, 300_000, 60_000)).expect("one step");
    assert!(query.explain().is_ok_and(|text| !text.is_empty()));
    match query.evaluate(&store(1)) {
        Ok(_) => "value".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn f22_f23_bombs_end_with_the_limit_they_reach() {
    let store = store(300);
    for Bomb { fault, name, steps, outcome, query } in bombs() {
        let ended = on_small_stack(|| evaluate(&store, &query, steps, LIMITS));
        assert_eq!(outcome_of(ended.as_ref()), outcome, "{fault} {name}");
        let Some(Ended { outcome, context }) = ended else { continue };
        assert!(context.bytes_peak() <= LIMITS.bytes_max, "{fault} {name}");
        assert_eq!(context.bytes_held(), 0, "{fault} {name}: everything is given back");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), EvalErrorKind::Limit);
            let span = error.span().expect("limits have a place");
            assert!(!span.slice(&query).is_empty(), "{fault} {name}: {error}");
        }
    }
}

#[test]
fn f22_errors_name_the_part_that_takes_most() {
    let store = store(300);
    for (query, part, steps) in [
        (
            "sum(label_join(m, 'y', '', 'x', 'x')) + count(m * on () group_left (i) m)",
            "m * on () group_left (i) m",
            1,
        ),
        ("abs(sort_desc(count_values('v', m * time())))", "count_values('v', m * time())", 900),
        ("1 + sum(quantile by (i) (0.5, m))", "quantile by (i) (0.5, m)", 11_000),
    ] {
        let ended = evaluate(&store, query, steps, LIMITS).expect("valid");
        let error = ended.outcome.expect_err(query);
        let text = error.to_string();
        assert!(
            text.starts_with("query would hold more than the limit of 4194304 bytes in memory; "),
            "{text}"
        );
        assert_eq!(error.span().map(|span| span.slice(query)), Some(part), "{text}");
    }
}

/// Few enough series that one worker reads them all: how much is held does not depend on the machine. Nothing that is
/// computed for two operands at different paces: how much of that is kept depends on the limit.
#[test]
fn f22_a_query_may_have_exactly_the_bytes_that_it_takes() {
    let store = store(12);
    for (query, steps, least) in [
        ("m", 100, 12 * 100 * 16),
        ("m", 1, 12 * 40),
        ("m[10m]", 1, 12 * 60 * 16),
        ("rate(m[1m])", 100, 12 * 100 * 8),
        ("sum by (i) (m)", 100, 12 * 100 * 16),
        ("topk(3, m)", 100, 3 * 100 * 8),
        ("count_values('v', m)", 100, 12 * 100 * 8),
        ("label_join(m, 'y', '', 'x', 'x', 'x')", 1, 12 * 12),
        ("m * on (i) group_left m offset 1s", 100, 2 * 12 * 100 * 8),
        ("m and m offset 1s", 100, 12 * 100 * 8),
        ("m or m offset 1s * 2", 100, 12 * 100 * 8),
        ("sort(m)", 1, 12 * 8),
        ("limitk(3, m)", 100, 100 * 8),
        ("max_over_time(m[1m:1s])", 100, 12 * 100 * 8),
        ("quantile(0.5, m)", 100, 12 * 100 * 8),
        ("scalar(sum(m offset 1s)) + m", 100, 12 * 100 * 8),
    ] {
        let run = |bytes_max| evaluate(&store, query, steps, Limits { bytes_max, ..LIMITS }).expect("valid");
        let peak = run(LIMITS.bytes_max).context.bytes_peak();
        assert!(peak >= least, "{query}: {peak} of {least}");
        assert!(run(peak).outcome.is_ok(), "{query}: {peak}");
        let refused = run(peak - 1);
        assert_eq!(outcome_of(Some(&refused)), "bytes_max", "{query}: {}", peak - 1);
        assert_eq!(refused.context.bytes_held(), 0, "{query}");
    }
}

/// A store that stops the query at its nth use and counts what is asked of it afterwards.
struct Stopping {
    store: MemoryStorage,
    interrupt: Interrupt,
    uses_left: AtomicUsize,
    uses_after: AtomicUsize,
}

impl Stopping {
    fn used(&self) {
        let count_down = |left: usize| left.checked_sub(1);
        match self.uses_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count_down) {
            Ok(1) => self.interrupt.stop(StopReason::Canceled),
            Ok(_) => {}
            Err(_) => {
                self.uses_after.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

struct StoppingQuerier<'a>(&'a Stopping, Box<dyn Querier + 'a>);
struct StoppingSet<'a>(&'a Stopping, Box<dyn SeriesSet + 'a>);

impl Queryable for Stopping {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(StoppingQuerier(self, self.store.querier(range)?)))
    }
}

impl Querier for StoppingQuerier<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        self.0.used();
        Ok(Box::new(StoppingSet(self.0, self.1.select(matchers, range, hints)?)))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.1.label_names(matchers)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.1.label_values(name, matchers)
    }
}

impl SeriesSet for StoppingSet<'_> {
    fn len(&self) -> usize {
        self.1.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        self.1.labels(series)
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        self.0.used();
        self.1.read(series, range, samples)
    }
}

#[test]
fn f21_a_query_that_is_told_to_stop_reads_no_further() {
    let queries = [
        "m",
        "m[5m]",
        "rate(m[5m])",
        "quantile_over_time(0.5, m[5m:1s])",
        "sum by (i) (m)",
        "topk(3, m)",
        "count_values('v', m)",
        "m * on (i) group_left m",
        "m or m * 2",
        "sort_by_label(m, 'i')",
        "histogram_quantile(0.5, m)",
        "absent(m)",
        "scalar(m)",
        "label_join(m, 'y', '', 'x')",
        "info(m)",
    ];
    for query in queries {
        for uses in [1, 2, 50] {
            let interrupt = Interrupt::new();
            let (uses_left, uses_after) = (AtomicUsize::new(uses), AtomicUsize::new(0));
            let store = Stopping { store: store(100), interrupt: interrupt.clone(), uses_left, uses_after };
            let expr = parse(query, &ParseOptions::ALL).into_result().expect(query);
            let prepared =
                Engine::new(EngineOptions::STABLE).prepare(&expr, parameters(1)).expect("one step");
            let context = prepared.interruptible_context(&interrupt);
            let error = prepared.evaluate_in(&context, &store).expect_err(query);
            assert_eq!(error.kind(), EvalErrorKind::Canceled, "{query}: {error}");
            // Workers that are in the middle of a series finish it.
            let after = store.uses_after.load(Ordering::Relaxed);
            let workers = std::thread::available_parallelism().map_or(1, usize::from);
            assert!(after <= workers, "{query}: {after} uses after {uses}");
            assert_eq!(context.bytes_held(), 0, "{query}");
        }
    }
}

#[test]
fn f21_reading_and_planning_a_query_stop_too() {
    let interrupt = Interrupt::new();
    let text = Arc::new("a + ".repeat(100_000) + "a");
    assert!(parse_interruptible("a + b", &ParseOptions::ALL, &interrupt).is_ok());
    interrupt.stop(StopReason::Expired);
    let stopped = parse_interruptible(&text, &ParseOptions::ALL, &interrupt);
    assert_eq!(stopped.err(), Some(StopReason::Expired));
    let expr = parse("a + b", &ParseOptions::ALL).into_result().expect("valid");
    let engine = Engine::new(EngineOptions::STABLE);
    let refused = engine.prepare_interruptible(&expr, parameters(1), &interrupt);
    assert_eq!(refused.err().map(|error| error.kind()), Some(EvalErrorKind::Timeout));
}
