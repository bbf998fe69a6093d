//! Why a pattern was refused, in the words of Go's `regexp/syntax`.

use std::fmt;
use std::ops::Range;

/// A pattern that is not valid, or that is too large to be compiled within bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    span: Range<usize>,
    excerpt: Box<str>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, pattern: &str, span: Range<usize>) -> Error {
        let excerpt = pattern.get(span.clone()).unwrap_or_default().into();
        Error { kind, span, excerpt }
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Byte range of the offending part in the pattern; the whole pattern for faults that have no single place.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The offending part of the pattern, as Go quotes it.
    pub fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

/// The text is the one of Go's `regexp.Compile`, so that expectations written for Prometheus hold.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error parsing regexp: {}: `{}`", self.kind.text(), self.excerpt)
    }
}

impl std::error::Error for Error {}

/// The classes of faults; each has the fixed text Go gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `[b-a]`, `[[:foo:]]`, `\p{Foo}`.
    InvalidCharRange,
    /// `\8`, `\C`, `\u0041`.
    InvalidEscape,
    /// `(?P<a-b>x)`.
    InvalidNamedCapture,
    /// `(?x)`, `(?=a)`, `(?i`.
    InvalidPerlSyntax,
    /// `a**`, `a{2}{3}`.
    NestedRepetition,
    /// `a{1001}`, `a{2,1}`, `(a{100}){100}`.
    InvalidRepeatCount,
    /// `[a`.
    MissingBracket,
    /// `(a`.
    MissingParen,
    /// `*a`, `(|+)`.
    MissingRepeatArgument,
    /// A pattern ending in `\`.
    TrailingBackslash,
    /// `a)`.
    UnexpectedParen,
    /// More than 1000 levels.
    NestingDepth,
    /// The automaton would exceed the limits on memory and time.
    TooLarge,
}

impl ErrorKind {
    fn text(self) -> &'static str {
        match self {
            ErrorKind::InvalidCharRange => "invalid character class range",
            ErrorKind::InvalidEscape => "invalid escape sequence",
            ErrorKind::InvalidNamedCapture => "invalid named capture",
            ErrorKind::InvalidPerlSyntax => "invalid or unsupported Perl syntax",
            ErrorKind::NestedRepetition => "invalid nested repetition operator",
            ErrorKind::InvalidRepeatCount => "invalid repeat count",
            ErrorKind::MissingBracket => "missing closing ]",
            ErrorKind::MissingParen => "missing closing )",
            ErrorKind::MissingRepeatArgument => "missing argument to repetition operator",
            ErrorKind::TrailingBackslash => "trailing backslash at end of expression",
            ErrorKind::UnexpectedParen => "unexpected )",
            ErrorKind::NestingDepth => "expression nests too deeply",
            ErrorKind::TooLarge => "expression too large",
        }
    }
}
