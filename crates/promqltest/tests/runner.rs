//! The runner can fail: scripts that expect the wrong thing, with the failures they must produce.

use std::fs;

use narthex_promqltest::{Repetition, RunOptions, run_script};
use narthex_testkit::{Golden, fixtures, shared_fixtures};

/// `testdata/promql/runner/*.failing` with everything that is reported of them.
#[test]
fn failures_say_what_was_expected() {
    let options = RunOptions { repetition: Repetition::Once, ..RunOptions::CONFORMANCE };
    let mut golden = Golden::of("promql/runner", "out");
    for fixture in fixtures("promql/runner", "failing") {
        let report = run_script(&fixture.name, &fixture.text, &options);
        assert!(report.failed() > 0, "{} has no failure", fixture.name);
        golden.check(&fixture.name, &report.to_string());
    }
    golden.finish();
}

/// The first failure of a report, in upstream's words.
fn first_failure(report: &narthex_promqltest::ScriptReport) -> Option<String> {
    let fault = report.faults.first().map(|fault| report.fault_text(fault));
    fault.or_else(|| report.failures.first().map(|failure| failure.message.clone()))
}

/// Upstream's tests of its own runner: which scripts pass, and how the others fail.
#[test]
fn upstreams_runner_is_matched() {
    let Some(path) = shared_fixtures("prometheus/promqltest-extra/runner_selftest.json") else { return };
    let cases: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut failures = Vec::new();
    let mut failing = 0;
    for case in cases.as_array().unwrap() {
        let (name, input) = (case["name"].as_str().unwrap(), case["input"].as_str().unwrap());
        let report = run_script(name, input, &RunOptions::CONFORMANCE);
        let got = first_failure(&report);
        let matches = match (case["expected_error"].as_str(), &got) {
            (None, got) => got.is_none(),
            (Some(expected), Some(got)) => got.starts_with(expected),
            (Some(_), None) => false,
        };
        failing += usize::from(case["expected_error"].is_string());
        if !matches {
            failures.push(format!("{name}\n  expected {}\n  got      {got:?}", case["expected_error"]));
        }
    }
    assert_eq!(failing, 61);
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}
