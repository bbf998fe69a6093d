//! PromQL: text to tree and back, types, and the language's tables.
//!
//! Reading order: [`ast`], [`functions`], [`aggregations`], [`operators`], [`features`].

pub mod aggregations;
pub mod ast;
pub mod features;
pub mod functions;
pub mod operators;

pub use ast::{Expr, ValueType};
pub use features::{Feature, ParseOptions};
