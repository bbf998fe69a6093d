//! From trees to typed values, every error noted and none final.
//!
//! The rules are those of Go's YAML library with known fields only, which is what Prometheus decodes its files with:
//! a string takes any scalar as it is written (`1.50`, `yes`, `0x1F`), nothing leaves a value at its default, a key set
//! twice or not known is an error, and merge keys (`<<`) bring in the fields that are not set beside them.

mod fields;
mod values;

use std::fmt::Write;

use narthex_diag::{Applicability, Diagnostic, Edit, Span, Suggestion};

use crate::keys::KeySet;
use crate::limits::NESTING_MAX;
use crate::node::{Kind, Node};
use crate::scalar::Scalar;
use crate::{DUPLICATE_KEY, UNKNOWN_FIELD, WRONG_KIND};
use fields::Found;

pub use fields::{Field, Fields};

/// What to do with a key its type does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnknownFields {
    /// It is an error.
    Refuse,
    /// It is left out silently.
    Ignore,
}

/// How to decode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeOptions {
    /// What to do with a key its type does not know.
    pub unknown_fields: UnknownFields,
}

/// A type that can be read from a node.
pub trait FromYaml: Sized {
    /// Reads a value. When the node is of the wrong kind, that is noted in the decoder and there is no value; parts of
    /// the wrong kind are noted and left at their defaults.
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<Self>;
}

/// One step of the path to the value being decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Segment {
    Key(String),
    Index(usize),
}

/// Collects what is wrong while values are read.
#[derive(Debug)]
pub struct Decoder {
    options: DecodeOptions,
    diagnostics: Vec<Diagnostic>,
    path: Vec<Segment>,
    subject: Option<String>,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(options: DecodeOptions) -> Decoder {
        Decoder { options, diagnostics: Vec::new(), path: Vec::new(), subject: None }
    }

