//! The text/template subset of rules and notifications.
//!
//! ```
//! use narthex_model::{Labels, SampleValue};
//! use narthex_template::{Data, Limits, NoQueries, parse, render};
//!
//! let template = parse("{{ $labels.job }} at {{ $value | humanizePercentage }}").into_result().unwrap();
//! let data = Data {
//!     labels: Labels::from_pairs([("job", "api")]),
//!     external_labels: Labels::empty(),
//!     external_url: String::new(),
//!     value: SampleValue::Float(0.25),
//!     now_ms: 0,
//! };
//! assert_eq!(render(&template, &data, &NoQueries, Limits::GENEROUS).unwrap(), "api at 25%");
//! ```
//!
//! Reading order: [`functions`] (what can be called), [`ast`], [`parser`], [`visit`], [`reads`], [`value`], [`exec`].

pub mod ast;
pub mod exec;
mod format;
pub mod functions;
mod lexer;
pub mod parser;
pub mod reads;
mod token;
pub mod value;
pub mod visit;

pub use ast::Template;
pub use exec::{ExecError, Limits, NoQueries, QuerySource, render};
pub use functions::{Dialect, FUNCTIONS};
pub use parser::{Parse, ParseOptions, parse, parse_with};
pub use reads::{LabelKey, LabelRead, LabelSource, ReadRole, calls_of, label_reads};
pub use value::{Data, Sample, Value};
