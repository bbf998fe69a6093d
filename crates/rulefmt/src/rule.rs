//! What a rule is: an alert or a record.

use narthex_diag::{Span, Spanned};
use narthex_model::PromDuration;
use narthex_template::Template;

use crate::file::FieldSpan;
use crate::query::QueryText;
use crate::text::Text;

/// A label or an annotation.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The key.
    pub name: Text,
    /// The value as written.
    pub value: Text,
    /// The value as a template, where a server expands it and it holds an action. Spans count in the value.
    pub template: Option<Template>,
}

/// A rule that raises alerts.
#[derive(Clone, Debug)]
pub struct AlertingRule {
    /// The name of the alerts.
    pub alert: Text,
    /// Each series it gives is an alert.
    pub expr: QueryText,
    /// How long it must hold before alerts fire (`for`).
    pub hold_for: Option<Spanned<PromDuration>>,
    /// How long alerts keep firing after it stopped to hold.
    pub keep_firing_for: Option<Spanned<PromDuration>>,
    /// Labels set on the alerts.
    pub labels: Vec<Entry>,
    /// What is told about the alerts.
    pub annotations: Vec<Entry>,
    /// From the first key to the end of the last value.
    pub span: Span,
    /// The fields that are set.
    pub fields: Vec<FieldSpan>,
}

/// A rule that writes series.
#[derive(Clone, Debug)]
pub struct RecordingRule {
    /// The name of the series.
    pub record: Text,
    /// What is written.
    pub expr: QueryText,
    /// Labels set on the series.
    pub labels: Vec<Entry>,
    /// From the first key to the end of the last value.
    pub span: Span,
    /// The fields that are set.
    pub fields: Vec<FieldSpan>,
}

/// A rule.
#[derive(Clone, Debug)]
pub enum Rule {
    /// With `alert`.
    Alerting(AlertingRule),
    /// With `record`.
    Recording(RecordingRule),
}

impl Rule {
    /// The value of `alert` or `record`.
    pub fn name(&self) -> &Text {
        match self {
            Rule::Alerting(rule) => &rule.alert,
            Rule::Recording(rule) => &rule.record,
        }
    }

    /// The expression.
    pub fn expr(&self) -> &QueryText {
        match self {
            Rule::Alerting(rule) => &rule.expr,
            Rule::Recording(rule) => &rule.expr,
        }
    }

    /// The rule's own labels.
    pub fn labels(&self) -> &[Entry] {
        match self {
            Rule::Alerting(rule) => &rule.labels,
            Rule::Recording(rule) => &rule.labels,
        }
    }

    /// The annotations; a recording rule has none.
    pub fn annotations(&self) -> &[Entry] {
        match self {
            Rule::Alerting(rule) => &rule.annotations,
            Rule::Recording(_) => &[],
        }
    }

    /// From the first key to the end of the last value.
    pub fn span(&self) -> Span {
        match self {
            Rule::Alerting(rule) => rule.span,
            Rule::Recording(rule) => rule.span,
        }
    }

    /// Where a field stands, when it is set.
    pub fn field(&self, name: &str) -> Option<FieldSpan> {
        let fields = match self {
            Rule::Alerting(rule) => &rule.fields,
            Rule::Recording(rule) => &rule.fields,
        };
        fields.iter().copied().find(|field| field.name == name)
    }

    /// What diagnostics call it: `alert HighErrorRate (group api)`.
    pub fn subject(&self, group: &str) -> String {
        match self {
            Rule::Alerting(rule) => format!("alert {} (group {group})", rule.alert.value),
            Rule::Recording(rule) => format!("record {} (group {group})", rule.record.value),
        }
    }
}
