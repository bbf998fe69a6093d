//! Everything the parser and the checker say: codes, messages (upstream's, for tools compare them) and advice (ours).

use std::fmt;

use narthex_diag::{Applicability, Code, Diagnostic, Edit, LineColumn, LineIndex, Span, Suggestion, nearest};

use crate::aggregations::AGGREGATIONS;
use crate::functions::FUNCTIONS;

/// The text is no expression.
pub const PARSE_ERROR: Code = Code("SYN001");
/// An operand or argument has the wrong type, or there are too few or too many.
pub const TYPE_ERROR: Code = Code("SYN002");
/// A feature that must be switched on.
pub const FEATURE_NOT_ENABLED: Code = Code("SYN003");
/// Something that has another name now, or is gone.
pub const RENAMED_OR_REMOVED: Code = Code("SYN004");

/// Why a text is no valid expression: all diagnostics, the first one being what upstream reports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Never empty.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the first of them is.
    place: LineColumn,
}

/// Where the first diagnostic is; the start of the text when there is none.
pub(crate) fn first_place(text: &str, diagnostics: &[Diagnostic]) -> LineColumn {
    match diagnostics.first() {
        Some(first) => LineIndex::new(text).line_column(first.span().start as usize),
        None => LineColumn { line: 1, column: 1 },
    }
}

impl ParseError {
    /// The error of a text whose diagnostics these are; `None` when there are none.
    pub fn new(text: &str, diagnostics: Vec<Diagnostic>) -> Option<ParseError> {
        ParseError::at(first_place(text, &diagnostics), diagnostics)
    }

    pub(crate) fn at(place: LineColumn, diagnostics: Vec<Diagnostic>) -> Option<ParseError> {
        if diagnostics.is_empty() { None } else { Some(ParseError { diagnostics, place }) }
    }

    /// What upstream would report.
    pub fn first(&self) -> Option<&Diagnostic> {
        self.diagnostics.first()
    }
}

/// As upstream: `1:5: parse error: message`, line and byte column counted from 1.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.first().map_or("", |diagnostic| diagnostic.message.as_str());
        write!(f, "{}:{}: parse error: {message}", self.place.line, self.place.column)
    }
}

impl std::error::Error for ParseError {}

/// A syntax error.
pub(crate) fn syntax(message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error(PARSE_ERROR, message, span)
}

/// A type error.
pub(crate) fn mistyped(message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error(TYPE_ERROR, message, span)
}

/// Use of a feature that is off.
pub(crate) fn not_enabled(message: impl Into<String>, span: Span, feature: &str) -> Diagnostic {
    Diagnostic::error(FEATURE_NOT_ENABLED, message, span)
        .with_help(format!("switch it on with --enable-feature={feature}"))
}

/// Nesting deeper than the limit.
pub(crate) fn too_deep(limit: usize, span: Span) -> Diagnostic {
    syntax(format!("expression nests deeper than the limit of {limit}"), span)
        .with_note("parentheses, signs, calls and chains of ^ count")
}

/// A text longer than the limit.
pub(crate) fn too_large(limit: usize, text: &str) -> Diagnostic {
    syntax(format!("expression has {} bytes, more than the limit of {limit}", text.len()), Span::default())
}

/// More operands, matchers and labels than the limit.
pub(crate) fn too_many_parts(limit: usize, span: Span) -> Diagnostic {
    syntax(format!("expression has more than {limit} operands, matchers and labels"), span)
}

/// A chain of operators longer than the limit.
pub(crate) fn too_long(limit: usize, span: Span) -> Diagnostic {
    syntax(format!("expression is a chain of more than {limit} operations"), span)
        .with_help("group parts of the chain with parentheses, or match the series with one selector")
}

/// Functions that upstream renamed, with the names they have now.
const RENAMED: [(&str, &str); 1] = [("holt_winters", "double_exponential_smoothing")];

/// Functions that upstream removed, with what to use.
const REMOVED: [(&str, &str); 2] = [
    ("count_scalar", "write scalar(count(…)) in its place"),
    ("drop_common_labels", "choose labels with `by` or `without` in its place"),
];

/// Whether to look for what may have been meant, which takes longer than all else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Advice {
    Wanted,
    Unwanted,
}

/// A call of a function that does not exist.
pub(crate) fn unknown_function(name: &str, span: Span, advice: Advice) -> Diagnostic {
    let message = format!("unknown function with name {}", crate::token::quoted(name));
    if let Some((_, now)) = RENAMED.iter().find(|row| row.0 == name) {
        return Diagnostic::error(RENAMED_OR_REMOVED, message, span)
            .with_label(format!("is called {now} since 3.0"))
            .with_suggestion(replacement(format!("call {now}"), span, now, Applicability::Unsafe));
    }
    if let Some((_, advice)) = REMOVED.iter().find(|row| row.0 == name) {
        return Diagnostic::error(RENAMED_OR_REMOVED, message, span).with_help(*advice);
    }
    let diagnostic = syntax(message, span).with_label("no function has this name");
    let functions = FUNCTIONS.iter().map(|row| row.name);
    let aggregations = AGGREGATIONS.iter().map(|row| row.name);
    let known = match advice {
        Advice::Wanted => nearest(name, functions.chain(aggregations)),
        Advice::Unwanted => None,
    };
    match known {
        Some(known) => diagnostic.with_suggestion(did_you_mean(span, known)),
        None => diagnostic,
    }
}

/// `did you mean …` with the edit that follows it.
pub(crate) fn did_you_mean(span: Span, known: &str) -> Suggestion {
    replacement(format!("did you mean {known}?"), span, known, Applicability::Unsafe)
}

/// A suggestion that replaces one span, an empty one to insert.
pub(crate) fn replacement(
    message: impl Into<String>,
    span: Span,
    text: &str,
    applicability: Applicability,
) -> Suggestion {
    Suggestion {
        message: message.into(),
        edits: vec![Edit { span, replacement: text.to_owned() }],
        applicability,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_not() {
        let known = || FUNCTIONS.iter().map(|row| row.name);
        assert_eq!(nearest("raet", known()), Some("rate"));
        assert_eq!(nearest("Rate", known()), Some("rate"));
        assert_eq!(nearest("histogram_quantil", known()), Some("histogram_quantile"));
        assert_eq!(nearest("frobnicate", known()), None);
    }

    #[test]
    fn an_error_displays_as_upstream() {
        let error = ParseError::new("a\n +", vec![syntax("unexpected end of input", Span::empty_at(4))]);
        assert_eq!(error.unwrap().to_string(), "2:3: parse error: unexpected end of input");
        assert_eq!(ParseError::new("a", vec![]), None);
    }
}
