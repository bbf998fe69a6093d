//! Go (RE2) regular-expression syntax on Rust engines.
//!
//! Everything in the Prometheus world that takes a pattern (matchers, relabelling, `label_replace`, templates,
//! routes) takes Go's `regexp` syntax, which differs from the syntax of the Rust engines in some forty places:
//! ASCII character classes, `\Q…\E`, literal braces, repetition limits, Unicode class names and more. This crate
//! therefore has its own front end. Reading order:
//!
//! 1. `tree`: the arena a pattern is parsed into;
//! 2. `parse`: Go's grammar and Go's error texts;
//! 3. `literals`: what can be decided without an automaton;
//! 4. `lower`: tree → [`regex_syntax::hir::Hir`];
//! 5. `engine`: automata built from that, on first need; `simulation` for patterns too large for them;
//! 6. `matcher` ([`Regex`]), `unanchored` ([`UnanchoredRegex`]) and `captures` ([`Captures`]).
//!
//! ```
//! use narthex_regex::Regex;
//!
//! let re = Regex::new("5..|404")?;
//! assert!(re.is_match("503") && !re.is_match("5030"));
//! assert_eq!(Regex::new("prod-(a|b)")?.exact_set().map(<[String]>::len), Some(2));
//! assert_eq!(Regex::new("a**").unwrap_err().to_string(),
//!     "error parsing regexp: invalid nested repetition operator: `**`");
//! # Ok::<(), narthex_regex::Error>(())
//! ```

mod captures;
mod engine;
mod error;
mod gapped;
mod literals;
mod lower;
mod matcher;
mod parse;
mod simulation;
mod strings;
mod tree;
mod unanchored;
mod unicode;

pub use captures::Captures;
pub use error::{Error, ErrorKind};
pub use matcher::Regex;
pub use unanchored::UnanchoredRegex;
