//! One thing that is wrong, unwise or worth knowing.

use std::borrow::Cow;
use std::fmt;

use crate::{SourceId, Span};

/// A stable name of a kind of diagnostic, such as `SYN001`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How bad it is. Errors sort first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Refused, or certainly wrong.
    Error,
    /// Very likely not what was meant.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The lower-case word used in every output format.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// A place and what is to be said of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Annotation {
    /// Where, in the diagnostic's source.
    pub span: Span,
    /// What to write beside the mark; may be empty.
    pub label: Cow<'static, str>,
}

/// Whether a suggestion may be applied unseen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Applicability {
    /// Never changes the meaning of what is right.
    Safe,
    /// Probably what was meant, but it changes the meaning.
    Unsafe,
    /// To be read, not applied: it has gaps, or there are several ways.
    DisplayOnly,
}

impl Applicability {
    /// The word used in machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Applicability::Safe => "safe",
            Applicability::Unsafe => "unsafe",
            Applicability::DisplayOnly => "display-only",
        }
    }
}

/// Replaces the bytes of `span` by `replacement`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// The new text; empty to delete.
    pub replacement: String,
}

/// A way out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Suggestion {
    /// What to do, as an imperative.
    pub message: String,
    /// The edits that do it, not overlapping, in rising order; empty when there is only advice.
    pub edits: Vec<Edit>,
    /// Whether a tool may do it.
    pub applicability: Applicability,
}

/// One finding. The message alone must make sense when nothing else is shown.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Diagnostic {
    /// Which kind of finding.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// The finding in one sentence: lower case, no final stop.
    pub message: String,
    /// Which text the spans are of; `None` while a component knows only its own text.
    pub source: Option<SourceId>,
    /// Where to look (and usually where to edit).
    pub primary: Annotation,
    /// Other places that explain the first.
    pub secondary: Vec<Annotation>,
    /// Further facts, one sentence each.
    pub notes: Vec<String>,
    /// Ways out, best first.
    pub suggestions: Vec<Suggestion>,
    /// What it concerns, for lists: `alert HighErrorRate (group api)`.
    pub subject: Option<String>,
}

impl Diagnostic {
    /// A finding at `span`.
    pub fn new(code: Code, severity: Severity, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            message: message.into(),
            source: None,
            primary: Annotation { span, label: Cow::Borrowed("") },
            secondary: Vec::new(),
            notes: Vec::new(),
            suggestions: Vec::new(),
            subject: None,
        }
    }

    /// An error at `span`.
    pub fn error(code: Code, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::new(code, Severity::Error, message, span)
    }

    /// A warning at `span`.
    pub fn warning(code: Code, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::new(code, Severity::Warning, message, span)
    }

    /// Where the finding is.
    pub fn span(&self) -> Span {
        self.primary.span
    }

    /// With words beside the primary mark.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<Cow<'static, str>>) -> Diagnostic {
        self.primary.label = label.into();
        self
    }

    /// With another place.
    #[must_use]
    pub fn with_secondary(mut self, span: Span, label: impl Into<Cow<'static, str>>) -> Diagnostic {
        self.secondary.push(Annotation { span, label: label.into() });
        self
    }

    /// With a further fact.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// With advice that carries no edit.
    #[must_use]
    pub fn with_help(self, message: impl Into<String>) -> Diagnostic {
        let suggestion = Suggestion {
            message: message.into(),
            edits: Vec::new(),
            applicability: Applicability::DisplayOnly,
        };
        self.with_suggestion(suggestion)
    }

    /// With a way out.
    #[must_use]
    pub fn with_suggestion(mut self, suggestion: Suggestion) -> Diagnostic {
        self.suggestions.push(suggestion);
        self
    }

    /// Of a source.
    #[must_use]
    pub fn in_source(mut self, source: SourceId) -> Diagnostic {
        self.source = Some(source);
        self
    }

    /// About a rule, a group, a job.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Diagnostic {
        self.subject = Some(subject.into());
        self
    }

    /// Every span passed through `map`: how a finding of an expression becomes a finding of its file.
    #[must_use]
    pub fn map_spans(mut self, map: impl Fn(Span) -> Span) -> Diagnostic {
        self.primary.span = map(self.primary.span);
        for annotation in &mut self.secondary {
            annotation.span = map(annotation.span);
        }
        for edit in self.suggestions.iter_mut().flat_map(|suggestion| &mut suggestion.edits) {
            edit.span = map(edit.span);
        }
        self
    }
}

/// The message alone; places and notes need a source and a renderer.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}
