//! Random queries, and samples that they have results over.
//!
//! Sums may be rounded differently by two evaluators, and a comparison of rounded numbers would then keep different
//! elements. Therefore numbers are compared, ranked, rounded and counted only where they are integers in both.
//!
//! ```
//! use narthex_promqltest::random::{Dialect, QueryGenerator};
//!
//! let mut state = 0u64;
//! let mut random = || {
//!     state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
//!     state ^ (state >> 31)
//! };
//! let query = QueryGenerator::new(&mut random, Dialect::STABLE).query();
//! assert!(!query.is_empty());
//! ```
//!
//! Reading order: [`dialect`], [`samples`], [`generator`]; one file for each form of the language.

mod aggregation;
mod binary;
mod call;
pub mod dialect;
pub mod generator;
mod modifiers;
pub mod samples;
mod scalar;
mod selector;
mod wish;

pub use dialect::Dialect;
pub use generator::QueryGenerator;

/// Where choices come from: any function that yields 64 random bits.
pub trait Random {
    /// The next 64 bits.
    fn next_u64(&mut self) -> u64;

    /// A number in `0..end`, 0 when `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        let product = u128::from(self.next_u64()) * end as u128;
        usize::try_from(product >> 64).expect("the product shifted is below `end`")
    }
}

impl<F: FnMut() -> u64> Random for F {
    fn next_u64(&mut self) -> u64 {
        self()
    }
}
