//! Why a request has no answer: upstream's types, texts and status codes.

use std::fmt;

use narthex_eval::{EvalError, EvalErrorKind};
use narthex_storage::StorageError;

use crate::json::JsonWriter;

/// The `errorType` of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// A parameter is wrong.
    BadData,
    /// The query cannot be computed over these data.
    Execution,
    /// The caller is gone.
    Canceled,
    /// The time of the query is up.
    Timeout,
    /// Nothing is wrong with the request; it may be made again later.
    Unavailable,
    /// The server failed.
    Internal,
    /// There is no such thing.
    NotFound,
}

/// Every kind with its word and its HTTP status.
const KINDS: [(ErrorKind, &str, u16); 7] = [
    (ErrorKind::BadData, "bad_data", 400),
    (ErrorKind::Execution, "execution", 422),
    (ErrorKind::Canceled, "canceled", 499),
    (ErrorKind::Timeout, "timeout", 503),
    (ErrorKind::Unavailable, "unavailable", 503),
    (ErrorKind::Internal, "internal", 500),
    (ErrorKind::NotFound, "not_found", 404),
];

impl ErrorKind {
    /// The word that stands in the answer.
    pub fn as_str(self) -> &'static str {
        KINDS[self as usize].1
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        KINDS[self as usize].2
    }
}

/// A request that has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    /// Which kind.
    pub kind: ErrorKind,
    /// What is wrong, for people.
    pub message: String,
}

impl ApiError {
    /// An error of any kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> ApiError {
        ApiError { kind, message: message.into() }
    }

    /// Something wrong with the request.
    pub fn bad_data(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::BadData, message)
    }

    /// Something wrong with one parameter.
    pub fn parameter(name: &str, what: impl fmt::Display) -> ApiError {
        ApiError::bad_data(format!("invalid parameter \"{name}\": {what}"))
    }

    /// The body of the answer.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let mut out = JsonWriter::new(&mut body);
        out.raw("{\"status\":\"error\",\"errorType\":\"");
        out.raw(self.kind.as_str());
        out.raw("\",\"error\":");
        out.html_string(&self.message);
        out.raw("}");
        // A vector takes every chunk.
        let finished = out.finish();
        debug_assert!(finished.is_ok(), "memory does not close");
        body
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<EvalError> for ApiError {
    fn from(error: EvalError) -> ApiError {
        let kind = match error.kind() {
            EvalErrorKind::Timeout => ErrorKind::Timeout,
            EvalErrorKind::Canceled => ErrorKind::Canceled,
            EvalErrorKind::Storage => ErrorKind::Internal,
            _ => ErrorKind::Execution,
        };
        ApiError::new(kind, error.to_string())
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> ApiError {
        ApiError::new(ErrorKind::Internal, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        assert!(KINDS.iter().enumerate().all(|(at, row)| row.0 as usize == at));
    }

    #[test]
    fn texts_are_escaped_for_html() {
        let error = ApiError::parameter("query", "unexpected <op:>>");
        assert_eq!(
            String::from_utf8(error.body()).unwrap(),
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": unexpected \u003cop:\u003e\u003e"}"#
        );
    }
}
