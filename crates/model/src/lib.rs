//! The Prometheus data model as values: labels, matchers, time, durations, numbers, samples, native histograms.
//!
//! Values only: no interner, no handle, no data behind them. Reading order: [`labels`], [`matcher`], [`time`],
//! [`mod@instant`], [`duration`], [`number`], [`text`], [`sample`], [`histogram`].

pub mod duration;
pub mod histogram;
pub mod instant;
pub mod labels;
pub mod matcher;
pub mod number;
pub mod sample;
pub mod text;
pub mod time;

pub use duration::PromDuration;
pub use histogram::{BucketSpan, CounterResetHint, FloatHistogram};
pub use labels::{Labels, LabelsBuffer, LabelsBuilder};
pub use matcher::{MatchOp, Matcher};
pub use sample::SampleValue;
pub use text::Text;
pub use time::{StepGrid, TimeRange, Timestamp};
