//! Types, numbers of arguments and matching: what the grammar lets through and the language does not.
//!
//! Parts that could not be read have no type and are not complained of.

use narthex_diag::{Applicability, Diagnostic, Edit, Span, Suggestion};
use narthex_model::labels::METRIC_NAME;

use crate::ast::{
    Aggregate, Binary, Call, Expr, GroupSide, MatchingKind, Subquery, Unary, ValueType, VectorSelector,
};
use crate::error::{mistyped, replacement};
use crate::features::DIAGNOSTIC_LIMIT;
use crate::functions::{FunctionId, FunctionSpec, InfoFunction};
use crate::interrupt::Interrupt;
use crate::operators::OperatorKind;
use crate::token::quoted;

/// Appends what is wrong with the types of expressions of `text` to what is wrong with its syntax.
pub(crate) fn check<'a>(
    exprs: impl Iterator<Item = &'a Expr>,
    text: &str,
    interrupt: Option<&Interrupt>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut misread: Vec<u32> = diagnostics.iter().map(|error| error.span().start).collect();
    misread.sort_unstable();
    let mut checker = Checker { text, interrupt, diagnostics, misread };
    for expr in exprs {
        checker.expr(expr);
    }
}

/// Most metric names besides the first that are complained of.
const SECOND_NAMES_MAX: usize = 8;

struct Checker<'a> {
    text: &'a str,
    interrupt: Option<&'a Interrupt>,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Where syntax errors start, rising.
    misread: Vec<u32>,
}

/// Upstream says `matrix` for a range vector in one message.
fn internal_name(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Scalar => "scalar",
        ValueType::InstantVector => "vector",
        ValueType::RangeVector => "matrix",
        ValueType::String => "string",
    }
}

fn is_number(value_type: Option<ValueType>) -> bool {
    matches!(value_type, None | Some(ValueType::Scalar | ValueType::InstantVector))
}

