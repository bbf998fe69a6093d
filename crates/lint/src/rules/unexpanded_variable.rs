//! MAT008: a variable of a dashboard in a rule.

use narthex_diag::{Code, Severity, Span};

use crate::context::{Findings, RuleContext};
use crate::spec::{Class, DefaultState, Lint, LintSpec};

/// See the module.
pub(crate) struct UnexpandedVariable;

static SPEC: LintSpec = LintSpec {
    code: Code("MAT008"),
    name: "unexpanded-variable",
    class: Class::Heuristic,
    severity: Severity::Error,
    default: DefaultState::On,
    fix: None,
    summary: "a variable of a dashboard in a matcher",
    explanation: "\
`$namespace`, `${namespace}` and `[[namespace]]` are replaced by a dashboard, never by a rule engine.\n\
In a rule the selector looks for this very text, finds nothing, and the alert never fires.\n\
Leave the matcher out, or group by the label.",
    bad: "- alert: Down\n  expr: 'up{namespace=\"$namespace\"} == 0'\n",
    good: "- alert: Down\n  expr: 'up == 0'\n",
};

impl Lint for UnexpandedVariable {
    fn spec(&self) -> &'static LintSpec {
        &SPEC
    }

    fn check_rule(&self, rule: &RuleContext<'_>, findings: &mut Findings) {
        for written in rule.selectors.iter().flat_map(|selector| &selector.matchers) {
            let raw = rule.slice(written.value);
            let Some(place) = variable(raw) else { continue };
            let span = place.shifted(written.value.start as usize);
            let message = format!("`{}` is never expanded in a rule", place.slice(raw));
            let finding = rule.in_expr(&SPEC, message, span).with_label("a variable of a dashboard?");
            findings.push(finding.with_note("the selector looks for this very text"));
        }
    }
}

/// Where a value refers to a variable: `$name`, `${name}`, `[[name]]`. A name starts with a letter or `_`; a `$` after
/// a word is an anchor or part of a value.
pub(crate) fn variable(value: &str) -> Option<Span> {
    bracketed(value, "${", "}").or_else(|| bracketed(value, "[[", "]]")).or_else(|| {
        let mut dollars = value.match_indices('$').map(|(at, _)| at);
        dollars.find_map(|at| {
            let before = value[..at].chars().next_back();
            let name = name_len(&value[at + 1..]);
            let is_free = before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '\\' | ')' | ']'));
            (is_free && name > 0).then(|| Span::new(at, at + 1 + name))
        })
    })
}

fn bracketed(value: &str, open: &str, close: &str) -> Option<Span> {
    let start = value.find(open)?;
    let inner = &value[start + open.len()..];
    let name = name_len(inner);
    let rest = &inner[name..];
    let end = rest.find(close)?;
    let is_name = name > 0 && (rest.starts_with(close) || rest.starts_with(':'));
    is_name.then(|| Span::new(start, start + open.len() + name + end + close.len()))
}

fn name_len(text: &str) -> usize {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !text.starts_with(is_letter) {
        return 0;
    }
    text.find(|c: char| !is_letter(c) && !c.is_ascii_digit()).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn variables_of_dashboards() {
        check("MAT008", "a{ns=\"$namespace\"} > 0", &["$namespace"]);
        check("MAT008", "a{ns=~\"x-${cluster:regex}.*\"} > 0", &["${cluster:regex}"]);
        check("MAT008", "a{ns=\"[[ns]]\"} > 0", &["[[ns]]"]);
        for expr in [
            "a{ns=~\"prod$\"} > 0",
            "a{ns=~\"(a|b)$\"} > 0",
            "a{ns=\"US$A\"} > 0",
            "a{ns=\"$1\"} > 0",
            "a{ns=~\"[[:alpha:]]+\"} > 0",
            "label_replace(a, \"x\", \"$name\", \"y\", \"(?P<name>.*)\") > 0",
        ] {
            check("MAT008", expr, &[]);
        }
    }
}
