//! Why a query has no result.

use std::fmt;

use narthex_diag::{Code, Diagnostic, Span};
use narthex_plan::BuildError;
use narthex_promql::StopReason;
use narthex_storage::StorageError;

use crate::limits::LimitKind;

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
    limit: Option<LimitKind>,
}

impl EvalError {
    /// A failure at `span` of the query.
    pub fn new(kind: EvalErrorKind, message: impl Into<String>, span: Span) -> EvalError {
        EvalError { kind, message: message.into(), span: Some(span), limit: None }
    }

    /// A failure of the data.
    pub fn execution(message: impl Into<String>, span: Span) -> EvalError {
        EvalError::new(EvalErrorKind::Execution, message, span)
    }

    /// A limit that is reached, at the part of the query that contributes most.
    pub(crate) fn limit(limit: LimitKind, message: impl Into<String>, span: Span) -> EvalError {
        EvalError { limit: Some(limit), ..EvalError::new(EvalErrorKind::Limit, message, span) }
    }

    /// The end of a query that was told to stop.
    pub(crate) fn stopped(reason: StopReason) -> EvalError {
        let (kind, what) = match reason {
            StopReason::Expired => (EvalErrorKind::Timeout, "timed out"),
            StopReason::Canceled => (EvalErrorKind::Canceled, "was canceled"),
        };
        EvalError::new(kind, format!("query {what} in expression evaluation"), Span::default())
    }

    /// The same failure, where `moved` says that its place is.
    #[must_use]
    pub(crate) fn moved(self, moved: impl FnOnce(Span) -> Span) -> EvalError {
        EvalError { span: self.span.map(moved), ..self }
    }

    /// Which limit is reached, if that is why the query failed.
    pub fn limit_kind(&self) -> Option<LimitKind> {
        self.limit
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
        EvalError::new(EvalErrorKind::Plan, error.to_string(), error.span())
    }
}

impl From<StorageError> for EvalError {
    fn from(error: StorageError) -> EvalError {
        let message = format!("expanding series: {error}");
        EvalError { kind: EvalErrorKind::Storage, message, span: None, limit: None }
    }
}
