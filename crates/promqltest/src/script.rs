//! What a script says: the commands of the promqltest language, typed, each with its place.

use narthex_diag::Spanned;
use narthex_model::{Labels, Text, Timestamp};
use narthex_promql::series::SequenceValue;
use narthex_regex::UnanchoredRegex;

/// The commands of a file in the order written.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Each with the lines it takes.
    pub commands: Vec<Spanned<Command>>,
}

/// One command.
#[derive(Clone, Debug)]
pub enum Command {
    /// `clear`: forget all samples.
    Clear,
    /// `load`: add samples.
    Load(Load),
    /// `eval`: run a query and judge what comes out.
    Eval(Box<Eval>),
}

/// Samples to be added.
#[derive(Clone, Debug)]
pub struct Load {
    /// Distance of two values; the first is at time zero.
    pub step_ms: i64,
    /// Whether classic histograms are also stored as histograms with custom buckets (`load_with_nhcb`).
    pub adds_custom_buckets: bool,
    /// The series, each label set once.
    pub series: Vec<LoadedSeries>,
}

/// One series of a [`Load`].
#[derive(Clone, Debug)]
pub struct LoadedSeries {
    /// The labels, the metric name included.
    pub labels: Labels,
    /// What there is at each step.
    pub values: Vec<SequenceValue>,
    /// Distance from a sample to the start of its counter in milliseconds, `None` for unknown; as long as `values`, or
    /// empty when no start is given.
    pub start_offsets_ms: Vec<Option<i64>>,
}

/// A query and what is expected of it.
#[derive(Clone, Debug)]
pub struct Eval {
    /// 1-based line of the command.
    pub line: usize,
    /// The text of the query.
    pub query: Spanned<String>,
    /// When it is evaluated.
    pub times: EvalTimes,
    /// What must come out.
    pub expected: Expectation,
}

/// When a query is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EvalTimes {
    /// Once.
    Instant {
        /// When.
        at_ms: Timestamp,
    },
    /// From a start to an end.
    Range(Times),
}

/// Instants `start_ms`, `start_ms + step_ms`, … up to `end_ms`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// First instant.
    pub start_ms: Timestamp,
    /// No instant is later.
    pub end_ms: Timestamp,
    /// Distance of two instants.
    pub step_ms: i64,
}

impl EvalTimes {
    /// The instants that the values of an expected series stand for.
    pub fn times(self) -> Times {
        match self {
            EvalTimes::Instant { at_ms } => Times { start_ms: at_ms, end_ms: at_ms, step_ms: 0 },
            EvalTimes::Range(times) => times,
        }
    }
}

impl Times {
    /// The instant of value number `index`, even behind the end.
    pub fn instant(self, index: usize) -> Timestamp {
        let offset_ms = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(self.step_ms);
        self.start_ms.saturating_add(offset_ms)
    }

    /// The instant of value number `index`, unless it lies behind the end.
    pub fn at(self, index: usize) -> Option<Timestamp> {
        Some(self.instant(index)).filter(|&at_ms| at_ms <= self.end_ms)
    }
}

/// What must come out of a query.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// The old form of the command, which asks for something by itself.
    pub legacy: Option<LegacyForm>,
    /// The query must fail, with such an error.
    pub failure: Option<TextPattern>,
    /// Each must match a warning, and each warning one of them; empty to ask nothing.
    pub warnings: Vec<TextPattern>,
    /// Each must match an info, and each info one of them; empty to ask nothing.
    pub infos: Vec<TextPattern>,
    /// There must be no warning.
    pub forbids_warnings: bool,
    /// There must be no info.
    pub forbids_infos: bool,
    /// The order of a vector counts.
    pub is_ordered: bool,
    /// The value.
    pub value: ExpectedValue,
}

impl Expectation {
    /// Whether the query must fail.
    pub fn fails(&self) -> bool {
        self.failure.is_some() || self.legacy == Some(LegacyForm::Fail)
    }

    /// Whether the order of a vector counts.
    pub fn checks_order(&self) -> bool {
        self.is_ordered || self.legacy == Some(LegacyForm::Ordered)
    }
}

/// `eval_fail`, `eval_warn`, `eval_info`, `eval_ordered`: forms that came before the `expect` lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LegacyForm {
    /// The query must fail.
    Fail,
    /// There must be a warning.
    Warn,
    /// There must be an info.
    Info,
    /// The order of a vector counts.
    Ordered,
}

impl LegacyForm {
    /// All forms with what follows `eval_`.
    pub const ALL: [(LegacyForm, &'static str); 4] = [
        (LegacyForm::Fail, "fail"),
        (LegacyForm::Warn, "warn"),
        (LegacyForm::Info, "info"),
        (LegacyForm::Ordered, "ordered"),
    ];
}

/// Which texts of an error or annotation are right.
#[derive(Clone, Debug)]
pub enum TextPattern {
    /// Every text.
    Any,
    /// This text as a whole.
    Exactly {
        /// The text.
        text: String,
        /// How it was asked for.
        notation: Notation,
    },
    /// A text in which this is found.
    Matching {
        /// The pattern.
        pattern: UnanchoredRegex,
        /// How it was asked for.
        notation: Notation,
    },
}

/// In which form a [`TextPattern`] is written; failures are worded accordingly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notation {
    /// `expect fail msg: …`
    Expect,
    /// `expected_fail_message …`
    Legacy,
}

impl TextPattern {
    /// Whether `text` is right.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            TextPattern::Any => true,
            TextPattern::Exactly { text: expected, .. } => expected == text,
            TextPattern::Matching { pattern, .. } => pattern.is_match(text),
        }
    }

    /// The text or pattern as written; empty for [`TextPattern::Any`].
    pub fn as_str(&self) -> &str {
        match self {
            TextPattern::Any => "",
            TextPattern::Exactly { text, .. } => text,
            TextPattern::Matching { pattern, .. } => pattern.pattern(),
        }
    }
}

/// The value that must come out.
#[derive(Clone, PartialEq, Debug)]
pub enum ExpectedValue {
    /// Exactly these series.
    Series {
        /// In the order written, each label set once.
        series: Vec<ExpectedSeries>,
        /// Set when a range vector is asked for: the instants of the values.
        range_vector: Option<Times>,
    },
    /// A scalar.
    Scalar(f64),
    /// A string.
    Text(Text),
}

impl Default for ExpectedValue {
    fn default() -> ExpectedValue {
        ExpectedValue::Series { series: Vec::new(), range_vector: None }
    }
}

/// A series that must come out.
#[derive(Clone, PartialEq, Debug)]
pub struct ExpectedSeries {
    /// The labels, the metric name included.
    pub labels: Labels,
    /// What must be there at each instant.
    pub values: Vec<SequenceValue>,
}
