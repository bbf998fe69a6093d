//! Our own scripts, which stand in `testdata/promql` and must all pass, whatever the optimizer does.

#![expect(clippy::panic, reason = "a test that cannot go on fails")]

use narthex_eval::context::EvalOptions;
use narthex_plan::Optimizer;
use narthex_promql::ParseOptions;
use narthex_promqltest::{Repetition, RunOptions, ScriptReport, run_script};
use narthex_testkit::{Fixture, fixtures};

/// A change of the settings that all scripts have.
type Setting = fn(&mut RunOptions);

/// Folders below `testdata/promql/settings` and the settings of the scripts there. Whoever wants to know what a switch
/// does finds it in the folder.
const SETTINGS: [(&str, Setting); 6] = [
    ("stable", |options| {
        options.parse = ParseOptions::STABLE;
        options.engine.eval = EvalOptions::STABLE;
    }),
    ("immediate_name_removal", |options| options.engine.eval.delayed_name_removal = false),
    ("no_start_timestamps", |options| options.engine.eval.start_timestamps = false),
    ("type_and_unit_labels", |options| options.engine.eval.type_and_unit_labels = true),
    ("lookback_30s", |options| options.lookback_ms = 30_000),
    ("subquery_step_20s", |options| options.subquery_step_ms = 20_000),
];

/// Scripts whose results depend on when names are removed. All others say the same in both modes.
const OF_DELAYED_NAME_REMOVAL: [&str; 4] = [
    "annotations/infos",
    "annotations/warnings",
    "evaluation/delayed_name_removal",
    "functions/histogram_classic",
];

fn scripts() -> Vec<Fixture> {
    fixtures("promql", "test")
}

/// The settings that a script stands under by its folder.
fn settings(script: &Fixture) -> Option<Setting> {
    let folder = script.name.strip_prefix("settings/")?.split('/').next()?;
    let row = SETTINGS.iter().find(|row| row.0 == folder);
    Some(row.unwrap_or_else(|| panic!("no settings are called {folder}")).1)
}

fn run(script: &Fixture, options: &RunOptions) -> ScriptReport {
    let mut options = *options;
    if let Some(change) = settings(script) {
        change(&mut options);
    }
    run_script(&script.name, &script.text, &options)
}

fn check(options: &RunOptions) {
    let mut failures = String::new();
    for script in scripts() {
        let report = run(&script, options);
        assert!(report.passed + report.failed() > 0, "{} evaluates nothing", script.name);
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

/// When names are removed matters where two series differ in nothing else, and in texts; nowhere else.
#[test]
fn most_pass_in_both_modes_of_name_removal() {
    let mut options = RunOptions { repetition: Repetition::Once, ..RunOptions::CONFORMANCE };
    options.engine.eval.delayed_name_removal = false;
    let without_settings = scripts().into_iter().filter(|script| settings(script).is_none());
    let failed = without_settings.map(|script| run(&script, &options)).filter(|report| report.failed() > 0);
    let names: Vec<String> = failed.map(|report| report.source.name).collect();
    assert_eq!(names, OF_DELAYED_NAME_REMOVAL);
}

#[test]
fn each_setting_has_scripts() {
    let scripts = scripts();
    for (folder, _) in SETTINGS {
        let prefix = format!("settings/{folder}/");
        assert!(scripts.iter().any(|script| script.name.starts_with(&prefix)), "no scripts for {folder}");
    }
}
