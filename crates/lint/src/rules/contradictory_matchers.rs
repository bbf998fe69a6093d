//! MAT005: matchers of one selector that exclude each other.

use narthex_diag::{Code, Severity};
use narthex_model::labels::METRIC_NAME;
use narthex_plan::analysis::{Emptiness, Presence};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct ContradictoryMatchers;

static SPEC: LintSpec = LintSpec {
    code: Code("MAT005"),
    name: "contradictory-matchers",
    class: Class::Proof,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "matchers of one selector that no series satisfies together",
    explanation: "\
All matchers of a selector have to hold, so that two that exclude each other select nothing.\n\
An alert over such a selector never fires; `absent` of it always does.\n\
To select either value write one matcher, `env=~\"prod|test\"`.",
    bad: "- alert: Down\n  expr: 'up{env=\"prod\", env=\"test\"} == 0'\n",
    good: "- alert: Down\n  expr: 'up{env=~\"prod|test\"} == 0'\n",
};

impl Lint for ContradictoryMatchers {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for node in rule.analysis.nodes() {
            let Presence::Never(Emptiness::Matchers(label)) = &node.presence else { continue };
            let Some(selector) = node.expr.selector() else { continue };
            let matchers = selector.matchers.iter().filter(|one| one.matcher.name() == *label);
            let mut spans: Vec<_> = matchers.map(|one| one.span).collect();
            if *label == METRIC_NAME {
                spans.extend(selector.name.as_ref().map(|name| name.span));
            }
            let Some((last, others)) = spans.split_last() else { continue };
            let message = format!("no series satisfies these matchers of `{label}` together");
            let mut finding = rule
                .in_expr(&SPEC, message, *last)
                .with_label("excludes the others")
                .with_note(rule.consequence_of_nothing());
            for other in others {
                finding = finding.with_secondary(rule.locate(*other), "and this one");
            }
            findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn matchers_that_exclude_each_other() {
        check("MAT005", "a{x=\"1\", x=\"2\"} > 0", &["x=\"2\""]);
        check("MAT005", "a{x=\"1\", x!~\"1|2\"} > 0", &["x!~\"1|2\""]);
        check("MAT005", "a{x=~\"1|2\", x!~\"1|2|3\"} > 0", &["x!~\"1|2|3\""]);
        check("MAT005", "rate(a{x=~\"b.*\", x!~\"b.*\"}[5m]) > 0", &["x!~\"b.*\""]);
        check("MAT005", "a{x=\"\", x!=\"\"} > 0", &["x!=\"\""]);
    }

    #[test]
    fn matchers_that_go_together() {
        for expr in [
            "a{x=~\"1|2\", x!=\"1\"} > 0",
            "a{x!=\"1\", x!=\"2\"} > 0",
            "a{x=~\"1.*\", x=~\".*2\"} > 0",
            "a{x=\"1\", y=\"2\"} > 0",
        ] {
            check("MAT005", expr, &[]);
        }
    }
}
