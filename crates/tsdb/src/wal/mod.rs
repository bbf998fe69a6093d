//! The log that samples are in before anybody is told that they are stored.
//!
//! `FORMAT.md` describes the bytes. A [`Batch`] is what one commit holds; [`Wal`] writes batches, [`replay()`] reads them,
//! past whatever is damaged. What a scrape yields takes a byte per sample or less: one timestamp, and how far each value
//! is from what is expected of its series.
//!
//! Reading order: [`batch`], `fields`, `bits`, `model`, `scrape`, `learn`, `writer`, `record`, `encoder`, `decoder`,
//! `frame`, `files`, [`replay`](mod@replay), `state`, [`log`], [`checkpoint`].

pub mod batch;
mod bits;
pub mod checkpoint;
mod decoder;
mod encoder;
mod fields;
mod files;
mod frame;
mod learn;
pub mod log;
mod model;
mod record;
pub mod replay;
mod scrape;
mod state;
mod writer;

pub use batch::{Batch, Exemplar, Metadata, MetricType, Sample, SeriesId};
pub use checkpoint::Checkpoint;
pub(crate) use encoder::is_oversized;
pub(crate) use files::{VERSION, file_of_other_version};
pub use log::{Position, SyncPolicy, Wal, WalOptions, WalStats};
pub use replay::{Damage, DamageKind, ReplayReport, replay};
