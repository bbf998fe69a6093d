//! Comments that say which findings are known and accepted.
//!
//! `# nx: ignore[VAL001, TPL] until=2027-01-31 because …` is about the line it ends, or when it stands on a line of its
//! own about the rule (or the group) it stands in or right before; in a comment of the expression it is about the rule.
//! `ignore-group` and `ignore-file` say so themselves. The control comments of pint are understood too, see [`pint`].
//! What a server refuses cannot be suppressed.

mod directive;
pub mod pint;

use narthex_diag::{Diagnostic, LineIndex, Span};
use narthex_model::Timestamp;
use narthex_rulefmt::RuleFileParse;

use directive::{Directive, Extent, parse_comment};

/// One comment and where it holds.
#[derive(Clone, PartialEq, Debug)]
struct Suppression {
    /// The bytes of the file it is about.
    range: Span,
    /// Prefixes of the codes that are not reported there.
    codes: Vec<String>,
    /// The comment.
    comment: Span,
    /// Whether it is one of ours, not of pint.
    is_own: bool,
    /// Whether it suppressed anything.
    is_used: bool,
}

/// The suppressions of a file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Suppressions {
    suppressions: Vec<Suppression>,
    /// Comments that cannot be read, and why.
    faults: Vec<(Span, String)>,
}

impl Suppressions {
    /// Reads the comments of a file. With `now_ms`, those that have ended are left out.
    pub fn new(text: &str, parse: &RuleFileParse, now_ms: Option<Timestamp>) -> Suppressions {
        let mut suppressions = Suppressions::default();
        if !text.contains("nx:") && !text.contains("pint ") {
            return suppressions;
        }
        let mut rules: Vec<Span> = parse.file.rules().map(|(_, rule)| rule.span()).collect();
        rules.sort_unstable();
        let places = Places { text, parse, rules, lines: LineIndex::new(text) };
        let mut begun = None;
        for (comment, inside_rule) in comments(parse) {
            match parse_comment(comment.slice(text)) {
                Some(Ok(directive)) if has_ended(&directive, now_ms) => {}
                Some(Ok(directive)) => {
                    let range = match directive.extent {
                        Extent::Begin => {
                            begun = Some(comment);
                            None
                        }
                        Extent::End => begun.take().map(|begin: Span| begin.to(comment)),
                        extent => Some(inside_rule.unwrap_or_else(|| places.range(comment, extent))),
                    };
                    suppressions.add(range, comment, directive);
                }
                Some(Err(fault)) => suppressions.faults.push((comment, fault)),
                None => {}
            }
        }
        if let Some(begin) = begun {
            let range = Some(Span { end: whole(text).end, ..begin });
            let all = Directive {
                extent: Extent::Begin,
                codes: vec![String::new()],
                until_ms: None,
                is_own: false,
            };
            suppressions.add(range, begin, all);
        }
        suppressions
    }

    fn add(&mut self, range: Option<Span>, comment: Span, directive: Directive) {
        let Directive { codes, is_own, .. } = directive;
        self.suppressions.extend(range.map(|range| Suppression {
            range,
            codes,
            comment,
            is_own,
            is_used: false,
        }));
    }

    /// Whether a finding is suppressed; the comments that do it are then known to be of use.
    pub fn covers(&mut self, finding: &Diagnostic) -> bool {
        let start = finding.span().start;
        let mut is_covered = false;
        for suppression in &mut self.suppressions {
            let is_inside = suppression.range.start <= start && start < suppression.range.end;
            if is_inside && suppression.codes.iter().any(|code| finding.code.0.starts_with(code.as_str())) {
                suppression.is_used = true;
                is_covered = true;
            }
        }
        is_covered
    }

    /// Comments that suppressed nothing although `runs` says of one of their codes' prefixes that a lint of it runs.
    pub fn unused(&self, runs: impl Fn(&str) -> bool) -> impl Iterator<Item = Span> {
        let unused =
            self.suppressions.iter().filter(|suppression| suppression.is_own && !suppression.is_used);
        unused
            .filter(move |suppression| suppression.codes.iter().any(|code| runs(code)))
            .map(|one| one.comment)
    }

    /// Comments that cannot be read, and why.
    pub fn faults(&self) -> impl Iterator<Item = (Span, &str)> {
        self.faults.iter().map(|(comment, fault)| (*comment, fault.as_str()))
    }
}

fn has_ended(directive: &Directive, now_ms: Option<Timestamp>) -> bool {
    directive.until_ms.zip(now_ms).is_some_and(|(until_ms, now_ms)| until_ms <= now_ms)
}

/// The comments of the file in order, those of expressions with the rule they are in.
fn comments(parse: &RuleFileParse) -> Vec<(Span, Option<Span>)> {
    let mut comments: Vec<_> = parse.comments.iter().map(|comment| (*comment, None)).collect();
    for (_, rule) in parse.file.rules() {
        let query = rule.expr();
        comments
            .extend(query.parse.comments.iter().map(|comment| (query.locate(*comment), Some(rule.span()))));
    }
    comments
}

fn whole(text: &str) -> Span {
    Span::new(0, text.len())
}

/// Finds what a comment is about.
struct Places<'a> {
    text: &'a str,
    parse: &'a RuleFileParse,
    /// The rules in the order of the text.
    rules: Vec<Span>,
    lines: LineIndex,
}

