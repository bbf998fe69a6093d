//! The seam between data and the engine: matchers and a time range go in, columns of samples come out.
//!
//! Stores implement [`Queryable`]; the engine knows nothing else of them. Chunk bytes never cross this seam, plain
//! samples do: a reader fills the caller's [`SampleBuffer`], one series at a time, or an [`Outline`], in which runs of
//! samples are summed up where nobody looks at single ones.
//!
//! Reading order: [`querier`], [`series`], [`samples`], [`counters`], [`appender`], [`exemplar`], [`error`], [`merge`],
//! [`memory`], [`summary`], [`outline`], [`without_hints`].

pub mod appender;
pub mod counters;
pub mod error;
pub mod exemplar;
pub mod memory;
pub mod merge;
pub mod outline;
pub mod querier;
pub mod samples;
pub mod series;
pub mod summary;
pub mod without_hints;

pub use appender::Appender;
pub use counters::ReadCounters;
pub use error::{StorageError, StorageErrorKind};
pub use exemplar::{Exemplar, SeriesExemplars};
pub use memory::MemoryStorage;
pub use merge::MergedQuerier;
pub use outline::{Outline, Placement, Run, WindowGrid};
pub use querier::{Querier, Queryable, SelectHints};
pub use samples::{FloatColumn, HistogramColumn, SampleBuffer};
pub use series::SeriesSet;
pub use summary::{Summary, SummaryNeed};
pub use without_hints::WithoutHints;
