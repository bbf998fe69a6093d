//! Blocks: the samples of a stretch of time in files that nobody changes any more.
//!
//! The layout is that of Prometheus, byte for byte; `FORMAT.md` describes it. Reading order: [`chunk_source`], [`ulid`],
//! [`meta`].

pub mod chunk_source;
pub mod meta;
pub mod ulid;

pub use chunk_source::{ChunkBytes, ChunkSource, EncodedChunk};
pub use meta::{BlockMeta, BlockStats, Compaction, Parent};
pub use ulid::{InvalidUlid, Ulid};
