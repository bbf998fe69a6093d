//! MAT002: `^` and `$` at the ends of a matcher's pattern.

use narthex_diag::{Applicability, Code, Severity, Span};
use narthex_promql::ast::LabelMatcher;

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct RedundantAnchor;

static SPEC: LintSpec = LintSpec {
    code: Code("MAT002"),
    name: "redundant-anchor",
    class: Class::Proof,
    severity: Severity::Warning,
    default: DefaultState::On,
    fix: Some(Applicability::Safe),
    summary: "`^` or `$` around a pattern that is anchored anyway",
    explanation: "\
Patterns of matchers have to match the whole value, so that `^` at the start and `$` at the end say nothing.\n\
Their presence suggests that other patterns match parts, which they do not.",
    bad: "- alert: Down\n  expr: 'up{job=~\"^api-.*\"} == 0'\n",
    good: "- alert: Down\n  expr: 'up{job=~\"api-.*\"} == 0'\n",
};

impl Lint for RedundantAnchor {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for written in rule.selectors.iter().flat_map(|selector| &selector.matchers) {
            let anchors = anchors(rule, written);
            let Some(first) = anchors.first() else { continue };
            let edits: Vec<(Span, &str)> = anchors.iter().map(|anchor| (*anchor, "")).collect();
            let fix = rule.expr_suggestion("leave the anchors out", &edits, Applicability::Safe);
            let mut finding =
                rule.in_expr(&SPEC, "the pattern is anchored anyway", *first).with_label("says nothing");
            for other in &anchors[1..] {
                finding = finding.with_secondary(rule.locate(*other), "and here");
            }
            findings.push(finding.with_suggestion(fix));
        }
    }
}

/// The anchors at the ends of a pattern. Patterns of one text are left to another lint; what an anchor followed by a
/// repetition or inside a quotation means is nobody's guess.
fn anchors(rule: &RuleContext<'_>, written: &LabelMatcher) -> Vec<Span> {
    let Some(regex) = written.matcher.regex() else { return Vec::new() };
    let pattern = regex.pattern();
    let raw = rule.slice(written.value);
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
    if regex.literal().is_some() || pattern.contains("\\Q") || pattern.contains("(?") {
        return Vec::new();
    }
    let mut anchors = Vec::new();
    let is_repeated = pattern[1.min(pattern.len())..].starts_with(['*', '+', '?', '{']);
    if pattern.starts_with('^') && inner.starts_with('^') && !is_repeated {
        let start = written.value.start as usize + 1;
        anchors.push(Span::new(start, start + 1));
    }
    let before = pattern.strip_suffix('$').unwrap_or("");
    let escapes = before.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if pattern.len() > 1 && pattern.ends_with('$') && inner.ends_with('$') && escapes % 2 == 0 {
        let end = written.value.end as usize - 1;
        anchors.push(Span::new(end - 1, end));
    }
    anchors
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn anchors_at_the_ends() {
        check_fix("MAT002", "up{job=~\"^a.*$\"} == 0", "up{job=~\"a.*\"} == 0");
        check_fix("MAT002", "up{job!~`^a|b`} == 0", "up{job!~`a|b`} == 0");
        for expr in [
            "up{job=~\"a.*\"} == 0",
            "up{job=~\"a.*\\\\$\"} == 0",
            "up{job=~\"[a^$]\"} == 0",
            "up{job=~\"^api$\"} == 0",
            "up{job=\"^a\"} == 0",
        ] {
            check("MAT002", expr, &[]);
        }
    }
}
