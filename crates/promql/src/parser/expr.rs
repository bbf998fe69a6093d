//! Operators by precedence, and what they combine.

use narthex_diag::{Span, Spanned};

use super::{Node, Parser};
use crate::ast::{Binary, Expr, Paren, Unary, UnaryOp};
use crate::features::CHAIN_LIMIT;
use crate::operators::{BinaryOp, UNARY_PRECEDENCE};
use crate::token::TokenKind;

/// An operator whose right operand is being read.
enum Pending {
    Sign(Spanned<UnaryOp>),
    /// With a placeholder for the right operand, and the height of the left one.
    Binary(Box<Binary>, usize),
}

impl Pending {
    /// Whether many of them in a row make the tree deep to the right.
    fn nests(&self) -> bool {
        match self {
            Pending::Sign(_) => true,
            Pending::Binary(node, _) => node.op.is_right_associative(),
        }
    }

    /// Whether the operator takes its right operand before `next` (none: the end) gets it.
    fn binds_before(&self, next: Option<BinaryOp>) -> bool {
        let own = match self {
            Pending::Sign(_) => UNARY_PRECEDENCE,
            Pending::Binary(node, _) => node.op.precedence(),
        };
        next.is_none_or(|next| match own.cmp(&next.precedence()) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => !next.is_right_associative(),
            std::cmp::Ordering::Less => false,
        })
    }
}

impl Parser<'_> {
    /// An expression up to the first token that cannot go on with it.
    pub(crate) fn expr(&mut self) -> Node {
        let nesting = self.depth.nesting;
        let mut pending = Vec::new();
        let node = loop {
            self.signs(&mut pending);
            let mut node = self.operand();
            let next = self.peek().kind.binary_op();
            while let Some(operator) = pending.pop_if(|operator| operator.binds_before(next)) {
                self.depth.nesting -= usize::from(operator.nests());
                node = self.combine(operator, node);
            }
            let Some(op) = next else { break node };
            let operator = self.operator(op, node);
            self.depth.nesting += usize::from(operator.nests());
            pending.push(operator);
            if self.depth.nesting > self.options.nest_limit {
                self.report_too_deep();
            }
        };
        debug_assert_eq!(self.depth.nesting, nesting, "every operator was combined");
        node
    }

    fn signs(&mut self, pending: &mut Vec<Pending>) {
        loop {
            let op = match self.peek().kind {
                TokenKind::Add => UnaryOp::Plus,
                TokenKind::Sub => UnaryOp::Minus,
                _ => return,
            };
            if self.depth.nesting >= self.options.nest_limit {
                self.report_too_deep();
                return;
            }
            self.depth.nesting += 1;
            let span = self.advance().span;
            pending.push(Pending::Sign(Spanned::new(op, span)));
        }
    }

    /// The operator that comes next, with its left operand and its modifiers.
    fn operator(&mut self, op: BinaryOp, lhs: Node) -> Pending {
        let op_span = self.advance().span;
        let modifiers = self.binary_modifiers();
        let binary = Binary {
            span: lhs.expr.span(),
            op,
            op_span,
            bool_modifier: modifiers.bool_modifier,
            matching: modifiers.matching,
            fill: modifiers.fill,
            lhs: lhs.expr,
            rhs: Expr::Error(Span::default()),
        };
        Pending::Binary(Box::new(binary), lhs.height)
    }

    fn combine(&mut self, operator: Pending, rhs: Node) -> Node {
        match operator {
            Pending::Sign(sign) => signed(sign, rhs),
            Pending::Binary(binary, lhs_height) => self.binary(binary, lhs_height, rhs),
        }
    }

    fn binary(&mut self, mut binary: Box<Binary>, lhs_height: usize, rhs: Node) -> Node {
        let height = lhs_height.max(rhs.height) + 1;
        if height > CHAIN_LIMIT {
            self.report_too_long(binary.op_span);
            self.set_aside.push(rhs.expr);
            return Node { expr: binary.lhs, height: lhs_height };
        }
        binary.span = binary.span.to(rhs.expr.span());
        binary.rhs = rhs.expr;
        self.check_fill_enabled(&binary);
        Node { expr: Expr::Binary(binary), height }
    }

    /// Whatever may stand between operators: a primary expression and what is postfixed to it.
    fn operand(&mut self) -> Node {
        let primary = self.primary();
        self.postfix(primary)
    }

    fn primary(&mut self) -> Node {
        self.count_part();
        let token = self.peek();
        match token.kind {
            TokenKind::Number | TokenKind::Duration => Node::leaf(self.number_literal()),
            TokenKind::String => Node::leaf(self.string_literal()),
            TokenKind::LeftParen => self.paren(),
            TokenKind::LeftBrace => Node::leaf(self.vector_selector()),
            kind if kind.is_aggregation() && self.begins_aggregate() => self.aggregate(),
            kind if is_function_name(kind) && self.tokens.peek_second() == TokenKind::LeftParen => {
                self.call()
            }
            kind if kind.is_metric_name() => Node::leaf(self.vector_selector()),
            _ => {
                self.unexpected_here();
                self.skip_to_delimiter();
                let end = (self.peek().span.start).max(token.span.start);
                Node::leaf(Expr::Error(Span { start: token.span.start, end }))
            }
        }
    }

    fn begins_aggregate(&self) -> bool {
        matches!(self.tokens.peek_second(), TokenKind::LeftParen | TokenKind::By | TokenKind::Without)
    }

    fn paren(&mut self) -> Node {
        let open = self.advance().span;
        let Some(inner) = self.nested(Self::expr) else {
            return Node::leaf(Expr::Error(open));
        };
        let end = self.close_paren();
        let span = Span::new(open.start as usize, end);
        Node { height: inner.height + 1, expr: Expr::Paren(Box::new(Paren { span, expr: inner.expr })) }
    }
}

/// What a name before a parenthesis calls.
fn is_function_name(kind: TokenKind) -> bool {
    use TokenKind::{End, Identifier, MaxOf, MinOf, Range, Start, Step};
    matches!(kind, Identifier | Start | End | Step | Range | MinOf | MaxOf)
}

/// A sign becomes part of a number that follows it.
fn signed(sign: Spanned<UnaryOp>, node: Node) -> Node {
    let span = sign.span.to(node.expr.span());
    if let Expr::Number(mut number) = node.expr {
        if sign.value == UnaryOp::Minus {
            number.value = -number.value;
        }
        number.span = span;
        return Node::leaf(Expr::Number(number));
    }
    let unary = Unary { span, op: sign, expr: node.expr };
    Node { expr: Expr::Unary(Box::new(unary)), height: node.height + 1 }
}