    /// What was found wrong, in the order it was found.
    pub fn finish(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// Notes a finding; it gets the current subject unless it has one.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        if diagnostic.subject.is_none() {
            diagnostic.subject.clone_from(&self.subject);
        }
        self.diagnostics.push(diagnostic);
    }

    /// What findings are about from here on. Gives back what they were about before.
    pub fn set_subject(&mut self, subject: Option<String>) -> Option<String> {
        std::mem::replace(&mut self.subject, subject)
    }

    /// The way to the current value, such as `groups[0].rules[3].labels`; empty at the top.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in &self.path {
            let separator = if path.is_empty() { "" } else { "." };
            let written = match segment {
                Segment::Key(key) => write!(path, "{separator}{key}"),
                Segment::Index(index) => write!(path, "[{index}]"),
            };
            written.expect("writing to a string cannot fail");
        }
        path
    }

    /// Adds a key to the path, until [`Decoder::leave`].
    pub fn enter_key(&mut self, key: &str) {
        self.path.push(Segment::Key(key.to_owned()));
    }

    /// Adds an index to the path, until [`Decoder::leave`].
    pub fn enter_index(&mut self, index: usize) {
        self.path.push(Segment::Index(index));
    }

    /// Takes the last step off the path.
    pub fn leave(&mut self) {
        self.path.pop();
    }

    /// Runs `read` with `key` added to the path.
    pub fn at_key<T>(&mut self, key: &str, read: impl FnOnce(&mut Decoder) -> T) -> T {
        self.enter_key(key);
        let value = read(self);
        self.leave();
        value
    }

    /// Runs `read` with an index added to the path.
    pub fn at_index<T>(&mut self, index: usize, read: impl FnOnce(&mut Decoder) -> T) -> T {
        self.enter_index(index);
        let value = read(self);
        self.leave();
        value
    }

    /// The value of a field, its key on the path while it is read; `None` when it is not set, null or wrong.
    pub fn field<T: FromYaml>(&mut self, fields: &Fields<'_>, name: &str) -> Option<T> {
        let field = fields.get(name).filter(|field| !field.value.is_null())?;
        self.at_key(name, |decoder| T::from_yaml(field.value, decoder))
    }

    /// Notes that a node is not what was `expected`, a noun with its article.
    pub fn wrong_kind(&mut self, node: Node<'_>, expected: &str) {
        let found = node.kind().describe();
        let path = self.path();
        let place = if path.is_empty() { String::new() } else { format!(" at {path}") };
        let message = format!("expected {expected}{place}, found {found}");
        let diagnostic = Diagnostic::error(WRONG_KIND, message, first_line_of(node));
        self.push(at_site(diagnostic.with_label(format!("this is {found}")), node));
    }

    /// The fields of a mapping whose keys are fixed. `what` names the type in messages, such as `rule`; null has no
    /// fields, `None` means that it is no mapping.
    pub fn mapping<'d>(&mut self, node: Node<'d>, what: &str, known: &[&'static str]) -> Option<Fields<'d>> {
        let mut fields = self.open_mapping(node, what)?;
        if self.options.unknown_fields == UnknownFields::Refuse {
            self.refuse_unknown(&fields, what, known);
        }
        fields.fields.retain(|field| known.contains(&field.name()));
        Some(fields)
    }

    /// The fields of a mapping with any keys.
    pub fn open_mapping<'d>(&mut self, node: Node<'d>, what: &str) -> Option<Fields<'d>> {
        if node.is_null() {
            return Some(Fields::default());
        }
        if node.as_mapping().is_none() {
            self.wrong_kind(node, &format!("a mapping ({what})"));
            return None;
        }
        let mut found = Found::default();
        self.collect(node, &mut found, 0);
        Some(found.fields)
    }

    /// The items of a sequence; none for null, `None` when it is no sequence.
    pub fn sequence<'d>(&mut self, node: Node<'d>, expected: &str) -> Option<Vec<Node<'d>>> {
        if node.is_null() {
            return Some(Vec::new());
        }
        let items = node.as_sequence();
        if items.is_none() {
            self.wrong_kind(node, expected);
        }
        items.map(Iterator::collect)
    }

    /// Adds the fields of a mapping that are not set yet, then those it merges.
    fn collect<'d>(&mut self, node: Node<'d>, found: &mut Found<'d>, depth: u32) {
        let mut here = KeySet::default();
        let mut merged = Vec::new();
        for (key_node, value) in node.as_mapping().into_iter().flatten() {
            let Some(key) = key_node.as_scalar() else {
                self.wrong_kind(key_node, "a string as key");
                continue;
            };
            if let Some(first) = here.insert(&key.text, key.source.span) {
                self.duplicate_key(key, first);
            } else if is_merge(key) {
                merged.push(value);
            } else if !key.is_null() {
                found.add(Field { key, value });
            }
        }
        for value in merged {
            self.merge(value, found, depth);
        }
    }

    fn merge<'d>(&mut self, value: Node<'d>, found: &mut Found<'d>, depth: u32) {
        if depth > NESTING_MAX {
            return;
        }
        match value.kind() {
            Kind::Mapping(_) => self.collect(value, found, depth + 1),
            Kind::Sequence(items) => {
                for item in items {
                    match item.kind() {
                        Kind::Mapping(_) => self.collect(item, found, depth + 1),
                        _ => self.wrong_kind(item, "a mapping to merge"),
                    }
                }
            }
            Kind::Scalar(_) => self.wrong_kind(value, "a mapping or a sequence of mappings to merge"),
        }
    }

    fn duplicate_key(&mut self, key: &Scalar<'_>, first: Span) {
        let message = format!("mapping key \"{}\" already defined", key.text);
        let diagnostic =
            Diagnostic::error(DUPLICATE_KEY, message, key.source.span).with_label("set again here");
        self.push(diagnostic.with_secondary(first, "first set here"));
    }

    fn refuse_unknown(&mut self, fields: &Fields<'_>, what: &str, known: &[&'static str]) {
        for field in fields.iter().filter(|field| !known.contains(&field.name())) {
            let message = format!("field {} not found in {what}", field.name());
            let diagnostic = Diagnostic::error(UNKNOWN_FIELD, message, field.key.source.span)
                .with_label(format!("a {what} has no such field"));
            let unset = known.iter().copied().filter(|name| fields.get(name).is_none());
            self.push(match narthex_diag::nearest(field.name(), unset) {
                Some(meant) => diagnostic.with_suggestion(rename(field.key, meant)),
                None => diagnostic.with_note(format!("known fields: {}", known.join(", "))),
            });
        }
    }
}

fn is_merge(key: &Scalar<'_>) -> bool {
    key.text == "<<" && (key.source.content == key.source.span || key.tag.is_some())
}

fn rename(key: &Scalar<'_>, meant: &str) -> Suggestion {
    Suggestion {
        message: format!("did you mean `{meant}`?"),
        edits: vec![Edit { span: key.source.content, replacement: meant.to_owned() }],
        applicability: Applicability::Unsafe,
    }
}

