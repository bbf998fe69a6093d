//! What is said when a token does not fit, and where reading goes on.

use std::borrow::Cow;

use narthex_diag::Span;

use super::Parser;
use super::advice::advise_lexical;
use crate::error::{syntax, too_deep, too_long, too_many_parts};
use crate::features::{CHAIN_LIMIT, PART_LIMIT};
use crate::token::{Token, TokenKind, Tokens, describe};

impl Parser<'_> {
    /// Says that the next token does not fit, once per token. At a lexical error, says that instead.
    pub(crate) fn unexpected(&mut self, context: &str, expected: &str) {
        self.unexpected_token(self.peek(), context, expected);
    }

    /// Says that a token does not fit, once per token.
    pub(crate) fn unexpected_token(&mut self, token: Token, context: &str, expected: &str) {
        if token.kind == TokenKind::Error {
            self.report_lexical_error();
            return;
        }
        if self.last_error_start.replace(token.span.start) == Some(token.span.start) {
            return;
        }
        let mut message = format!("unexpected {}", describe(token, self.text));
        if !context.is_empty() {
            message = message + " in " + context;
        }
        if !expected.is_empty() {
            message = message + ", expected " + expected;
        }
        let diagnostic = self.advise(syntax(message, token.span), token, expected);
        self.diagnostics.push(diagnostic);
    }

    /// Says that the next token does not fit, where no rule knows better than that.
    pub(crate) fn unexpected_here(&mut self) {
        let context = if self.depth.aggregations > 0 { "aggregation" } else { "" };
        self.unexpected(context, "");
    }

    /// Says why the tokens end early, once.
    pub(crate) fn report_lexical_error(&mut self) {
        let Some(error) = self.lex_error.take() else { return };
        let mut diagnostic = advise_lexical(syntax(error.message.clone(), error.span));
        if let Some(open) = self.unclosed(&error.message) {
            diagnostic = diagnostic.with_secondary(open.span, "opened here and never closed");
        }
        self.diagnostics.push(diagnostic);
    }

    /// The bracket, brace or parenthesis that a lexical error at the end of the text is about.
    fn unclosed(&self, message: &str) -> Option<Token> {
        let (open, close) = match message {
            "unclosed left parenthesis" => (TokenKind::LeftParen, TokenKind::RightParen),
            "unclosed left bracket" | "unexpected end of input in duration expression" => {
                (TokenKind::LeftBracket, TokenKind::RightBracket)
            }
            "unexpected end of input inside braces" => (TokenKind::LeftBrace, TokenKind::RightBrace),
            _ => return None,
        };
        let mut closed = 0usize;
        self.all.iter().rev().copied().find(|token| {
            closed += usize::from(token.kind == close);
            let is_unclosed = token.kind == open && closed == 0;
            closed -= usize::from(token.kind == open && closed > 0);
            is_unclosed
        })
    }

    /// Says that the nesting is too deep and gives up on the rest of the text.
    pub(crate) fn report_too_deep(&mut self) {
        let span = self.peek().span;
        self.diagnostics.push(too_deep(self.options.nest_limit, span));
        self.give_up();
    }

    /// Counts an operand, a matcher or a label; beyond the limit says so and gives up on the rest of the text.
    pub(crate) fn count_part(&mut self) {
        self.parts += 1;
        if self.parts == PART_LIMIT + 1 {
            self.diagnostics.push(too_many_parts(PART_LIMIT, self.peek().span));
            self.give_up();
        }
    }

    /// Reads no further.
    fn give_up(&mut self) {
        self.skip_rest();
        // What follows is unread, so nothing more can be said of it, a lexical error included.
        self.last_error_start = Some(self.peek().span.start);
        if self.lex_error.is_some_and(|error| error.message.starts_with("unclosed")) {
            self.lex_error = None;
        }
    }

    /// Skips to the end.
    pub(super) fn skip_rest(&mut self) {
        if let Some((last, before)) = self.all.split_last() {
            self.tokens = Tokens(std::slice::from_ref(last));
            self.last_end = before.last().map_or(0, |token| token.span.end as usize);
        }
    }

    /// Says that a chain of operations is too long, once.
    pub(crate) fn report_too_long(&mut self, span: Span) {
        if self.limits.is_empty() {
            self.limits.push(too_long(CHAIN_LIMIT, span));
        }
    }

    pub(crate) fn at_end(&self) -> bool {
        matches!(self.peek().kind, TokenKind::EndOfInput | TokenKind::Error)
    }

    /// Demands that the text ends here.
    pub(crate) fn expect_end(&mut self) {
        if !self.at(TokenKind::EndOfInput) {
            self.unexpected_here();
        }
    }

    /// Skips to a comma or closing parenthesis that belongs to the innermost open parenthesis, or to the end.
    pub(crate) fn skip_to_delimiter(&mut self) {
        let mut open = 0usize;
        let mut in_braces = false;
        while !self.at_end() {
            match self.peek().kind {
                TokenKind::RightBrace => in_braces = false,
                _ if in_braces => {}
                TokenKind::LeftBrace => in_braces = true,
                TokenKind::Comma | TokenKind::RightParen if open == 0 => return,
                TokenKind::LeftParen => open += 1,
                TokenKind::RightParen => open -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    /// Skips to one of two kinds of token, or to the end.
    pub(crate) fn skip_to(&mut self, first: TokenKind, second: TokenKind) {
        while !self.at_end() && !self.at(first) && !self.at(second) {
            self.advance();
        }
    }

    /// Consumes a closing parenthesis, or says what stands in its place and skips to it. Yields where it ends.
    pub(crate) fn close_paren(&mut self) -> usize {
        if !self.at(TokenKind::RightParen) {
            self.unexpected_here();
            self.skip_to_delimiter();
            while self.at(TokenKind::Comma) {
                self.advance();
                self.skip_to_delimiter();
            }
        }
        self.accept(TokenKind::RightParen).map_or(self.last_end, |token| token.span.end as usize)
    }

    /// A syntax error that is not about the next token.
    pub(crate) fn fault(&mut self, message: impl Into<Cow<'static, str>>, span: Span) {
        self.diagnostics.push(syntax(message.into(), span));
    }
}
