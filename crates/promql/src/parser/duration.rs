//! Durations: literals where only one term may stand, arithmetic inside brackets and parentheses.

use narthex_diag::Span;

use super::flat::Expected;
use super::{Parser, flat};
use crate::ast::{DurationExpr, DurationOp};
use crate::error::not_enabled;
use crate::features::{CHAIN_LIMIT, Feature};
use crate::operators::UNARY_PRECEDENCE;
use crate::token::{Token, TokenKind};

/// What upstream expects after `offset`.
const OFFSET: Expected = Expected { context: "offset", what: "number, duration, step(), or range()" };

/// Seconds beyond which nanoseconds do not fit 63 bits, about 292 years.
const SECONDS_MAX: f64 = 9_223_372_036.854_776;

/// The literal left in place of one that is refused: no comparison is true of it, so that nothing more is said.
fn refused(span: Span) -> DurationExpr {
    DurationExpr::Literal { seconds: f64::NAN, is_duration: false, span }
}

fn operation(kind: TokenKind) -> Option<(DurationOp, u8)> {
    Some(match kind {
        TokenKind::Add => (DurationOp::Add, 4),
        TokenKind::Sub => (DurationOp::Sub, 4),
        TokenKind::Mul => (DurationOp::Mul, UNARY_PRECEDENCE),
        TokenKind::Div => (DurationOp::Div, UNARY_PRECEDENCE),
        TokenKind::Mod => (DurationOp::Mod, UNARY_PRECEDENCE),
        TokenKind::Pow => (DurationOp::Pow, 6),
        _ => return None,
    })
}

