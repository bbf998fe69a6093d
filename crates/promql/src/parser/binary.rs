//! What may stand between a binary operator and its right operand: `bool`, matching, fill.

use narthex_diag::{Span, Spanned};

use super::Parser;
use super::flat::{GROUPING_LABEL, after_label, fill_value, grouping_label, open_labels};
use crate::ast::{Binary, Fill, GroupModifier, GroupSide, MatchingKind, VectorMatching};
use crate::error::not_enabled;
use crate::features::Feature;
use crate::lexer::unquote;
use crate::token::{Token, TokenKind};

/// The modifiers of a binary operator.
pub(super) struct BinaryModifiers {
    pub(super) bool_modifier: Option<Span>,
    pub(super) matching: Option<VectorMatching>,
    pub(super) fill: Fill,
}

/// Labels in parentheses.
pub(super) struct LabelList {
    pub(super) labels: Vec<Spanned<Box<str>>>,
    /// The list with its parentheses; where it was expected when it is missing.
    pub(super) span: Span,
}

impl Parser<'_> {
    pub(super) fn binary_modifiers(&mut self) -> BinaryModifiers {
        BinaryModifiers {
            bool_modifier: self.accept(TokenKind::Bool).map(|token| token.span),
            matching: self.matching(),
            fill: self.fill(),
        }
    }

    fn matching(&mut self) -> Option<VectorMatching> {
        let kind = match self.peek().kind {
            TokenKind::On => MatchingKind::On,
            TokenKind::Ignoring => MatchingKind::Ignoring,
            _ => return None,
        };
        let keyword = Spanned::new(kind, self.advance().span);
        let labels = self.label_list().labels;
        let group = self.group_modifier();
        Some(VectorMatching { keyword, labels, group })
    }

    fn group_modifier(&mut self) -> Option<GroupModifier> {
        let side = match self.peek().kind {
            TokenKind::GroupLeft => GroupSide::Left,
            TokenKind::GroupRight => GroupSide::Right,
            _ => return None,
        };
        let keyword = Spanned::new(side, self.advance().span);
        let next = self.peek().kind;
        let is_fill = matches!(next, TokenKind::Fill | TokenKind::FillLeft | TokenKind::FillRight);
        let has_labels = next == TokenKind::LeftParen || !next.begins_expression() && !is_fill;
        let labels = if has_labels { self.label_list().labels } else { Vec::new() };
        Some(GroupModifier { keyword, labels })
    }

    /// Labels in parentheses, with recovery after each.
    pub(super) fn label_list(&mut self) -> LabelList {
        let mut labels = Vec::new();
        let start = self.peek().span.start as usize;
        if self.run(open_labels).is_none() {
            return LabelList { labels, span: Span::empty_at(start) };
        }
        while !self.at(TokenKind::RightParen) && !self.at_end() {
            match self.run(grouping_label) {
                Some(token) => labels.extend(self.label_name(token)),
                None => self.skip_to(TokenKind::Comma, TokenKind::RightParen),
            }
            match self.run(after_label) {
                Some(token) if token.kind == TokenKind::Comma => {}
                Some(_) => return LabelList { labels, span: Span::new(start, self.last_end) },
                None => {
                    self.skip_to(TokenKind::Comma, TokenKind::RightParen);
                    self.accept(TokenKind::Comma);
                }
            }
        }
        if self.accept(TokenKind::RightParen).is_none() {
            let _: Option<_> = self.run(grouping_label);
        }
        LabelList { labels, span: Span::new(start, self.last_end) }
    }

    /// The label that a token names; a string has to be text, and not empty.
    fn label_name(&mut self, token: Token) -> Option<Spanned<Box<str>>> {
        self.count_part();
        if token.kind != TokenKind::String {
            return Some(Spanned::new(token.span.slice(self.text).into(), token.span));
        }
        let value = unquote(token.span.slice(self.text));
        match value.as_str().filter(|name| !name.is_empty()) {
            Some(name) => Some(Spanned::new(name.into(), token.span)),
            None => {
                self.unexpected_token(token, GROUPING_LABEL.context, GROUPING_LABEL.what);
                None
            }
        }
    }

    fn fill(&mut self) -> Fill {
        let mut fill = Fill::default();
        loop {
            let kind = self.peek().kind;
            let (left, right) = match kind {
                TokenKind::Fill => (true, true),
                TokenKind::FillLeft => (true, false),
                TokenKind::FillRight => (false, true),
                _ => return fill,
            };
            // A second value for a side is not part of the grammar.
            if (left && fill.left.is_some()) || (right && fill.right.is_some()) {
                return fill;
            }
            let start = self.advance().span.start as usize;
            let value = self.fill_value(start);
            if left {
                fill.left = Some(value);
            }
            if right {
                fill.right = Some(value);
            }
        }
    }

    fn fill_value(&mut self, start: usize) -> Spanned<f64> {
        match fill_value(self.tokens) {
            Ok((rest, signed)) => {
                self.move_to(rest);
                let value = self.literal_value(signed.number).unwrap_or(0.0);
                let value = if signed.is_negative { -value } else { value };
                Spanned::new(value, Span::new(start, self.last_end))
            }
            Err(nom::Err::Error(missed) | nom::Err::Failure(missed)) => {
                self.move_to(missed.at);
                self.unexpected_here();
                self.skip_to_delimiter();
                self.accept(TokenKind::RightParen);
                Spanned::new(0.0, Span::new(start, self.last_end))
            }
            Err(nom::Err::Incomplete(_)) => Spanned::new(0.0, Span::empty_at(start)),
        }
    }

    pub(super) fn check_fill_enabled(&mut self, binary: &Binary) {
        let has_fill = binary.fill.left.is_some() || binary.fill.right.is_some();
        if has_fill && !self.options.fill_modifiers {
            let message = "binop fill modifiers are experimental and not enabled";
            let name = Feature::BinopFillModifiers.as_str();
            self.diagnostics.push(not_enabled(message, binary.span, name));
        }
    }
}
