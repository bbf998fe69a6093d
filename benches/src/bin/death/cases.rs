//! The cases: what is done, and what it may take.

use crate::measure::Ended;
use crate::{queries, stops, texts};

/// The part of a case that does not count, which yields the part that does.
pub(crate) type Prepare = Box<dyn FnOnce() -> Run + Send>;
/// The part of a case that counts.
pub(crate) type Run = Box<dyn FnOnce() -> Ended>;

/// One thing to measure.
pub(crate) struct Case {
    /// The fault it belongs to, and what it does.
    pub(crate) name: String,
    pub(crate) cpu_max_ms: u32,
    pub(crate) bytes_max: usize,
    /// Parts of outcomes, one of which must come.
    pub(crate) outcomes: Vec<String>,
    pub(crate) prepare: Prepare,
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = texts::nested();
    cases.extend(stops::stopped());
    cases.extend(queries::bombs());
    cases.extend(texts::patterns());
    cases.extend(texts::characters());
    cases
}

/// Several parts of outcomes.
pub(crate) fn any_of(outcomes: &[&str]) -> Vec<String> {
    outcomes.iter().map(|&outcome| outcome.to_owned()).collect()
}
