//! What a server refuses about groups and rules that can be read: the checks of Prometheus 3.14, with their texts.

use narthex_diag::{Code, Diagnostic, Span, Spanned};
use narthex_model::PromDuration;
use narthex_model::labels::{METRIC_NAME, is_legacy_label_name, is_legacy_metric_name, quote};
use narthex_yaml::Decoder;

use crate::file::{FieldSpan, RuleGroup};
use crate::options::{NameValidation, Options};
use crate::query::QueryText;
use crate::rule::{AlertingRule, Entry, RecordingRule, Rule};
use crate::text::Text;
use crate::{BAD_SHAPE, DUPLICATE, INVALID_NAME};

/// A rule as written: any fields may be set. Empty strings count as not set.
pub(crate) struct Draft {
    pub(crate) record: Option<Text>,
    pub(crate) alert: Option<Text>,
    pub(crate) expr: Option<QueryText>,
    pub(crate) hold_for: Option<Spanned<PromDuration>>,
    pub(crate) keep_firing_for: Option<Spanned<PromDuration>>,
    pub(crate) labels: Vec<Entry>,
    pub(crate) annotations: Vec<Entry>,
    pub(crate) span: Span,
    pub(crate) site: Option<Span>,
    pub(crate) fields: Vec<FieldSpan>,
    /// Fields that are set to what cannot be read; that has been said.
    pub(crate) misread: Vec<&'static str>,
}

impl Draft {
    /// The rule, when it has one name and an expression.
    pub(crate) fn finish(self) -> Option<Rule> {
        let Draft { record, alert, labels, annotations, span, fields, .. } = self;
        let expr = self.expr?;
        match (alert, record) {
            (Some(alert), None) => Some(Rule::Alerting(AlertingRule {
                alert,
                expr,
                hold_for: self.hold_for,
                keep_firing_for: self.keep_firing_for,
                labels,
                annotations,
                span,
                fields,
            })),
            (None, Some(record)) => {
                Some(Rule::Recording(RecordingRule { record, expr, labels, span, fields }))
            }
            _ => None,
        }
    }

    fn field(&self, name: &str) -> Option<FieldSpan> {
        self.fields.iter().copied().find(|field| field.name == name)
    }

    /// Where to say that something is missing: at the empty field if it is there, else at what the rule starts with.
    fn place_of_missing(&self, name: &str) -> Span {
        let first = self.fields.first().map(|field| field.key);
        self.field(name)
            .map(|field| field.key)
            .or(first)
            .unwrap_or(Span { end: self.span.start, ..self.span })
    }

    fn error(&self, code: Code, message: impl Into<String>, span: Span) -> Diagnostic {
        let error = Diagnostic::error(code, message, span);
        match self.site {
            Some(site) => error.with_secondary(site, "used here"),
            None => error,
        }
    }
}

/// A group needs a name that no group before it in the file has.
pub(crate) fn check_group_name(group: &RuleGroup, before: &[RuleGroup], decoder: &mut Decoder) {
    let name = &group.name;
    if name.value.is_empty() {
        let place = group.field("name").map_or(Span::empty_at(group.span.start as usize), |field| field.key);
        decoder.push(Diagnostic::error(BAD_SHAPE, "groupname must not be empty", place));
    } else if let Some(first) = before.iter().find(|other| other.name.value == name.value) {
        let message = format!("groupname: {} is repeated in the same file", quoted(&name.value));
        let error = Diagnostic::error(DUPLICATE, message, name.span()).with_label("used again here");
        decoder.push(error.with_secondary(first.name.span(), "first used here"));
    }
}

/// The labels of a group need valid names; nobody looks at their templates.
pub(crate) fn check_group_labels(group: &RuleGroup, options: &Options, decoder: &mut Decoder) {
    check_label_names(&group.labels, options, decoder);
}

