//! From text to groups and rules, with every error of the file.

use narthex_diag::{Applicability, Diagnostic, Diagnostics, Edit, Severity, Span, Spanned, Suggestion};
use narthex_model::PromDuration;
use narthex_yaml::{DecodeOptions, Decoder, Fields, FromYaml, ImplicitValue, Node, Parsed};

use crate::file::{FieldSpan, RuleFile, RuleGroup};
use crate::kind::{FileKind, Found, find};
use crate::options::{FILE_FIELDS, GROUP_FIELDS, Options, RULE_FIELDS};
use crate::query::QueryText;
use crate::rule::{Entry, Rule};
use crate::templated::templated;
use crate::text::Text;
use crate::validate::{Draft, check_group_labels, check_group_name, check_rule};
use crate::{BAD_SHAPE, INVALID_DURATION_OR_LIMIT};

/// A rule file as far as it could be read, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct RuleFileParse {
    /// The groups and rules.
    pub file: RuleFile,
    /// Errors are what a server refuses the file for; in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// What the text is.
    pub kind: FileKind,
    /// The comments of the YAML, each from its `#` to the end of its line.
    pub comments: Vec<Span>,
}

impl RuleFileParse {
    /// Whether a server would not load the file.
    pub fn is_refused(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads a rule file, or the `PrometheusRule` objects of a manifest.
pub fn parse(text: &str, options: &Options) -> RuleFileParse {
    let parsed = narthex_yaml::parse(text);
    let mut reader = Reader::new(&parsed, options);
    let kind = reader.read(find(&parsed, options));
    if kind == FileKind::Rules && options.dialect.reads_first_document_only() {
        let ignored = parsed.documents.iter().skip(1).filter(|document| document.root().is_some());
        reader.file.ignored_documents = ignored.map(|document| document.span()).collect();
    }
    let comments = narthex_yaml::comments(&parsed);
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(syntax_errors(&parsed, kind, options));
    diagnostics.extend(reader.decoder.finish().into_iter().map(|found| with_quotes(found, text)));
    if diagnostics.has_errors()
        && let Some(skipped) = templated(&parsed, &diagnostics)
    {
        let file = RuleFile::default();
        return RuleFileParse { file, diagnostics: vec![skipped], kind: FileKind::Templated, comments };
    }
    RuleFileParse { file: reader.file, diagnostics: diagnostics.into_sorted(), kind, comments }
}

/// The errors of the YAML. In documents that a server never reads they are only warnings.
fn syntax_errors(parsed: &Parsed<'_>, kind: FileKind, options: &Options) -> Vec<Diagnostic> {
    let mut errors = parsed.diagnostics.clone();
    let first_is_whole = parsed.documents.first().is_some_and(|document| document.truncated_at().is_none());
    if kind == FileKind::Rules && first_is_whole && options.dialect.reads_first_document_only() {
        for error in &mut errors {
            error.severity = Severity::Warning;
            error.notes.push("only the first document of the file is loaded, and it is whole".to_owned());
        }
    }
    errors
}

/// `key: {{ $value }}` is a mapping to YAML: with quotes it is what was meant.
fn with_quotes(found: Diagnostic, text: &str) -> Diagnostic {
    let value = found.span().slice(text);
    if found.code != BAD_SHAPE || !value.starts_with("{{") || value.contains('\'') {
        return found;
    }
    let edits = vec![Edit { span: found.span(), replacement: format!("'{value}'") }];
    let message = "put the value in quotes: an unquoted `{` starts a mapping".to_owned();
    found.with_suggestion(Suggestion { message, edits, applicability: Applicability::Unsafe })
}

const DURATION_ADVICE: &str = "durations are written like `5m` or `1h30m`";

/// Reads nodes into a file.
struct Reader<'a> {
    text: &'a str,
    options: &'a Options,
    decoder: Decoder,
    file: RuleFile,
    file_fields: Vec<&'static str>,
    group_fields: Vec<&'static str>,
    rule_fields: Vec<&'static str>,
    /// Whether a syntax error ended a document early.
    is_truncated: bool,
}

impl<'a> Reader<'a> {
    fn new(parsed: &Parsed<'a>, options: &'a Options) -> Reader<'a> {
        let extra = options.dialect.extra_fields();
        Reader {
            text: parsed.text,
            options,
            decoder: Decoder::new(DecodeOptions { unknown_fields: options.unknown_fields }),
            file: RuleFile::default(),
            file_fields: [FILE_FIELDS, extra.file].concat(),
            group_fields: [GROUP_FIELDS, extra.group].concat(),
            rule_fields: [RULE_FIELDS, extra.rule].concat(),
            is_truncated: !parsed.diagnostics.is_empty(),
        }
    }

