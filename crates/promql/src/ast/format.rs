//! The tree over several lines, with the comments of the text it was read from.
//!
//! What fits the width stays on one line; otherwise calls, aggregations, parentheses and operators break, two spaces a
//! level, the operator on a line of its own. Selectors never break. A comment goes before what follows it, at the end
//! of a line if it stood at the end of one; an expression with a comment inside breaks, however short.

use std::collections::VecDeque;
use std::fmt::{self, Write};

use narthex_diag::Span;

use super::print::{write_aggregate_head, write_expr, write_left, write_operator, write_subquery_suffix};
use super::{Aggregate, Binary, Call, Expr, Subquery, Unary};

/// The width that upstream uses, in bytes of a node's text without its indentation.
pub const WIDTH: usize = 100;

/// The tree over several lines; `width` is [`WIDTH`] unless there is a reason.
pub fn pretty(expr: &Expr, width: usize) -> String {
    format(expr, &[], "", width)
}

/// The tree over several lines, with the comments at `comments` in the text it was read from.
pub fn format(expr: &Expr, comments: &[Span], text: &str, width: usize) -> String {
    let comments = comments.iter().copied().collect();
    let mut formatter = Formatter { out: String::new(), comments, text, width, line: Line::Start };
    formatter.expr(expr, 0);
    formatter.comments_before(usize::MAX, 0);
    formatter.out
}

/// How far the current line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing on it.
    Start,
    /// Something on it.
    Text,
    /// A comment ends it.
    Comment,
}

struct Formatter<'a> {
    out: String,
    /// Those not yet written, in the order of the text.
    comments: VecDeque<Span>,
    text: &'a str,
    width: usize,
    line: Line,
}

/// Counts down and stops the writing of a text that is too long.
struct Room(usize);

