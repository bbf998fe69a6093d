//! From the text of a file to its findings.

use narthex_diag::{Diagnostic, Severity};
use narthex_rulefmt::RuleFileParse;

use crate::config::LintConfig;
use crate::context::{FileContext, Findings, GroupContext, RuleContext};
use crate::records::RecordIndex;
use crate::rules::{LINTS, bad_suppression, unused_suppression};
use crate::spec::Lint;
use crate::suppress::Suppressions;

/// A choice of lints, made once and used for many files.
#[derive(Clone)]
pub struct Linter {
    config: LintConfig,
    lints: Vec<&'static dyn Lint>,
}

impl std::fmt::Debug for Linter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codes: Vec<&str> = self.lints.iter().map(|lint| lint.spec().code.0).collect();
        f.debug_struct("Linter").field("config", &self.config).field("lints", &codes).finish()
    }
}

impl Linter {
    /// The lints that a configuration asks for.
    pub fn new(config: &LintConfig) -> Linter {
        let lints = LINTS.iter().copied().filter(|lint| config.is_enabled(lint.spec())).collect();
        Linter { config: config.clone(), lints }
    }

    /// Everything to be said of a file, in the order of the text.
    pub fn lint_file(&self, text: &str) -> Vec<Diagnostic> {
        let prepared = self.prepare(text);
        let mut found = prepared.check_file();
        for group in 0..prepared.group_count() {
            found.extend(prepared.check_group(group));
        }
        prepared.finish(found)
    }

    /// Reads a file. The caller then checks it and its groups, in any order and on as many threads as it likes, and
    /// hands all findings to [`Prepared::finish`].
    pub fn prepare<'a>(&'a self, text: &'a str) -> Prepared<'a> {
        let parse = narthex_rulefmt::parse(text, &self.config.file);
        let records = RecordIndex::new(&parse.file);
        Prepared { linter: self, text, parse, records }
    }
}

/// A file that was read and is to be checked.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    linter: &'a Linter,
    text: &'a str,
    parse: RuleFileParse,
    records: RecordIndex,
}

impl Prepared<'_> {
    /// What was read.
    pub fn parse(&self) -> &RuleFileParse {
        &self.parse
    }

    /// Number of groups of the file.
    pub fn group_count(&self) -> usize {
        self.parse.file.groups.len()
    }

    /// What is to be said of the file as a whole.
    pub fn check_file(&self) -> Vec<Diagnostic> {
        let mut findings = Findings::default();
        let file = self.file();
        for lint in &self.linter.lints {
            lint.check_file(&file, &mut findings);
        }
        findings.into_vec()
    }

    /// What is to be said of one group and its rules; nothing when there is no such group.
    pub fn check_group(&self, at: usize) -> Vec<Diagnostic> {
        let mut findings = Findings::default();
        let Some(group) = self.parse.file.groups.get(at) else { return Vec::new() };
        let context = GroupContext { file: self.file(), group, at };
        for lint in &self.linter.lints {
            lint.check_group(&context, &mut findings);
        }
        for (at, rule) in group.rules.iter().enumerate() {
            let Some(rule) = RuleContext::new(context, rule, at) else { continue };
            for lint in &self.linter.lints {
                lint.check_rule(&rule, &mut findings);
            }
        }
        findings.into_vec()
    }

    /// The findings that are not suppressed, with the severities asked for, together with what a server refuses; in the
    /// order of the text.
    pub fn finish(self, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut suppressions = Suppressions::new(self.text, &self.parse, self.linter.config.now_ms);
        found.retain(|finding| !suppressions.covers(finding));
        found.extend(self.linter.about_comments(&suppressions));
        for finding in &mut found {
            if let Some(severity) = self.linter.severity_of(finding) {
                finding.severity = severity;
            }
        }
        found.extend(self.parse.diagnostics);
        found.sort_by(|a, b| {
            let key = |finding: &Diagnostic| (finding.span(), finding.severity, finding.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        found.dedup();
        found
    }

    fn file(&self) -> FileContext<'_> {
        FileContext { text: self.text, parse: &self.parse, records: &self.records }
    }
}

impl Linter {
    /// Findings about the comments that suppress others.
    fn about_comments(&self, suppressions: &Suppressions) -> Vec<Diagnostic> {
        let runs = |code: &str| self.lints.iter().any(|lint| lint.spec().code.0.starts_with(code));
        let unused = suppressions.unused(runs).map(unused_suppression::report);
        let bad = suppressions.faults().map(|(comment, fault)| bad_suppression::report(comment, fault));
        unused.chain(bad).filter(|finding| runs(finding.code.0)).collect()
    }

    fn severity_of(&self, finding: &Diagnostic) -> Option<Severity> {
        if self.config.severities.is_empty() {
            return None;
        }
        let lint = self.lints.iter().find(|lint| lint.spec().code == finding.code)?;
        self.config.severity_of(lint.spec())
    }
}
