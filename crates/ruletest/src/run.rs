//! Running a test file: its tests one after the other, each on a store of its own.

use std::collections::HashSet;
use std::sync::Arc;

use narthex_diag::{Diagnostic, Severity, Source, SourceId};
use narthex_eval::Engine;
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_rulefmt::Text;
use narthex_rulefmt::unit_test::{TestGroup, UnitTestFile, UnitTestOptions, parse};
use narthex_rules::{EngineQueries, Group, GroupDefinition, RuleError, RuleQueries, Surroundings};
use narthex_storage::{Appender, StorageError, StorageErrorKind};
use narthex_tsdb::head::HeadAppender;
use narthex_tsdb::{Head, HeadLimits};

use crate::ahead::{Ahead, AheadQueries, Forecast};
use crate::check::alerts::AlertChecks;
use crate::check::samples::{self, Precision};
use crate::check::time_text;
use crate::coverage::{Coverage, Recorder};
use crate::files::{RuleLibrary, RuleSource};
use crate::input::Input;
use crate::options::{CoverageMode, Evaluation, GroupIntervals};
use crate::report::{BAD_TEST, EVALUATION_FAILED, FileReport, NO_RULE_FILE, TestReport};
use crate::schedule::Schedule;

/// Distance of two evaluations where a file says nothing, in milliseconds.
const DEFAULT_INTERVAL_MS: i64 = 60_000;

/// How far back an instant selector looks, in milliseconds.
const LOOKBACK_MS: i64 = 300_000;

/// Most evaluations of a test: a month of one a second.
pub const EVALUATIONS_MAX: i64 = 3_000_000;

/// Runs the tests of the file at `path`. Never stops at the first failure.
pub fn run_file(path: &str, text: &str, library: &RuleLibrary<'_>) -> FileReport {
    let options = library.options();
    let read = UnitTestOptions { promql: options.promql, unknown_fields: options.unknown_fields };
    let parse = parse(text, &read);
    let is_refused = parse.is_refused();
    let mut report = FileReport {
        source: Source::new(path, text),
        diagnostics: parse.diagnostics,
        tests: Vec::new(),
        rules: Vec::new(),
        coverage: Coverage::default(),
    };
    if is_refused {
        return report;
    }
    let found = load_rules(path, &parse.file, library, &mut report);
    let mut runner = Runner { file: &parse.file, text, library, rules: &report.rules, recorder: None };
    if options.coverage == CoverageMode::Recorded {
        runner.recorder = Some(Recorder::new(&report.rules));
    }
    for (number, test) in parse.file.tests.iter().enumerate() {
        if options.only.as_ref().is_none_or(|only| only.is_match(&test.name.value)) {
            report.tests.push(runner.report(number, test, &found));
        }
    }
    report.coverage = runner.recorder.map_or_else(Coverage::default, Recorder::finish);
    report
}

/// Reads the rule files that the patterns mean, each once. What fails because of them fails in every test.
fn load_rules(
    path: &str,
    file: &UnitTestFile,
    library: &RuleLibrary<'_>,
    report: &mut FileReport,
) -> Vec<Diagnostic> {
    let mut failures = Vec::new();
    let mut seen = HashSet::new();
    for pattern in &file.rule_files {
        match library.matching(path, &pattern.value) {
            Ok(paths) if paths.is_empty() => {
                let message = format!("no file matches {}", pattern.value);
                report.diagnostics.push(Diagnostic::warning(NO_RULE_FILE, message, pattern.span()));
            }
            Ok(paths) => {
                for path in paths.into_iter().filter(|path| seen.insert(path.clone())) {
                    failures.extend(load_rule_file(&path, pattern, library, &mut report.rules));
                }
            }
            Err(error) => {
                let message = format!("{}: {error}", pattern.value);
                report.diagnostics.push(Diagnostic::error(NO_RULE_FILE, message, pattern.span()));
            }
        }
    }
    failures
}

fn load_rule_file(
    path: &str,
    pattern: &Text,
    library: &RuleLibrary<'_>,
    rules: &mut Vec<Arc<RuleSource>>,
) -> Vec<Diagnostic> {
    match library.load(path) {
        Ok(source) => {
            let id = SourceId(u32::try_from(rules.len()).unwrap_or(u32::MAX));
            let failures = source.refusals().map(|refusal| refusal.clone().in_source(id)).collect();
            rules.push(source);
            failures
        }
        Err(error) => {
            vec![Diagnostic::error(NO_RULE_FILE, format!("cannot read {path}: {error}"), pattern.span())]
        }
    }
}

