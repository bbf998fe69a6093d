//! The expression of a rule: its text, its tree, and where each byte of it stands in the file.

use narthex_diag::{Diagnostic, Span, SpanMap};
use narthex_promql::ParseOptions;

use crate::text::Text;

/// An expression inside a file.
#[derive(Clone, Debug)]
pub struct QueryText {
    /// The expression as text; may be empty.
    pub text: Text,
    /// Maps bytes of the expression to bytes of the file.
    pub map: SpanMap,
    /// The tree and what is wrong with it, spans counted in the expression.
    pub parse: narthex_promql::Parse,
}

impl QueryText {
    /// Parses `text`, which was read from `file`.
    pub(crate) fn new(text: Text, file: &str, options: &ParseOptions) -> QueryText {
        let map = text.span_map(file);
        let parse = narthex_promql::parse(&text.value, options);
        QueryText { text, map, parse }
    }

    /// The place in the file of a part of the expression.
    pub fn locate(&self, span: Span) -> Span {
        self.text.source.locate(span, &self.map)
    }

    /// What is wrong with the expression, spans counted in the file.
    pub fn diagnostics_in_file(&self) -> impl Iterator<Item = Diagnostic> {
        self.parse.diagnostics.iter().map(|diagnostic| self.in_file(diagnostic.clone()))
    }

    /// A finding about the expression as one about the file.
    pub fn in_file(&self, diagnostic: Diagnostic) -> Diagnostic {
        self.text.in_file(diagnostic, &self.map)
    }
}
