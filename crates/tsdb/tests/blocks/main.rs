//! Whether blocks are what Prometheus writes, answer like the reference store, and survive damage.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

mod build;
mod bytes;
mod compaction;
mod damage;
#[cfg(unix)]
mod links;
mod peers;
mod queries;
