//! Carrying a script out: commands in order, each evaluation judged by itself.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use narthex_diag::{Diagnostic, Severity, Source, Spanned};
use narthex_eval::context::EvalOptions;
use narthex_eval::result::{InstantSample, RangeSeries};
use narthex_eval::{Engine, EngineOptions, Limits, QueryResult, QueryValue};
use narthex_model::{SampleValue, TimeRange, Timestamp};
use narthex_plan::{Optimizer, QueryParameters};
use narthex_promql::{Expr, ParseOptions};
use narthex_tsdb::{Head, HeadLimits};

use crate::compare::{Said, check_annotations, check_error, check_value, difference};
use crate::parse::{Parse, parse};
use crate::report::{CaseFailure, ConformanceReport, LOAD_ERROR, ScriptReport};
use crate::script::{Command, Eval, EvalTimes};
use crate::{load, repeat};

/// How scripts are run.
#[derive(Clone, Copy)]
pub struct RunOptions {
    /// What queries may contain.
    pub parse: ParseOptions,
    /// How they are evaluated.
    pub engine: EngineOptions,
    /// How far back an instant selector looks.
    pub lookback_ms: i64,
    /// Step of a subquery that names none.
    pub subquery_step_ms: i64,
    /// What the store of the script may hold.
    pub head: HeadLimits,
    /// How often instant queries are evaluated.
    pub repetition: Repetition,
}

/// How often an instant query is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repetition {
    /// Once, at its time.
    Once,
    /// Also at other times with all selectors fixed to its time, and each time also as a step of a range query.
    Everywhere,
}

impl RunOptions {
    /// The settings that the scripts of Prometheus are written for: every feature of the language, names removed at
    /// the end, start timestamps. Limits are far above what any of them needs and low enough that none hangs.
    pub const CONFORMANCE: RunOptions = RunOptions {
        parse: ParseOptions::ALL,
        engine: EngineOptions {
            limits: Limits {
                samples_max: 1_000_000,
                series_max: 100_000,
                steps_max: 100_000,
                ..Limits::DEFAULT
            },
            eval: EvalOptions { delayed_name_removal: true, start_timestamps: true, ..EvalOptions::STABLE },
            optimizer: Optimizer::ALL,
        },
        lookback_ms: 300_000,
        subquery_step_ms: 60_000,
        head: HeadLimits::EMBEDDED,
        repetition: Repetition::Everywhere,
    };
}

/// Runs scripts given as name and text, in order, each on a store of its own.
pub fn run_scripts<'a>(
    scripts: impl IntoIterator<Item = (&'a str, &'a str)>,
    options: &RunOptions,
) -> ConformanceReport {
    let scripts = scripts.into_iter().map(|(name, text)| run_script(name, text, options)).collect();
    ConformanceReport { scripts }
}

/// Runs one script. A failing evaluation never keeps the following ones from being run; nor does a command that cannot
/// be read.
pub fn run_script(name: &str, text: &str, options: &RunOptions) -> ScriptReport {
    let Parse { script, diagnostics } = parse(text);
    let mut runner = Runner {
        options,
        engine: Engine::new(options.engine),
        store: Head::new(options.head),
        report: ScriptReport {
            source: Source::new(name, text),
            passed: 0,
            failures: Vec::new(),
            faults: diagnostics,
        },
    };
    script.commands.iter().for_each(|command| runner.command(command));
    runner.report
}

struct Runner<'a> {
    options: &'a RunOptions,
    engine: Engine,
    store: Head,
    report: ScriptReport,
}

impl Runner<'_> {
    fn command(&mut self, command: &Spanned<Command>) {
        match &command.value {
            Command::Clear => self.store.clear(),
            Command::Load(block) => {
                if let Err(message) = load::apply(block, &mut self.store) {
                    let fault = Diagnostic::error(LOAD_ERROR, message, command.span).about("load");
                    self.report.faults.push(fault);
                }
            }
            Command::Eval(eval) => match self.eval(eval) {
                Ok(()) => self.report.passed += 1,
                Err(message) => self.report.failures.push(CaseFailure {
                    line: eval.line,
                    query: eval.query.value.clone(),
                    span: eval.query.span,
                    message,
                }),
            },
        }
    }

    /// The error is a failure's message.
    fn eval(&self, eval: &Eval) -> Result<(), String> {
        let expr = match narthex_promql::parse(&eval.query.value, &self.options.parse).into_result() {
            Ok(expr) => expr,
            Err(error) => return judge_refusal(eval, &error.to_string()),
        };
        let case = Case { runner: self, eval, query: Source::new("<query>", eval.query.value.as_str()) };
        match eval.times {
            EvalTimes::Range(times) => {
                let range = TimeRange::new(times.start_ms, times.end_ms);
                let (lookback_ms, subquery_step_ms) =
                    (self.options.lookback_ms, self.options.subquery_step_ms);
                let parameters = QueryParameters::range(range, times.step_ms, lookback_ms, subquery_step_ms);
                case.check(&expr, parameters).map(|_| ())
            }
            EvalTimes::Instant { at_ms } => case.check_instant_everywhere(&expr, at_ms),
        }
    }
}

/// One evaluation command at work.
struct Case<'a> {
    runner: &'a Runner<'a>,
    eval: &'a Eval,
    query: Source,
}