    fn read(&mut self, found: Found<'_>) -> FileKind {
        match found {
            Found::Nothing if self.is_truncated => FileKind::Unreadable,
            Found::Nothing => FileKind::Rules,
            Found::NotRules(_) if self.is_truncated => FileKind::Unreadable,
            Found::NotRules(reason) => FileKind::NotRules(reason),
            Found::RuleFile(roots) => {
                for root in roots {
                    self.read_root(root, "rule file", 0);
                }
                FileKind::Rules
            }
            Found::Resources(specs) => {
                self.group_fields.push("partial_response_strategy");
                for (object, spec) in specs.into_iter().enumerate() {
                    self.read_root(spec, "PrometheusRule spec", object);
                }
                FileKind::Resources
            }
        }
    }

    fn read_root(&mut self, root: Node<'_>, what: &str, object: usize) {
        let Some(fields) = self.decoder.mapping(root, what, &self.file_fields) else { return };
        let Some(groups) = fields.get("groups") else { return };
        let Some(groups) = self.sequence(groups.value, "groups") else { return };
        let first_of_object = self.file.groups.len();
        self.decoder.enter_key("groups");
        for (index, node) in groups.into_iter().enumerate() {
            self.decoder.enter_index(index);
            self.read_group(node, index, object, first_of_object);
            self.decoder.leave();
        }
        self.decoder.leave();
    }

    fn read_group(&mut self, node: Node<'_>, index: usize, object: usize, first_of_object: usize) {
        let name = node.get("name");
        let peeked =
            name.and_then(Node::as_scalar).map(|name| name.text.as_ref()).filter(|name| !name.is_empty());
        let subject = peeked.map_or_else(|| format!("group {}", index + 1), |name| format!("group {name}"));
        let outer = self.decoder.set_subject(Some(subject));
        if let Some(fields) = self.decoder.mapping(node, "rule group", &self.group_fields) {
            let group = self.group(node, &fields, object);
            let is_unread = node.is_truncated() || name.is_some_and(|name| name.as_scalar().is_none());
            if !group.name.value.is_empty() || !is_unread {
                check_group_name(&group, &self.file.groups[first_of_object..], &mut self.decoder);
            }
            check_group_labels(&group, self.options, &mut self.decoder);
            self.file.groups.push(group);
        }
        self.decoder.set_subject(outer);
    }

    fn group(&mut self, node: Node<'_>, fields: &Fields<'_>, object: usize) -> RuleGroup {
        let name = self.text(fields, "name").unwrap_or_else(|| Text::empty_at(node.span().start));
        let mut group = RuleGroup {
            interval: self.duration(fields, "interval"),
            query_offset: self.duration(fields, "query_offset"),
            limit: self.limit(fields),
            labels: self.entries(fields, "labels", "labels"),
            rules: Vec::new(),
            span: node.span(),
            fields: field_spans(fields, &self.group_fields),
            object,
            name,
        };
        let rules = fields.get("rules").map(|field| field.value);
        let rules = rules.and_then(|rules| self.sequence(rules, "rules"));
        self.decoder.enter_key("rules");
        for (index, rule) in rules.unwrap_or_default().into_iter().enumerate() {
            if !rule.is_truncated() {
                self.decoder.enter_index(index);
                group.rules.extend(self.rule(rule, index, &group.name.value));
                self.decoder.leave();
            }
        }
        self.decoder.leave();
        group
    }

    fn rule(&mut self, node: Node<'_>, index: usize, group: &str) -> Option<Rule> {
        let outer = self.decoder.set_subject(Some(subject(node, index, group)));
        let fields = self.decoder.mapping(node, "rule", &self.rule_fields);
        let rule = fields.and_then(|fields| {
            let mut draft = self.draft(node, &fields);
            check_rule(&mut draft, self.text, self.options, &mut self.decoder);
            draft.finish()
        });
        self.decoder.set_subject(outer);
        rule
    }

