//! Whether what came out is what was expected.

pub(crate) mod alerts;
pub(crate) mod samples;

use narthex_model::PromDuration;

/// A time as test files write it.
pub(crate) fn time_text(at_ms: i64) -> String {
    PromDuration::from_ms(at_ms).to_string()
}
