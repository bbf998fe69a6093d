//! How a tree looks in upstream's extracted parser tests.

use narthex_diag::Span;
use narthex_model::Text;
use narthex_model::number::format_g;
use narthex_promql::ValueType;
use narthex_promql::ast::{
    AtValue, Binary, DurationExpr, Expr, GroupSide, GroupingKind, MatchingKind, Modifiers, RangeExtension,
    VectorSelector,
};
use serde_json::{Value, json};

pub(crate) fn type_name(expr: &Expr) -> &'static str {
    match expr.value_type() {
        Some(ValueType::Scalar) => "scalar",
        Some(ValueType::InstantVector) => "vector",
        Some(ValueType::RangeVector) => "matrix",
        Some(ValueType::String) => "string",
        None => "none",
    }
}

pub(crate) fn tree(expr: &Expr) -> Value {
    let pos = pos(expr.span());
    match expr {
        Expr::Number(node) => number(node.value, node.is_duration, node.span),
        Expr::String(node) => json!({"type": "string", "value": lossy(&node.value), "pos": pos}),
        Expr::Selector(node) => vector(node, node.span),
        Expr::Matrix(node) => {
            let mut value =
                json!({"type": "matrix", "pos": pos, "selector": vector(&node.selector, node.selector.span)});
            duration(&mut value, "range", Some(&node.range));
            value
        }
        Expr::Subquery(node) => {
            let mut value = json!({"type": "subquery", "pos": pos, "expr": tree(&node.expr)});
            duration(&mut value, "range", Some(&node.range));
            duration(&mut value, "step", node.step.as_ref());
            modifiers(&mut value, &node.modifiers);
            value
        }
        Expr::Call(node) => {
            let args: Vec<Value> = node.args.iter().map(tree).collect();
            json!({"type": "call", "pos": pos, "func": node.function.unwrap().as_str(), "args": args})
        }
        Expr::Aggregate(node) => {
            let labels = node.grouping.iter().flat_map(|grouping| &grouping.labels);
            let labels: Vec<&str> = labels.map(|label| &*label.value).collect();
            let without =
                node.grouping.as_ref().is_some_and(|one| one.keyword.value == GroupingKind::Without);
            json!({
                "type": "aggregation", "pos": pos, "op": node.op.as_str(), "grouping": labels, "without": without,
                "param": node.parameter.as_ref().map(tree), "expr": tree(&node.expr),
            })
        }
        Expr::Binary(node) => binary(node),
        Expr::Unary(node) => {
            json!({"type": "unary", "pos": pos, "op": node.op.value.as_str(), "expr": tree(&node.expr)})
        }
        Expr::Paren(node) => json!({"type": "paren", "pos": pos, "expr": tree(&node.expr)}),
        Expr::Error(_) => json!({"type": "error", "pos": pos}),
    }
}

fn pos(span: Span) -> Value {
    json!([span.start, span.end])
}

fn lossy(text: &Text) -> String {
    text.to_str_lossy().into_owned()
}

fn number(value: f64, is_duration: bool, span: Span) -> Value {
    json!({"type": "number", "value": format_g(value), "duration": is_duration, "pos": pos(span)})
}

fn vector(node: &VectorSelector, span: Span) -> Value {
    let bare = node.name.as_ref().filter(|_| !node.is_name_quoted());
    let mut matchers: Vec<Value> = node
        .all_matchers()
        .map(|one| json!({"name": one.name(), "op": one.op().as_str(), "value": lossy(one.value())}))
        .collect();
    matchers.sort_by_key(Value::to_string);
    let extension = node.modifiers.extension.map(|extension| extension.value);
    let mut value = json!({
        "type": "vector", "pos": pos(span), "matchers": matchers,
        "name": bare.map_or("", |name| &*name.value),
        "anchored": extension == Some(RangeExtension::Anchored),
        "smoothed": extension == Some(RangeExtension::Smoothed),
    });
    modifiers(&mut value, &node.modifiers);
    value
}