impl Checker<'_> {
    fn report(&mut self, message: impl Into<String>, span: Span) {
        self.diagnostics.push(mistyped(message, span));
    }

    /// Checks an expression and yields its type.
    fn expr(&mut self, expr: &Expr) -> Option<ValueType> {
        if self.interrupt.is_some_and(Interrupt::is_set) || self.diagnostics.len() >= DIAGNOSTIC_LIMIT {
            return None;
        }
        match expr {
            Expr::Number(_) | Expr::String(_) | Expr::Error(_) => {}
            Expr::Selector(node) => self.selector(node, Emptiness::Refused),
            Expr::Matrix(node) => self.selector(&node.selector, Emptiness::Refused),
            Expr::Subquery(node) => self.subquery(node),
            Expr::Call(node) => self.call(node),
            Expr::Aggregate(node) => self.aggregate(node),
            Expr::Binary(node) => return self.binary(node),
            Expr::Unary(node) => return self.unary(node),
            Expr::Paren(node) => return self.expr(&node.expr),
        }
        expr.value_type()
    }

    fn expect(&mut self, expr: &Expr, wanted: ValueType, context: &dyn Fn() -> String) {
        if let Some(got) = self.expr(expr)
            && got != wanted
        {
            let (wanted_name, got_name) = (wanted.as_str(), got.as_str());
            let message = format!("expected type {wanted_name} in {}, got {got_name}", context());
            let diagnostic = mistyped(message, expr.span());
            self.diagnostics.push(advise(diagnostic, wanted, expr));
        }
    }

    fn selector(&mut self, node: &VectorSelector, emptiness: Emptiness) {
        if let Some(name) = node.name.as_ref().filter(|_| !node.is_name_quoted()) {
            let seconds = node.matchers.iter().filter(|matcher| matcher.matcher.name() == METRIC_NAME);
            // Each message repeats the name, which may be long.
            for matcher in seconds.take(SECOND_NAMES_MAX) {
                let mut second = String::new();
                narthex_model::labels::quote(&mut second, matcher.matcher.value().as_bytes());
                let message =
                    format!("metric name must not be set twice: {} or {second}", quoted(&name.value));
                let diagnostic = mistyped(message, node.span)
                    .with_secondary(name.span, "set here")
                    .with_secondary(matcher.span, "and here");
                self.diagnostics.push(diagnostic);
            }
            return;
        }
        let has_quoted_name = node.name.as_ref().is_some_and(|name| !name.value.is_empty());
        if emptiness == Emptiness::Allowed || has_quoted_name || self.was_misread(node.span) {
            return;
        }
        if node.matchers.iter().all(|matcher| matcher.matcher.matches_empty()) {
            let diagnostic =
                mistyped("vector selector must contain at least one non-empty matcher", node.span)
                    .with_help("name a metric, or add a matcher that refuses the empty value");
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether a syntax error lies in the span, so that part of what was written there is missing.
    fn was_misread(&self, span: Span) -> bool {
        let next = self.misread.partition_point(|start| *start < span.start);
        self.misread.get(next).is_some_and(|start| *start <= span.end)
    }

    fn subquery(&mut self, node: &Subquery) {
        if let Some(got) = self.expr(&node.expr)
            && got != ValueType::InstantVector
        {
            let got = internal_name(got);
            self.report(format!("subquery is only allowed on instant vector, got {got} instead"), node.span);
        }
    }

    fn aggregate(&mut self, node: &Aggregate) {
        let reported = self.diagnostics.len();
        self.expect(&node.expr, ValueType::InstantVector, &|| "aggregation expression".into());
        if let (Some(parameter), Some(wanted)) = (&node.parameter, node.op.spec().parameter) {
            self.expect(parameter, wanted, &|| "aggregation parameter".into());
            let are_swapped = parameter.value_type() == Some(ValueType::InstantVector)
                && node.expr.value_type() == Some(wanted);
            if let Some(first) = self.diagnostics.get_mut(reported).filter(|_| are_swapped) {
                first.suggestions = vec![swapped(self.text, parameter.span(), node.expr.span())];
            }
        }
    }

    fn unary(&mut self, node: &Unary) -> Option<ValueType> {
        let got = self.expr(&node.expr);
        if let Some(got) = got.filter(|_| !is_number(got)) {
            let message = format!(
                "unary expression only allowed on expressions of type scalar or instant vector, got {}",
                quoted(got.as_str())
            );
            self.report(message, node.span);
        }
        got
    }

    fn call(&mut self, node: &Call) {
        let Some(function) = node.function else {
            for arg in &node.args {
                self.expr(arg);
            }
            return;
        };
        let spec = function.spec();
        self.argument_count(node, spec);
        let is_info = function == FunctionId::Info(InfoFunction::Info);
        for (at, arg) in node.args.iter().enumerate() {
            if spec.args_max == Some(spec.args_min) && at >= spec.parameters.len() {
                break;
            }
            if is_info && at == 1 {
                self.info_selector(node, arg);
            }
            let Some(wanted) = spec.parameter(at) else { break };
            match arg {
                Expr::Selector(selector) if is_info && at == 1 => {
                    self.selector(selector, Emptiness::Allowed);
                }
                arg => self.expect(arg, wanted, &|| format!("call to function {}", quoted(spec.name))),
            }
        }
    }

    fn argument_count(&mut self, node: &Call, spec: &FunctionSpec) {
        let got = node.args.len();
        let (min, name) = (spec.args_min, quoted(spec.name));
        let wanted = match spec.args_max {
            Some(max) if max == min && got != min => format!("expected {min}"),
            Some(max) if max == min => return,
            _ if got < min => format!("expected at least {min}"),
            Some(max) if got > max => format!("expected at most {max}"),
            _ => return,
        };
        let diagnostic = mistyped(format!("{wanted} argument(s) in call to {name}, got {got}"), node.span)
            .with_note(format!("{} yields {}", spec.name, spec.summary));
        self.diagnostics.push(diagnostic);
    }

    /// The second argument of `info` selects labels, not a metric.
    fn info_selector(&mut self, node: &Call, arg: &Expr) {
        let context = "call to function \"info\"";
        match arg.value_type() {
            Some(ValueType::InstantVector) | None => {}
            Some(got) => {
                let got = got.as_str();
                self.report(format!("expected type instant vector in {context}, got {got}"), node.span);
            }
        }
        match arg {
            Expr::Error(_) => {}
            Expr::Selector(selector) if selector.name.is_none() || selector.is_name_quoted() => {}
            Expr::Selector(_) => {
                self.report("expected label selectors only, got vector selector instead", arg.span());
            }
            _ => self.report("expected label selectors only", arg.span()),
        }
    }

    fn binary(&mut self, node: &Binary) -> Option<ValueType> {
        let lhs = self.expr(&node.lhs);
        let rhs = self.expr(&node.rhs);
        self.bool_modifier(node, lhs, rhs);
        self.repeated_labels(node);
        for (operand, value_type) in [(&node.lhs, lhs), (&node.rhs, rhs)] {
            if !is_number(value_type) {
                let message = "binary expression must contain only scalar and instant vector types";
                self.report(message, operand.span());
            }
        }
        self.matching(node, lhs, rhs);
        let has_scalar = lhs == Some(ValueType::Scalar) || rhs == Some(ValueType::Scalar);
        if has_scalar && node.op.is_set() {
            let op = quoted(node.op.as_str());
            let message = format!("set operator {op} not allowed in binary scalar expression");
            self.report(message, node.span);
        }
        match (lhs, rhs) {
            (None, _) | (_, None) => None,
            (Some(ValueType::Scalar), Some(ValueType::Scalar)) => Some(ValueType::Scalar),
            _ => Some(ValueType::InstantVector),
        }
    }

    fn bool_modifier(&mut self, node: &Binary, lhs: Option<ValueType>, rhs: Option<ValueType>) {
        let is_scalar = lhs == Some(ValueType::Scalar) && rhs == Some(ValueType::Scalar);
        match node.bool_modifier {
            Some(keyword) if !node.op.is_comparison() => {
                let message = "bool modifier can only be used on comparison operators";
                let diagnostic =
                    mistyped(message, self.operator_span(node)).with_secondary(keyword, "this modifier");
                self.diagnostics.push(diagnostic);
            }
            None if node.op.is_comparison() && is_scalar => {
                let message = "comparisons between scalars must use BOOL modifier";
                let place = Span::empty_at(node.op_span.end as usize);
                let way_out = replacement("yield 0 or 1 with bool", place, " bool", Applicability::Unsafe);
                let diagnostic = mistyped(message, self.operator_span(node))
                    .with_note("a comparison keeps or drops series, and scalars are none")
                    .with_suggestion(way_out);
                self.diagnostics.push(diagnostic);
            }
            _ => {}
        }
    }

    /// What upstream points at: from the operator to the last byte but one before the right operand.
    fn operator_span(&self, node: &Binary) -> Span {
        let bytes = self.text.as_bytes();
        let is_space =
            |at: usize| bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        let mut start = node.lhs.span().end as usize;
        while is_space(start) {
            start += 1;
        }
        let mut end = (node.rhs.span().start as usize).saturating_sub(1);
        while is_space(end) {
            end -= 1;
        }
        Span::new(start, end)
    }

    /// A label compared by `on` cannot also be copied by `group_*`.
    fn repeated_labels(&mut self, node: &Binary) {
        let Some(matching) = &node.matching else { return };
        let Some(group) = &matching.group else { return };
        if matching.keyword.value != MatchingKind::On {
            return;
        }
        for label in &matching.labels {
            for copied in group.labels.iter().filter(|copied| copied.value == label.value) {
                let name = quoted(&label.value);
                let message = format!("label {name} must not occur in ON and GROUP clause at once");
                let diagnostic = mistyped(message, self.operator_span(node))
                    .with_secondary(label.span, "compared here")
                    .with_secondary(copied.span, "copied here");
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn matching(&mut self, node: &Binary, lhs: Option<ValueType>, rhs: Option<ValueType>) {
        if lhs.is_none() || rhs.is_none() {
            return;
        }
        let has_fill = node.fill.left.is_some() || node.fill.right.is_some();
        let is_vectors = lhs == Some(ValueType::InstantVector) && rhs == lhs;
        if !is_vectors {
            if node.matching.as_ref().is_some_and(|matching| !matching.labels.is_empty()) {
                self.report("vector matching only allowed between instant vectors", node.span);
            }
            if has_fill {
                self.report("filling in missing series only allowed between instant vectors", node.span);
            }
            return;
        }
        if node.op.kind() != OperatorKind::Set {
            return;
        }
        if let Some(group) = node.matching.as_ref().and_then(|matching| matching.group.as_ref()) {
            let op = quoted(node.op.as_str());
            let keyword = match group.keyword.value {
                GroupSide::Left => "group_left",
                GroupSide::Right => "group_right",
            };
            let diagnostic = mistyped(format!("no grouping allowed for {op} operation"), node.span)
                .with_secondary(group.keyword.span, format!("{keyword} has no meaning here"))
                .with_note("set operations must always be many-to-many");
            self.diagnostics.push(diagnostic);
        }
        if has_fill {
            self.report("filling in missing series not allowed for set operators", node.span);
        }
    }
}

/// Exchanges two arguments.
fn swapped(text: &str, first: Span, second: Span) -> Suggestion {
    let edit = |span, source: Span| Edit { span, replacement: source.slice(text).to_owned() };
    Suggestion {
        message: "put the parameter first".into(),
        edits: vec![edit(first, second), edit(second, first)],
        applicability: Applicability::Unsafe,
    }
}

/// Whether a selector may want every series.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Emptiness {
    Refused,
    Allowed,
}

/// The usual way from what was given to what is wanted.
fn advise(diagnostic: Diagnostic, wanted: ValueType, expr: &Expr) -> Diagnostic {
    let span = expr.span();
    let edit = |at: u32, text: &str| Edit { span: Span::empty_at(at as usize), replacement: text.into() };
    let suggestion = match (wanted, expr) {
        (ValueType::RangeVector, Expr::Selector(_)) => Suggestion {
            message: "select a range of samples, such as the last five minutes".into(),
            edits: vec![edit(span.end, "[5m]")],
            applicability: Applicability::Unsafe,
        },
        (ValueType::RangeVector, _) if expr.value_type() == Some(ValueType::InstantVector) => Suggestion {
            message: "evaluate it over a range of steps with a subquery".into(),
            edits: vec![edit(span.end, "[5m:]")],
            applicability: Applicability::DisplayOnly,
        },
        (ValueType::InstantVector, Expr::Matrix(_)) => Suggestion {
            message: "reduce the range with a function such as rate() or avg_over_time()".into(),
            edits: Vec::new(),
            applicability: Applicability::DisplayOnly,
        },
        (ValueType::InstantVector, _) if expr.value_type() == Some(ValueType::Scalar) => Suggestion {
            message: "make a vector of the scalar".into(),
            edits: vec![edit(span.start, "vector("), edit(span.end, ")")],
            applicability: Applicability::Unsafe,
        },
        (ValueType::Scalar, _) if expr.value_type() == Some(ValueType::InstantVector) => Suggestion {
            message: "make a scalar of a vector with one element".into(),
            edits: vec![edit(span.start, "scalar("), edit(span.end, ")")],
            applicability: Applicability::Unsafe,
        },
        _ => return diagnostic,
    };
    diagnostic.with_suggestion(suggestion)
}
