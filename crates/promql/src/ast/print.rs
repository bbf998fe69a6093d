//! The canonical text of a tree: one line, one form for what can be written in several.
//!
//! Labels of a grouping come before the arguments, matchers are sorted, durations have the largest exact units. Reading
//! the text yields the same tree, places apart; a metric name that was quoted comes back as a matcher.

use std::fmt::{self, Display, Write};

use narthex_diag::Spanned;
use narthex_model::labels::{METRIC_NAME, is_legacy_metric_name, quote, write_label_name};
use narthex_model::number::{format_g, format_plain};
use narthex_model::{Matcher, PromDuration};

use super::{
    Aggregate, AtValue, Binary, DurationExpr, Expr, GroupSide, GroupingKind, MatchingKind, MatrixSelector,
    Modifiers, NumberLiteral, Subquery, UnaryOp, ValueType, VectorSelector,
};
use crate::operators::BinaryOp;
use crate::token::TokenKind;

/// See the module.
impl Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_expr(f, self)
    }
}

/// As inside brackets.
impl Display for DurationExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_duration(f, self)
    }
}

/// With its modifiers.
impl Display for VectorSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_selector(f, self)
    }
}

impl UnaryOp {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            UnaryOp::Plus => "+",
            UnaryOp::Minus => "-",
        }
    }
}

pub(super) fn write_expr(out: &mut dyn Write, expr: &Expr) -> fmt::Result {
    match expr {
        Expr::Number(node) => write_number(out, *node),
        Expr::String(node) => write_quoted(out, node.value.as_bytes()),
        Expr::Selector(node) => write_selector(out, node),
        Expr::Matrix(node) => write_matrix(out, node),
        Expr::Subquery(node) => {
            write_expr(out, &node.expr)?;
            write_subquery_suffix(out, node)
        }
        Expr::Call(node) => {
            out.write_str(node.function.map_or("?", |function| function.as_str()))?;
            out.write_str("(")?;
            write_joined(out, &node.args)?;
            out.write_str(")")
        }
        Expr::Aggregate(node) => write_aggregate(out, node),
        Expr::Binary(node) => {
            write_left(out, node)?;
            out.write_str(" ")?;
            write_operator(out, node)?;
            out.write_str(" ")?;
            write_expr(out, &node.rhs)
        }
        Expr::Unary(node) => {
            out.write_str(node.op.value.as_str())?;
            write_expr(out, &node.expr)
        }
        Expr::Paren(node) => {
            out.write_str("(")?;
            write_expr(out, &node.expr)?;
            out.write_str(")")
        }
        Expr::Error(_) => out.write_str("?"),
    }
}

/// The left operand. An infinity loses its sign before `^`, which would bind tighter than the sign.
pub(super) fn write_left(out: &mut dyn Write, node: &Binary) -> fmt::Result {
    match &node.lhs {
        Expr::Number(number) if node.op == BinaryOp::Pow && number.value == f64::INFINITY => {
            out.write_str("Inf")
        }
        lhs => write_expr(out, lhs),
    }
}

fn write_joined(out: &mut dyn Write, exprs: &[Expr]) -> fmt::Result {
    for (at, expr) in exprs.iter().enumerate() {
        if at > 0 {
            out.write_str(", ")?;
        }
        write_expr(out, expr)?;
    }
    Ok(())
}

fn write_quoted(out: &mut dyn Write, bytes: &[u8]) -> fmt::Result {
    let mut text = String::with_capacity(bytes.len() + 2);
    quote(&mut text, bytes);
    out.write_str(&text)
}

fn write_number(out: &mut dyn Write, node: NumberLiteral) -> fmt::Result {
    if node.is_duration { write_seconds(out, node.value) } else { out.write_str(&format_plain(node.value)) }
}

/// Seconds as a duration in whole milliseconds; what is shorter than one stays a number of seconds.
fn write_seconds(out: &mut dyn Write, seconds: f64) -> fmt::Result {
    let ms = (seconds * 1e9).round() as i64 / 1_000_000;
    if ms == 0 && seconds != 0.0 {
        return out.write_str(&format_plain(seconds));
    }
    write!(out, "{}", PromDuration::from_ms(ms))
}

