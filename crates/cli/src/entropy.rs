//! Bits that no other process has, for the names of blocks.

use std::hash::{BuildHasher, RandomState};

/// The seeds of two hash tables, with room to count the blocks of a command behind them, so that their names are in the
/// order of their samples.
pub(crate) fn entropy() -> u128 {
    let word = || RandomState::new().hash_one(0u8);
    u128::from(word() >> 50) << 64 | u128::from(word())
}
