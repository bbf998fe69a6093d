//! What a rule file holds: groups in their order.

use narthex_diag::{Span, Spanned};
use narthex_model::PromDuration;

use crate::rule::{Entry, Rule};
use crate::text::Text;

/// All groups of a file; of `PrometheusRule` objects, those of every object.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// The groups in the order of the text, those with errors included.
    pub groups: Vec<RuleGroup>,
    /// Documents after the first, which a server never reads.
    pub ignored_documents: Vec<Span>,
}

impl RuleFile {
    /// Every rule with its group.
    pub fn rules(&self) -> impl Iterator<Item = (&RuleGroup, &Rule)> {
        self.groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
    }
}

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldSpan {
    /// Its name.
    pub name: &'static str,
    /// The key.
    pub key: Span,
    /// The value: where it is written, or the alias that stands for it.
    pub value: Span,
}

/// Rules evaluated one after the other at the same interval.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// Its name; empty when it has none.
    pub name: Text,
    /// How often it is evaluated; the server's global interval when unset or zero.
    pub interval: Option<Spanned<PromDuration>>,
    /// How far back it is evaluated.
    pub query_offset: Option<Spanned<PromDuration>>,
    /// Series or alerts a rule may give; zero and negative are no limit.
    pub limit: Option<Spanned<i64>>,
    /// Labels added to every rule's own.
    pub labels: Vec<Entry>,
    /// The rules in order. One that has not exactly one name, or no expression, is missing here.
    pub rules: Vec<Rule>,
    /// From the first key to the end of the last value.
    pub span: Span,
    /// The fields that are set.
    pub fields: Vec<FieldSpan>,
    /// Which `PrometheusRule` object of the text the group is of; 0 in a plain rule file.
    pub object: usize,
}

impl RuleGroup {
    /// Where a field stands, when it is set.
    pub fn field(&self, name: &str) -> Option<FieldSpan> {
        self.fields.iter().copied().find(|field| field.name == name)
    }
}