/// Runs the tests of one file.
struct Runner<'a> {
    file: &'a UnitTestFile,
    text: &'a str,
    library: &'a RuleLibrary<'a>,
    rules: &'a [Arc<RuleSource>],
    recorder: Option<Recorder>,
}

impl Runner<'_> {
    fn report(&mut self, number: usize, test: &TestGroup, rule_failures: &[Diagnostic]) -> TestReport {
        let name = match test.name.value.as_str() {
            "" => format!("unnamed#{number}"),
            name => name.to_owned(),
        };
        let mut failures = self.run(test, rule_failures);
        for failure in &mut failures {
            let at = if failure.source.is_some() { "" } else { "test " };
            failure.subject.get_or_insert_with(|| format!("{at}{name}"));
        }
        TestReport { name, span: test.span, checks: test.alert_tests.len() + test.expr_tests.len(), failures }
    }

    /// What fails. Where promtool stops at the first fault of input, rule files and expectations, all are told of here.
    fn run(&mut self, test: &TestGroup, rule_failures: &[Diagnostic]) -> Vec<Diagnostic> {
        let interval_ms = self.interval_ms();
        let step_ms = test.interval.map(|interval| interval.value).filter(|&ms| ms > 0);
        let mut failures = Vec::new();
        let input = Input::read(test, step_ms.unwrap_or(interval_ms), self.text, &mut failures);
        let warnings: Vec<Diagnostic> =
            failures.extract_if(.., |found| found.severity != Severity::Error).collect();
        failures.extend(rule_failures.iter().cloned());
        failures.extend(nameless(test));
        let last_ms = last_ms(test);
        if failures.is_empty() {
            failures = self.evaluate(test, input, last_ms);
        }
        if let Some(first) = failures.first_mut() {
            // What was left out may be why the test fails.
            first.notes.extend(warnings.into_iter().map(|warning| warning.message));
        }
        failures
    }

    fn interval_ms(&self) -> i64 {
        let interval = self.file.evaluation_interval.map(|interval| interval.value);
        interval.filter(|&ms| ms > 0).unwrap_or(DEFAULT_INTERVAL_MS)
    }

    fn evaluate(&mut self, test: &TestGroup, mut input: Input, last_ms: i64) -> Vec<Diagnostic> {
        let interval_ms = self.interval_ms();
        let start_ms = test.start_ms.map_or(0, |start| start.value);
        let head = Head::new(HeadLimits::EMBEDDED);
        let mut store = Batch(head.appender());
        let queries = self.queries(test, &head, interval_ms);
        let intervals = match self.file.per_group_interval {
            true => GroupIntervals::Honoured,
            false => self.library.options().group_intervals,
        };
        let order = self.ordered_groups();
        let mut schedule = Schedule::new(order.iter().map(|one| one.definition()), interval_ms, intervals);
        if last_ms / schedule.shortest_interval_ms() > EVALUATIONS_MAX {
            let message = format!("the test needs more than {EVALUATIONS_MAX} evaluations");
            return vec![Diagnostic::error(BAD_TEST, message, test.span)];
        }
        let definitions: Vec<&GroupDefinition> =
            order.iter().map(|one| &*one.source.groups[one.group]).collect();
        let ahead = match self.is_worth_looking_ahead(last_ms / interval_ms) {
            true => Forecast::run(&definitions, &schedule, &input, (start_ms, last_ms), &queries),
            false => Ahead::default(),
        };
        let mut checks = AlertChecks::new(test);
        let mut failures = Vec::new();
        while schedule.now_ms() <= last_ms {
            let now_ms = start_ms.saturating_add(schedule.now_ms());
            if let Err(error) = input.append_till(now_ms, &mut store) {
                let message = format!("input at {}: {error}", time_text(schedule.now_ms()));
                failures.push(Diagnostic::error(BAD_TEST, message, test.span));
            }
            let failed = self.tick(&mut schedule, &order, now_ms, (&queries, &ahead), &mut store);
            let stops = !failed.is_empty();
            failures.extend(failed);
            if stops {
                return failures;
            }
            checks.judge(&schedule, &mut failures);
            schedule.advance();
        }
        let precision = if self.file.fuzzy_compare { Precision::LastBit } else { Precision::Exact };
        let expressions = test.expr_tests.iter();
        failures.extend(
            expressions.flat_map(|one| samples::check(one, start_ms, interval_ms, &queries, precision)),
        );
        if let Some(recorder) = &mut self.recorder {
            recorder.tested(test);
        }
        failures
    }

    /// A few evaluations are not worth a store of their own. Coverage looks at every evaluation by itself.
    fn is_worth_looking_ahead(&self, evaluations: i64) -> bool {
        self.library.options().evaluation == Evaluation::Ahead && self.recorder.is_none() && evaluations > 2
    }

    fn queries<'h>(&self, test: &TestGroup, head: &'h Head, interval_ms: i64) -> EngineQueries<'h> {
        let options = self.library.options();
        let external = test.external_labels.iter();
        let external = external.map(|(name, value)| (name.value.as_str(), value.value.as_str()));
        EngineQueries {
            engine: Engine::new(options.engine),
            storage: head,
            lookback_ms: LOOKBACK_MS,
            subquery_step_ms: interval_ms,
            parse: options.promql,
            surroundings: Surroundings {
                external_labels: Labels::from_pairs(external),
                external_url: test.external_url.value.clone(),
            },
        }
    }

    /// Evaluates the groups that are due; the failures of their rules.
    fn tick(
        &mut self,
        schedule: &mut Schedule,
        order: &[Place],
        now_ms: Timestamp,
        (queries, ahead): (&EngineQueries<'_>, &Ahead),
        store: &mut Batch<'_>,
    ) -> Vec<Diagnostic> {
        let time = time_text(schedule.now_ms());
        let mut failures = Vec::new();
        for (number, group) in schedule.due() {
            let place = &order[number];
            let outcomes = match &mut self.recorder {
                Some(recorder) => {
                    let observed = recorder.observe(place, queries);
                    group.tick(now_ms, &observed as &dyn RuleQueries, store)
                }
                None => group.tick(now_ms, &AheadQueries { queries, ahead, group: number }, store),
            };
            let failed = outcomes.iter().enumerate();
            failures.extend(failed.filter_map(|(rule, outcome)| {
                Some(place.rule_failure(rule, group, &time, outcome.error.as_ref()?))
            }));
        }
        failures
    }

    /// The groups of all rule files: those named in the order first, and with the first of them those that are not.
    fn ordered_groups(&self) -> Vec<Place> {
        let files = self.rules.iter().enumerate();
        let places = files.flat_map(|(file, source)| {
            (0..source.groups.len()).map(move |group| Place { file, group, source: Arc::clone(source) })
        });
        let mut places: Vec<Place> = places.collect();
        let order = &self.file.group_eval_order;
        places.sort_by_key(|place| {
            let name = &place.source.groups[place.group].name;
            order.iter().position(|one| one.value == *name).unwrap_or(0)
        });
        places
    }
}