impl Case<'_> {
    fn check_instant_everywhere(&self, expr: &Expr, at_ms: Timestamp) -> Result<(), String> {
        self.check_instant(expr, at_ms)?;
        if self.runner.options.repetition == Repetition::Once {
            return Ok(());
        }
        let Some(pinned) = repeat::pinned(expr, at_ms) else { return Ok(()) };
        for other_ms in repeat::other_times(at_ms) {
            let note = || format!("evaluating {pinned} at {other_ms} ms");
            self.check_instant(&pinned, other_ms).map_err(|message| format!("{message}\n{}", note()))?;
        }
        Ok(())
    }

    fn check_instant(&self, expr: &Expr, at_ms: Timestamp) -> Result<(), String> {
        let RunOptions { lookback_ms, subquery_step_ms, repetition, .. } = *self.runner.options;
        let value = self.check(expr, QueryParameters::instant(at_ms, lookback_ms, subquery_step_ms))?;
        let Some(value) = value.filter(|_| repetition == Repetition::Everywhere) else { return Ok(()) };
        if !self.is_comparable_in_range(&value) || repeat::depends_on_bounds(expr) {
            return Ok(());
        }
        let around = TimeRange::new(at_ms.saturating_sub(60_000), at_ms.saturating_add(60_000));
        let parameters = QueryParameters::range(around, 60_000, lookback_ms, subquery_step_ms);
        let as_range = |message| format!("{message}\nas the middle step of a range query");
        let in_range =
            self.evaluate(expr, parameters).map_err(|error| self.failure(&error)).and_then(|result| {
                let value = at_step(&value, result.value, at_ms)?;
                self.check_value(&value)
            });
        in_range.map_err(as_range)
    }

    /// Ranges have no order, no strings and no range vectors.
    fn is_comparable_in_range(&self, value: &QueryValue) -> bool {
        let has_steps = matches!(value, QueryValue::Vector(_) | QueryValue::Scalar { .. });
        has_steps && !self.eval.expected.checks_order()
    }

    /// Evaluates and judges; the value, unless the query was to fail.
    fn check(&self, expr: &Expr, parameters: QueryParameters) -> Result<Option<QueryValue>, String> {
        let Eval { line, query, expected, .. } = self.eval;
        let result = match self.evaluate(expr, parameters) {
            Ok(result) => result,
            Err(Stopped::Failed(error)) => return judge_refusal(self.eval, &error).map(|()| None),
            Err(panicked) => return Err(self.failure(&panicked)),
        };
        if expected.fails() {
            let query = &query.value;
            return Err(format!("expected error evaluating query {query:?} (line {line}) but got none"));
        }
        check_annotations(self.eval, &query.value, &self.said(&result))?;
        self.check_value(&result.value)?;
        Ok(Some(result.value))
    }

    fn check_value(&self, value: &QueryValue) -> Result<(), String> {
        let Eval { line, query, times, expected } = self.eval;
        check_value(expected, *times, value).map_err(|reason| {
            let mut message = format!("error in eval {} (line {line}): {reason}", query.value);
            for difference in difference(&expected.value, *times, value) {
                message.push('\n');
                message.push_str(&difference);
            }
            message
        })
    }

    fn said(&self, result: &QueryResult) -> Said {
        let mut said = Said::default();
        for annotation in &result.annotations {
            let level = match annotation.kind.severity() {
                Severity::Info => &mut said.infos,
                _ => &mut said.warnings,
            };
            level.push(annotation.text(&self.query));
        }
        said
    }

    fn failure(&self, stopped: &Stopped) -> String {
        let Eval { line, query, .. } = self.eval;
        let (Stopped::Failed(error) | Stopped::Panicked(error)) = stopped;
        format!("error evaluating query {:?} (line {line}): {error}", query.value)
    }

    /// A panic is a defect of the engine: it fails the case, whatever is expected, and the script goes on.
    fn evaluate(&self, expr: &Expr, parameters: QueryParameters) -> Result<QueryResult, Stopped> {
        let Runner { engine, store, .. } = self.runner;
        match catch_unwind(AssertUnwindSafe(|| engine.evaluate(store, expr, parameters))) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(Stopped::Failed(error.to_string())),
            Err(panic) => Err(Stopped::Panicked(format!("panic: {}", panic_text(&*panic)))),
        }
    }
}

/// Why there is no result.
enum Stopped {
    Failed(String),
    Panicked(String),
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// A query that failed: whether that was expected.
fn judge_refusal(eval: &Eval, error: &str) -> Result<(), String> {
    let Eval { line, query, expected, .. } = eval;
    if expected.fails() {
        return check_error(eval, &query.value, error);
    }
    Err(format!("error evaluating query {:?} (line {line}): {error}", query.value))
}

/// The middle step of a range result in the form of the instant result; the error says that it has none.
fn at_step(instant: &QueryValue, range: QueryValue, at_ms: Timestamp) -> Result<QueryValue, String> {
    let QueryValue::Matrix(series) = range else {
        return Err("expected a range query to yield a matrix".to_owned());
    };
    let samples: Vec<InstantSample> = series.into_iter().filter_map(|one| sample_at(one, at_ms)).collect();
    match (instant, samples.as_slice()) {
        (QueryValue::Scalar { .. }, [InstantSample { value: SampleValue::Float(value), .. }]) => {
            Ok(QueryValue::Scalar { at_ms, value: *value })
        }
        _ => Ok(QueryValue::Vector(samples)),
    }
}

fn sample_at(series: RangeSeries, at_ms: Timestamp) -> Option<InstantSample> {
    let float = series.floats.iter().find(|point| point.0 == at_ms).map(|point| SampleValue::Float(point.1));
    let histogram = series.histograms.into_iter().find(|point| point.0 == at_ms);
    let value = float.or(histogram.map(|point| SampleValue::Histogram(point.1)))?;
    Some(InstantSample { labels: series.labels, at_ms, value })
}
