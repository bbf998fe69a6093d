//! Any text as a test script: every fault lies in the text, and running what was read brings no engine down.

use narthex_eval::{EngineOptions, Limits};
use narthex_promqltest::run::Repetition;
use narthex_promqltest::script::Command;
use narthex_promqltest::{RunOptions, Script, parse, run_script};
use narthex_tsdb::HeadLimits;

use crate::input::{check_places, fits, text};

/// Scripts that load more are read, but not run.
const LOADED_VALUES_MAX: usize = 10_000;

const OPTIONS: RunOptions = RunOptions {
    engine: EngineOptions {
        limits: Limits { samples_max: 100_000, series_max: 1000, steps_max: 2000, ..Limits::DEFAULT },
        ..RunOptions::CONFORMANCE.engine
    },
    head: HeadLimits { series_max: 1000, ..HeadLimits::EMBEDDED },
    repetition: Repetition::Once,
    ..RunOptions::CONFORMANCE
};

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let parsed = parse(text);
    parsed.diagnostics.iter().for_each(|found| check_places(found, text));
    assert!(parsed.script.commands.iter().all(|command| fits(command.span, text)));
    if loaded_values(&parsed.script) > LOADED_VALUES_MAX {
        return;
    }
    let report = run_script("any.test", text, &OPTIONS);
    report.faults.iter().for_each(|found| check_places(found, text));
    for failure in &report.failures {
        check_places(&failure.to_diagnostic(), text);
        assert!(!failure.message.contains("panic: "), "{}", failure.message);
    }
}

fn loaded_values(script: &Script) -> usize {
    let values = script.commands.iter().map(|command| match &command.value {
        Command::Load(load) => load.series.iter().map(|series| series.values.len()).sum(),
        Command::Clear | Command::Eval(_) => 0,
    });
    values.sum()
}