/// A group of the rule files.
pub(crate) struct Place {
    /// Which rule file.
    pub(crate) file: usize,
    /// Which group of it.
    pub(crate) group: usize,
    pub(crate) source: Arc<RuleSource>,
}

impl Place {
    fn definition(&self) -> Arc<GroupDefinition> {
        Arc::clone(&self.source.groups[self.group])
    }

    /// At the part of the rule that fails.
    fn rule_failure(&self, number: usize, group: &Group, time: &str, error: &RuleError) -> Diagnostic {
        let name = &group.definition().rules[number].name;
        let written = &self.source.parse.file.groups[self.group].rules[number];
        let part = match error {
            RuleError::Query(error) => error.span().filter(|span| !span.is_empty()),
            _ => None,
        };
        let span = part.map_or(written.expr().text.span(), |span| written.expr().locate(span));
        let message = format!("rule {name} at {time}: {error}");
        let failure = Diagnostic::error(EVALUATION_FAILED, message, span);
        failure.in_source(SourceId(u32::try_from(self.file).unwrap_or(u32::MAX)))
    }
}

/// Alert tests without a name: nothing else is run then.
fn nameless(test: &TestGroup) -> impl Iterator<Item = Diagnostic> {
    let nameless = test.alert_tests.iter().filter(|one| one.alertname.value.is_empty());
    nameless.map(|one| {
        let time = time_text(one.times.at.first().map_or(0, |at| at.value));
        let message =
            format!("an item under alert_rule_test misses required attribute alertname at eval_time {time}");
        Diagnostic::error(BAD_TEST, message, one.span)
    })
}

/// The time of the last expectation.
fn last_ms(test: &TestGroup) -> i64 {
    let alerts = test.alert_tests.iter().map(|one| one.times.last_ms());
    alerts.chain(test.expr_tests.iter().map(|one| one.times.last_ms())).max().unwrap_or(0)
}

/// Batches into a head that is read at the same time.
struct Batch<'h>(HeadAppender<'h>);

impl Appender for Batch<'_> {
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        self.0.append(labels, at_ms, value, start_ms).map(drop)
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        let committed = self.0.commit();
        let refused = || StorageError::new(StorageErrorKind::OutOfOrder, "sample refused by the store");
        match committed.refused {
            0 => Ok(()),
            _ => Err(committed.first_refusal.unwrap_or_else(refused)),
        }
    }
}
