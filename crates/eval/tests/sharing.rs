//! What is computed once for several: how much memory that takes, and what each of several queries hears of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use narthex_diag::Source;
use narthex_eval::{Engine, EngineOptions, EvalError, EvalErrorKind, Limits, QueryResult};
use narthex_model::{Labels, Matcher, TimeRange};
use narthex_plan::{Optimizer, QueryParameters};
use narthex_promql::{Expr, ParseOptions, parse};
use narthex_storage::{
    Appender, MemoryStorage, Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError,
};

/// So many series of `m` and `n` with a sample per minute from 0 to 99 minutes.
fn store(series: usize) -> MemoryStorage {
    let mut store = MemoryStorage::new();
    for name in ["m", "n"] {
        for instance in 0..series {
            let code = if instance % 10 == 0 { "500" } else { "200" };
            let instance = instance.to_string();
            let labels = Labels::from_pairs([("__name__", name), ("instance", &instance), ("code", code)]);
            for minute in 0..100 {
                let value = (minute as f64).into();
                store.append(&labels, minute * 60_000, value, 0).expect("samples come in order");
            }
        }
    }
    store
}

fn expr(query: &str) -> Expr {
    parse(query, &ParseOptions::ALL).into_result().expect("a valid query")
}

fn range() -> QueryParameters {
    QueryParameters::range(TimeRange::new(0, 5_940_000), 5_940, 300_000, 60_000)
}

fn engine(optimizer: Optimizer, limits: Limits) -> Engine {
    Engine::new(EngineOptions { limits, optimizer, ..EngineOptions::STABLE })
}

/// The most bytes that a query held, and its result as text: values that are not numbers are equal there.
fn bytes(query: &str, engine: Engine, store: &dyn Queryable) -> (usize, String) {
    let query = engine.prepare(&expr(query), range()).expect("a plan");
    let context = query.context();
    let result = query.evaluate_in(&context, store).expect("a result");
    (context.bytes_peak(), format!("{:?}", result.value))
}

/// A store that counts how often a series of it is read.
struct Counted {
    store: MemoryStorage,
    reads: AtomicUsize,
}

impl Counted {
    fn new(series: usize) -> Counted {
        Counted { store: store(series), reads: AtomicUsize::new(0) }
    }

    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

struct CountedQuerier<'a>(Box<dyn Querier + 'a>, &'a AtomicUsize);

struct CountedSet<'a>(Box<dyn SeriesSet + 'a>, &'a AtomicUsize);

impl Queryable for Counted {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(CountedQuerier(self.store.querier(range)?, &self.reads)))
    }
}

impl Querier for CountedQuerier<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        Ok(Box::new(CountedSet(self.0.select(matchers, range, hints)?, self.1)))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.0.label_names(matchers)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.0.label_values(name, matchers)
    }
}

impl SeriesSet for CountedSet<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        self.0.labels(series)
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.read(series, range, samples)
    }
}

#[test]
fn every_series_is_read_once_for_all_who_want_it() {
    let store = Counted::new(100);
    let without = Optimizer::ALL.without("share_subexpressions").without("share_scans");
    let [with, without] = [Optimizer::ALL, without].map(|optimizer| engine(optimizer, Limits::DEFAULT));
    for (query, shared, alone) in [
        ("sum(rate(m[5m])) / count(rate(m[5m]))", 100, 200),
        ("sum(m{code=\"500\"}) / sum(m)", 100, 110),
        ("sum(rate(m{code=\"500\"}[5m])) / sum(rate(m[1h]))", 100, 110),
        ("rate(m[5m]) / rate(m[1h]) / m", 100, 300),
        ("max(m) - min(m) + on () (avg(m) - sum(m))", 100, 400),
        ("sum(m + n) / count(m + n)", 200, 400),
        ("m - m offset 1h", 200, 200),
        ("scalar(sum(m)) * m", 100, 200),
        ("max_over_time(sum(m)[30m:1m]) - min_over_time(sum(m)[30m:1m])", 100, 200),
    ] {
        let (_, expected) = bytes(query, without, &store);
        assert_eq!(store.reads(), alone, "{query}");
        let (_, found) = bytes(query, with, &store);
        assert_eq!(store.reads(), shared, "{query}");
        assert!(found == expected, "{query}");
    }
}

