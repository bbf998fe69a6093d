//! Selectors: which series, and the modifiers of when.

use narthex_diag::{Span, Spanned};
use narthex_model::labels::METRIC_NAME;
use narthex_model::{Matcher, Timestamp};

use super::DurationExpr;

/// Series wanted at each step.
#[derive(Clone, PartialEq, Debug)]
pub struct VectorSelector {
    /// The whole node, modifiers included as upstream includes them.
    pub span: Span,
    /// The metric name, bare before the braces or quoted inside them.
    pub name: Option<Spanned<Box<str>>>,
    /// The braces and what is between them.
    pub braces: Option<Span>,
    /// The conditions in the braces, in the order written, without the name of [`VectorSelector::name`].
    pub matchers: Vec<LabelMatcher>,
    /// `offset`, `@`, `anchored`, `smoothed`.
    pub modifiers: Modifiers,
}

/// A condition as written.
#[derive(Clone, PartialEq, Debug)]
pub struct LabelMatcher {
    /// The whole condition.
    pub span: Span,
    /// The label name.
    pub name: Span,
    /// The operator.
    pub op: Span,
    /// The value, quotes included.
    pub value: Span,
    /// What it means.
    pub matcher: Matcher,
}

/// What may follow a selector or subquery.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Modifiers {
    /// `offset 5m`
    pub offset: Option<Offset>,
    /// `@ 1609746000`, `@ start()`, `@ end()`
    pub at: Option<At>,
    /// `anchored` or `smoothed`
    pub extension: Option<Spanned<RangeExtension>>,
}

/// `offset` and its distance.
#[derive(Clone, PartialEq, Debug)]
pub struct Offset {
    /// The keyword up to the end of the value.
    pub span: Span,
    /// The keyword alone.
    pub keyword: Span,
    /// How far back; negative for the future.
    pub value: DurationExpr,
}

/// `@` and its time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct At {
    /// The sign up to the end of the value.
    pub span: Span,
    /// The time.
    pub value: AtValue,
}

/// The time that `@` fixes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtValue {
    /// An instant in milliseconds.
    Timestamp(Timestamp),
    /// The start of the query.
    Start,
    /// The end of the query.
    End,
}

/// How a window treats its borders.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RangeExtension {
    /// Starts at the last sample at or before the window's start.
    Anchored,
    /// Interpolates values at both borders.
    Smoothed,
}

impl RangeExtension {
    /// The keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            RangeExtension::Anchored => "anchored",
            RangeExtension::Smoothed => "smoothed",
        }
    }
}

impl Offset {
    /// Whether it says anything: a literal that rounds to no nanosecond counts as no offset at all.
    pub fn is_set(&self) -> bool {
        match self.value {
            DurationExpr::Literal { seconds, .. } => (seconds * 1e9).round() != 0.0,
            _ => true,
        }
    }
}

impl VectorSelector {
    /// Whether the metric name stands quoted between the braces.
    pub fn is_name_quoted(&self) -> bool {
        match (&self.name, self.braces) {
            (Some(name), Some(braces)) => !name.span.is_empty() && braces.contains(name.span),
            _ => false,
        }
    }

    /// All conditions, that of the metric name last.
    pub fn all_matchers(&self) -> impl Iterator<Item = Matcher> {
        let name = self.name.as_ref().map(|name| Matcher::equal(METRIC_NAME, &*name.value));
        self.matchers.iter().map(|matcher| matcher.matcher.clone()).chain(name)
    }
}