fn modifiers(value: &mut Value, modifiers: &Modifiers) {
    let at = modifiers.at.map(|at| at.value);
    value["at_ms"] = match at {
        Some(AtValue::Timestamp(ms)) => json!(ms),
        _ => Value::Null,
    };
    value["at_start_or_end"] = match at {
        Some(AtValue::Start) => json!("start"),
        Some(AtValue::End) => json!("end"),
        _ => Value::Null,
    };
    duration(value, "offset", modifiers.offset.as_ref().map(|offset| &offset.value));
}

fn duration(value: &mut Value, role: &str, expr: Option<&DurationExpr>) {
    let (ms, computed) = match expr {
        None => (0, Value::Null),
        Some(DurationExpr::Literal { seconds, .. }) => {
            ((seconds * 1e9).round() as i64 / 1_000_000, Value::Null)
        }
        Some(other) => (0, duration_tree(other, false)),
    };
    value[format!("{role}_ms")] = json!(ms);
    value[format!("{role}_expr")] = computed;
}

fn duration_tree(expr: &DurationExpr, wrapped: bool) -> Value {
    let node = |op: &str, lhs: Value, rhs: Value| {
        json!({
            "type": "duration", "op": op, "lhs": lhs, "rhs": rhs, "wrapped": wrapped, "pos": pos(expr.reported_span()),
        })
    };
    match expr {
        DurationExpr::Literal { seconds, is_duration, span } => number(*seconds, *is_duration, *span),
        DurationExpr::Step(_) => node("step", Value::Null, Value::Null),
        DurationExpr::Range(_) => node("range", Value::Null, Value::Null),
        DurationExpr::Signed { is_negative, expr, .. } => {
            node(if *is_negative { "-" } else { "+" }, Value::Null, duration_tree(expr, false))
        }
        DurationExpr::Paren { expr: inner, .. } if inner.is_literal() => json!({
            "type": "duration", "op": "+", "lhs": null, "rhs": duration_tree(inner, false), "wrapped": true,
            "pos": pos(expr.reported_span()),
        }),
        DurationExpr::Paren { expr, .. } => duration_tree(expr, true),
        DurationExpr::Binary { op, lhs, rhs, .. } => {
            node(op.as_str(), duration_tree(lhs, false), duration_tree(rhs, false))
        }
    }
}

fn binary(node: &Binary) -> Value {
    let is_vectors = [&node.lhs, &node.rhs].iter().all(|side| type_name(side) == "vector");
    let matching = if is_vectors { matching(node) } else { Value::Null };
    json!({
        "type": "binary", "pos": pos(node.span), "op": node.op.as_str(), "bool": node.bool_modifier.is_some(),
        "lhs": tree(&node.lhs), "rhs": tree(&node.rhs), "matching": matching,
    })
}

fn matching(node: &Binary) -> Value {
    let matching = node.matching.as_ref();
    let group = matching.and_then(|matching| matching.group.as_ref());
    let card = match group.map(|group| group.keyword.value) {
        Some(GroupSide::Left) => "many-to-one",
        Some(GroupSide::Right) => "one-to-many",
        None if node.op.is_set() => "many-to-many",
        None => "one-to-one",
    };
    let labels: Vec<&str> = matching.iter().flat_map(|one| &one.labels).map(|label| &*label.value).collect();
    let include: Vec<&str> = group.iter().flat_map(|one| &one.labels).map(|label| &*label.value).collect();
    json!({
        "card": card, "labels": labels, "include": include,
        "on": matching.is_some_and(|matching| matching.keyword.value == MatchingKind::On),
        "fill_lhs": node.fill.left.map(|fill| fill.value), "fill_rhs": node.fill.right.map(|fill| fill.value),
    })
}

/// Sorts the matchers of every selector, whose order means nothing.
pub(crate) fn normalized(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = normalized(item.take())),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                *field = normalized(field.take());
                if let (true, Value::Array(matchers)) = (key == "matchers", field) {
                    matchers.sort_by_key(Value::to_string);
                }
            }
        }
        _ => {}
    }
    value
}
