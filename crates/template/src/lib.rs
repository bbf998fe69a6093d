//! The text/template subset of rules and notifications.
//!
//! Reading order: [`functions`] (what can be called), [`ast`], [`parser`], [`visit`].

pub mod ast;
pub mod functions;
mod lexer;
pub mod parser;
pub mod visit;

pub use ast::Template;
pub use functions::{Dialect, FUNCTIONS};
pub use parser::{Parse, ParseOptions, parse, parse_with};
