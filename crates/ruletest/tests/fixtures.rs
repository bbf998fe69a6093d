//! Test files and their verdicts: `testdata/rule-tests/*.yml` and the recordings beside them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use narthex_diag::Diagnostic;
use narthex_ruletest::options::{CoverageMode, Evaluation};
use narthex_ruletest::{FileReport, Files, FilesInMemory, RuleLibrary, RunOptions, run_file};

/// The files beside a test file. A pattern has at most one `*`, in its last part.
struct Folder;

impl Files for Folder {
    fn read(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn matching(&self, base: &str, pattern: &str) -> Result<Vec<String>, String> {
        let found = files_like(&Path::new(base).parent().unwrap().join(pattern));
        // Of the public fixtures the tests stand in one tree and the rules in another.
        if found.is_empty() && base.contains("/tests/") {
            let base = base.replacen("/tests/", "/plain/", 1);
            return Ok(files_like(&Path::new(&base).parent().unwrap().join(pattern)));
        }
        Ok(found)
    }
}

fn files_like(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let (start, end) = name.split_once('*').unwrap_or((&name, ""));
    let is_match = |found: &str| match name.contains('*') {
        true => found.starts_with(start) && found.ends_with(end),
        false => found == name,
    };
    let entries = std::fs::read_dir(path.parent().unwrap()).into_iter().flatten().flatten();
    let paths = entries.filter(|entry| is_match(&entry.file_name().to_string_lossy()));
    let mut found: Vec<String> = paths.map(|entry| entry.path().to_string_lossy().into_owned()).collect();
    found.sort();
    found
}

fn report(path: &Path, options: RunOptions) -> FileReport {
    let text = std::fs::read_to_string(path).unwrap();
    run_file(&path.to_string_lossy(), &text, &RuleLibrary::new(&Folder, options))
}

fn write_finding(text: &mut String, one: &Diagnostic, report: &FileReport) {
    let rules = one.source.and_then(|id| report.rules.get(id.0 as usize));
    let (name, source) = rules.map_or(("", &report.source), |rules| ("rules:", &rules.source));
    let place = source.line_column(one.span().start as usize);
    let marked = one.span().slice(&source.text).lines().next().unwrap_or("");
    let severity = one.severity.as_str();
    let (line, column, message) = (place.line, place.column, &one.message);
    writeln!(text, "  {name}{line}:{column}: {severity}[{}] {message} `{marked}`", one.code).unwrap();
    for line in one.notes.iter().flat_map(|note| note.lines()) {
        writeln!(text, "    {line}").unwrap();
    }
}

fn shown(report: &FileReport) -> String {
    let mut text = String::new();
    for one in &report.diagnostics {
        write_finding(&mut text, one, report);
    }
    for test in &report.tests {
        let verdict = if test.failures.is_empty() { "passed" } else { "failed" };
        writeln!(text, "{}: {verdict}", test.name).unwrap();
        for failure in &test.failures {
            write_finding(&mut text, failure, report);
        }
    }
    text
}

/// What is shown of a file, which is the same however its rules are evaluated.
fn shown_however_evaluated(path: &Path) -> String {
    let ahead = shown(&report(path, RunOptions::PROMTOOL));
    let step_by_step = RunOptions { evaluation: Evaluation::StepByStep, ..RunOptions::PROMTOOL };
    assert_eq!(ahead, shown(&report(path, step_by_step)), "{}", path.display());
    ahead
}

#[test]
fn verdicts_are_as_recorded_however_rules_are_evaluated() {
    let mut golden = narthex_testkit::Golden::of("rule-tests", "out");
    for fixture in narthex_testkit::fixtures("rule-tests", "yml") {
        if fixture.name.starts_with("rules/") {
            continue;
        }
        let text = shown_however_evaluated(&fixture.path);
        let watched = RunOptions { coverage: CoverageMode::Recorded, ..RunOptions::PROMTOOL };
        assert_eq!(text, shown(&report(&fixture.path, watched)), "{}", fixture.name);
        golden.check(&fixture.name, &text);
    }
    golden.finish();
}

#[test]
fn files_cut_off_anywhere_are_run_without_panic() {
    for fixture in narthex_testkit::fixtures("rule-tests", "yml") {
        let library = RuleLibrary::new(&Folder, RunOptions::PROMTOOL);
        let path = fixture.path.to_string_lossy();
        for (at, _) in fixture.text.char_indices().step_by(13) {
            shown(&run_file(&path, &fixture.text[..at], &library));
        }
    }
}

#[test]
fn what_would_take_for_ever_is_refused() {
    let files = FilesInMemory::new([("rules.yml", "groups: [{name: g, interval: 1ms}]")]);
    let library = RuleLibrary::new(&files, RunOptions::PROMTOOL);
    let test = "tests: [{promql_expr_test: [{expr: '1', eval_time: 200y}]}]";
    for head in ["evaluation_interval: 1ms", "{rule_files: [rules.yml], per_group_interval: true,"] {
        let text = if head.starts_with('{') { format!("{head} {test}}}") } else { format!("{head}\n{test}") };
        let report = run_file("test.yml", &text, &library);
        assert!(report.tests[0].failures[0].message.contains("evaluations"), "{}", shown(&report));
    }
}

/// Every test file below a folder.
fn test_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            test_files(&path, found);
        } else if std::fs::read_to_string(&path).is_ok_and(|text| text.lines().any(|line| line == "tests:")) {
            found.push(path);
        }
    }
}

#[test]
fn public_tests_have_the_same_verdicts_however_rules_are_evaluated() {
    let mut files = Vec::new();
    for folder in ["rules", "prometheus/promtool"] {
        let Some(folder) = narthex_testkit::shared_fixtures(folder) else { return };
        test_files(&folder, &mut files);
    }
    assert!(files.len() > 40, "{files:?}");
    for path in files {
        shown_however_evaluated(&path);
    }
}
