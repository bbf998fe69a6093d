//! What may follow an operand: ranges, subqueries, `offset`, `@`, `anchored`, `smoothed`.

use narthex_diag::{Applicability, Span, Spanned};

use super::flat::{self, Expected};
use super::{Node, Parser};
use crate::ast::{
    At, AtValue, DurationExpr, Expr, MatrixSelector, Modifiers, Offset, RangeExtension, Subquery, ValueType,
};
use crate::error::{not_enabled, replacement, syntax};
use crate::features::{CHAIN_LIMIT, Feature};
use crate::token::TokenKind;

const RANGE: Expected =
    Expected { context: "subquery or range selector", what: "number, duration, step(), or range()" };
const AFTER_RANGE: Expected = Expected { context: "subquery or range", what: "\":\" or \"]\"" };
const STEP: Expected =
    Expected { context: "subquery selector", what: "number, duration, step(), range(), or \"]\"" };
const TIME: Expected = Expected { context: "@", what: "timestamp" };
const AFTER_STEP: Expected = Expected { context: "subquery selector", what: "\"]\"" };

/// What is between brackets.
enum Brackets {
    Range(DurationExpr),
    Subquery(DurationExpr, Option<DurationExpr>),
}

/// The modifiers of an expression that can have some, and where its span ends with them.
fn modifiers_of(expr: &mut Expr) -> Option<(&mut Modifiers, &mut Span)> {
    match expr {
        Expr::Selector(node) => Some((&mut node.modifiers, &mut node.span)),
        Expr::Matrix(node) => Some((&mut node.selector.modifiers, &mut node.span)),
        Expr::Subquery(node) => Some((&mut node.modifiers, &mut node.span)),
        _ => None,
    }
}

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut node: Node) -> Node {
        loop {
            match self.peek().kind {
                TokenKind::LeftBracket => node = self.brackets(node),
                TokenKind::Offset => self.offset(&mut node.expr),
                TokenKind::At => self.at_modifier(&mut node.expr),
                TokenKind::Anchored => self.extension(&mut node.expr, RangeExtension::Anchored),
                TokenKind::Smoothed => self.extension(&mut node.expr, RangeExtension::Smoothed),
                _ => return node,
            }
        }
    }

    fn brackets(&mut self, node: Node) -> Node {
        let open = self.advance().span;
        let Some(inner) = self.inside_brackets() else {
            self.skip_to(TokenKind::RightBracket, TokenKind::EndOfInput);
            self.accept(TokenKind::RightBracket);
            let span = Span::new(node.expr.span().start as usize, self.last_end);
            self.set_aside.push(node.expr);
            return Node::leaf(Expr::Error(span));
        };
        let brackets = Span::new(open.start as usize, self.last_end);
        match inner {
            Brackets::Range(range) => self.matrix(node, range, brackets),
            Brackets::Subquery(range, step) => self.subquery(node, range, step, brackets),
        }
    }

    fn inside_brackets(&mut self) -> Option<Brackets> {
        let range = self.bracket_duration(RANGE)?;
        let is_next = |kind| matches!(kind, TokenKind::RightBracket | TokenKind::Colon);
        if self.run(flat::matching(is_next, AFTER_RANGE))?.kind == TokenKind::RightBracket {
            return Some(Brackets::Range(range));
        }
        let step = if self.at(TokenKind::RightBracket) { None } else { Some(self.bracket_duration(STEP)?) };
        self.run(flat::kind(TokenKind::RightBracket, AFTER_STEP))?;
        Some(Brackets::Subquery(range, step))
    }

    fn matrix(&mut self, node: Node, range: DurationExpr, brackets: Span) -> Node {
        let span = node.expr.span().to(brackets);
        let selector = match node.expr {
            Expr::Selector(selector) => *selector,
            other => {
                self.misplaced_range(&other, brackets);
                self.set_aside.push(other);
                return Node::leaf(Expr::Error(span));
            }
        };
        let early = if selector.modifiers.offset.as_ref().is_some_and(Offset::is_set) {
            Some("no offset modifiers allowed before range")
        } else {
            selector.modifiers.at.map(|_| "no @ modifiers allowed before range")
        };
        if let Some(message) = early {
            let diagnostic = syntax(message, brackets).with_note("the range comes first: up[5m] offset 1h");
            self.diagnostics.push(diagnostic);
        }
        Node::leaf(Expr::Matrix(Box::new(MatrixSelector { span, selector, brackets, range })))
    }

    fn subquery(
        &mut self,
        node: Node,
        range: DurationExpr,
        step: Option<DurationExpr>,
        brackets: Span,
    ) -> Node {
        let height = node.height + 1;
        if height > CHAIN_LIMIT {
            self.report_too_long(brackets);
            return node;
        }
        let span = node.expr.span().to(brackets);
        let modifiers = Modifiers::default();
        let subquery = Subquery { span, expr: node.expr, brackets, range, step, modifiers };
        Node { expr: Expr::Subquery(Box::new(subquery)), height }
    }

    fn offset(&mut self, expr: &mut Expr) {
        let keyword = self.advance().span;
        let Some(value) = self.offset_duration() else { return };
        let end = self.last_end;
        let before = expr.span();
        let offset = Offset { span: Span::new(keyword.start as usize, end), keyword, value };
        match modifiers_of(expr) {
            Some((modifiers, span)) => {
                span.end = Span::empty_at(end).end;
                if modifiers.offset.as_ref().is_some_and(Offset::is_set) {
                    self.fault("offset may not be set multiple times", before);
                } else {
                    modifiers.offset = Some(offset);
                }
            }
            None => self.misplaced(expr, "offset"),
        }
    }

    /// A range of what is no selector; of an instant vector a subquery may have been meant.
    fn misplaced_range(&mut self, expr: &Expr, brackets: Span) {
        if matches!(expr, Expr::Error(_)) {
            return;
        }
        let mut diagnostic = syntax("ranges only allowed for vector selectors", brackets);
        if expr.value_type() == Some(ValueType::InstantVector) {
            let place = Span::empty_at(brackets.end as usize - 1);
            let message = "evaluate it over a range of steps with a subquery";
            diagnostic = diagnostic.with_suggestion(replacement(message, place, ":", Applicability::Unsafe));
        }
        self.diagnostics.push(diagnostic);
    }

    fn misplaced(&mut self, expr: &Expr, what: &str) {
        if matches!(expr, Expr::Error(_)) {
            return;
        }
        let message = format!(
            "{what} modifier must be preceded by an instant vector selector or range vector selector or a subquery"
        );
        let mut diagnostic = syntax(message, expr.span());
        if expr.value_type() == Some(ValueType::InstantVector) {
            diagnostic =
                diagnostic.with_note(format!("{what} moves what is read: write it behind a selector inside"));
        }
        self.diagnostics.push(diagnostic);
    }

    fn at_modifier(&mut self, expr: &mut Expr) {
        let sign = self.advance().span;
        let before = expr.span();
        let Some(value) = self.at_value(before) else { return };
        let end = self.last_end;
        let at = At { span: Span::new(sign.start as usize, end), value };
        match modifiers_of(expr) {
            Some((modifiers, _)) if modifiers.at.is_some() => {
                self.fault("@ <timestamp> may not be set multiple times", before);
            }
            Some((modifiers, span)) => {
                span.end = Span::empty_at(end).end;
                modifiers.at = Some(at);
            }
            None => self.misplaced(expr, "@"),
        }
    }

    /// The time after `@`; `before` is what upstream points at when the time is no time.
    fn at_value(&mut self, before: Span) -> Option<AtValue> {
        if matches!(self.peek().kind, TokenKind::Start | TokenKind::End) {
            let (word, _) = self.run(|tokens| flat::or_else(flat::at_word(tokens), TIME))?;
            let is_start = word.kind == TokenKind::Start;
            return Some(if is_start { AtValue::Start } else { AtValue::End });
        }
        let signed = self.run(|tokens| flat::or_else(flat::signed_number(tokens), TIME))?;
        let seconds = self.literal_value(signed.number)?;
        let seconds = if signed.is_negative { -seconds } else { seconds };
        if !(seconds > i64::MIN as f64 && seconds < i64::MAX as f64) {
            let shown =
                narthex_model::number::special(seconds).map_or_else(|| format!("{seconds:.6}"), String::from);
            self.fault(format!("timestamp out of bounds for @ modifier: {shown}"), before);
        }
        Some(AtValue::Timestamp((seconds * 1000.0).round() as i64))
    }

    fn extension(&mut self, expr: &mut Expr, extension: RangeExtension) {
        let keyword = self.advance().span;
        let word = extension.as_str();
        let place = expr.span();
        if !self.options.extended_range_selectors {
            let message = format!("{word} modifier is experimental and not enabled");
            let feature = Feature::ExtendedRangeSelectors.as_str();
            self.diagnostics.push(not_enabled(message, place, feature));
            return;
        }
        let modifiers = match expr {
            Expr::Selector(node) => &mut node.modifiers,
            Expr::Matrix(node) => &mut node.selector.modifiers,
            Expr::Subquery(_) => {
                return self.fault(format!("{word} modifier is not supported for subqueries"), place);
            }
            Expr::Error(_) => return,
            _ => return self.fault(format!("{word} modifier not implemented"), place),
        };
        let other = modifiers.extension.replace(Spanned::new(extension, keyword));
        if other.is_some_and(|other| other.value != extension) {
            self.fault("anchored and smoothed modifiers cannot be used together", place);
        }
    }
}
