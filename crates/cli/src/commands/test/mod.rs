//! `narthex test`: unit tests of rules.

mod args;
mod coverage;
mod files;
mod json;
mod junit;
mod text;

use narthex_eval::EngineOptions;
use narthex_regex::UnanchoredRegex;
use narthex_report::Format;
use narthex_ruletest::options::CoverageMode;
use narthex_ruletest::{Coverage, FileReport, GroupIntervals, RuleLibrary, RunOptions, run_file};
use narthex_yaml::UnknownFields;
use rayon::prelude::*;

pub(crate) use args::{TestArgs, TestCommand};

use crate::exit::{Ended, Outcome, Trouble};
use crate::input::read_text;
use crate::paths::expand;
use crate::screen::Screen;
use args::{TestFormat, TestRulesArgs};
use files::FilesOnDisk;

/// Endings of test files in a folder.
const TEST_ENDINGS: [&str; 2] = [".yml", ".yaml"];

/// Runs the command.
pub(crate) fn run(args: &TestArgs, screen: &Screen) -> Ended {
    let TestCommand::Rules(args) = &args.what;
    let options = options(args)?;
    let files = FilesOnDisk;
    let library = RuleLibrary::new(&files, options);
    let paths = expand(&args.paths, &TEST_ENDINGS)?;
    let reports: Vec<FileReport> = paths
        .par_iter()
        .map(|path| Ok(run_file(path, &read_text(path)?, &library)))
        .collect::<Result<_, Trouble>>()?;
    let coverage = merged(&reports);
    if let Some(path) = &args.junit {
        let written = std::fs::write(path, junit::write(&reports));
        written.map_err(|error| Trouble::io("write", path, &error))?;
    }
    let is_covered = args.min_coverage.is_none_or(|wanted| {
        let is_any = coverage.points().next().is_some();
        wanted == 0.0 || is_any && coverage::shown(coverage.percentage()) >= wanted
    });
    match args.format {
        TestFormat::Json => {
            screen.print(&json::write(&reports, args.records_coverage().then_some(&coverage)))?;
        }
        TestFormat::Report(format) => {
            text::write(&reports, format, screen)?;
            if args.records_coverage() {
                let text = coverage::write(&coverage);
                // Nothing may stand behind an object that a program reads.
                if format == Format::Sarif { screen.note(&text) } else { screen.print(&text)? }
            }
        }
    }
    if let Some(wanted) = args.min_coverage.filter(|_| !is_covered) {
        let found = coverage::share(&coverage);
        screen.note(&format!("error: {found}, {wanted} % are wanted\n"));
    }
    Ok(Outcome::of(!is_covered || reports.iter().any(|report| !report.passed())))
}

fn merged(reports: &[FileReport]) -> Coverage {
    let mut coverage = Coverage::default();
    reports.iter().for_each(|report| coverage.merge(report.coverage.clone()));
    coverage
}

fn options(args: &TestRulesArgs) -> Result<RunOptions, Trouble> {
    let engine = EngineOptions { eval: args.features.eval_options(), ..EngineOptions::STABLE };
    let only = match args.run.as_slice() {
        [] => None,
        patterns => Some(
            UnanchoredRegex::new(&patterns.join("|"))
                .map_err(|error| Trouble::new(format!("--run: {error}")))?,
        ),
    };
    let unknown_fields =
        if args.ignore_unknown_fields { UnknownFields::Ignore } else { UnknownFields::Refuse };
    let group_intervals =
        if args.group_intervals { GroupIntervals::Honoured } else { GroupIntervals::Ignored };
    let coverage = if args.records_coverage() { CoverageMode::Recorded } else { CoverageMode::Off };
    Ok(RunOptions {
        promql: args.features.parse_options(),
        engine,
        unknown_fields,
        group_intervals,
        only,
        coverage,
        ..RunOptions::PROMTOOL
    })
}
