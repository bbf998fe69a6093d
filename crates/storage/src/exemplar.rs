//! Exemplars: single observations behind what a series sums up.

use narthex_model::{Labels, Timestamp};

/// One observation behind an aggregate, with a way to find it elsewhere, such as a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Where to find it.
    pub labels: Labels,
    /// What was observed.
    pub value: f64,
    /// When.
    pub at_ms: Timestamp,
}

/// The exemplars of a series in the order of time.
pub type SeriesExemplars = (Labels, Vec<Exemplar>);
