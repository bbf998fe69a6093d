//! How tests are run.

use narthex_eval::EngineOptions;
use narthex_promql::ParseOptions;
use narthex_regex::UnanchoredRegex;
use narthex_yaml::UnknownFields;

/// How often groups are evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupIntervals {
    /// All at the evaluation interval of the test file, as promtool does; a file may say otherwise.
    Ignored,
    /// Each at its own, where it has one.
    Honoured,
}

/// How tests are run.
#[derive(Clone)]
pub struct RunOptions {
    /// Which language features may be used.
    pub promql: ParseOptions,
    /// How queries are evaluated.
    pub engine: EngineOptions,
    /// What to do with keys of test and rule files that nobody knows.
    pub unknown_fields: UnknownFields,
    /// How often groups are evaluated.
    pub group_intervals: GroupIntervals,
    /// Only tests whose name this matches are run; `None` for all.
    pub only: Option<UnanchoredRegex>,
    /// Whether it is recorded what the tests cover.
    pub coverage: CoverageMode,
    /// How rules are evaluated.
    pub evaluation: Evaluation,
}

/// How rules are evaluated. Results are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evaluation {
    /// Once over all times, where that is possible; see the module `ahead`.
    Ahead,
    /// Each at each of its times.
    StepByStep,
}

/// Whether it is recorded what the tests cover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoverageMode {
    /// No.
    Off,
    /// Yes; rules are evaluated several times for it.
    Recorded,
}

impl RunOptions {
    /// As promtool without flags.
    pub const PROMTOOL: RunOptions = RunOptions {
        promql: ParseOptions::STABLE,
        engine: EngineOptions::STABLE,
        unknown_fields: UnknownFields::Refuse,
        group_intervals: GroupIntervals::Ignored,
        only: None,
        coverage: CoverageMode::Off,
        evaluation: Evaluation::Ahead,
    };
}
