//! Why a rule gave nothing.

use std::fmt;

use narthex_eval::EvalError;
use narthex_promql::ParseError;
use narthex_storage::StorageError;

/// Why the evaluation of a rule failed. Texts are upstream's.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum RuleError {
    /// The query of a template is none.
    Parse(ParseError),
    /// The query failed.
    Query(EvalError),
    /// The query yields a string or a range vector.
    NotAVector,
    /// Two series of an alert have the same labels once those of the rule are set.
    DuplicateAlert,
    /// Two series of a record have the same labels once those of the rule are set.
    DuplicateSeries,
    /// There are more alerts or series than the group permits.
    LimitExceeded {
        /// What the group permits.
        limit: usize,
        /// How many there are.
        count: usize,
        /// What is counted: `alerts` or `series`.
        what: &'static str,
    },
    /// The store refused a sample; the others are in it.
    Append(StorageError),
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleError::Parse(error) => error.fmt(f),
            RuleError::Query(error) => error.fmt(f),
            RuleError::NotAVector => f.write_str("rule result is not a vector or scalar"),
            RuleError::DuplicateAlert => {
                f.write_str("vector contains metrics with the same labelset after applying alert labels")
            }
            RuleError::DuplicateSeries => {
                f.write_str("vector contains metrics with the same labelset after applying rule labels")
            }
            RuleError::LimitExceeded { limit, count, what } => {
                write!(f, "exceeded limit of {limit} with {count} {what}")
            }
            RuleError::Append(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RuleError {}

impl From<EvalError> for RuleError {
    fn from(error: EvalError) -> RuleError {
        RuleError::Query(error)
    }
}
