//! Why something is known: the place in the expression that decides it, and in which way.

use narthex_diag::Span;

/// What decides a fact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// Nothing is known.
    Unknown,
    /// A matcher of a selector asks for it.
    Matcher,
    /// The name of a selector.
    MetricName,
    /// Only the labels of `by` are kept.
    GroupedBy,
    /// An aggregation without grouping keeps no label.
    GroupedAway,
    /// `without` drops it.
    GroupedWithout,
    /// One-to-one matching keeps the labels of `on` only.
    MatchedOn,
    /// One-to-one matching drops the labels of `ignoring`.
    Ignored,
    /// Both sides of a match have the same value.
    Matched,
    /// `group_left` or `group_right` copies it.
    Included,
    /// `absent` has the labels of plain `=` matchers only.
    Absent,
    /// The result is no series: it has no labels.
    NoSeries,
    /// A function or operator drops the metric name.
    NameDropped,
    /// A function sets it.
    Set,
    /// A function removes it.
    Removed,
    /// A constant is what it is.
    Constant,
    /// A count of elements is a whole number of at least 1.
    Count,
    /// A count of events is a whole number of at least 0.
    EventCount,
    /// The operator or function always yields 1.
    One,
    /// A comparison with `bool` yields 0 or 1.
    Bool,
    /// Only values that satisfy the comparison pass.
    Filtered,
    /// The function's results lie between fixed bounds.
    Bounded,
    /// A spread is never negative.
    Spread,
    /// Counters only go up, so their increase is never negative.
    Counter,
    /// A metric whose values are fixed by the server.
    WellKnown,
    /// It follows from the operands.
    Derived,
}

impl Why {
    /// Half a sentence that stands beside the place.
    pub fn describe(self) -> &'static str {
        match self {
            Why::Unknown => "nothing is known of this",
            Why::Matcher => "selected by this matcher",
            Why::MetricName => "the metric's name",
            Why::GroupedBy => "only the labels of `by` survive here",
            Why::GroupedAway => "no label survives here",
            Why::GroupedWithout => "dropped here",
            Why::MatchedOn => "only the labels of `on` survive here",
            Why::Ignored => "dropped by `ignoring` here",
            Why::Matched => "both sides have the same value here",
            Why::Included => "copied from the other side here",
            Why::Absent => "only the labels of `=` matchers are known of what is absent",
            Why::NoSeries => "this has no labels",
            Why::NameDropped => "the metric name is dropped here",
            Why::Set => "set here",
            Why::Removed => "removed here",
            Why::Constant => "a constant",
            Why::Count => "a count is at least 1: without elements there is no result at all",
            Why::EventCount => "a number of events is never negative",
            Why::One => "this is always 1",
            Why::Bool => "`bool` yields 0 or 1",
            Why::Filtered => "only values that satisfy this comparison pass",
            Why::Bounded => "results of this function have fixed bounds",
            Why::Spread => "a spread is never negative",
            Why::Counter => "a counter's increase is never negative",
            Why::WellKnown => "the values of this metric are fixed by the server",
            Why::Derived => "follows from its operands",
        }
    }
}

/// Where a fact is decided, and in which way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reason {
    /// The part of the expression.
    pub span: Span,
    /// In which way.
    pub why: Why,
}

impl Reason {
    /// Decided at `span`.
    pub fn new(span: Span, why: Why) -> Reason {
        Reason { span, why }
    }
}
