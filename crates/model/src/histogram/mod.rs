//! Native histograms as values.
//!
//! A histogram has exponential buckets (schemas −4…8: bucket `i` ends at `2^(i·2^−schema)`) or custom ones (schema
//! −53: the bounds are listed). Populated buckets are listed as spans of consecutive indices with one absolute count
//! each. Positive buckets are left-open, negative ones right-open, the zero bucket closed.
//!
//! Reading order: [`spans`], `bounds`, `buckets`, `total` (how two grids become one), `arithmetic`, `compare`.

mod arithmetic;
mod bounds;
mod buckets;
mod compact;
mod compare;
mod compensated;
mod convert;
mod custom_buckets;
mod resolution;
pub mod spans;
mod total;
mod trim;
mod validate;

pub use arithmetic::{HistogramSum, IncompatibleSchemas, Reconciliation};
pub use bounds::{custom_bound, exponential_bound};
pub use buckets::Bucket;
pub use compensated::Compensated;
pub use convert::{ClassicHistogram, InvalidClassic};
pub use custom_buckets::common_bounds;
pub use trim::Keep;
pub use validate::InvalidHistogram;

/// Schema number that says that the bucket bounds are listed.
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;
/// Finest exponential schema.
pub const EXPONENTIAL_SCHEMA_MAX: i32 = 8;
/// Coarsest exponential schema.
pub const EXPONENTIAL_SCHEMA_MIN: i32 = -4;

/// A run of buckets with consecutive indices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct BucketSpan {
    /// Index of the first bucket for the first span, otherwise the gap to the end of the span before.
    pub offset: i32,
    /// Number of buckets.
    pub length: u32,
}

/// What a histogram says of a counter reset between its predecessor and itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CounterResetHint {
    /// Nothing: compare the two.
    #[default]
    Unknown,
    /// There was a reset.
    Reset,
    /// There was none.
    NotReset,
    /// It is a gauge, resets mean nothing.
    Gauge,
}

/// A native histogram with float counts. Any value is representable; [`FloatHistogram::validate`] tells what is
/// acceptable as input.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FloatHistogram {
    /// What is known of a counter reset.
    pub counter_reset_hint: CounterResetHint,
    /// Resolution of the exponential buckets, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// Half-width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations, NaN ones included.
    pub count: f64,
    /// Sum of all observations.
    pub sum: f64,
    /// Where the positive (or custom) buckets are.
    pub positive_spans: Vec<BucketSpan>,
    /// Where the negative buckets are.
    pub negative_spans: Vec<BucketSpan>,
    /// Absolute counts of the positive (or custom) buckets.
    pub positive_buckets: Vec<f64>,
    /// Absolute counts of the negative buckets.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of custom buckets, rising, without +Inf; empty for exponential schemas.
    pub custom_values: Vec<f64>,
}

impl FloatHistogram {
    /// Whether the bounds are listed.
    pub fn uses_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }
}
