//! Fuzz targets as plain functions, replayed on stable.
//!
//! A target takes bytes and panics when something that must hold for all bytes does not. [`TARGETS`] lists them all;
//! `tests/replay.rs` runs them over their seeds, `libfuzzer/` hands them to libFuzzer. Reading order: [`targets`],
//! [`input`].

pub mod input;
pub mod targets;

pub use targets::{TARGETS, Target};