#[test]
fn aggregations_of_one_input_hold_no_more_of_it_than_a_batch() {
    let store = store(500);
    let engine = engine(Optimizer::ALL, Limits::DEFAULT);
    for query in [
        "sum(rate(m[5m])) / count(rate(m[5m]))",
        "max(m) - min(m)",
        "sum(rate(m{code=\"500\"}[5m])) / sum(rate(m[30m]))",
        "sum(m * 2) / count(m * 2)",
    ] {
        let (peak, _) = bytes(query, engine, &store);
        // All of it are 4 MB.
        assert!(peak < 3 << 19, "{query}: {peak}");
    }
}

#[test]
fn no_more_is_kept_for_those_who_lag_behind_than_may_be() {
    // 3.2 MB of results, of which the left side lacks most when the right one is read.
    let store = Counted::new(400);
    let limits = Limits { bytes_max: 3 << 20, ..Limits::DEFAULT };
    let [with, without] = [Optimizer::ALL, Optimizer::NONE].map(|optimizer| engine(optimizer, limits));
    for (query, shared, alone) in [
        // Known before the first batch: both read.
        ("count(m - on () group_left () sum(m))", 800..801, 800),
        ("count((m * 2) - on () group_left () sum(m * 2))", 800..801, 800),
        // Known on the way: the left side reads what it has not taken.
        ("count(rate(m[5m]) - on () group_left () sum(m))", 410..800, 800),
    ] {
        let (peak, found) = bytes(query, with, &store);
        let reads = store.reads();
        assert!(shared.contains(&reads), "{query}: {reads}");
        assert!(peak < 2 << 20, "{query}: {peak}");
        assert!(found == bytes(query, without, &store).1, "{query}");
        assert_eq!(store.reads(), alone, "{query}");
    }
}

fn evaluated(queries: &[&str], limits: Limits) -> Vec<Result<QueryResult, EvalError>> {
    let exprs: Vec<Expr> = queries.iter().map(|query| expr(query)).collect();
    let engine = engine(Optimizer::ALL, limits);
    engine.prepare_group(&exprs, QueryParameters::instant(5_940_000, 300_000, 60_000)).evaluate(&store(10))
}

#[test]
fn each_query_of_a_group_has_its_own_annotations_and_errors() {
    let queries = [
        "sum(rate(m[5m]))",
        "  sum ( rate(m[5m]) ) + 1",
        "double_exponential_smoothing(m[5m], 3, 0.1)",
        "m + on () m",
        "(m + on () m) * 2",
        "rate(m{code=\"404\"}[5m])",
        "m[1m] @ 60",
        "\"text\"",
        "sum(m[1y:1y])",
    ];
    let parsed = |query: &&str| parse(query, &ParseOptions::ALL).into_result().is_ok();
    let queries: Vec<&str> = queries.into_iter().filter(parsed).collect();
    let engine = engine(Optimizer::NONE, Limits::DEFAULT);
    let parameters = QueryParameters::instant(5_940_000, 300_000, 60_000);
    for (query, together) in queries.iter().zip(evaluated(&queries, Limits::DEFAULT)) {
        let alone = engine.evaluate(&store(10), &expr(query), parameters);
        match (alone, together) {
            (Ok(alone), Ok(together)) => {
                assert_eq!(alone.value, together.value, "{query}");
                let source = Source::new("query", *query);
                let texts = |result: &QueryResult| -> Vec<String> {
                    result.annotations.iter().map(|one| one.text(&source)).collect()
                };
                assert_eq!(texts(&alone), texts(&together), "{query}");
            }
            (alone, together) => assert_eq!(alone.err(), together.err(), "{query}"),
        }
    }
}

#[test]
fn limits_hold_for_each_query_of_a_group_and_for_what_they_share() {
    let limits = Limits { series_max: 9, ..Limits::DEFAULT };
    let results =
        evaluated(&["sum(m)", "sum(m{code=\"500\"})", "count(m{code=\"500\"})", "count(m)"], limits);
    let kinds: Vec<Option<EvalErrorKind>> =
        results.iter().map(|result| result.as_ref().err().map(EvalError::kind)).collect();
    assert_eq!(kinds, [Some(EvalErrorKind::Limit), None, None, Some(EvalErrorKind::Limit)]);
}
