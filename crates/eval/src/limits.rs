//! How much a query may use, and how its samples are counted.

use narthex_model::FloatHistogram;
use narthex_storage::SampleBuffer;

use crate::{SampleRef, StepColumn};

/// Bounds of one query. Reaching one fails the query with an error that names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most samples in memory at once, histograms weighted by their size.
    pub samples_max: usize,
    /// Most series that one selector may yield.
    pub series_max: usize,
    /// Most steps of a grid, subqueries included.
    pub steps_max: usize,
    /// Most points that all selectors together may be evaluated at: series times steps. Known before anything is read.
    pub points_max: usize,
    /// Most bytes in memory at once: columns, windows, samples, labels, tables of joins and groups, and the result.
    pub bytes_max: usize,
}

impl Limits {
    /// What a server allows unless told otherwise.
    pub const DEFAULT: Limits = Limits {
        samples_max: 50_000_000,
        series_max: 10_000_000,
        steps_max: 10_000_000,
        points_max: 5_000_000_000,
        bytes_max: 2 << 30,
    };
}

/// Which of the [`Limits`] a query has reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LimitKind {
    /// [`Limits::samples_max`]
    Samples,
    /// [`Limits::series_max`]
    Series,
    /// [`Limits::steps_max`]
    Steps,
    /// [`Limits::points_max`]
    Points,
    /// [`Limits::bytes_max`]
    Bytes,
}

impl LimitKind {
    /// The name of the limit, as its field is called.
    pub fn as_str(self) -> &'static str {
        match self {
            LimitKind::Samples => "samples_max",
            LimitKind::Series => "series_max",
            LimitKind::Steps => "steps_max",
            LimitKind::Points => "points_max",
            LimitKind::Bytes => "bytes_max",
        }
    }
}

/// What a native histogram counts as: as many floats with a timestamp as take the same memory, by upstream's formula.
pub(crate) fn histogram_samples(histogram: &FloatHistogram) -> usize {
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let buckets = histogram.positive_buckets.len() + histogram.negative_buckets.len();
    let bytes = 168 + 8 * (spans + buckets + histogram.custom_values.len());
    (bytes + 8) / 16
}

/// What the samples of a series count as.
pub(crate) fn buffer_samples(samples: &SampleBuffer) -> usize {
    let histograms = samples.histograms.values.iter().map(|histogram| histogram_samples(histogram));
    samples.floats.values.len() + histograms.sum::<usize>()
}

/// What a column counts as.
pub(crate) fn column_samples(column: &StepColumn) -> usize {
    if !column.has_histograms() {
        return column.presence().count();
    }
    column.iter().map(|(_, value)| sample_weight(value)).sum()
}

/// What one sample counts as.
pub(crate) fn sample_weight(value: SampleRef<'_>) -> usize {
    match value {
        SampleRef::Float(_) => 1,
        SampleRef::Histogram(histogram) => histogram_samples(histogram),
    }
}
