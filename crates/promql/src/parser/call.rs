//! Calls, and arguments in parentheses.

use narthex_diag::Span;

use super::{Node, Parser};
use crate::ast::{Call, Expr};
use crate::error::{not_enabled, unknown_function};
use crate::features::Feature;
use crate::functions::FunctionId;
use crate::token::{Token, TokenKind, quoted};

/// Arguments with their parentheses.
pub(super) struct Arguments {
    pub(super) list: Vec<Expr>,
    /// The deepest of them.
    pub(super) height: usize,
    /// The parentheses and what is between them.
    pub(super) parens: Span,
}

impl Parser<'_> {
    /// A call; a name and a parenthesis come next.
    pub(super) fn call(&mut self) -> Node {
        let name = self.advance();
        let arguments = self.arguments();
        let function = self.function(name);
        let call = Call {
            span: name.span.to(arguments.parens),
            function,
            name: name.span,
            parens: arguments.parens,
            args: arguments.list,
        };
        Node { expr: Expr::Call(Box::new(call)), height: arguments.height + 1 }
    }

    fn function(&mut self, name: Token) -> Option<FunctionId> {
        let text = name.span.slice(self.text);
        let Some(function) = FunctionId::by_name(text) else {
            let advice = self.next_advice();
            self.diagnostics.push(unknown_function(text, name.span, advice));
            return None;
        };
        if function.spec().is_experimental && !self.options.experimental_functions {
            let message = format!("function {} is not enabled", quoted(text));
            let feature = Feature::ExperimentalFunctions.as_str();
            self.diagnostics.push(not_enabled(message, name.span, feature));
        }
        Some(function)
    }

    /// Arguments; an opening parenthesis comes next.
    pub(super) fn arguments(&mut self) -> Arguments {
        let open = self.advance().span;
        let mut arguments = Arguments { list: Vec::new(), height: 0, parens: open };
        if !self.at(TokenKind::RightParen) {
            let read = self.nested(|parser| parser.argument_list(&mut arguments));
            if read.is_none() {
                arguments.list.push(Expr::Error(open));
            }
        }
        let end = self.close_paren();
        arguments.parens = Span::new(open.start as usize, end);
        arguments
    }

    fn argument_list(&mut self, arguments: &mut Arguments) {
        loop {
            let node = self.expr();
            arguments.height = arguments.height.max(node.height);
            arguments.list.push(node.expr);
            if !matches!(self.peek().kind, TokenKind::Comma | TokenKind::RightParen) {
                self.unexpected_here();
                self.skip_to_delimiter();
            }
            let Some(comma) = self.accept(TokenKind::Comma) else { return };
            if !self.peek().kind.begins_expression() {
                self.trailing_comma(comma);
                return;
            }
        }
    }

    fn trailing_comma(&mut self, comma: Token) {
        if self.at(TokenKind::Error) {
            self.report_lexical_error();
        } else {
            self.fault("trailing commas not allowed in function call args", comma.span);
        }
    }
}