impl Places<'_> {
    fn range(&self, comment: Span, extent: Extent) -> Span {
        let line = self.lines.line_column(comment.start as usize).line;
        let line_span = self.lines.line_span(line).unwrap_or(comment);
        let before = self.text.get(line_span.start as usize..comment.start as usize).unwrap_or("");
        match extent {
            Extent::File => whole(self.text),
            Extent::Group => self.group_at(self.next_content(comment)).unwrap_or(line_span),
            Extent::Line => line_span,
            Extent::NextLine => self.lines.line_span(line + 1).unwrap_or(line_span),
            Extent::Rule => self.rule_at(comment).or_else(|| self.rule_at_next(comment)).unwrap_or(line_span),
            Extent::Nearest if !before.trim().is_empty() => line_span,
            Extent::Nearest => self.nearest(comment),
            Extent::Begin | Extent::End => line_span,
        }
    }

    /// Of a comment on a line of its own.
    fn nearest(&self, comment: Span) -> Span {
        let next = self.next_content(comment);
        self.rule_at_next(comment)
            .or_else(|| self.rule_at(comment))
            .or_else(|| self.group_at(next))
            .unwrap_or_else(|| whole(self.text))
    }

    fn rule_at(&self, place: Span) -> Option<Span> {
        let next = self.rules.partition_point(|rule| rule.start <= place.start);
        let rule = self.rules.get(next.checked_sub(1)?)?;
        rule.contains(Span::empty_at(place.start as usize)).then_some(*rule)
    }

    /// The rule that starts on the next line with content.
    fn rule_at_next(&self, comment: Span) -> Option<Span> {
        let next = self.next_content(comment);
        let first = self.rules.partition_point(|rule| rule.start < next.start);
        self.rules.get(first).copied().filter(|rule| rule.start < next.end)
    }

    fn group_at(&self, line: Span) -> Option<Span> {
        let mut groups = self.parse.file.groups.iter().map(|group| group.span);
        groups.find(|group| {
            group.contains(Span::empty_at(line.start as usize))
                || (line.start <= group.start && group.start < line.end)
        })
    }

    /// The first line after the comment that is neither blank nor a comment.
    fn next_content(&self, comment: Span) -> Span {
        let first = self.lines.line_column(comment.start as usize).line + 1;
        let mut lines = (first..=self.lines.line_count()).filter_map(|line| self.lines.line_span(line));
        let has_content = |line: &Span| {
            let text = line.slice(self.text).trim();
            !text.is_empty() && !text.starts_with('#')
        };
        lines.find(has_content).unwrap_or(Span::empty_at(self.text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LintConfig, lint_file};

    fn codes(text: &str, now_ms: Option<Timestamp>) -> Vec<&'static str> {
        let config = LintConfig { now_ms, ..LintConfig::default() };
        lint_file(text, &config).iter().map(|finding| finding.code.0).collect()
    }

    /// Two rules, each with an alert that never fires, on lines 5 to 8.
    fn file(header: &str, before_rule: &str, after_expr: &str, inside_expr: &str) -> String {
        format!(
            "{header}groups:\n- name: g\n  rules:\n{before_rule}  - alert: A\n    expr: count(up) == 0{after_expr}\n  \
             - alert: B\n    expr: |\n      count(up) {inside_expr}\n      == 0\n"
        )
    }

    #[test]
    fn every_place_of_a_comment() {
        let both = ["VAL001", "VAL001"];
        assert_eq!(codes(&file("", "", "", ""), None), both);
        let ignore = "# nx: ignore[VAL001] because it is a test";
        assert_eq!(codes(&file("", &format!("  {ignore}\n"), "", ""), None), ["VAL001"]);
        assert_eq!(codes(&file("", "", &format!(" {ignore}"), ""), None), ["VAL001"]);
        assert_eq!(codes(&file("", "", "", ignore), None), ["VAL001"]);
        assert_eq!(codes(&file(&format!("{ignore}\n"), "", "", ""), None), [""; 0]);
        assert_eq!(codes(&file("# nx: ignore-file[VAL]\n", "", "", ""), None), [""; 0]);
        assert_eq!(codes(&file("# nx: ignore[MAT]\n", "", "", ""), None), ["NX001", "VAL001", "VAL001"]);
    }

    #[test]
    fn what_ends_is_no_longer_suppressed() {
        let text = file("# nx: ignore-file[VAL001] until=2026-02-01\n", "", "", "");
        assert_eq!(codes(&text, None).len(), 0);
        assert_eq!(codes(&text, Some(1_769_817_600_000)).len(), 0, "on 31 January");
        assert_eq!(codes(&text, Some(1_769_904_000_000)).len(), 2, "on 1 February");
    }

    #[test]
    fn control_comments_of_pint() {
        for (header, before, after) in [
            ("# pint ignore/file\n", "", ""),
            ("# pint file/disable promql/impossible\n", "", ""),
            ("# pint ignore/begin\n", "", ""),
            ("# pint file/snooze 2099-11-28T10:24:18Z promql/impossible\n", "", ""),
        ] {
            assert_eq!(codes(&file(header, before, after, ""), Some(0)), [""; 0], "{header}");
        }
        for (before, after) in [
            ("  # pint disable promql/impossible\n", ""),
            ("", " # pint ignore/line"),
            ("", "\n    # pint disable promql/impossible(up)"),
        ] {
            assert_eq!(codes(&file("", before, after, ""), None), ["VAL001"], "{before}{after}");
        }
    }
}
