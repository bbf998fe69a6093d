//! PromQL and Prometheus rule files as a library: parse, plan, evaluate, validate, lint.
//!
//! Nothing here runs a server, reads a clock or touches the network; samples come from wherever you keep them.
//!
//! # Parse
//!
//! Parsing never fails: it yields a tree, perhaps partial, and everything that is wrong, with places.
//!
//! ```
//! use narthex::{ParseOptions, parse};
//!
//! let parsed = parse("sum by (job) (rate(http_requests_total[5m]))", &ParseOptions::STABLE);
//! assert!(parsed.diagnostics.is_empty());
//! assert_eq!(parsed.expr.to_string(), "sum by (job) (rate(http_requests_total[5m]))");
//!
//! let broken = parse("rate(up)", &ParseOptions::STABLE);
//! assert_eq!(
//!     broken.into_result().unwrap_err().to_string(),
//!     "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector",
//! );
//! ```
//!
//! # Plan
//!
//! A plan says what is computed at which times; it is a value and knows of no data.
//!
//! ```
//! use narthex::{Optimizer, ParseOptions, QueryParameters, build, parse};
//!
//! let expr = parse("rate(a[5m] @ 100) + b", &ParseOptions::STABLE).into_result()?;
//! let mut plan = build(&expr, QueryParameters::instant(0, 300_000, 60_000))?;
//! Optimizer::ALL.run(&mut plan);
//! assert!(plan.to_string().contains("step invariant"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Evaluate
//!
//! Over the in-memory store that comes along, filled from a scrape:
//!
//! ```
//! use narthex::{Appender, Engine, EngineOptions, Entry, Head, HeadLimits, ParseOptions, QueryParameters, QueryValue};
//!
//! let mut head = Head::new(HeadLimits::EMBEDDED);
//! let body = "requests_total{code=\"200\"} 10 0\nrequests_total{code=\"200\"} 70 60000\n";
//! for entry in narthex::parse_text(body) {
//!     if let Entry::Sample(sample) = entry? {
//!         head.append(&sample.labels()?, sample.timestamp_ms.unwrap_or(0), sample.value.into(), 0)?;
//!     }
//! }
//!
//! let expr = narthex::parse("increase(requests_total[2m])", &ParseOptions::STABLE).into_result()?;
//! let parameters = QueryParameters::instant(60_000, 300_000, 60_000);
//! let result = Engine::new(EngineOptions::STABLE).evaluate(&head, &expr, parameters)?;
//! let QueryValue::Vector(samples) = result.value else { panic!("increase yields a vector") };
//! assert_eq!(samples[0].labels.to_string(), "{code=\"200\"}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Or over your own: implement [`Queryable`].
//!
//! ```
//! use narthex::{
//!     Engine, EngineOptions, Labels, Matcher, ParseOptions, Querier, QueryParameters, QueryValue, Queryable,
//!     SampleBuffer, SelectHints, SeriesSet, StorageError, TimeRange, parse,
//! };
//!
//! /// One series that counts the minutes.
//! struct Minutes {
//!     labels: Labels,
//! }
//!
//! impl Queryable for Minutes {
//!     fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
//!         Ok(Box::new(self))
//!     }
//! }
//!
//! impl Querier for &Minutes {
//!     fn select(
//!         &self,
//!         matchers: &[Matcher],
//!         _: TimeRange,
//!         _: &SelectHints,
//!     ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
//!         let is_wanted = matchers.iter().all(|one| one.matches(self.labels.value(one.name())));
//!         Ok(Box::new(Selected(is_wanted.then_some(&self.labels))))
//!     }
//!     fn label_names(&self, _: &[Matcher]) -> Result<Vec<String>, StorageError> {
//!         Ok(vec!["__name__".into()])
//!     }
//!     fn label_values(&self, _: &str, _: &[Matcher]) -> Result<Vec<String>, StorageError> {
//!         Ok(vec!["minutes_total".into()])
//!     }
//! }
//!
//! struct Selected<'a>(Option<&'a Labels>);
//!
//! impl SeriesSet for Selected<'_> {
//!     fn len(&self) -> usize {
//!         usize::from(self.0.is_some())
//!     }
//!     fn labels(&self, _: usize) -> &Labels {
//!         self.0.expect("only asked below len")
//!     }
//!     fn read(&self, _: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
//!         samples.clear();
//!         let minutes = (range.min_ms.max(0) / 60_000)..=(range.max_ms.max(0) / 60_000);
//!         for minute in minutes.filter(|minute| range.contains(minute * 60_000)) {
//!             samples.floats.push(minute * 60_000, minute as f64, 0);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let store = Minutes { labels: Labels::from_pairs([("__name__", "minutes_total")]) };
//! let expr = parse("rate(minutes_total[10m]) * 60", &ParseOptions::STABLE).into_result()?;
//! let parameters = QueryParameters::instant(3_600_000, 300_000, 60_000);
//! let result = Engine::new(EngineOptions::STABLE).evaluate(&store, &expr, parameters)?;
//! let QueryValue::Vector(samples) = result.value else { panic!("a product of a vector is a vector") };
//! assert_eq!(samples[0].value, narthex::SampleValue::Float(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keep samples on disk
//!
//! [`Database`] is a directory that Prometheus and this library both read. Here its files are in memory; `fs::OsFs` is
//! the disk. Time and the moments for upkeep are the caller's.
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use narthex::tsdb::fs::MemoryFs;
//! use narthex::{Appender, Database, DatabaseOptions, Labels};
//!
//! let fs = Arc::new(MemoryFs::new());
//! let options = DatabaseOptions::prometheus(0x6e61_7274_6865_78);
//! let database = Database::open(fs.clone(), Path::new("/data"), options.clone())?;
//! let labels = Labels::from_pairs([("__name__", "jobs_total"), ("queue", "mail")]);
//! let mut batch = database.appender();
//! for hour in 0..6 {
//!     batch.append(&labels, hour * 3_600_000, (hour as f64).into(), 0)?;
//!     // Noted in the log before anybody sees it.
//!     batch.commit()?;
//! }
//! drop(batch);
//! assert_eq!(database.maintain(6 * 3_600_000)?.cuts, 2);
//! drop(database);
//! // The process ends; the next one finds two blocks and a log.
//! let database = Database::open(fs, Path::new("/data"), options)?;
//! assert_eq!((database.blocks().len(), database.head().sample_count()), (2, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Validate and lint rule files
//!
//! ```
//! use narthex::{Format, LintConfig, RenderOptions, SourceMap, lint_file, render};
//!
//! let text = "groups:\n- name: api\n  rules:\n  - alert: Down\n    expr: count(up == 1) == 0\n";
//! let mut sources = SourceMap::new();
//! let file = sources.add("api.yml", text);
//! let found: Vec<_> = lint_file(text, &LintConfig::default()).into_iter().map(|one| one.in_source(file)).collect();
//! assert_eq!(found[0].code.0, "VAL001");
//! let report = render(Format::Concise, &found, &sources, &RenderOptions::plain());
//! assert!(report.starts_with("api.yml:5:11: error[VAL001]"));
//! ```