impl Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl Formatter<'_> {
    fn expr(&mut self, expr: &Expr, level: usize) {
        self.leading_comments(expr, level);
        if self.fits(expr) {
            return self.one_line(expr, level);
        }
        match expr {
            Expr::Call(node) if !node.args.is_empty() => self.call(node, level),
            Expr::Aggregate(node) => self.aggregate(node, level),
            Expr::Binary(node) => self.binary(node, level),
            Expr::Unary(node) => self.unary(node, level),
            Expr::Paren(node) => {
                self.begin(level);
                self.out.push('(');
                self.items(&[&node.expr], node.span, level);
            }
            Expr::Subquery(node) => self.subquery(node, level),
            leaf => self.one_line(leaf, level),
        }
    }

    /// Whether a node can be written on one line: short enough, and no comment inside.
    fn fits(&self, expr: &Expr) -> bool {
        let holds_comment = self.comments.front().is_some_and(|first| first.start < expr.span().end);
        !holds_comment && write_expr(&mut Room(self.width), expr).is_ok()
    }

    fn one_line(&mut self, expr: &Expr, level: usize) {
        self.begin(level);
        self.write(|out| write_expr(out, expr));
    }

    fn write(&mut self, write: impl FnOnce(&mut String) -> fmt::Result) {
        let written = write(&mut self.out);
        debug_assert!(written.is_ok(), "a string takes any text");
    }

    /// Makes ready for text at a level: indents at the start of a line, goes on otherwise.
    fn begin(&mut self, level: usize) {
        if self.line == Line::Comment {
            self.newline();
        }
        if self.line == Line::Start {
            self.out.extend(std::iter::repeat_n("  ", level));
        }
        self.line = Line::Text;
    }

    fn newline(&mut self) {
        if self.line != Line::Start {
            self.out.push('\n');
            self.line = Line::Start;
        }
    }

    /// Writes the comments that start before an offset of the text.
    fn comments_before(&mut self, end: usize, level: usize) {
        while let Some(first) = self.comments.pop_front_if(|first| (first.start as usize) < end) {
            self.comment(first, level);
        }
    }

    /// Writes the comments before an expression, and those inside its leading parts that cannot break: there is no
    /// other place for them, and reading the result again must find them in the same one.
    fn leading_comments(&mut self, expr: &Expr, level: usize) {
        if self.comments.is_empty() {
            return;
        }
        let mut suffixes = Vec::new();
        let end = leading_end(expr, &mut suffixes);
        self.comments_before(end as usize, level);
        if suffixes.is_empty() {
            return;
        }
        let is_hoisted = |comment: &Span| suffixes.iter().any(|suffix: &Span| suffix.contains(*comment));
        let all = std::mem::take(&mut self.comments);
        let (hoisted, rest): (VecDeque<Span>, _) = all.into_iter().partition(is_hoisted);
        self.comments = rest;
        for comment in hoisted {
            self.comment(comment, level);
        }
    }

    fn comment(&mut self, comment: Span, level: usize) {
        if self.line == Line::Text && self.ends_a_line(comment) {
            self.out.push(' ');
        } else {
            self.newline();
            self.out.extend(std::iter::repeat_n("  ", level));
        }
        self.out.push_str(comment.slice(self.text).trim_end());
        self.line = Line::Comment;
    }

    /// Whether something else stands before the comment on its line of the text.
    fn ends_a_line(&self, comment: Span) -> bool {
        let before = self.text.get(..comment.start as usize).unwrap_or("");
        let line = before.rsplit(['\n', '\r']).next().unwrap_or("");
        !line.trim().is_empty()
    }

    /// Arguments one below the other, and the closing parenthesis that ends `span`.
    fn items(&mut self, items: &[&Expr], span: Span, level: usize) {
        for (at, item) in items.iter().enumerate() {
            self.comments_before(item.span().start as usize, level + 1);
            self.newline();
            self.expr(item, level + 1);
            if at + 1 < items.len() {
                self.out.push(',');
            }
        }
        self.comments_before(span.end as usize, level + 1);
        self.newline();
        self.begin(level);
        self.out.push(')');
    }

    fn call(&mut self, node: &Call, level: usize) {
        self.begin(level);
        self.out.push_str(node.function.map_or("?", |function| function.as_str()));
        self.out.push('(');
        let args: Vec<&Expr> = node.args.iter().collect();
        self.items(&args, node.span, level);
    }

    fn aggregate(&mut self, node: &Aggregate, level: usize) {
        self.begin(level);
        self.write(|out| write_aggregate_head(out, node));
        self.out.push('(');
        let args: Vec<&Expr> = node.parameter.iter().chain([&node.expr]).collect();
        self.items(&args, node.span, level);
    }

    fn binary(&mut self, node: &Binary, level: usize) {
        if let Expr::Number(_) = node.lhs {
            self.begin(level + 1);
            self.write(|out| write_left(out, node));
        } else {
            self.expr(&node.lhs, level + 1);
        }
        self.comments_before(node.op_span.start as usize, level + 1);
        self.newline();
        self.begin(level);
        self.write(|out| write_operator(out, node));
        self.comments_before(node.rhs.span().start as usize, level + 1);
        self.newline();
        self.expr(&node.rhs, level + 1);
    }

    fn unary(&mut self, node: &Unary, level: usize) {
        self.begin(level);
        self.out.push_str(node.op.value.as_str());
        self.expr(&node.expr, level);
    }

    fn subquery(&mut self, node: &Subquery, level: usize) {
        self.expr(&node.expr, level);
        self.comments_before(node.brackets.start as usize, level);
        self.begin(level);
        self.write(|out| write_subquery_suffix(out, node));
    }
}

/// Where the leading parts of an expression end that cannot break; the suffixes of leading subqueries are collected.
fn leading_end(expr: &Expr, suffixes: &mut Vec<Span>) -> u32 {
    match expr {
        Expr::Binary(node) => leading_end(&node.lhs, suffixes),
        Expr::Unary(node) => leading_end(&node.expr, suffixes),
        Expr::Subquery(node) => {
            suffixes.push(Span { start: node.brackets.start, end: node.span.end });
            leading_end(&node.expr, suffixes)
        }
        Expr::Call(node) if !node.args.is_empty() => node.span.start,
        Expr::Aggregate(_) | Expr::Paren(_) => expr.span().start,
        leaf => leaf.span().end,
    }
}
