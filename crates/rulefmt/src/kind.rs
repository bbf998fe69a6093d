//! What a text turns out to be: rules, objects holding rules, or something else.

use narthex_diag::nearest;
use narthex_yaml::{Kind, Node, Parsed};

use crate::crd;
use crate::options::{Input, Options};

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A rule file; an empty one is one.
    Rules,
    /// Kubernetes objects of which at least one is a `PrometheusRule`.
    Resources,
    /// YAML of another kind; nothing was read.
    NotRules(NotRules),
    /// A template that makes YAML (Helm, Jinja): nothing was read, and one finding says so.
    Templated,
    /// Not YAML, and what could be read of it does not look like rules.
    Unreadable,
}

/// What YAML holds that is no rule file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotRules {
    /// Kubernetes objects of other kinds.
    Resources,
    /// Unit tests of rules.
    UnitTests,
    /// The configuration of a server.
    Configuration,
    /// Something else.
    Other,
}

impl NotRules {
    /// A noun for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            NotRules::Resources => "Kubernetes objects without rules",
            NotRules::UnitTests => "unit tests of rules",
            NotRules::Configuration => "a configuration file",
            NotRules::Other => "other YAML",
        }
    }
}

/// Where the rules are.
pub(crate) enum Found<'d> {
    /// Nowhere: there is no document.
    Nothing,
    /// Each node has a `groups` field.
    RuleFile(Vec<Node<'d>>),
    /// Each node is the `spec` of an object.
    Resources(Vec<Node<'d>>),
    NotRules(NotRules),
}

/// Looks for rules without reading them.
pub(crate) fn find<'d>(parsed: &'d Parsed<'_>, options: &Options) -> Found<'d> {
    let roots = || parsed.documents.iter().filter_map(|document| document.root());
    if options.input == Input::Any && roots().any(crd::is_object) {
        let specs: Vec<Node<'d>> = roots().flat_map(crd::rule_specs).collect();
        return match specs.is_empty() {
            true => Found::NotRules(NotRules::Resources),
            false => Found::Resources(specs),
        };
    }
    let roots: Vec<Node<'d>> = match options.dialect.reads_first_document_only() {
        true => parsed.root().into_iter().collect(),
        false => roots().collect(),
    };
    match roots.first() {
        None => Found::Nothing,
        Some(&root) if options.input == Input::RuleFile || looks_like_rules(root) => Found::RuleFile(roots),
        Some(&root) => Found::NotRules(other_kind(root)),
    }
}

/// Whether a document is meant as a rule file: nothing at all, or `groups` (or a slip of it) with what may be groups.
fn looks_like_rules(root: Node<'_>) -> bool {
    if root.is_null() {
        return true;
    }
    let Some(mut entries) = root.as_mapping() else { return false };
    entries.any(|(key, value)| {
        let name = key.as_scalar().map_or("", |key| key.text.as_ref());
        nearest(name, ["groups"]).is_some() && may_be_groups(value)
    })
}

fn may_be_groups(value: Node<'_>) -> bool {
    match value.kind() {
        Kind::Scalar(scalar) => scalar.is_null(),
        Kind::Mapping(_) => false,
        Kind::Sequence(mut items) => items.len() == 0 || items.any(|item| item.as_mapping().is_some()),
    }
}

fn other_kind(root: Node<'_>) -> NotRules {
    let has_any = |names: &[&str]| names.iter().any(|name| root.get(name).is_some());
    if has_any(&["tests", "rule_files"]) && !has_any(&["scrape_configs", "global"]) {
        NotRules::UnitTests
    } else if has_any(&["scrape_configs", "global", "alerting", "route", "receivers"]) {
        NotRules::Configuration
    } else {
        NotRules::Other
    }
}