impl Parser<'_> {
    /// The duration after `offset`: one term, so that what follows belongs to the expression.
    pub(super) fn offset_duration(&mut self) -> Option<DurationExpr> {
        let value = match flat::sign(self.tokens) {
            Ok((rest, sign)) => {
                self.move_to(rest);
                if matches!(self.peek().kind, TokenKind::Number | TokenKind::Duration) {
                    // Upstream points at the sign of a literal that is too long.
                    let literal = self.duration_literal(Some(sign.span));
                    self.signed_duration(sign.value, sign.span, literal)
                } else {
                    let term = self.duration_term(OFFSET)?;
                    self.signed_offset(sign.value, sign.span, term)
                }
            }
            Err(_) => self.duration_term(OFFSET)?,
        };
        self.check_duration_enabled(&value);
        Some(value)
    }

    /// After `offset` upstream keeps a plus before a computed term.
    fn signed_offset(&mut self, is_negative: bool, sign: Span, term: DurationExpr) -> DurationExpr {
        let is_plus_term =
            !is_negative && !matches!(term, DurationExpr::Literal { .. } | DurationExpr::Paren { .. });
        if is_plus_term {
            let span = sign.to(term.span());
            return DurationExpr::Signed { is_negative, expr: Box::new(term), span };
        }
        self.signed_duration(is_negative, sign, term)
    }

    /// A duration inside brackets, which must be positive where that can be seen.
    pub(super) fn bracket_duration(&mut self, expected: Expected) -> Option<DurationExpr> {
        let value = self.duration(0, expected)?;
        self.check_duration_enabled(&value);
        if let DurationExpr::Literal { seconds, span, .. } = value
            && seconds <= 0.0
        {
            self.fault("duration must be greater than 0", span);
        }
        Some(value)
    }

    fn check_duration_enabled(&mut self, value: &DurationExpr) {
        if !self.options.duration_expressions && !value.is_literal() {
            let message = "experimental duration expression is not enabled";
            let feature = Feature::DurationExpressions.as_str();
            self.diagnostics.push(not_enabled(message, value.reported_span(), feature));
        }
    }

    /// Operations that bind at least as tight as `precedence_min`.
    fn duration(&mut self, precedence_min: u8, expected: Expected) -> Option<DurationExpr> {
        let mut lhs = self.duration_operand(expected)?;
        let mut length = 0usize;
        while let Some((op, precedence)) = operation(self.peek().kind) {
            if precedence < precedence_min {
                break;
            }
            let op_span = self.advance().span;
            let rhs = if op == DurationOp::Pow {
                self.nested(|parser| parser.duration(precedence, expected))??
            } else {
                self.duration(precedence + 1, expected)?
            };
            self.check_divisor(op, op_span, &rhs);
            length += 1;
            if length >= CHAIN_LIMIT {
                self.report_too_long(op_span);
                continue;
            }
            let span = lhs.span().to(rhs.span());
            lhs = DurationExpr::Binary { op, lhs: Box::new(lhs), rhs: Box::new(rhs), span };
        }
        Some(lhs)
    }

    fn check_divisor(&mut self, op: DurationOp, op_span: Span, divisor: &DurationExpr) {
        let DurationExpr::Literal { seconds: 0.0, .. } = divisor else { return };
        match op {
            DurationOp::Div => self.fault("division by zero", op_span),
            DurationOp::Mod => self.fault("modulo by zero", op_span),
            _ => {}
        }
    }

    fn duration_operand(&mut self, expected: Expected) -> Option<DurationExpr> {
        let Ok((rest, sign)) = flat::sign(self.tokens) else {
            return self.duration_term(expected);
        };
        self.move_to(rest);
        let operand = self.nested(|parser| parser.duration(UNARY_PRECEDENCE + 1, expected))??;
        Some(self.signed_duration(sign.value, sign.span, operand))
    }

    /// A sign becomes part of a literal; a plus before anything else is nothing.
    fn signed_duration(&mut self, is_negative: bool, sign: Span, operand: DurationExpr) -> DurationExpr {
        let span = sign.to(operand.span());
        match operand {
            DurationExpr::Literal { seconds, is_duration, .. } => {
                let seconds = if is_negative { -seconds } else { seconds };
                DurationExpr::Literal { seconds, is_duration, span }
            }
            operand if is_negative => DurationExpr::Signed { is_negative, expr: Box::new(operand), span },
            operand => operand,
        }
    }

    fn duration_term(&mut self, expected: Expected) -> Option<DurationExpr> {
        let token = self.peek();
        match token.kind {
            TokenKind::Number | TokenKind::Duration => Some(self.duration_literal(None)),
            TokenKind::LeftParen => self.nested(|parser| parser.duration_paren(expected))?,
            TokenKind::Step | TokenKind::Range => self.duration_word(token, expected),
            TokenKind::MinOf => self.duration_call(DurationOp::MinOf, expected),
            TokenKind::MaxOf => self.duration_call(DurationOp::MaxOf, expected),
            _ => {
                self.unexpected(expected.context, expected.what);
                None
            }
        }
    }

    /// A number or duration, which comes next; `blamed` is what is too long when it is, if not the literal.
    fn duration_literal(&mut self, blamed: Option<Span>) -> DurationExpr {
        let token = self.advance();
        let Some(seconds) = self.literal_value(token) else { return refused(token.span) };
        if seconds.abs() > SECONDS_MAX {
            self.fault("duration out of range", blamed.unwrap_or(token.span));
            return refused(token.span);
        }
        DurationExpr::Literal { seconds, is_duration: token.kind == TokenKind::Duration, span: token.span }
    }

    fn expect_in_duration(&mut self, kind: TokenKind, expected: Expected) -> Option<Token> {
        self.run(flat::kind(kind, expected))
    }

    fn duration_paren(&mut self, expected: Expected) -> Option<DurationExpr> {
        let open = self.advance().span;
        let expr = self.duration(0, expected)?;
        let close = self.expect_in_duration(TokenKind::RightParen, expected)?;
        if let DurationExpr::Paren { .. } = expr {
            return Some(expr);
        }
        Some(DurationExpr::Paren { expr: Box::new(expr), span: open.to(close.span) })
    }

    fn duration_word(&mut self, word: Token, expected: Expected) -> Option<DurationExpr> {
        self.advance();
        self.expect_in_duration(TokenKind::LeftParen, expected)?;
        let close = self.expect_in_duration(TokenKind::RightParen, expected)?;
        let span = word.span.to(close.span);
        Some(if word.kind == TokenKind::Step { DurationExpr::Step(span) } else { DurationExpr::Range(span) })
    }

    fn duration_call(&mut self, op: DurationOp, expected: Expected) -> Option<DurationExpr> {
        let name = self.advance().span;
        self.nested(|parser| {
            parser.expect_in_duration(TokenKind::LeftParen, expected)?;
            let lhs = Box::new(parser.duration(0, expected)?);
            parser.expect_in_duration(TokenKind::Comma, expected)?;
            let rhs = Box::new(parser.duration(0, expected)?);
            let close = parser.expect_in_duration(TokenKind::RightParen, expected)?;
            Some(DurationExpr::Binary { op, lhs, rhs, span: name.to(close.span) })
        })?
    }
}
