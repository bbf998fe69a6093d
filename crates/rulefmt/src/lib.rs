//! Rule files, typed, with spans, and exactly the refusals of a server.
//!
//! ```
//! let text = "groups:\n- name: api\n  rules:\n  - alert: Down\n    expr: up == 0\n";
//! let parse = narthex_rulefmt::parse(text, &narthex_rulefmt::Options::PROMETHEUS);
//! assert!(!parse.is_refused());
//! let rule = &parse.file.groups[0].rules[0];
//! assert_eq!((rule.name().value.as_str(), rule.expr().text.span().slice(text)), ("Down", "up == 0"));
//! ```
//!
//! Reading order: [`options`], [`mod@file`], [`rule`], [`query`], [`text`], [`decode`], [`validate`], [`kind`]; [`unit_test`].

pub mod decode;
pub mod file;
pub mod kind;
pub mod options;
pub mod query;
pub mod rule;
pub mod text;
pub mod unit_test;
pub mod validate;

mod crd;
mod templated;

pub use decode::{RuleFileParse, parse};
pub use file::{FieldSpan, RuleFile, RuleGroup};
pub use kind::{FileKind, NotRules};
pub use options::{Dialect, Input, NameValidation, Options};
pub use query::QueryText;
pub use rule::{AlertingRule, Entry, RecordingRule, Rule};
pub use text::Text;

use narthex_diag::Code;

/// A rule or group lacks what it needs, or has what it must not have.
pub const BAD_SHAPE: Code = narthex_yaml::WRONG_KIND;
/// A group name used twice, or a key set twice.
pub const DUPLICATE: Code = narthex_yaml::DUPLICATE_KEY;
/// A duration or limit that cannot be read.
pub const INVALID_DURATION_OR_LIMIT: Code = Code("YML007");
/// A name of a record, label or annotation that is not allowed.
pub const INVALID_NAME: Code = Code("YML009");

/// The codes of everything that a server refuses: expressions, templates, YAML and shape.
pub const REFUSALS: &[Code] = &[
    narthex_promql::error::PARSE_ERROR,
    narthex_promql::error::TYPE_ERROR,
    narthex_promql::error::FEATURE_NOT_ENABLED,
    narthex_promql::error::RENAMED_OR_REMOVED,
    narthex_template::parser::TEMPLATE_PARSE,
    narthex_yaml::INVALID_YAML,
    narthex_yaml::UNKNOWN_FIELD,
    BAD_SHAPE,
    DUPLICATE,
    INVALID_DURATION_OR_LIMIT,
    INVALID_NAME,
];