/// Everything a server checks of a rule. Templates are kept in the draft once parsed.
pub(crate) fn check_rule(draft: &mut Draft, file: &str, options: &Options, decoder: &mut Decoder) {
    check_shape(draft, decoder);
    for diagnostic in draft.expr.iter().flat_map(QueryText::diagnostics_in_file) {
        decoder.push(diagnostic);
    }
    if let Some(record) = draft.record.as_ref() {
        check_record_fields(draft, decoder);
        check_record_name(record, options, decoder);
    }
    check_label_names(&draft.labels, options, decoder);
    for entry in
        draft.annotations.iter().filter(|entry| !is_valid_label_name(&entry.name.value, options.names))
    {
        decoder.push(name_error(format!("invalid annotation name: {}", entry.name.value), &entry.name));
    }
    if draft.alert.is_some() {
        for entry in draft.labels.iter_mut().chain(&mut draft.annotations) {
            parse_template(entry, file, decoder);
        }
    }
}

fn check_shape(draft: &Draft, decoder: &mut Decoder) {
    let misread = |name| draft.misread.contains(&name);
    match (&draft.record, &draft.alert) {
        (Some(record), Some(alert)) => {
            let error = draft.error(BAD_SHAPE, "only one of 'record' and 'alert' must be set", alert.span());
            decoder.push(error.with_label("an alert").with_secondary(record.span(), "and a record"));
        }
        (None, None) if !misread("record") && !misread("alert") => {
            let place = draft.field("alert").or(draft.field("record")).map(|field| field.key);
            let place = place.unwrap_or_else(|| draft.place_of_missing("alert"));
            decoder.push(draft.error(BAD_SHAPE, "one of 'record' or 'alert' must be set", place));
        }
        _ => {}
    }
    if draft.expr.is_none() && !misread("expr") {
        let place = draft.place_of_missing("expr");
        decoder.push(draft.error(BAD_SHAPE, "field 'expr' must be set in rule", place));
    }
}

fn check_record_fields(draft: &Draft, decoder: &mut Decoder) {
    let is_set = |duration: &Option<Spanned<PromDuration>>| {
        duration.as_ref().is_some_and(|duration| duration.value != PromDuration::ZERO)
    };
    let fields = [
        ("annotations", !draft.annotations.is_empty()),
        ("for", is_set(&draft.hold_for)),
        ("keep_firing_for", is_set(&draft.keep_firing_for)),
    ];
    for (name, _) in fields.into_iter().filter(|&(_, is_set)| is_set) {
        let place = draft.field(name).map_or(draft.span, |field| field.key);
        let message = format!("invalid field '{name}' in recording rule");
        decoder.push(draft.error(BAD_SHAPE, message, place).with_label("only alerting rules have this"));
    }
}

fn check_record_name(record: &Text, options: &Options, decoder: &mut Decoder) {
    let is_valid = match options.names {
        NameValidation::Utf8 => !record.value.is_empty(),
        NameValidation::Legacy => is_legacy_metric_name(&record.value),
    };
    if !is_valid {
        decoder.push(name_error(format!("invalid recording rule name: {}", record.value), record));
    }
    if record.value.contains(['{', '}']) {
        let message =
            format!("braces present in the recording rule name; should it be in expr?: {}", record.value);
        decoder.push(name_error(message, record));
    }
}

fn check_label_names(labels: &[Entry], options: &Options, decoder: &mut Decoder) {
    for Entry { name, .. } in labels {
        if name.value == METRIC_NAME || !is_valid_label_name(&name.value, options.names) {
            decoder.push(name_error(format!("invalid label name: {}", name.value), name));
        }
    }
}

fn is_valid_label_name(name: &str, names: NameValidation) -> bool {
    match names {
        NameValidation::Utf8 => !name.is_empty(),
        NameValidation::Legacy => is_legacy_label_name(name),
    }
}

fn name_error(message: String, name: &Text) -> Diagnostic {
    let error = Diagnostic::error(INVALID_NAME, message, name.span());
    match name.site {
        Some(site) => error.with_secondary(site, "used here"),
        None => error,
    }
}

/// Text without actions is its own expansion and is not parsed.
fn parse_template(entry: &mut Entry, file: &str, decoder: &mut Decoder) {
    let text = &entry.value;
    if !text.value.contains("{{") {
        return;
    }
    let parse = narthex_template::parse(&text.value);
    if !parse.diagnostics.is_empty() {
        let map = text.span_map(file);
        for diagnostic in parse.diagnostics {
            decoder.push(text.in_file(diagnostic, &map));
        }
    }
    entry.template = Some(parse.template);
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(&mut out, text.as_bytes());
    out
}
