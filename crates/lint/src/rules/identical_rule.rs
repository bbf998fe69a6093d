//! DUP001: a rule that is there twice.

use narthex_diag::{Code, Severity};
use narthex_rulefmt::{Rule, RuleGroup};

use crate::context::{FileContext, Findings};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct IdenticalRule;

static SPEC: LintSpec = LintSpec {
    code: Code("DUP001"),
    name: "identical-rule",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "a rule with the name, the labels and the expression of another",
    explanation: "\
Both rules make the same series: a record is written twice for the same time, which the storage refuses or counts as out of order, and an alert is sent twice.\n\
Expressions are compared as they mean, not as they are laid out.\n\
Rules with other labels are told apart, the group's labels included, and so are rules of different Kubernetes objects.",
    bad: "- alert: Down\n  expr: up == 0\n- alert: Down\n  expr: up  ==  0\n",
    good: "- alert: Down\n  expr: up == 0\n",
};

impl Lint for IdenticalRule {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_file(&self, file: &FileContext<'_>, findings: &mut Findings) {
        let groups = &file.parse.file.groups;
        let mut rules: Vec<Place<'_>> = Vec::new();
        for group in groups {
            let valid = group.rules.iter().filter(|rule| rule.expr().parse.diagnostics.is_empty());
            rules.extend(valid.map(|rule| Place { group, rule, labels: labels(group, rule) }));
        }
        // Stable: among equals the first of the file stays first.
        rules.sort_by(|a, b| a.key().cmp(&b.key()));
        for same in rules.chunk_by(|a, b| a.key() == b.key()) {
            report_identical(file, same, findings);
        }
    }
}

struct Place<'a> {
    group: &'a RuleGroup,
    rule: &'a Rule,
    labels: Vec<(&'a str, &'a str)>,
}

impl<'a> Place<'a> {
    fn key(&self) -> (usize, bool, &'a str, &[(&'a str, &'a str)]) {
        let is_alert = matches!(self.rule, Rule::Alerting(_));
        (self.group.object, is_alert, self.rule.name().value.as_str(), &self.labels)
    }
}

/// The labels a rule sets, sorted: its own come before the group's.
fn labels<'a>(group: &'a RuleGroup, rule: &'a Rule) -> Vec<(&'a str, &'a str)> {
    let own = rule.labels();
    let inherited =
        group.labels.iter().filter(|entry| !own.iter().any(|one| one.name.value == entry.name.value));
    let mut labels: Vec<_> =
        own.iter().chain(inherited).map(|entry| (&*entry.name.value, &*entry.value.value)).collect();
    labels.sort_unstable();
    labels
}

/// Reports those among rules of one name and labels whose expressions mean the same.
fn report_identical(file: &FileContext<'_>, rules: &[Place<'_>], findings: &mut Findings) {
    if rules.len() < 2 {
        return;
    }
    let mut texts: Vec<(String, &Place<'_>)> =
        rules.iter().map(|place| (canonical(place.rule), place)).collect();
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    for same in texts.chunk_by(|a, b| a.0 == b.0) {
        let Some(((_, first), others)) = same.split_first() else { continue };
        for (_, other) in others {
            let subject = other.rule.subject(&other.group.name.value);
            let finding = file
                .finding(&SPEC, "this rule is there twice", other.rule.name().span(), subject)
                .with_label("again");
            findings.push(
                finding
                    .with_secondary(first.rule.name().span(), "the same name, labels and expression")
                    .with_help("delete one of them"),
            );
        }
    }
}

/// The expression without layout and without the parentheses around the whole.
fn canonical(rule: &Rule) -> String {
    rule.expr().parse.expr.without_parens().to_string()
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn rules_that_are_there_twice() {
        let rule = "- alert: A\n  expr: up{a='1',b='2'} == 0\n";
        check("DUP001", &format!("{rule}{rule}"), &["A"]);
        check("DUP001", &format!("{rule}- alert: A\n  expr: (up{{b=\"2\", a=\"1\"}}==0)\n"), &["A"]);
        check("DUP001", &format!("{rule}- alert: B\n  expr: up{{a='1',b='2'}} == 0\n"), &[]);
        check("DUP001", &format!("{rule}- alert: A\n  expr: up == 0\n"), &[]);
        check("DUP001", &format!("{rule}{rule}  labels: {{s: x}}\n"), &[]);
    }

    #[test]
    fn labels_of_the_group_count() {
        let group = |name: &str, label: &str| {
            format!("- name: {name}\n  labels: {{t: {label}}}\n  rules:\n  - record: r\n    expr: sum(x)\n")
        };
        check("DUP001", &format!("groups:\n{}{}", group("g", "a"), group("h", "b")), &[]);
        check("DUP001", &format!("groups:\n{}{}", group("g", "a"), group("h", "a")), &["r"]);
    }
}
