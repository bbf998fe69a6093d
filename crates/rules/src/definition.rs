//! What a group evaluates: rules ready to run, shared by whoever runs them.

use narthex_model::Labels;
use narthex_promql::Expr;
use narthex_rulefmt::{Entry, Rule, RuleGroup};
use narthex_template::Template;

/// A group of a rule file. Holds no state: any number of [`crate::Group`]s may run it.
#[derive(Clone, Debug)]
pub struct GroupDefinition {
    /// Its name.
    pub name: String,
    /// How often it is to be evaluated, in milliseconds; `None` is whatever the server's default is.
    pub interval_ms: Option<i64>,
    /// How far back its queries are evaluated and its samples are written, in milliseconds.
    pub query_offset_ms: i64,
    /// Most series or alerts a rule may give; `None` is no limit.
    pub limit: Option<usize>,
    /// The rules in their order.
    pub rules: Vec<RuleDefinition>,
}

/// A rule, the labels of its group merged in.
#[derive(Clone, Debug)]
pub struct RuleDefinition {
    /// The value of `alert` or `record`.
    pub name: String,
    /// The query.
    pub expr: Expr,
    /// Alert or record.
    pub kind: RuleKind,
    /// Labels by name, those of the rule before those of the group.
    pub(crate) labels: Vec<(String, LabelText)>,
    /// The same as written, templates not expanded and empty values left out.
    pub(crate) raw_labels: Labels,
}

/// What a rule makes of its result.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// Alerts.
    Alerting {
        /// How long a series must be in the result before its alert fires, in milliseconds.
        hold_for_ms: i64,
        /// How long an alert keeps firing after its series has left the result, in milliseconds.
        keep_firing_for_ms: i64,
        /// Annotations by name.
        annotations: Vec<(String, LabelText)>,
    },
    /// Series.
    Recording,
}

/// The text of a label or annotation.
#[derive(Clone, Debug)]
pub enum LabelText {
    /// Without actions.
    Plain(String),
    /// To be expanded for each series.
    Template(Template),
    /// A template that does not parse, as labels of groups may be; the text is the line and the parser's complaint.
    Broken(String),
}

impl GroupDefinition {
    /// From a group of a file that a server would load. What a server would refuse is taken as far as it could be read.
    pub fn new(group: &RuleGroup) -> GroupDefinition {
        let limit = group.limit.as_ref().and_then(|limit| usize::try_from(limit.value).ok());
        GroupDefinition {
            name: group.name.value.clone(),
            interval_ms: group.interval.as_ref().map(|interval| interval.value.ms).filter(|&ms| ms > 0),
            query_offset_ms: group.query_offset.as_ref().map_or(0, |offset| offset.value.ms),
            limit: limit.filter(|&limit| limit > 0),
            rules: group.rules.iter().map(|rule| RuleDefinition::new(rule, &group.labels)).collect(),
        }
    }
}

impl RuleDefinition {
    fn new(rule: &Rule, group_labels: &[Entry]) -> RuleDefinition {
        let kind = match rule {
            Rule::Alerting(rule) => RuleKind::Alerting {
                hold_for_ms: rule.hold_for.as_ref().map_or(0, |duration| duration.value.ms),
                keep_firing_for_ms: rule.keep_firing_for.as_ref().map_or(0, |duration| duration.value.ms),
                annotations: texts(rule.annotations.iter()),
            },
            Rule::Recording(_) => RuleKind::Recording,
        };
        let is_own = |entry: &Entry| rule.labels().iter().any(|own| own.name.value == entry.name.value);
        let inherited = group_labels.iter().filter(|entry| !is_own(entry));
        let merged: Vec<&Entry> = rule.labels().iter().chain(inherited).collect();
        let written = merged.iter().map(|entry| (entry.name.value.as_str(), entry.value.value.as_str()));
        let raw_labels = Labels::from_pairs(written);
        let labels = match kind {
            RuleKind::Alerting { .. } => texts(merged.into_iter()),
            RuleKind::Recording => merged.into_iter().map(plain).collect(),
        };
        RuleDefinition {
            name: rule.name().value.clone(),
            expr: rule.expr().parse.expr.clone(),
            kind,
            labels,
            raw_labels,
        }
    }

    /// Whether it is an alert.
    pub fn is_alerting(&self) -> bool {
        matches!(self.kind, RuleKind::Alerting { .. })
    }

    /// The labels of group and rule as written: templates are not expanded, empty values left out.
    pub fn labels(&self) -> &Labels {
        &self.raw_labels
    }
}

fn plain(entry: &Entry) -> (String, LabelText) {
    (entry.name.value.clone(), LabelText::Plain(entry.value.value.clone()))
}

/// Sorted by name: templates are expanded in that order.
fn texts<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<(String, LabelText)> {
    let mut texts: Vec<_> = entries.map(|entry| (entry.name.value.clone(), LabelText::of(entry))).collect();
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    texts
}

impl LabelText {
    fn of(entry: &Entry) -> LabelText {
        let text = &entry.value.value;
        if let Some(template) = &entry.template {
            return LabelText::Template(template.clone());
        }
        if !text.contains("{{") {
            return LabelText::Plain(text.clone());
        }
        match narthex_template::parse(text).into_result() {
            Ok(template) => LabelText::Template(template),
            Err(diagnostics) => LabelText::Broken(diagnostics.first().map_or_else(String::new, |first| {
                let before = text.get(..first.span().start as usize).unwrap_or("");
                format!("{}: {}", before.matches('\n').count() + 1, first.message)
            })),
        }
    }
}
