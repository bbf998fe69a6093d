//! `narthex conformance`: runs promqltest scripts.

use narthex_promqltest::{Repetition, RunOptions, run_script};

use crate::args::ConformanceArgs;
use crate::exit::{Ended, Outcome};
use crate::input::read_text;
use crate::paths::expand;
use crate::screen::Screen;

/// Endings of scripts in a folder.
const SCRIPT_ENDINGS: [&str; 1] = [".test"];

/// Runs the command: one line per script and per failing case with what differs, then the totals.
pub(crate) fn run(args: &ConformanceArgs, screen: &Screen) -> Ended {
    let options = options(args);
    let (mut passed, mut failed) = (0, 0);
    for path in expand(&args.paths, &SCRIPT_ENDINGS)? {
        let report = run_script(&path, &read_text(&path)?, &options);
        passed += report.passed;
        failed += report.failed();
        screen.print(&report.to_string())?;
    }
    screen.print(&format!("{passed} passed, {failed} failed\n"))?;
    Ok(Outcome::of(failed > 0))
}

/// The settings of the reference runner, changed as asked.
fn options(args: &ConformanceArgs) -> RunOptions {
    let mut options = RunOptions::CONFORMANCE;
    options.engine.eval.delayed_name_removal = !args.immediate_name_removal;
    options.engine.eval.start_timestamps = !args.no_start_timestamps;
    options.engine.eval.type_and_unit_labels = args.type_and_unit_labels;
    options.lookback_ms = args.defaults.lookback_ms;
    options.subquery_step_ms = args.defaults.subquery_step_ms;
    if args.primary_only {
        options.repetition = Repetition::Once;
    }
    options
}