fn write_duration(out: &mut dyn Write, expr: &DurationExpr) -> fmt::Result {
    match expr {
        DurationExpr::Literal { seconds, is_duration: true, .. } => write_seconds(out, *seconds),
        DurationExpr::Literal { seconds, .. } => out.write_str(&format_plain(*seconds)),
        DurationExpr::Step(_) => out.write_str("step()"),
        DurationExpr::Range(_) => out.write_str("range()"),
        DurationExpr::Signed { is_negative, expr, .. } => {
            if *is_negative {
                out.write_str("-")?;
            }
            write_duration(out, expr)
        }
        DurationExpr::Paren { expr, .. } => {
            out.write_str("(")?;
            write_duration(out, expr)?;
            out.write_str(")")
        }
        DurationExpr::Binary { op, lhs, rhs, .. } if op.is_call() => {
            write!(out, "{}(", op.as_str())?;
            write_duration(out, lhs)?;
            out.write_str(", ")?;
            write_duration(out, rhs)?;
            out.write_str(")")
        }
        DurationExpr::Binary { op, lhs, rhs, .. } => {
            write_duration(out, lhs)?;
            write!(out, " {} ", op.as_str())?;
            write_duration(out, rhs)
        }
    }
}

/// A duration that stands alone: a plain number is shown with its units.
fn write_whole_duration(out: &mut dyn Write, expr: &DurationExpr) -> fmt::Result {
    match expr {
        DurationExpr::Literal { seconds, .. } => write_seconds(out, *seconds),
        other => write_duration(out, other),
    }
}

/// The metric name, when it can stand before the braces.
fn bare_name(node: &VectorSelector) -> Option<&str> {
    let name = node.name.as_ref().filter(|_| !node.is_name_quoted())?;
    let is_usable = TokenKind::of_word(&name.value).is_none_or(may_name_metric);
    (is_usable && is_legacy_metric_name(&name.value)).then_some(&*name.value)
}

/// `fill` and its kin are keywords only before a parenthesis, which no selector is followed by.
fn may_name_metric(kind: TokenKind) -> bool {
    kind.is_metric_name() || matches!(kind, TokenKind::Fill | TokenKind::FillLeft | TokenKind::FillRight)
}

fn matcher_text(matcher: &Matcher) -> String {
    let mut text = String::new();
    write_label_name(&mut text, matcher.name());
    text.push_str(matcher.op().as_str());
    quote(&mut text, matcher.value().as_bytes());
    text
}

fn write_selector_alone(out: &mut dyn Write, node: &VectorSelector) -> fmt::Result {
    let bare = bare_name(node);
    out.write_str(bare.unwrap_or(""))?;
    let mut matchers: Vec<String> =
        node.matchers.iter().map(|matcher| matcher_text(&matcher.matcher)).collect();
    if let (None, Some(name)) = (bare, &node.name) {
        matchers.push(matcher_text(&Matcher::equal(METRIC_NAME, &*name.value)));
    }
    matchers.sort_unstable();
    // A selector of nothing in particular is written as what it is, so that it can be read again.
    if matchers.is_empty() && bare.is_some() {
        return Ok(());
    }
    out.write_str("{")?;
    for (at, matcher) in matchers.iter().enumerate() {
        if at > 0 {
            out.write_str(",")?;
        }
        out.write_str(matcher)?;
    }
    out.write_str("}")
}

fn write_at(out: &mut dyn Write, modifiers: &Modifiers) -> fmt::Result {
    match modifiers.at.map(|at| at.value) {
        None => Ok(()),
        Some(AtValue::Start) => out.write_str(" @ start()"),
        Some(AtValue::End) => out.write_str(" @ end()"),
        Some(AtValue::Timestamp(ms)) => write!(out, " @ {:.3}", ms as f64 / 1000.0),
    }
}

fn write_extension(out: &mut dyn Write, modifiers: &Modifiers) -> fmt::Result {
    modifiers.extension.map_or(Ok(()), |extension| write!(out, " {}", extension.value.as_str()))
}

fn write_offset(out: &mut dyn Write, modifiers: &Modifiers) -> fmt::Result {
    let Some(offset) = modifiers.offset.as_ref().filter(|offset| offset.is_set()) else { return Ok(()) };
    out.write_str(" offset ")?;
    write_whole_duration(out, &offset.value)
}

fn write_selector(out: &mut dyn Write, node: &VectorSelector) -> fmt::Result {
    write_selector_alone(out, node)?;
    write_at(out, &node.modifiers)?;
    write_extension(out, &node.modifiers)?;
    write_offset(out, &node.modifiers)
}

