//! How much a query may use.

/// Bounds of one query. Reaching one fails the query with an error that names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most samples in memory at once, histograms weighted by their size.
    pub samples_max: usize,
    /// Most series that one selector may yield.
    pub series_max: usize,
    /// Most steps of a grid, subqueries included.
    pub steps_max: usize,
}

impl Limits {
    /// What a server allows unless told otherwise.
    pub const DEFAULT: Limits =
        Limits { samples_max: 50_000_000, series_max: 10_000_000, steps_max: 10_000_000 };
}
