//! MAT001: a regular expression that matches one text.

use narthex_diag::{Applicability, Code, Severity};
use narthex_model::MatchOp;
use narthex_model::labels::quote;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct RegexIsLiteral;

static SPEC: LintSpec = LintSpec {
    code: Code("MAT001"),
    name: "regex-is-literal",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: Some(Applicability::Safe),
    summary: "a regular expression that matches one text only",
    explanation: "\
`job=~\"api\"` means `job=\"api\"`: matchers are anchored at both ends.\n\
Readers take it for a pattern, `absent` cannot tell the label, and some engines look it up the slow way.",
    bad: "- alert: Down\n  expr: 'up{job=~\"api\"} == 0'\n",
    good: "- alert: Down\n  expr: 'up{job=\"api\"} == 0'\n",
};

impl Lint for RegexIsLiteral {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for written in rule.selectors.iter().flat_map(|selector| &selector.matchers) {
            let matcher = &written.matcher;
            let Some(literal) = matcher.regex().and_then(|regex| regex.literal()) else { continue };
            let op = if matcher.op() == MatchOp::Regex { "=" } else { "!=" };
            let mut replacement = op.to_owned();
            match matcher.value().as_str() == Some(literal) {
                true => replacement.push_str(rule.slice(written.value)),
                false => quote(&mut replacement, literal.as_bytes()),
            }
            let span = written.op.to(written.value);
            let edits = [(span, replacement.as_str())];
            let message = format!("write `{}{replacement}`", rule.slice(written.name));
            let fix = rule.expr_suggestion(message, &edits, Applicability::Safe);
            let finding = rule.in_expr(&SPEC, "this pattern matches one text only", span);
            findings.push(finding.with_suggestion(fix));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn patterns_of_one_text() {
        check_fix("MAT001", "up{job=~\"api\", env!~'prod'} == 0", "up{job=\"api\", env!='prod'} == 0");
        check_fix("MAT001", "up{job=~\"a\\\\.b\"} == 0", "up{job=\"a.b\"} == 0");
        check_fix("MAT001", "up{job=~\"^api$\"} == 0", "up{job=\"api\"} == 0");
        for expr in
            ["up{job=~\"a|b\"} == 0", "up{job=~\"a.\"} == 0", "up{job=\"a\"} == 0", "up{job=~\".*\"} == 0"]
        {
            check("MAT001", expr, &[]);
        }
    }
}
