//! What lints see: the file, its groups and rules with their analyses, and how findings are placed in the file.

use narthex_diag::{Applicability, Diagnostic, Edit, Span, Suggestion};
use narthex_plan::analysis::Analysis;
use narthex_promql::Expr;
use narthex_promql::ast::VectorSelector;
use narthex_rulefmt::{AlertingRule, Entry, QueryText, Rule, RuleFileParse, RuleGroup};
use narthex_template::{LabelRead, Template, label_reads};

use crate::records::{RecordIndex, selectors};
use crate::spec::LintSpec;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: Vec<Diagnostic>,
}

impl Findings {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// All of them, in the order they were added.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.found
    }
}

/// A file with what is known of it as a whole.
#[derive(Clone, Copy, Debug)]
pub struct FileContext<'a> {
    /// Its text.
    pub text: &'a str,
    /// What was read from it.
    pub parse: &'a RuleFileParse,
    /// Which rules record which series.
    pub records: &'a RecordIndex,
}

/// A group of a file.
#[derive(Clone, Copy, Debug)]
pub struct GroupContext<'a> {
    /// The file.
    pub file: FileContext<'a>,
    /// The group.
    pub group: &'a RuleGroup,
    /// Its place in the file.
    pub at: usize,
}

/// A rule with everything that is known of it.
#[derive(Clone, Debug)]
pub struct RuleContext<'a> {
    /// The group it is of.
    pub group: GroupContext<'a>,
    /// The rule.
    pub rule: &'a Rule,
    /// Its place in the group.
    pub at: usize,
    /// Every selector of its expression, those of ranges included.
    pub selectors: Vec<&'a VectorSelector>,
    /// What is certain of its expression, which is valid.
    pub analysis: Analysis<'a>,
    /// The templates among its labels and annotations.
    pub templates: Vec<TemplateContext<'a>>,
}

/// What a template makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TemplateRole {
    /// A label of the alert, part of its identity.
    Label,
    /// A text about the alert.
    Annotation,
}

/// A template of a rule.
#[derive(Clone, Debug)]
pub struct TemplateContext<'a> {
    /// The label or annotation.
    pub entry: &'a Entry,
    /// Its value.
    pub template: &'a Template,
    /// Which of both it is.
    pub role: TemplateRole,
    /// Every label it reads, in all branches.
    pub reads: Vec<LabelRead>,
}

impl<'a> FileContext<'a> {
    /// A finding about a rule, at a place in the file.
    pub fn finding(
        &self,
        spec: &LintSpec,
        message: impl Into<String>,
        span: Span,
        subject: String,
    ) -> Diagnostic {
        Diagnostic::new(spec.code, spec.severity, message, span).about(subject)
    }

    /// The bytes of whole lines that hold `span` and nothing else: what to delete to delete it. `None` when something
    /// else stands on its lines.
    pub fn whole_lines(&self, span: Span) -> Option<Span> {
        let before = self.text.get(..span.start as usize)?;
        let after = self.text.get(span.end as usize..)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = after.find('\n').map_or(self.text.len(), |at| span.end as usize + at + 1);
        let is_alone = before[line_start..].bytes().all(|byte| byte == b' ')
            && self.text.get(span.end as usize..line_end)?.trim().is_empty();
        is_alone.then(|| Span::new(line_start, line_end))
    }
}

