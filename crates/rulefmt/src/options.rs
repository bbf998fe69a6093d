//! What a server is configured to accept.

use narthex_promql::ParseOptions;
use narthex_yaml::UnknownFields;

/// Which names of metrics, labels and annotations are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameValidation {
    /// Any text but the empty one, the default since Prometheus 3.
    Utf8,
    /// Only `[a-zA-Z_][a-zA-Z0-9_]*`, colons in metric names too.
    Legacy,
}

/// Whose rule files: each accepts the fields of Prometheus and some of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// Prometheus.
    Prometheus,
    /// Thanos Rule.
    Thanos,
    /// Mimir and Cortex, with what their command line tools add.
    Mimir,
    /// VictoriaMetrics' vmalert, where a file may also hold several documents.
    VictoriaMetrics,
}

/// What the caller knows of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// It is a rule file: whatever else it holds is an error, as it is for a server.
    RuleFile,
    /// It may be a rule file, `PrometheusRule` objects, or something that is no concern of ours.
    Any,
}

/// How to read rule files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Which language features expressions may use.
    pub promql: ParseOptions,
    /// Which names are allowed.
    pub names: NameValidation,
    /// Whose fields are known.
    pub dialect: Dialect,
    /// What to do with other fields.
    pub unknown_fields: UnknownFields,
    /// What the text is.
    pub input: Input,
}

impl Options {
    /// As a Prometheus 3 server without feature flags, for text that may be anything.
    pub const PROMETHEUS: Options = Options {
        promql: ParseOptions::STABLE,
        names: NameValidation::Utf8,
        dialect: Dialect::Prometheus,
        unknown_fields: UnknownFields::Refuse,
        input: Input::Any,
    };
}

/// Names of fields.
pub(crate) type FieldNames = &'static [&'static str];

/// Fields that every dialect knows.
pub(crate) const FILE_FIELDS: FieldNames = &["groups"];
/// See [`FILE_FIELDS`].
pub(crate) const GROUP_FIELDS: FieldNames = &["name", "interval", "query_offset", "limit", "labels", "rules"];
/// See [`FILE_FIELDS`].
pub(crate) const RULE_FIELDS: FieldNames =
    &["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

/// What a dialect adds. The values of these fields are not read.
pub(crate) struct ExtraFields {
    pub(crate) file: FieldNames,
    pub(crate) group: FieldNames,
    pub(crate) rule: FieldNames,
}

impl Dialect {
    pub(crate) fn extra_fields(self) -> ExtraFields {
        match self {
            Dialect::Prometheus => ExtraFields { file: &[], group: &[], rule: &[] },
            Dialect::Thanos => ExtraFields { file: &[], group: &["partial_response_strategy"], rule: &[] },
            Dialect::Mimir => ExtraFields {
                file: &["namespace"],
                group: &[
                    "source_tenants",
                    "evaluation_delay",
                    "align_evaluation_time_on_interval",
                    "alert_limit",
                    "remote_write",
                ],
                rule: &[],
            },
            Dialect::VictoriaMetrics => ExtraFields {
                file: &[],
                group: &[
                    "type",
                    "tenant",
                    "eval_offset",
                    "eval_delay",
                    "eval_alignment",
                    "concurrency",
                    "params",
                    "headers",
                    "notifier_headers",
                    "debug",
                ],
                rule: &["debug", "update_entries_limit"],
            },
        }
    }

    /// Whether only the first document of a file is read.
    pub(crate) fn reads_first_document_only(self) -> bool {
        self != Dialect::VictoriaMetrics
    }
}
