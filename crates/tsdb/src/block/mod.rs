//! Blocks: the samples of a stretch of time in files that nobody changes any more.
//!
//! The layout is that of Prometheus, byte for byte; `FORMAT.md` describes it. Reading order: [`chunk_source`], [`ulid`],
//! [`meta`], `segment`, [`tombstones`], [`writer`], [`reader`], `select`, `outline`, `postings_cache`,
//! `labels_cache`, `source`.

pub mod chunk_source;
pub(crate) mod failure;
mod labels_cache;
pub mod meta;
mod outline;
pub(crate) mod output;
mod postings_cache;
pub mod reader;
pub(crate) mod recode;
mod recover;
mod segment;
pub(crate) mod select;
mod source;
pub mod tombstones;
pub mod ulid;
mod verify;
pub mod writer;

pub use chunk_source::{ChunkBytes, ChunkSource, EncodedChunk};
pub use meta::{BlockMeta, BlockStats, Compaction, Parent};
pub use reader::Block;
pub use source::BlockSource;
pub use tombstones::Tombstones;
pub use ulid::{InvalidUlid, Ulid};
pub use writer::{BlockLimits, BlockWriter, NewBlock};
