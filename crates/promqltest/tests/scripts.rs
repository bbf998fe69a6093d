//! Our own scripts, which stand in `testdata/promql` and must all pass, whatever the optimizer does.

use narthex_plan::Optimizer;
use narthex_promqltest::{Repetition, RunOptions, run_script};
use narthex_testkit::fixtures;

fn check(options: &RunOptions) {
    let mut failures = String::new();
    for fixture in fixtures("promql", "test") {
        let report = run_script(&fixture.name, &fixture.text, options);
        assert!(report.passed + report.failed() > 0, "{} evaluates nothing", fixture.name);
        if report.failed() > 0 {
            failures += &report.to_string();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn all_pass() {
    check(&RunOptions::CONFORMANCE);
}

#[test]
fn all_pass_without_the_optimizer() {
    let mut options = RunOptions { repetition: Repetition::Once, ..RunOptions::CONFORMANCE };
    options.engine.optimizer = Optimizer::NONE;
    check(&options);
}
