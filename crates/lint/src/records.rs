//! Which rules of a file record which series, and which of them a selector reads.

use narthex_promql::Expr;
use narthex_promql::ast::{VectorSelector, walk};
use narthex_rulefmt::{RecordingRule, Rule, RuleFile, RuleGroup};

/// A recording rule of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordRef {
    /// Its group's place in the file.
    pub group: usize,
    /// Its place in the group.
    pub rule: usize,
}

/// The recording rules of a file by the name of their series.
#[derive(Clone, Debug, Default)]
pub struct RecordIndex {
    /// Sorted by name, then by place.
    by_name: Vec<RecordRef>,
}

/// The recording rule at a place.
pub fn recording_rule(file: &RuleFile, at: RecordRef) -> Option<(&RuleGroup, &RecordingRule)> {
    let group = file.groups.get(at.group)?;
    match group.rules.get(at.rule)? {
        Rule::Recording(rule) => Some((group, rule)),
        Rule::Alerting(_) => None,
    }
}

fn name(file: &RuleFile, at: RecordRef) -> &str {
    recording_rule(file, at).map_or("", |(_, rule)| &rule.record.value)
}

impl RecordIndex {
    /// Of all groups of a file.
    pub fn new(file: &RuleFile) -> RecordIndex {
        let groups = file.groups.iter().enumerate();
        let places = groups.flat_map(|(group, rules)| (0..rules.rules.len()).map(move |rule| (group, rule)));
        let mut by_name: Vec<RecordRef> = places
            .map(|(group, rule)| RecordRef { group, rule })
            .filter(|at| recording_rule(file, *at).is_some())
            .collect();
        by_name.sort_by(|a, b| name(file, *a).cmp(name(file, *b)).then(a.cmp(b)));
        RecordIndex { by_name }
    }

    /// The rules that record series of that name, in the order of the file.
    pub fn of(&self, file: &RuleFile, wanted: &str) -> &[RecordRef] {
        let start = self.by_name.partition_point(|at| name(file, *at) < wanted);
        let rest = &self.by_name[start..];
        let len = rest.partition_point(|at| name(file, *at) == wanted);
        &rest[..len]
    }

    /// The rules whose series a selector can read.
    pub fn read_by<'i>(
        &'i self,
        file: &'i RuleFile,
        selector: &'i VectorSelector,
    ) -> impl Iterator<Item = RecordRef> + 'i {
        let wanted = selector.name.as_ref().map_or(&[][..], |name| self.of(file, &name.value));
        wanted.iter().copied().filter(move |at| {
            recording_rule(file, *at).is_some_and(|(group, rule)| can_read(selector, group, rule))
        })
    }
}

/// Whether no label that the rule sets contradicts the selector; labels that are empty are removed.
fn can_read(selector: &VectorSelector, group: &RuleGroup, rule: &RecordingRule) -> bool {
    selector.matchers.iter().all(|written| {
        let matcher = &written.matcher;
        let mut labels = rule.labels.iter().chain(&group.labels);
        let label = labels.find(|entry| entry.name.value == matcher.name());
        label.is_none_or(|entry| matcher.matches(&entry.value.value))
    })
}

/// Every selector of an expression, those of ranges included.
pub fn selectors(expr: &Expr) -> Vec<&VectorSelector> {
    let mut selectors = Vec::new();
    walk(expr, &mut |node| selectors.extend(node.selector()));
    selectors
}
