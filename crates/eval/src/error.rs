//! Why a query has no result.

use std::fmt;

use narthex_diag::{Code, Diagnostic, Span};
use narthex_plan::BuildError;
use narthex_storage::StorageError;

/// The kind of an [`EvalError`], for callers that act on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum EvalErrorKind {
    /// The query cannot be planned for these times.
    Plan,
    /// The data do not fit the query: duplicate series, a parameter out of bounds.
    Execution,
    /// A limit of the query is reached.
    Limit,
    /// The deadline has passed.
    Timeout,
    /// The caller gave up.
    Canceled,
    /// The store failed.
    Storage,
    /// Narthex does not compute this yet.
    NotImplemented,
}

/// A query that failed. The text is upstream's where upstream has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvalError {
    kind: EvalErrorKind,
    message: String,
    span: Option<Span>,
}

impl EvalError {
    /// A failure at `span` of the query.
    pub fn new(kind: EvalErrorKind, message: impl Into<String>, span: Span) -> EvalError {
        EvalError { kind, message: message.into(), span: Some(span) }
    }

    /// A failure of the data.
    pub fn execution(message: impl Into<String>, span: Span) -> EvalError {
        EvalError::new(EvalErrorKind::Execution, message, span)
    }

    /// The kind.
    pub fn kind(&self) -> EvalErrorKind {
        self.kind
    }

    /// The part of the query that failed, if one can be named.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// The failure at its place.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(Code("EVAL001"), self.message.clone(), self.span.unwrap_or_default())
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

impl From<BuildError> for EvalError {
    fn from(error: BuildError) -> EvalError {
        EvalError { kind: EvalErrorKind::Plan, message: error.to_string(), span: Some(error.span()) }
    }
}

impl From<StorageError> for EvalError {
    fn from(error: StorageError) -> EvalError {
        EvalError { kind: EvalErrorKind::Storage, message: format!("expanding series: {error}"), span: None }
    }
}
