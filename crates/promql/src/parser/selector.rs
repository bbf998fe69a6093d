//! Selectors and the labels of series.

use narthex_diag::{Span, Spanned};
use narthex_model::labels::METRIC_NAME;
use narthex_model::{LabelsBuilder, MatchOp, Matcher, Text};

use super::Parser;
use super::flat::{self, MatcherTokens};
use crate::ast::{Expr, LabelMatcher, Modifiers, VectorSelector};
use crate::error::syntax;
use crate::lexer::unquote;
use crate::token::{Token, TokenKind};

impl Parser<'_> {
    pub(super) fn vector_selector(&mut self) -> Expr {
        Expr::Selector(Box::new(self.selector()))
    }

    /// A selector without modifiers; a name or an opening brace comes next.
    pub(super) fn selector(&mut self) -> VectorSelector {
        let start = self.peek().span.start as usize;
        let name = if self.at(TokenKind::LeftBrace) {
            None
        } else {
            let span = self.advance().span;
            Some(Spanned::new(span.slice(self.text).into(), span))
        };
        let mut selector = VectorSelector {
            span: Span::default(),
            name,
            braces: None,
            matchers: Vec::new(),
            modifiers: Modifiers::default(),
        };
        if self.at(TokenKind::LeftBrace) {
            selector.braces = Some(self.braces(&mut selector));
        }
        selector.span = Span::new(start, self.last_end);
        selector
    }

    /// The braces of a selector, with recovery after each matcher.
    fn braces(&mut self, selector: &mut VectorSelector) -> Span {
        let start = self.advance().span.start as usize;
        while !self.at(TokenKind::RightBrace) && !self.at_end() {
            match self.run(flat::matcher) {
                Some(tokens) => self.matcher(tokens, selector),
                None => self.skip_to(TokenKind::Comma, TokenKind::RightBrace),
            }
            match self.run(flat::after_matcher) {
                Some(token) if token.kind == TokenKind::Comma => {}
                Some(_) => return Span::new(start, self.last_end),
                None => {
                    self.skip_to(TokenKind::Comma, TokenKind::RightBrace);
                    self.accept(TokenKind::Comma);
                }
            }
        }
        if self.accept(TokenKind::RightBrace).is_none() {
            self.unexpected("label matching", "identifier or \"}\"");
        }
        Span::new(start, self.last_end)
    }

    fn matcher(&mut self, tokens: MatcherTokens, selector: &mut VectorSelector) {
        self.count_part();
        match tokens {
            MatcherTokens::Name(token) => self.quoted_name(token, selector),
            MatcherTokens::Matcher { name, op, value } => {
                let matcher = self.label_matcher(name, op, value);
                selector.matchers.extend(matcher);
            }
        }
    }

    /// The first quoted name is the selector's, any other one more condition on the name.
    fn quoted_name(&mut self, token: Token, selector: &mut VectorSelector) {
        let value = unquote(token.span.slice(self.text));
        if selector.name.is_none() {
            selector.name = Some(Spanned::new(value.to_str_lossy().into(), token.span));
            return;
        }
        selector.matchers.push(LabelMatcher {
            span: token.span,
            name: Span::empty_at(token.span.start as usize),
            op: Span::empty_at(token.span.start as usize),
            value: token.span,
            matcher: Matcher::equal(METRIC_NAME, value),
        });
    }

    fn label_matcher(&mut self, name: Token, op: Token, value: Token) -> Option<LabelMatcher> {
        let span = name.span.to(value.span);
        let wanted = unquote(value.span.slice(self.text));
        let matcher = if name.kind == TokenKind::String {
            let label = unquote(name.span.slice(self.text));
            make_matcher(&label.to_str_lossy(), op.kind, wanted)
        } else {
            make_matcher(name.span.slice(self.text), op.kind, wanted)
        };
        match matcher {
            Ok(matcher) => {
                Some(LabelMatcher { span, name: name.span, op: op.span, value: value.span, matcher })
            }
            Err(error) => {
                let diagnostic =
                    syntax(error.to_string(), span).with_secondary(value.span, "this expression");
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// The braces of a series, if they come next.
    pub(super) fn label_set(&mut self, builder: &mut LabelsBuilder) {
        if self.accept(TokenKind::LeftBrace).is_none() {
            return;
        }
        while !self.at(TokenKind::RightBrace) && !self.at_end() {
            match self.run(flat::label) {
                Some((name, value)) => self.label(name, value, builder),
                None => self.skip_to(TokenKind::Comma, TokenKind::RightBrace),
            }
            match self.run(flat::after_label_set_item) {
                Some(token) if token.kind == TokenKind::Comma => {}
                Some(_) => return,
                None => {
                    self.skip_to(TokenKind::Comma, TokenKind::RightBrace);
                    self.accept(TokenKind::Comma);
                }
            }
        }
        if self.accept(TokenKind::RightBrace).is_none() {
            self.unexpected("label set", "identifier or \"}\"");
        }
    }

    fn label(&mut self, name: Token, value: Option<Token>, builder: &mut LabelsBuilder) {
        let read = |token: Token| match token.kind {
            TokenKind::String => unquote(token.span.slice(self.text)),
            _ => Text::from(token.span.slice(self.text)),
        };
        match value {
            Some(value) => builder.set(&read(name).to_str_lossy(), &read(value).to_str_lossy()),
            None => builder.set(METRIC_NAME, &read(name).to_str_lossy()),
        };
    }
}

fn make_matcher(label: &str, op: TokenKind, value: Text) -> Result<Matcher, narthex_regex::Error> {
    match op {
        TokenKind::NotEqual => Ok(Matcher::not_equal(label, value)),
        TokenKind::RegexMatch => Matcher::new(label, MatchOp::Regex, value),
        TokenKind::RegexNoMatch => Matcher::new(label, MatchOp::NotRegex, value),
        _ => Ok(Matcher::equal(label, value)),
    }
}
