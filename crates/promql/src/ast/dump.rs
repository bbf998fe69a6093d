//! The tree as an indented outline, one node a line, with the span of each.

use std::fmt::Write;

use narthex_diag::Span;

use super::print::{write_aggregate_head, write_operator};
use super::{AtValue, DurationExpr, Expr, Modifiers, VectorSelector};

/// The outline of `expr`: kind, span, what distinguishes the node; children two spaces deeper.
pub fn dump(expr: &Expr) -> String {
    let mut dump = Dump { out: String::new() };
    dump.expr(expr, 0);
    dump.out
}

struct Dump {
    out: String,
}

impl Dump {
    fn line(&mut self, level: usize, kind: &str, span: Span, detail: &str) {
        self.out.extend(std::iter::repeat_n("  ", level));
        let space = if detail.is_empty() { "" } else { " " };
        let detail = detail.trim_end();
        let written = writeln!(self.out, "{kind} {span:?}{space}{detail}");
        debug_assert!(written.is_ok(), "a string takes any text");
    }

    fn expr(&mut self, expr: &Expr, level: usize) {
        let span = expr.span();
        match expr {
            Expr::Number(_) => self.line(level, "number", span, &expr.to_string()),
            Expr::String(_) => self.line(level, "string", span, &expr.to_string()),
            Expr::Selector(node) => self.selector(node, level),
            Expr::Matrix(node) => {
                self.line(level, "matrix", span, &format!("brackets {:?}", node.brackets));
                self.selector(&node.selector, level + 1);
                self.duration("range", &node.range, level + 1);
            }
            Expr::Subquery(node) => {
                self.line(level, "subquery", span, &format!("brackets {:?}", node.brackets));
                self.duration("range", &node.range, level + 1);
                if let Some(step) = &node.step {
                    self.duration("step", step, level + 1);
                }
                self.modifiers(&node.modifiers, level + 1);
            }
            Expr::Call(node) => {
                let name = node.function.map_or("?", |function| function.as_str());
                self.line(level, "call", span, name);
            }
            Expr::Aggregate(node) => {
                let mut head = String::new();
                let _ = write_aggregate_head(&mut head, node);
                self.line(level, "aggregate", span, &head);
            }
            Expr::Binary(node) => {
                let mut operator = String::new();
                let _ = write_operator(&mut operator, node);
                self.line(level, "binary", span, &format!("{operator} at {:?}", node.op_span));
            }
            Expr::Unary(node) => self.line(level, "unary", span, node.op.value.as_str()),
            Expr::Paren(_) => self.line(level, "paren", span, ""),
            Expr::Error(_) => self.line(level, "error", span, ""),
        }
        for child in expr.children() {
            self.expr(child, level + 1);
        }
    }

    fn selector(&mut self, node: &VectorSelector, level: usize) {
        let name =
            node.name.as_ref().map_or(String::new(), |name| format!("{:?} at {:?}", name.value, name.span));
        self.line(level, "selector", node.span, &name);
        for matcher in &node.matchers {
            self.line(level + 1, "matcher", matcher.span, &format!("{:?}", matcher.matcher));
        }
        self.modifiers(&node.modifiers, level + 1);
    }

    fn modifiers(&mut self, modifiers: &Modifiers, level: usize) {
        if let Some(at) = modifiers.at {
            let value = match at.value {
                AtValue::Timestamp(ms) => format!("{ms} ms"),
                AtValue::Start => "start()".into(),
                AtValue::End => "end()".into(),
            };
            self.line(level, "at", at.span, &value);
        }
        if let Some(extension) = modifiers.extension {
            self.line(level, extension.value.as_str(), extension.span, "");
        }
        if let Some(offset) = &modifiers.offset {
            self.duration("offset", &offset.value, level);
        }
    }

    fn duration(&mut self, role: &str, expr: &DurationExpr, level: usize) {
        self.line(level, role, expr.span(), &expr.to_string());
    }
}