fn write_matrix(out: &mut dyn Write, node: &MatrixSelector) -> fmt::Result {
    write_selector_alone(out, &node.selector)?;
    out.write_str("[")?;
    write_whole_duration(out, &node.range)?;
    out.write_str("]")?;
    write_extension(out, &node.selector.modifiers)?;
    write_at(out, &node.selector.modifiers)?;
    write_offset(out, &node.selector.modifiers)
}

pub(super) fn write_subquery_suffix(out: &mut dyn Write, node: &Subquery) -> fmt::Result {
    out.write_str("[")?;
    write_whole_duration(out, &node.range)?;
    out.write_str(":")?;
    if let Some(step) = &node.step {
        write_whole_duration(out, step)?;
    }
    out.write_str("]")?;
    write_at(out, &node.modifiers)?;
    write_offset(out, &node.modifiers)
}

fn write_labels(out: &mut dyn Write, keyword: &str, labels: &[Spanned<Box<str>>]) -> fmt::Result {
    write!(out, " {keyword} (")?;
    for (at, label) in labels.iter().enumerate() {
        if at > 0 {
            out.write_str(", ")?;
        }
        let mut text = String::new();
        if label.value.eq_ignore_ascii_case("without") || is_number_word(&label.value) {
            quote(&mut text, label.value.as_bytes());
        } else {
            write_label_name(&mut text, &label.value);
        }
        out.write_str(&text)?;
    }
    out.write_str(")")
}

fn is_number_word(word: &str) -> bool {
    TokenKind::of_word(word) == Some(TokenKind::Number)
}

/// The operator of an aggregation with its grouping, up to the parenthesis.
pub(super) fn write_aggregate_head(out: &mut dyn Write, node: &Aggregate) -> fmt::Result {
    out.write_str(node.op.as_str())?;
    let Some(grouping) = &node.grouping else { return Ok(()) };
    match grouping.keyword.value {
        // Grouping by nothing is what an aggregation does anyway.
        GroupingKind::By if grouping.labels.is_empty() => Ok(()),
        GroupingKind::By => {
            write_labels(out, "by", &grouping.labels)?;
            out.write_str(" ")
        }
        GroupingKind::Without => {
            write_labels(out, "without", &grouping.labels)?;
            out.write_str(" ")
        }
    }
}

fn write_aggregate(out: &mut dyn Write, node: &Aggregate) -> fmt::Result {
    write_aggregate_head(out, node)?;
    out.write_str("(")?;
    if let Some(parameter) = &node.parameter {
        write_expr(out, parameter)?;
        out.write_str(", ")?;
    }
    write_expr(out, &node.expr)?;
    out.write_str(")")
}

/// The operator of a binary expression with its modifiers.
pub(super) fn write_operator(out: &mut dyn Write, node: &Binary) -> fmt::Result {
    out.write_str(node.op.as_str())?;
    if node.bool_modifier.is_some() {
        out.write_str(" bool")?;
    }
    write_matching(out, node)?;
    write_fill(out, node)
}

fn write_matching(out: &mut dyn Write, node: &Binary) -> fmt::Result {
    let Some(matching) = &node.matching else { return Ok(()) };
    let is_on = matching.keyword.value == MatchingKind::On;
    if matching.labels.is_empty() && matching.group.is_none() && !is_on {
        return Ok(());
    }
    // An empty list beside a scalar is accepted and means nothing.
    if matching.labels.is_empty() && [&node.lhs, &node.rhs].iter().any(|side| is_scalar(side)) {
        return Ok(());
    }
    write_labels(out, if is_on { "on" } else { "ignoring" }, &matching.labels)?;
    match &matching.group {
        None => Ok(()),
        Some(group) => {
            let keyword = match group.keyword.value {
                GroupSide::Left => "group_left",
                GroupSide::Right => "group_right",
            };
            write_labels(out, keyword, &group.labels)
        }
    }
}

fn is_scalar(expr: &Expr) -> bool {
    expr.value_type() == Some(ValueType::Scalar)
}

fn write_fill(out: &mut dyn Write, node: &Binary) -> fmt::Result {
    let value = |side: Option<Spanned<f64>>| side.map(|side| side.value);
    match (value(node.fill.left), value(node.fill.right)) {
        (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
            write!(out, " fill ({})", format_g(left))
        }
        (left, right) => {
            if let Some(left) = left {
                write!(out, " fill_left ({})", format_g(left))?;
            }
            if let Some(right) = right {
                write!(out, " fill_right ({})", format_g(right))?;
            }
            Ok(())
        }
    }
}
