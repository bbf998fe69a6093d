//! PromQL: text to tree and back, types, and the language's tables.
//!
//! Reading order: [`ast`], [`functions`], [`aggregations`], [`operators`], [`features`], [`mod@reference`].

pub mod aggregations;
pub mod ast;
mod check;
pub mod error;
pub mod features;
pub mod functions;
pub mod interrupt;
pub mod lexer;
pub mod operators;
pub mod parser;
pub mod reference;
pub mod series;
pub mod token;

pub use ast::{Expr, ValueType};
pub use error::ParseError;
pub use features::{Feature, ParseOptions};
pub use interrupt::{Interrupt, StopReason};
pub use parser::{Parse, parse, parse_interruptible, parse_metric, parse_selector};
pub use series::{SequenceValue, SeriesDescription, parse_series};
