//! What may have been meant where a token does not fit.

use narthex_diag::{Applicability, Diagnostic, Span, Suggestion, nearest};

use super::Parser;
use crate::error::{Advice, did_you_mean, replacement};
use crate::token::{KEYWORDS, Token, TokenKind};

/// After so many complaints nothing is looked up any more that may have been meant.
const ADVICE_MAX: usize = 100;

/// Adds to a lexical error what its text alone tells.
pub(super) fn advise_lexical(diagnostic: Diagnostic) -> Diagnostic {
    if diagnostic.message.starts_with("unterminated") {
        return diagnostic.with_label("the string that begins here has no end");
    }
    if diagnostic.message.starts_with("bad number or duration syntax") {
        return diagnostic.with_note("a duration is made of integers with units y, w, d, h, m, s, ms: 1h30m");
    }
    if diagnostic.message.ends_with("'~'") {
        return diagnostic.with_note("=~ and !~ compare labels, inside braces only");
    }
    diagnostic
}

impl Parser<'_> {
    /// Adds what may have been meant; `expected` is what upstream's message says was.
    pub(super) fn advise(&self, diagnostic: Diagnostic, token: Token, expected: &str) -> Diagnostic {
        match self.way_out(token, expected) {
            Some(suggestion) => diagnostic.with_suggestion(suggestion),
            None => self.explain(diagnostic, token, expected),
        }
    }

    fn way_out(&self, token: Token, expected: &str) -> Option<Suggestion> {
        let span = token.span;
        let word = span.slice(self.text);
        let unsafely =
            |message: &str, text: &str| Some(replacement(message, span, text, Applicability::Unsafe));
        match expected {
            "string" if token.kind == TokenKind::Identifier => {
                unsafely("put the value in quotes", &format!("\"{word}\""))
            }
            "\"(\"" if token.kind.is_grouping_label() => {
                unsafely("put the labels in parentheses", &format!("({word})"))
            }
            "\",\" or \"}\"" | "\",\" or \")\"" => {
                let is_next = matches!(token.kind, TokenKind::Identifier | TokenKind::String);
                let place = Span::empty_at(self.last_end);
                is_next
                    .then(|| replacement("separate the two with a comma", place, ",", Applicability::Unsafe))
            }
            "" if token.kind == TokenKind::Assign => unsafely("compare values with ==", "=="),
            "" if token.kind == TokenKind::Identifier && self.diagnostics.len() < ADVICE_MAX => {
                self.known_word(token)
            }
            _ => None,
        }
    }

    /// Whether the next unknown function is worth looking for a similar one.
    pub(super) fn next_advice(&self) -> Advice {
        if self.diagnostics.len() < ADVICE_MAX { Advice::Wanted } else { Advice::Unwanted }
    }

    /// A keyword that may follow an expression, if the word is nearly one.
    fn known_word(&self, token: Token) -> Option<Suggestion> {
        let usable = KEYWORDS.iter().filter(|row| row.1.binary_op().is_some() || row.1.is_keyword());
        let known = nearest(token.span.slice(self.text), usable.map(|row| row.0))?;
        Some(did_you_mean(token.span, known))
    }

    fn explain(&self, diagnostic: Diagnostic, token: Token, expected: &str) -> Diagnostic {
        match token.kind {
            TokenKind::Identifier if token.span.slice(self.text) == "keep_common" => {
                diagnostic.with_help("keep_common is gone since 2.0: list the labels with `by`")
            }
            TokenKind::GroupLeft | TokenKind::GroupRight if expected.is_empty() => {
                diagnostic.with_note("group_left and group_right come after on (…) or ignoring (…)")
            }
            TokenKind::By | TokenKind::Without if expected.is_empty() => {
                diagnostic.with_note("an aggregation has one grouping clause, before or after its arguments")
            }
            TokenKind::On | TokenKind::Ignoring if expected.is_empty() => {
                diagnostic.with_note("an operator has one of on (…) and ignoring (…), right behind it")
            }
            TokenKind::LeftParen if expected == "timestamp" => diagnostic
                .with_note("after @ comes a number, start() or end(), without parentheses around it"),
            _ => diagnostic,
        }
    }
}
