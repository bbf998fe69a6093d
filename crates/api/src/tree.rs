//! A tree as JSON, as `/parse_query` answers, with spans for those who ask for them.

use narthex_diag::Span;
use narthex_model::number::format_plain;
use narthex_model::{MatchOp, Matcher};
use narthex_promql::Expr;
use narthex_promql::ast::{
    Aggregate, At, AtValue, Binary, Call, DurationExpr, DurationScope, Fill, GroupSide, GroupingKind,
    MatchingKind, Modifiers, Subquery, UnaryOp, ValueType, VectorMatching, VectorSelector,
};
use serde_json::{Map, Value, json};

/// Whether nodes say where they stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spans {
    /// No: what upstream answers.
    LeftOut,
    /// Each node has its first byte as `start` and the one behind its last as `end`.
    Included,
}

/// The tree of an expression. Durations are in milliseconds; one that depends on the query's times is `null`. As deep
/// as the expression, which the parser bounds.
pub fn tree(expr: &Expr, spans: Spans) -> Value {
    let mut node = match expr {
        Expr::Number(node) => json!({"type": "numberLiteral", "val": format_plain(node.value)}),
        Expr::String(node) => json!({"type": "stringLiteral", "val": node.value.to_str_lossy()}),
        Expr::Selector(node) => selector("vectorSelector", node),
        Expr::Matrix(node) => {
            let mut value = selector("matrixSelector", &node.selector);
            value["range"] = duration(&node.range);
            value
        }
        Expr::Subquery(node) => subquery(node, spans),
        Expr::Call(node) => call(node, spans),
        Expr::Aggregate(node) => aggregation(node, spans),
        Expr::Binary(node) => binary(node, spans),
        Expr::Unary(node) => {
            let op = if node.op.value == UnaryOp::Minus { "-" } else { "+" };
            with_child(json!({"type": "unaryExpr", "op": op}), "expr", tree(&node.expr, spans))
        }
        Expr::Paren(node) => with_child(json!({"type": "parenExpr"}), "expr", tree(&node.expr, spans)),
        Expr::Error(_) => json!({"type": "error"}),
    };
    if spans == Spans::Included {
        add_span(&mut node, expr.span());
    }
    node
}

/// `json!` would copy the child, and so everything as often as it is deep.
fn with_child(mut node: Value, name: &str, child: Value) -> Value {
    node[name] = child;
    node
}

fn add_span(node: &mut Value, span: Span) {
    node["start"] = json!(span.start);
    node["end"] = json!(span.end);
}

fn selector(kind: &str, node: &VectorSelector) -> Value {
    let named = node.name.iter().map(|name| Matcher::equal(narthex_model::labels::METRIC_NAME, &*name.value));
    let written = node.matchers.iter().map(|one| one.matcher.clone());
    let matchers: Vec<Value> = written.chain(named).map(|matcher| matcher_value(&matcher)).collect();
    let name = node.name.as_ref().map_or("", |name| &name.value);
    let mut value = json!({"type": kind, "name": name, "matchers": matchers});
    add_modifiers(&mut value, &node.modifiers);
    value
}

fn matcher_value(matcher: &Matcher) -> Value {
    let kind = match matcher.op() {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Regex => "=~",
        MatchOp::NotRegex => "!~",
    };
    json!({"type": kind, "name": matcher.name(), "value": matcher.value().to_str_lossy()})
}

fn add_modifiers(value: &mut Value, modifiers: &Modifiers) {
    value["offset"] = modifiers.offset.as_ref().map_or(json!(0), |offset| duration(&offset.value));
    let (timestamp, start_or_end) = match modifiers.at {
        Some(At { value: AtValue::Timestamp(at_ms), .. }) => (json!(at_ms), Value::Null),
        Some(At { value: AtValue::Start, .. }) => (Value::Null, json!("start")),
        Some(At { value: AtValue::End, .. }) => (Value::Null, json!("end")),
        None => (Value::Null, Value::Null),
    };
    value["timestamp"] = timestamp;
    value["startOrEnd"] = start_or_end;
    if let Some(extension) = modifiers.extension {
        value[extension.value.as_str()] = json!(true);
    }
}