pub use narthex_diag::{Applicability, Code, Diagnostic, Severity, Source, SourceMap, Span};
pub use narthex_eval::result::{InstantSample, RangeSeries};
pub use narthex_eval::{
    Annotation, Engine, EngineOptions, EvalError, EvalErrorKind, Limits, QueryContext, QueryGroup,
    QueryResult, QueryValue,
};
pub use narthex_exposition::{Entry, parse_openmetrics, parse_text};
pub use narthex_lint::{LintConfig, LintSelector, Linter, lint_file};
pub use narthex_model::{
    FloatHistogram, Labels, LabelsBuilder, MatchOp, Matcher, PromDuration, SampleValue, StepGrid, TimeRange,
    Timestamp,
};
pub use narthex_plan::{LogicalPlan, Optimizer, QueryKind, QueryParameters, build};
pub use narthex_promql::{Expr, Feature, Parse, ParseOptions, ValueType, parse};
pub use narthex_report::{Format, RenderOptions, render};
pub use narthex_storage::{
    Appender, Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError, StorageErrorKind,
};
pub use narthex_tsdb::{Database, DatabaseOptions, Head, HeadLimits};

/// The language in full: tokens, tree, tables, printer.
pub use narthex_promql as promql;
/// Diagnostics as text: formats and options.
pub use narthex_report as report;
/// Rule files: types, validation.
pub use narthex_rulefmt as rulefmt;
/// The store in full: chunks, blocks, head, log, file systems.
pub use narthex_tsdb as tsdb;