/// Marks of whole blocks help nobody: of a collection only its first key or item is marked.
fn first_line_of(node: Node<'_>) -> Span {
    let first = match node.kind() {
        Kind::Scalar(_) => None,
        Kind::Sequence(mut items) => items.next(),
        Kind::Mapping(mut entries) => entries.next().map(|(key, _)| key),
    };
    match first.filter(|first| first.as_scalar().is_some()) {
        Some(first) => Span { start: node.span().start.min(first.span().start), end: first.span().end },
        None => node.span(),
    }
}

fn at_site(diagnostic: Diagnostic, node: Node<'_>) -> Diagnostic {
    match node.site() {
        Some(site) => diagnostic.with_secondary(site, "used here"),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use narthex_diag::Spanned;

    #[derive(Debug, Default, PartialEq)]
    struct Job {
        name: Spanned<String>,
        limit: i64,
        ratio: f64,
        enabled: bool,
        tags: Vec<String>,
    }

    impl FromYaml for Job {
        fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<Job> {
            let fields = decoder.mapping(node, "job", &["name", "limit", "ratio", "enabled", "tags"])?;
            Some(Job {
                name: decoder.field(&fields, "name").unwrap_or_default(),
                limit: decoder.field(&fields, "limit").unwrap_or_default(),
                ratio: decoder.field(&fields, "ratio").unwrap_or_default(),
                enabled: decoder.field(&fields, "enabled").unwrap_or_default(),
                tags: decoder.field(&fields, "tags").unwrap_or_default(),
            })
        }
    }

    fn decode(text: &str) -> (Vec<Job>, Vec<Diagnostic>) {
        let parsed = parse(text);
        let mut decoder = Decoder::new(DecodeOptions { unknown_fields: UnknownFields::Refuse });
        let jobs = parsed.root().and_then(|root| Vec::from_yaml(root, &mut decoder)).unwrap_or_default();
        (jobs, [parsed.diagnostics, decoder.finish()].concat())
    }

    fn errors(text: &str) -> Vec<String> {
        let shown =
            |error: Diagnostic| format!("{} `{}` {}", error.code, error.span().slice(text), error.message);
        decode(text).1.into_iter().map(shown).collect()
    }

    #[test]
    fn values_by_go_rules() {
        let (jobs, errors) =
            decode("- {name: 1.50, limit: 0x10, ratio: 3, enabled: on, tags: [yes, ~, '']}\n- name: ~\n-\n");
        assert_eq!(errors, []);
        let tags = ["yes", "", ""].map(str::to_owned).to_vec();
        let name = Spanned::new("1.50".to_owned(), Span::new(9, 13));
        assert_eq!(
            jobs,
            [Job { name, limit: 16, ratio: 3.0, enabled: true, tags }, Job::default(), Job::default()]
        );
    }

    #[test]
    fn every_error_at_its_place() {
        let text = "- naem: x\n  limit: '5'\n  tags: {a: b}\n- limit: many\n  limit: 2\n- [x]\n- tags: [[]]\n  zzz: 1\n";
        assert_eq!(
            errors(text),
            [
                "YML002 `naem` field naem not found in job",
                "YML003 `'5'` expected an integer at [0].limit, found a string",
                "YML003 `{a` expected a sequence at [0].tags, found a mapping",
                "YML004 `limit` mapping key \"limit\" already defined",
                "YML003 `many` expected an integer at [1].limit, found a string",
                "YML003 `[x` expected a mapping (job) at [2], found a sequence",
                "YML002 `zzz` field zzz not found in job",
                "YML003 `[]` expected a string at [3].tags[0], found a sequence",
            ]
        );
        let suggestion = &decode(text).1[0].suggestions[0];
        assert_eq!(
            (suggestion.edits[0].span, suggestion.edits[0].replacement.as_str()),
            (Span::new(2, 6), "name")
        );
    }

    #[test]
    fn merge_keys_fill_what_is_not_set() {
        let text = "- &a {name: a, limit: 1}\n- &b {limit: 2, ratio: 2}\n- <<: *a\n  name: c\n- <<: [*b, *a]\n- <<: 1\n";
        let (jobs, errors) = decode(text);
        let seen: Vec<(&str, i64, f64)> =
            jobs.iter().map(|job| (job.name.value.as_str(), job.limit, job.ratio)).collect();
        assert_eq!(seen[2..], [("c", 1, 0.0), ("a", 2, 2.0), ("", 0, 0.0)]);
        assert_eq!(errors.len(), 1);
        assert_eq!(decode("- '<<': {name: x}").1[0].code, UNKNOWN_FIELD);
    }
}
