//! Samples in memory and on disk: chunks, postings, the head.
//!
//! `FORMAT.md` beside this crate describes the bytes. Reading order: [`fs`], [`chunk`], [`postings`], [`head`], `index`,
//! [`block`], `accel`, [`compact`], [`wal`], [`prometheus`], [`db`].

mod accel;
pub mod block;
pub mod chunk;
mod columns;
pub mod compact;
pub mod db;
pub mod fs;
pub mod head;
mod index;
mod integers;
pub mod postings;
pub mod prometheus;
pub mod wal;

pub use db::{Database, DatabaseOptions};
pub use head::{Head, HeadLimits};
