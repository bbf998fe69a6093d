//! Results as one JSON object.

use narthex_diag::{Diagnostic, Source};
use narthex_ruletest::{Coverage, FileReport, TestReport};
use serde_json::{Value, json};

/// `files` with their tests and failures; `coverage` when it was asked for.
pub(super) fn write(reports: &[FileReport], coverage: Option<&Coverage>) -> String {
    let mut object = json!({ "files": reports.iter().map(file).collect::<Vec<_>>() });
    if let Some(coverage) = coverage {
        object["coverage"] = coverage_value(coverage);
    }
    format!("{object:#}\n")
}

fn file(report: &FileReport) -> Value {
    json!({
        "file": report.source.name,
        "passed": report.passed(),
        "diagnostics": report.diagnostics.iter().map(|one| finding(one, report)).collect::<Vec<_>>(),
        "tests": report.tests.iter().map(|one| test(one, report)).collect::<Vec<_>>(),
    })
}

fn test(test: &TestReport, report: &FileReport) -> Value {
    json!({
        "name": test.name,
        "line": report.source.line_column(test.span.start as usize).line,
        "checks": test.checks,
        "passed": test.failures.is_empty(),
        "failures": test.failures.iter().map(|one| finding(one, report)).collect::<Vec<_>>(),
    })
}

fn finding(one: &Diagnostic, report: &FileReport) -> Value {
    let rules = one.source.and_then(|id| report.rules.get(id.0 as usize));
    let source: &Source = rules.map_or(&report.source, |rules| &rules.source);
    let place = source.line_column(one.span().start as usize);
    json!({
        "code": one.code.0,
        "severity": one.severity.as_str(),
        "message": one.message,
        "file": source.name,
        "line": place.line,
        "column": place.column,
        "notes": one.notes,
    })
}

fn coverage_value(coverage: &Coverage) -> Value {
    let gaps = coverage.points().filter(|(_, is_covered)| !is_covered).map(|(point, _)| {
        json!({
            "file": point.file, "line": point.line, "column": point.column,
            "kind": point.kind.plural(), "rule": point.rule, "gap": point.gap,
        })
    });
    json!({ "percentage": super::coverage::shown(coverage.percentage()), "gaps": gaps.collect::<Vec<_>>() })
}
