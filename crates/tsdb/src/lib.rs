//! Samples in memory and on disk: chunks, postings, the head.
//!
//! `FORMAT.md` beside this crate describes the bytes. Reading order: [`fs`], [`chunk`], [`postings`], [`head`], [`block`].

pub mod block;
pub mod chunk;
pub mod fs;
mod index;
pub mod head;
pub mod postings;
pub mod prometheus;
pub mod wal;

pub use head::{Head, HeadLimits};
