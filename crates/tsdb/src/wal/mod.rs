//! The log that samples are in before anybody is told that they are stored.
//!
//! Reading order: [`batch`].

pub mod batch;

pub use batch::{Batch, Exemplar, Metadata, MetricType, Sample, SeriesId};