    fn draft(&mut self, node: Node<'_>, fields: &Fields<'_>) -> Draft {
        let expr = self.text(fields, "expr").filter(|expr| !expr.value.is_empty());
        let is_misread =
            |name: &&str| fields.get(name).is_some_and(|field| field.value.as_scalar().is_none());
        Draft {
            record: self.text(fields, "record").filter(|name| !name.value.is_empty()),
            alert: self.text(fields, "alert").filter(|name| !name.value.is_empty()),
            expr: expr.map(|text| QueryText::new(text, self.text, &self.options.promql)),
            hold_for: self.duration(fields, "for"),
            keep_firing_for: self.duration(fields, "keep_firing_for"),
            labels: self.entries(fields, "labels", "labels"),
            annotations: self.entries(fields, "annotations", "annotations"),
            span: node.span(),
            site: node.site(),
            fields: field_spans(fields, &self.rule_fields),
            misread: ["record", "alert", "expr"].into_iter().filter(is_misread).collect(),
        }
    }

    fn sequence<'d>(&mut self, node: Node<'d>, name: &str) -> Option<Vec<Node<'d>>> {
        let expected = format!("a sequence of {name}");
        self.decoder.at_key(name, |decoder| decoder.sequence(node, &expected))
    }

    fn text(&mut self, fields: &Fields<'_>, name: &str) -> Option<Text> {
        let field = fields.get(name)?;
        self.decoder.at_key(name, |decoder| Text::from_yaml(field.value, decoder))
    }

    fn duration(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<PromDuration>> {
        read_duration(&mut self.decoder, fields, name)
    }

    fn limit(&mut self, fields: &Fields<'_>) -> Option<Spanned<i64>> {
        let field = fields.get("limit").filter(|field| !field.value.is_null())?;
        let number = field.value.as_scalar().map(|scalar| scalar.implicit_value());
        if let Some(ImplicitValue::Int(_) | ImplicitValue::Float(_)) = number {
            return self.decoder.field(fields, "limit");
        }
        let found = field.value.kind().describe();
        let message = format!("invalid 'limit': expected an integer, found {found}");
        refuse_value(&mut self.decoder, message, field.value, "0 is no limit");
        None
    }

    fn entries(&mut self, fields: &Fields<'_>, name: &str, what: &str) -> Vec<Entry> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        self.decoder.at_key(name, |decoder| {
            let Some(fields) = decoder.open_mapping(field.value, what) else { return Vec::new() };
            fields.iter().filter_map(|field| entry(field, decoder)).collect()
        })
    }
}

/// A duration; `None` when it is not set or wrong.
pub(crate) fn read_duration(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    name: &str,
) -> Option<Spanned<PromDuration>> {
    let field = fields.get(name).filter(|field| !field.value.is_null())?;
    let Some(scalar) = field.value.as_scalar() else {
        let found = field.value.kind().describe();
        let message = format!("invalid '{name}': expected a duration, found {found}");
        refuse_value(decoder, message, field.value, DURATION_ADVICE);
        return None;
    };
    match PromDuration::parse(&scalar.text) {
        Ok(duration) => Some(Spanned::new(duration, scalar.source.span)),
        Err(error) => {
            let message = format!("invalid '{name}': {error}");
            refuse_value(decoder, message, field.value, DURATION_ADVICE);
            None
        }
    }
}

fn refuse_value(decoder: &mut Decoder, message: String, value: Node<'_>, advice: &'static str) {
    let error = Diagnostic::error(INVALID_DURATION_OR_LIMIT, message, value.span()).with_help(advice);
    decoder.push(match value.site() {
        Some(site) => error.with_secondary(site, "used here"),
        None => error,
    });
}

fn entry(field: &narthex_yaml::Field<'_>, decoder: &mut Decoder) -> Option<Entry> {
    let value = decoder.at_key(field.name(), |decoder| Text::from_yaml(field.value, decoder))?;
    Some(Entry { name: Text::of(field.key, field.value.site()), value, template: None })
}

/// What findings about a rule are said to concern.
fn subject(node: Node<'_>, index: usize, group: &str) -> String {
    let name = |key| node.get(key).and_then(Node::as_scalar).filter(|name| !name.is_null());
    match (name("alert"), name("record")) {
        (Some(alert), _) => format!("alert {} (group {group})", alert.text),
        (None, Some(record)) => format!("record {} (group {group})", record.text),
        (None, None) => format!("rule {} (group {group})", index + 1),
    }
}

fn field_spans(fields: &Fields<'_>, known: &[&'static str]) -> Vec<FieldSpan> {
    let span = |field: &narthex_yaml::Field<'_>| {
        let name = known.iter().copied().find(|name| *name == field.name())?;
        let key = field.key.source.span;
        let written = field.value.span();
        let value = field.value.site().filter(|site| site.start >= key.end).unwrap_or(written);
        Some(FieldSpan { name, key, value })
    };
    fields.iter().filter_map(span).collect()
}
