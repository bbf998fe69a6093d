//! MAT007: a regular expression behind `=`.

use narthex_diag::{Applicability, Code, Severity};
use narthex_model::{MatchOp, Matcher};

use crate::context::{Findings, RuleContext};
use crate::rules::unexpanded_variable::variable;
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct RegexInEquality;

static SPEC: LintSpec = LintSpec {
    code: Code("MAT007"),
    name: "regex-in-equality",
    class: Class::Heuristic,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: Some(Applicability::Unsafe),
    summary: "a regular expression behind `=` or `!=`",
    explanation: "\
`code=\"5..\"` looks for a code that is spelt `5..`, and finds none: patterns need `=~`.\n\
The selector is empty, so that the alert never fires; behind `!=` nothing is excluded.",
    bad: "- alert: Errors\n  expr: 'rate(requests_total{code=\"5..\"}[5m]) > 0'\n",
    good: "- alert: Errors\n  expr: 'rate(requests_total{code=~\"5..\"}[5m]) > 0'\n",
};

impl Lint for RegexInEquality {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for written in rule.selectors.iter().flat_map(|selector| &selector.matchers) {
            let matcher = &written.matcher;
            let op = match matcher.op() {
                MatchOp::Equal => "=~",
                MatchOp::NotEqual => "!~",
                MatchOp::Regex | MatchOp::NotRegex => continue,
            };
            let value = matcher.value().as_str().unwrap_or("");
            if !looks_like_a_pattern(value) || variable(value).is_some() || !is_pattern(matcher) {
                continue;
            }
            let fix = rule.expr_suggestion(
                format!("match the pattern with `{op}`"),
                &[(written.op, op)],
                Applicability::Unsafe,
            );
            let finding =
                rule.in_expr(&SPEC, "this looks like a pattern, but `=` compares texts", written.value);
            findings
                .push(finding.with_note("no series has this very text as its value").with_suggestion(fix));
        }
    }
}

fn is_pattern(matcher: &Matcher) -> bool {
    Matcher::new(matcher.name(), MatchOp::Regex, matcher.value().clone()).is_ok()
}

/// Signs that no ordinary value has: `.*`, `.+`, `[…]+`, alternatives without spaces, a status class like `5..`.
fn looks_like_a_pattern(value: &str) -> bool {
    let has_any = [".*", ".+", "\\d", "\\.", "]+", "]*"].iter().any(|sign| value.contains(sign));
    let is_status = matches!(value.as_bytes(), [b'1'..=b'5', b'.', b'.']);
    let is_list = value.contains('|')
        && !value.contains(' ')
        && value.split('|').all(|part| !part.is_empty() && !part.contains([',', '=']));
    has_any || is_status || is_list
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn patterns_behind_equality() {
        check("MAT007", "rate(a{code=\"5..\"}[5m]) > 0", &["\"5..\""]);
        check("MAT007", "a{job!=\"api.*\"} > 0", &["\"api.*\""]);
        check_fix("MAT007", "a{job=\"x|y\"} > 0", "a{job=~\"x|y\"} > 0");
        for expr in [
            "a{job=\"api\"} > 0",
            "a{path=\"/a.b/c*\"} > 0",
            "a{v=\"1.2.3\"} > 0",
            "a{job=~\"5..\"} > 0",
            "a{x=\"a | b\"} > 0",
            "a{x=\"$job.*\"} > 0",
            "a{x=\"*\"} > 0",
        ] {
            check("MAT007", expr, &[]);
        }
    }
}