/// Milliseconds, or `null` where `step()` and `range()` decide.
fn duration(expr: &DurationExpr) -> Value {
    if !expr.is_literal() {
        return Value::Null;
    }
    let nothing = DurationScope { step_ms: 0, range_ms: 0 };
    expr.evaluate_ms(nothing).map_or(Value::Null, |ms| json!(ms))
}

fn subquery(node: &Subquery, spans: Spans) -> Value {
    let step = node.step.as_ref().map_or(json!(0), duration);
    let mut value = json!({"type": "subquery", "range": duration(&node.range), "step": step});
    add_modifiers(&mut value, &node.modifiers);
    with_child(value, "expr", tree(&node.expr, spans))
}

fn type_name(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Scalar => "scalar",
        ValueType::InstantVector => "vector",
        ValueType::RangeVector => "matrix",
        ValueType::String => "string",
    }
}

fn call(node: &Call, spans: Spans) -> Value {
    let args = node.args.iter().map(|arg| tree(arg, spans)).collect();
    let function = node.function.map_or(Value::Null, |function| {
        let spec = function.spec();
        let types: Vec<&str> = spec.parameters.iter().map(|parameter| type_name(*parameter)).collect();
        // As upstream counts: how many arguments may follow the fewest, -1 for any number.
        let variadic = spec.args_max.map_or(-1, |max| max as i64 - spec.args_min as i64);
        json!({
            "name": spec.name, "argTypes": types, "variadic": variadic, "returnType": type_name(spec.returns),
        })
    });
    with_child(json!({"type": "call", "func": function}), "args", Value::Array(args))
}

fn aggregation(node: &Aggregate, spans: Spans) -> Value {
    let grouping = node.grouping.as_ref();
    let labels: Vec<&str> = grouping.map_or(Vec::new(), |grouping| names(&grouping.labels));
    let is_without = grouping.is_some_and(|grouping| grouping.keyword.value == GroupingKind::Without);
    let value = json!({
        "type": "aggregation", "op": node.op.as_str(), "grouping": labels, "without": is_without,
    });
    let parameter = node.parameter.as_ref().map_or(Value::Null, |parameter| tree(parameter, spans));
    with_child(with_child(value, "param", parameter), "expr", tree(&node.expr, spans))
}

fn names(labels: &[narthex_diag::Spanned<Box<str>>]) -> Vec<&str> {
    labels.iter().map(|label| &*label.value).collect()
}

fn binary(node: &Binary, spans: Spans) -> Value {
    let joins = [&node.lhs, &node.rhs].iter().all(|side| side.value_type() == Some(ValueType::InstantVector));
    let value = json!({
        "type": "binaryExpr", "op": node.op.as_str(), "bool": node.bool_modifier.is_some(),
        "matching": if joins { matching(node, node.matching.as_ref()) } else { Value::Null },
    });
    with_child(with_child(value, "lhs", tree(&node.lhs, spans)), "rhs", tree(&node.rhs, spans))
}

fn matching(node: &Binary, matching: Option<&VectorMatching>) -> Value {
    let group = matching.and_then(|matching| matching.group.as_ref());
    let card = match group.map(|group| group.keyword.value) {
        _ if node.op.is_set() => "many-to-many",
        Some(GroupSide::Left) => "many-to-one",
        Some(GroupSide::Right) => "one-to-many",
        None => "one-to-one",
    };
    let mut value = json!({
        "card": card,
        "on": matching.is_some_and(|matching| matching.keyword.value == MatchingKind::On),
        "labels": matching.map_or(Vec::new(), |matching| names(&matching.labels)),
        "include": group.map_or(Vec::new(), |group| names(&group.labels)),
    });
    value["fillValues"] = fill(&node.fill);
    value
}

fn fill(fill: &Fill) -> Value {
    let mut values = Map::new();
    for (side, value) in [("lhs", fill.left), ("rhs", fill.right)] {
        values.insert(side.into(), value.map_or(Value::Null, |value| json!(value.value)));
    }
    Value::Object(values)
}
