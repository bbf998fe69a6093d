//! YAML with spans.
//!
//! [`parse()`] turns text into [`Document`]s: trees in which every node knows the bytes it was read from, and every
//! scalar can say which byte of the file each byte of its value came from. [`Decoder`] turns trees into typed values
//! by the rules Go programs decode YAML with, and collects every error instead of stopping at the first.
//!
//! Reading order: [`parse`](mod@parse), [`node`], [`scalar`], [`implicit`], [`decode`], [`comments`](mod@comments).

pub mod comments;
pub mod decode;
pub mod implicit;
pub mod limits;
pub mod node;
pub mod parse;
pub mod scalar;

mod build;
mod keys;
mod layout;
mod lenient;
mod offsets;

pub use comments::comments;
pub use decode::{DecodeOptions, Decoder, Field, Fields, FromYaml, UnknownFields};
pub use implicit::ImplicitValue;
pub use node::{Document, Kind, Node};
pub use parse::{Parsed, parse};
pub use scalar::{Context, Scalar, ScalarSource, ScalarStyle};

use narthex_diag::Code;

/// The text is not YAML, or exceeds a limit.
pub const INVALID_YAML: Code = Code("YML001");
/// A mapping has a key its type does not know.
pub const UNKNOWN_FIELD: Code = Code("YML002");
/// A value of the wrong kind.
pub const WRONG_KIND: Code = Code("YML003");
/// A mapping has the same key twice.
pub const DUPLICATE_KEY: Code = Code("YML004");
