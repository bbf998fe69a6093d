//! Aggregations with their grouping, before or after the arguments.

use narthex_diag::{Span, Spanned};

use super::call::Arguments;
use super::{Node, Parser};
use crate::aggregations::AggregateOp;
use crate::ast::{Aggregate, Expr, Grouping, GroupingKind};
use crate::error::{mistyped, not_enabled};
use crate::features::Feature;
use crate::token::TokenKind;

impl Parser<'_> {
    /// An aggregation; its operator comes next, and after that a parenthesis, `by` or `without`.
    pub(super) fn aggregate(&mut self) -> Node {
        let operator = self.advance();
        let op = operator.kind.aggregate_op().unwrap_or(AggregateOp::Sum);
        self.depth.aggregations += 1;
        let before = self.grouping();
        if !self.at(TokenKind::LeftParen) {
            self.unexpected_here();
            self.depth.aggregations -= 1;
            self.skip_to_delimiter();
            return Node::leaf(Expr::Error(Span::new(operator.span.start as usize, self.last_end)));
        }
        let mut arguments = self.arguments();
        self.depth.aggregations -= 1;
        let after = if before.is_none() { self.grouping() } else { None };
        let span = Span::new(operator.span.start as usize, self.last_end);
        if self.at(TokenKind::Error) {
            self.report_lexical_error();
        }
        let (parameter, expr) = self.operands(op, span, &mut arguments);
        let aggregate = Aggregate {
            span,
            op,
            op_span: operator.span,
            grouping: before.or(after),
            parens: arguments.parens,
            parameter,
            expr,
        };
        Node { expr: Expr::Aggregate(Box::new(aggregate)), height: arguments.height + 1 }
    }

    fn grouping(&mut self) -> Option<Grouping> {
        let kind = match self.peek().kind {
            TokenKind::By => GroupingKind::By,
            TokenKind::Without => GroupingKind::Without,
            _ => return None,
        };
        let keyword = Spanned::new(kind, self.advance().span);
        let list = self.label_list();
        Some(Grouping { span: keyword.span.to(list.span), keyword, labels: list.labels })
    }

    /// Parameter and operand out of the arguments; says so when their number is wrong.
    fn operands(&mut self, op: AggregateOp, span: Span, arguments: &mut Arguments) -> (Option<Expr>, Expr) {
        let got = arguments.list.len();
        let spec = op.spec();
        let wanted = 1 + usize::from(spec.parameter.is_some());
        let mut list = std::mem::take(&mut arguments.list).into_iter();
        if got == 0 {
            let message = "no arguments for aggregate expression provided";
            self.diagnostics.push(mistyped(message, span).with_label(format!("yields {}", spec.summary)));
            return (None, Expr::Error(arguments.parens));
        }
        if spec.is_experimental && !self.options.experimental_functions {
            let feature = Feature::ExperimentalFunctions.as_str();
            let name = spec.name;
            let message =
                format!("{name}() is experimental and must be enabled with --enable-feature={feature}");
            self.diagnostics.push(not_enabled(message, span, feature));
        } else if got != wanted {
            let message = format!(
                "wrong number of arguments for aggregate expression provided, expected {wanted}, got {got}"
            );
            self.diagnostics.push(mistyped(message, span));
        }
        let parameter = if wanted == 2 && got >= 2 { list.next() } else { None };
        let expr = list.next().unwrap_or(Expr::Error(arguments.parens));
        self.set_aside.extend(list);
        (parameter, expr)
    }
}