impl<'a> RuleContext<'a> {
    /// A rule of a group, analysed; `None` when its expression is not valid.
    pub fn new(group: GroupContext<'a>, rule: &'a Rule, at: usize) -> Option<RuleContext<'a>> {
        let parse = &rule.expr().parse;
        if !parse.diagnostics.is_empty() {
            return None;
        }
        let labels = rule.labels().iter().map(|entry| (entry, TemplateRole::Label));
        let annotations = rule.annotations().iter().map(|entry| (entry, TemplateRole::Annotation));
        let templates = labels.chain(annotations).filter_map(|(entry, role)| {
            let template = entry.template.as_ref()?;
            Some(TemplateContext { entry, template, role, reads: label_reads(template) })
        });
        let templates = templates.collect();
        let selectors = selectors(&parse.expr);
        Some(RuleContext { group, rule, at, selectors, analysis: Analysis::new(&parse.expr), templates })
    }

    /// The rule, if it raises alerts.
    pub fn alert(&self) -> Option<&'a AlertingRule> {
        match self.rule {
            Rule::Alerting(alert) => Some(alert),
            Rule::Recording(_) => None,
        }
    }

    /// The expression.
    pub fn expr(&self) -> &'a Expr {
        &self.query().parse.expr
    }

    /// The expression with its text and place.
    pub fn query(&self) -> &'a QueryText {
        self.rule.expr()
    }

    /// The text of the expression under a span of it.
    pub fn slice(&self, span: Span) -> &'a str {
        span.slice(&self.query().text.value)
    }

    /// Where a part of the expression stands in the file.
    pub fn locate(&self, span: Span) -> Span {
        self.query().locate(span)
    }

    /// What it means in production that a part of the expression never has an element.
    pub fn consequence_of_nothing(&self) -> &'static str {
        match (self.analysis.root().presence.is_never(), self.rule) {
            (true, Rule::Alerting(_)) => "the alert never fires",
            (true, Rule::Recording(_)) => "the rule never records anything",
            (false, Rule::Alerting(_)) => "this part of the condition never makes the alert fire",
            (false, Rule::Recording(_)) => "this part never adds anything to what is recorded",
        }
    }

    /// What findings are about.
    pub fn subject(&self) -> String {
        self.rule.subject(&self.group.group.name.value)
    }

    /// A finding at a place in the file.
    pub fn finding(&self, spec: &LintSpec, message: impl Into<String>, span: Span) -> Diagnostic {
        self.group.file.finding(spec, message, span, self.subject())
    }

    /// A finding at a part of the expression.
    pub fn in_expr(&self, spec: &LintSpec, message: impl Into<String>, span: Span) -> Diagnostic {
        let finding = self.finding(spec, message, self.locate(span));
        match self.query().text.site {
            Some(site) => finding.with_secondary(site, "used here"),
            None => finding,
        }
    }

    /// A finding at a part of a template.
    pub fn in_template(
        &self,
        spec: &LintSpec,
        message: impl Into<String>,
        template: &TemplateContext<'_>,
        span: Span,
    ) -> Diagnostic {
        let value = &template.entry.value;
        let map = value.span_map(self.group.file.text);
        let finding = self.finding(spec, message, value.source.locate(span, &map));
        match value.site {
            Some(site) => finding.with_secondary(site, "used here"),
            None => finding,
        }
    }

    /// Edits of the expression, given as parts of it with their replacements, written as the file needs them. Where its
    /// notation cannot hold them, the suggestion is only to be read.
    pub fn expr_suggestion(
        &self,
        message: impl Into<String>,
        edits: &[(Span, &str)],
        applicability: Applicability,
    ) -> Suggestion {
        let text = &self.query().text;
        let encoded = edits.iter().map(|(span, replacement)| {
            Some(Edit { span: self.locate(*span), replacement: text.source.encode(replacement)? })
        });
        suggestion(message.into(), encoded.collect(), applicability)
    }

    /// The same for a template.
    pub fn template_suggestion(
        &self,
        template: &TemplateContext<'_>,
        message: impl Into<String>,
        edits: &[(Span, &str)],
        applicability: Applicability,
    ) -> Suggestion {
        let value = &template.entry.value;
        let map = value.span_map(self.group.file.text);
        let encoded = edits.iter().map(|(span, replacement)| {
            let span = value.source.locate(*span, &map);
            Some(Edit { span, replacement: value.source.encode(replacement)? })
        });
        suggestion(message.into(), encoded.collect(), applicability)
    }

    /// The rule's label of that name, the group's when it has none of its own.
    pub fn label(&self, name: &str) -> Option<&'a Entry> {
        let own = self.rule.labels().iter().find(|entry| entry.name.value == name);
        own.or_else(|| self.group.group.labels.iter().find(|entry| entry.name.value == name))
    }
}

fn suggestion(message: String, edits: Option<Vec<Edit>>, applicability: Applicability) -> Suggestion {
    match edits {
        Some(edits) => Suggestion { message, edits, applicability },
        None => Suggestion { message, edits: Vec::new(), applicability: Applicability::DisplayOnly },
    }
}
