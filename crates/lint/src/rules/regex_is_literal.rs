//! MAT001: a regular expression that matches one text.

use narthex_diag::{Applicability, Code, Diagnostic, Severity};
use narthex_model::MatchOp;
use narthex_model::labels::quote;
use narthex_promql::Expr;
use narthex_promql::ast::{LabelMatcher, VectorSelector};
use narthex_promql::functions::FunctionId;

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
Readers take it for a pattern, `absent` cannot tell the label, and some engines look it up the slow way.\n\
Inside `absent` the edit is not safe: the alert gains the label.",
    bad: "- alert: Down\n  expr: 'up{job=~\"api\"} == 0'\n",
    good: "- alert: Down\n  expr: 'up{job=\"api\"} == 0'\n",
};

impl Lint for RegexIsLiteral {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for &selector in &rule.selectors {
            for written in &selector.matchers {
                if let Some(literal) = written.matcher.regex().and_then(|regex| regex.literal()) {
                    findings.push(report(rule, selector, written, literal));
                }
            }
        }
    }
}

fn report(
    rule: &RuleContext<'_>,
    selector: &VectorSelector,
    written: &LabelMatcher,
    literal: &str,
) -> Diagnostic {
    let matcher = &written.matcher;
    let mut replacement = if matcher.op() == MatchOp::Regex { "=" } else { "!=" }.to_owned();
    match matcher.value().as_str() == Some(literal) {
        true => replacement.push_str(rule.slice(written.value)),
        false => quote(&mut replacement, literal.as_bytes()),
    }
    let span = written.op.to(written.value);
    let message = format!("write `{}{replacement}`", rule.slice(written.name));
    let applicability = match names_what_is_absent(rule, selector) {
        true => Applicability::Unsafe,
        false => Applicability::Safe,
    };
    let fix = rule.expr_suggestion(message, &[(span, replacement.as_str())], applicability);
    rule.in_expr(&SPEC, "this pattern matches one text only", span).with_suggestion(fix)
}

/// Whether `absent` would take a label from the matcher that it did not have before.
fn names_what_is_absent(rule: &RuleContext<'_>, selector: &VectorSelector) -> bool {
    rule.analysis.nodes().iter().any(|node| {
        let Expr::Call(call) = node.expr else { return false };
        let argument = call.args.first().and_then(|arg| arg.without_parens().selector());
        matches!(call.function, Some(FunctionId::Absent(_)))
            && argument.is_some_and(|argument| argument.span == selector.span)
    })
}

#[cfg(test)]
mod tests {
    use narthex_diag::Applicability;

    use crate::testing::{check, check_fix};
    use crate::{LintConfig, lint_file};

    #[test]
    fn patterns_of_one_text() {
        check_fix("MAT001", "up{job=~\"api\", env!~'prod'} == 0", "up{job=\"api\", env!='prod'} == 0");
        check_fix("MAT001", "up{job=~\"a\\\\.b\"} == 0", "up{job=\"a.b\"} == 0");
        check_fix("MAT001", "up{job=~\"^api$\"} == 0", "up{job=\"api\"} == 0");
        let text = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: absent(up{job=~\"api\"})\n";
        let found = lint_file(text, &LintConfig::default());
        let mut fixes = found.iter().flat_map(|finding| &finding.suggestions);
        assert!(fixes.all(|fix| fix.applicability == Applicability::Unsafe), "the alert gains a label");
        for expr in
            ["up{job=~\"a|b\"} == 0", "up{job=~\"a.\"} == 0", "up{job=\"a\"} == 0", "up{job=~\".*\"} == 0"]
        {
            check("MAT001", expr, &[]);
        }
    }
}
