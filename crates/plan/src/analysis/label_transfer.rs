//! What each kind of node makes of the labels of its operands.

use narthex_diag::{Span, Spanned};
use narthex_model::labels::METRIC_NAME;
use narthex_model::{MatchOp, Matcher};
use narthex_promql::Expr;
use narthex_promql::aggregations::AggregateOp;
use narthex_promql::ast::{
    Aggregate, Binary, Call, GroupSide, Grouping, GroupingKind, MatchingKind, UnaryOp, ValueType,
    VectorMatching, VectorSelector,
};
use narthex_promql::functions::{
    AbsentFunction, ConversionFunction, FunctionId, HistogramFunction, LabelFunction, OverTimeFunction,
};
use narthex_promql::operators::OperatorKind;
use narthex_regex::Regex;

use super::label_values::LabelValues;
use super::labels::{Conflict, LabelFacts, names_of_both, unknown};
use super::operands::{Operands, text_argument};
use super::reason::{Reason, Why};

/// The labels of `expr`.
pub(super) fn labels_of<'e>(expr: &'e Expr, operands: Operands<'_, 'e>) -> LabelFacts<'e> {
    match expr {
        Expr::Number(_) | Expr::String(_) => LabelFacts::none(Reason::new(expr.span(), Why::NoSeries)),
        Expr::Error(span) => LabelFacts::any(unknown(*span)),
        Expr::Selector(node) => of_selector(node),
        Expr::Matrix(node) => of_selector(&node.selector),
        Expr::Subquery(_) | Expr::Paren(_) => inner(expr, operands),
        Expr::Unary(node) => match node.op.value {
            UnaryOp::Plus => inner(expr, operands),
            UnaryOp::Minus => inner(expr, operands).without_name(Reason::new(node.span, Why::NameDropped)),
        },
        Expr::Call(node) => of_call(node, operands),
        Expr::Aggregate(node) => of_aggregate(node, operands),
        Expr::Binary(node) => of_binary(node, operands),
    }
}

fn inner<'e>(expr: &'e Expr, operands: Operands<'_, 'e>) -> LabelFacts<'e> {
    operands.last().map_or_else(|| LabelFacts::any(unknown(expr.span())), |node| node.labels.clone())
}

fn of_selector(node: &VectorSelector) -> LabelFacts<'_> {
    let mut facts = LabelFacts::any(unknown(node.span));
    for (at, written) in node.matchers.iter().enumerate() {
        let name = written.matcher.name();
        let is_same = |other: &&narthex_promql::ast::LabelMatcher| other.matcher.name() == name;
        if node.matchers[..at].iter().any(|other| is_same(&other)) {
            continue;
        }
        let matchers: Vec<&Matcher> =
            node.matchers[at..].iter().filter(is_same).map(|one| &one.matcher).collect();
        facts.set(name, LabelValues::of_matchers(matchers), Reason::new(written.span, Why::Matcher));
    }
    if let Some(name) = &node.name {
        let values = LabelValues::Exact(&name.value);
        let values = facts.get(METRIC_NAME).values.intersection(&values);
        facts.set(METRIC_NAME, values, Reason::new(name.span, Why::MetricName));
    }
    facts
}

fn of_call<'e>(node: &'e Call, operands: Operands<'_, 'e>) -> LabelFacts<'e> {
    let Some(function) = node.function else { return LabelFacts::any(unknown(node.span)) };
    let is_vector = |kind: &ValueType| matches!(kind, ValueType::InstantVector | ValueType::RangeVector);
    let vector = function.spec().parameters.iter().position(is_vector);
    let input = vector.and_then(|at| operands.argument(node, at)).map(|node| node.labels.clone());
    let Some(input) = input else {
        // Scalars and functions of the evaluation time.
        return LabelFacts::none(Reason::new(node.span, Why::NoSeries));
    };
    let name_dropped = Reason::new(node.name, Why::NameDropped);
    match function {
        FunctionId::Absent(AbsentFunction::Absent | AbsentFunction::AbsentOverTime) => of_absent(node),
        FunctionId::OverTime(OverTimeFunction::First | OverTimeFunction::Last) | FunctionId::Sort(_) => input,
        FunctionId::Label(LabelFunction::Replace) => label_replace(node, input),
        FunctionId::Label(LabelFunction::Join) => label_join(node, input),
        FunctionId::Histogram(which) => of_histogram(node, which, input.without_name(name_dropped)),
        FunctionId::Info(_) => LabelFacts::any(unknown(node.span)),
        FunctionId::Conversion(ConversionFunction::Scalar | ConversionFunction::Vector) => {
            LabelFacts::none(Reason::new(node.span, Why::NoSeries))
        }
        _ => input.without_name(name_dropped),
    }
}

/// The labels that a missing series would have had: those of `=` matchers, unless a label is mentioned twice.
fn of_absent(node: &Call) -> LabelFacts<'_> {
    let mut facts = LabelFacts::none(Reason::new(node.span, Why::Absent));
    let selector = node.args.first().and_then(|arg| arg.without_parens().selector());
    let matchers = selector.map_or(&[][..], |selector| &selector.matchers);
    for written in matchers {
        let matcher = &written.matcher;
        let mentions = matchers.iter().filter(|other| other.matcher.name() == matcher.name()).count();
        if matcher.op() == MatchOp::Equal && mentions == 1 && matcher.name() != METRIC_NAME {
            let values = matcher.value().as_str().map_or(LabelValues::Any, LabelValues::Exact);
            facts.set(matcher.name(), values, Reason::new(written.span, Why::Matcher));
        }
    }
    facts
}

/// Classic buckets lose `le`; native histograms keep whatever labels they have.
fn of_histogram<'e>(node: &'e Call, which: HistogramFunction, mut facts: LabelFacts<'e>) -> LabelFacts<'e> {
    let reason = Reason::new(node.name, Why::Removed);
    if !matches!(
        which,
        HistogramFunction::Quantile | HistogramFunction::Quantiles | HistogramFunction::Fraction
    ) {
        return facts;
    }
    let values = facts.get("le").values.union(&LabelValues::Exact(""));
    facts.set("le", values, reason);
    if which == HistogramFunction::Quantiles {
        match node.args.get(1).and_then(text_argument) {
            Some(label) => facts.set(label, LabelValues::NonEmpty, Reason::new(node.name, Why::Set)),
            None => return LabelFacts::any(unknown(node.span)),
        }
    }
    facts
}

fn label_replace<'e>(node: &'e Call, mut facts: LabelFacts<'e>) -> LabelFacts<'e> {
    let texts: Vec<&'e str> = node.args.iter().skip(1).filter_map(text_argument).collect();
    let &[target, replacement, source, pattern] = texts.as_slice() else {
        return LabelFacts::any(unknown(node.span));
    };
    let before = facts.get(target).values.clone();
    let from = facts.get(source).values.clone();
    let values = match Regex::new(pattern) {
        Err(_) => LabelValues::Any,
        Ok(regex) => {
            let written = replaced_by(replacement, pattern, &from);
            match matches(&regex, &from) {
                Some(true) => written,
                Some(false) => before,
                None => before.union(&written),
            }
        }
    };
    facts.set(target, values, Reason::new(node.name, Why::Set));
    facts
}

/// What `label_replace` writes where the pattern matches.
fn replaced_by<'e>(replacement: &'e str, pattern: &str, from: &LabelValues<'e>) -> LabelValues<'e> {
    match (replacement, pattern) {
        ("$1" | "${1}", "(.*)" | "^(.*)$") => from.clone(),
        ("$1" | "${1}", "(.+)" | "^(.+)$") => from.intersection(&LabelValues::NonEmpty),
        _ if replacement.contains('$') => LabelValues::Any,
        _ => LabelValues::Exact(replacement),
    }
}

/// Whether the pattern matches all (`Some(true)`) or none (`Some(false)`) of the values.
fn matches(regex: &Regex, values: &LabelValues<'_>) -> Option<bool> {
    if regex.is_match_all() || matches!(regex.pattern(), "(.*)" | "^(.*)$") {
        return Some(true);
    }
    if *values == LabelValues::NonEmpty && matches!(regex.pattern(), ".+" | "(.+)") {
        return Some(true);
    }
    let values = values.listed()?;
    let matching = values.iter().filter(|value| regex.is_match(value)).count();
    match matching {
        0 => Some(false),
        all if all == values.len() => Some(true),
        _ => None,
    }
}

fn label_join<'e>(node: &'e Call, mut facts: LabelFacts<'e>) -> LabelFacts<'e> {
    let texts: Vec<&'e str> = node.args.iter().skip(1).filter_map(text_argument).collect();
    let (Some((&target, [separator, sources @ ..])), true) =
        (texts.split_first(), texts.len() + 1 == node.args.len())
    else {
        return LabelFacts::any(unknown(node.span));
    };
    let is_separated = sources.len() > 1 && !separator.is_empty();
    let is_there = sources.iter().any(|source| !facts.get(source).values.may_be_absent());
    let values = match sources {
        [only] => facts.get(only).values.clone(),
        _ if is_separated || is_there => LabelValues::NonEmpty,
        _ => LabelValues::Any,
    };
    facts.set(target, values, Reason::new(node.name, Why::Set));
    facts
}

fn names(labels: &[Spanned<Box<str>>]) -> impl Iterator<Item = &str> {
    labels.iter().map(|label| &*label.value)
}

fn of_aggregate<'e>(node: &'e Aggregate, operands: Operands<'_, 'e>) -> LabelFacts<'e> {
    let Some(input) = operands.last().map(|node| &node.labels) else {
        return LabelFacts::any(unknown(node.span));
    };
    if node.op.selects_elements() {
        return input.clone();
    }
    let mut facts = grouped(node, node.grouping.as_ref(), input);
    if node.op == AggregateOp::CountValues {
        let Some(label) = node.parameter.as_ref().and_then(text_argument) else {
            return LabelFacts::any(unknown(node.span));
        };
        let is_dropped = node.grouping.as_ref().is_some_and(|grouping| {
            grouping.keyword.value == GroupingKind::Without
                && names(&grouping.labels).any(|name| name == label)
        });
        let values = if is_dropped { LabelValues::Any } else { LabelValues::NonEmpty };
        facts.set(label, values, Reason::new(node.op_span, Why::Set));
    }
    facts
}

fn grouped<'e>(
    node: &'e Aggregate,
    grouping: Option<&'e Grouping>,
    input: &LabelFacts<'e>,
) -> LabelFacts<'e> {
    let Some(grouping) = grouping else {
        return LabelFacts::none(Reason::new(node.op_span, Why::GroupedAway));
    };
    match grouping.keyword.value {
        GroupingKind::By => input.keep(names(&grouping.labels), Reason::new(grouping.span, Why::GroupedBy)),
        GroupingKind::Without => {
            let mut facts = input.clone().without_name(Reason::new(node.op_span, Why::NameDropped));
            for label in &grouping.labels {
                let reason = Reason::new(label.span, Why::GroupedWithout);
                facts.set(&label.value, LabelValues::Exact(""), reason);
            }
            facts
        }
    }
}

fn of_binary<'e>(node: &'e Binary, operands: Operands<'_, 'e>) -> LabelFacts<'e> {
    let Some((lhs, rhs)) = operands.pair() else { return LabelFacts::any(unknown(node.span)) };
    let drops_name = node.op.kind() == OperatorKind::Arithmetic || node.bool_modifier.is_some();
    let finish = |facts: LabelFacts<'e>| match (drops_name, node.op.kind()) {
        (true, _) => facts.without_name(Reason::new(node.op_span, Why::NameDropped)),
        (false, OperatorKind::Trim) => {
            let mut facts = facts;
            facts.set(METRIC_NAME, LabelValues::Any, unknown(node.span));
            facts
        }
        _ => facts,
    };
    match (node.lhs.value_type(), node.rhs.value_type()) {
        (Some(ValueType::InstantVector), Some(ValueType::InstantVector)) => {
            of_vectors(node, &lhs.labels, &rhs.labels, finish)
        }
        (Some(ValueType::InstantVector), Some(ValueType::Scalar)) => finish(lhs.labels.clone()),
        (Some(ValueType::Scalar), Some(ValueType::InstantVector)) => finish(rhs.labels.clone()),
        (Some(ValueType::Scalar), Some(ValueType::Scalar)) => {
            LabelFacts::none(Reason::new(node.span, Why::NoSeries))
        }
        _ => LabelFacts::any(unknown(node.span)),
    }
}

fn of_vectors<'e>(
    node: &'e Binary,
    lhs: &LabelFacts<'e>,
    rhs: &LabelFacts<'e>,
    finish: impl Fn(LabelFacts<'e>) -> LabelFacts<'e>,
) -> LabelFacts<'e> {
    use narthex_promql::operators::BinaryOp;
    match node.op {
        BinaryOp::Or => return lhs.union(rhs),
        BinaryOp::Unless => return lhs.clone(),
        BinaryOp::And => return agreeing(node, lhs, rhs),
        _ => {}
    }
    let matching = node.matching.as_ref();
    if let Some(group) = matching.and_then(|matching| matching.group.as_ref()) {
        if has_fill(node) {
            return LabelFacts::any(unknown(node.span));
        }
        let (many, one) = match group.keyword.value {
            GroupSide::Left => (lhs, rhs),
            GroupSide::Right => (rhs, lhs),
        };
        let mut facts = agreeing(node, many, one);
        for label in &group.labels {
            let fact = one.fact(&label.value);
            let reason = match fact.values.is_absent() {
                true => fact.reason,
                false => Reason::new(label.span, Why::Included),
            };
            facts.set(&label.value, fact.values, reason);
        }
        return finish(facts);
    }
    one_to_one(node, matching, lhs, rhs, finish)
}

fn one_to_one<'e>(
    node: &'e Binary,
    matching: Option<&'e VectorMatching>,
    lhs: &LabelFacts<'e>,
    rhs: &LabelFacts<'e>,
    finish: impl Fn(LabelFacts<'e>) -> LabelFacts<'e>,
) -> LabelFacts<'e> {
    let both = match has_fill(node) {
        true => lhs.union(rhs),
        false => agreeing(node, lhs, rhs),
    };
    match matching {
        Some(matching) if matching.keyword.value == MatchingKind::On => {
            let reason = Reason::new(on_span(matching), Why::MatchedOn);
            finish(both.keep(names(&matching.labels), reason))
        }
        Some(matching) => {
            let mut facts = both;
            for label in &matching.labels {
                let reason = Reason::new(label.span, Why::Ignored);
                facts.set(&label.value, LabelValues::Exact(""), reason);
            }
            finish(facts)
        }
        None => finish(both),
    }
}

fn on_span(matching: &VectorMatching) -> Span {
    let last = matching.labels.last().map_or(matching.keyword.span, |label| label.span);
    matching.keyword.span.to(last)
}

fn has_fill(node: &Binary) -> bool {
    node.fill.left.is_some() || node.fill.right.is_some()
}

/// The elements of `kept` that have a partner in `other`.
fn agreeing<'e>(node: &'e Binary, kept: &LabelFacts<'e>, other: &LabelFacts<'e>) -> LabelFacts<'e> {
    let mut facts = kept.clone();
    match &node.matching {
        Some(matching) if matching.keyword.value == MatchingKind::On => {
            for name in names(&matching.labels) {
                facts.narrow(name, other.get(name));
            }
            facts
        }
        Some(matching) if !matching.labels.is_empty() => {
            let labels = &matching.labels;
            let all: Vec<&'e str> = names_of_both(kept, other).collect();
            for name in all {
                if name != METRIC_NAME && !names(labels).any(|ignored| ignored == name) {
                    facts.narrow(name, other.get(name));
                }
            }
            facts
        }
        _ => facts.agreeing_on_all(other),
    }
}

/// A compared label on which the two sides of a binary operator never agree, so that nothing ever matches.
pub fn conflict<'e>(node: &'e Binary, lhs: &LabelFacts<'e>, rhs: &LabelFacts<'e>) -> Option<Conflict<'e>> {
    let disagrees = |name: &&'e str| {
        let (left, right) = (lhs.get(name).values, rhs.get(name).values);
        !left.is_impossible() && !right.is_impossible() && left.is_disjoint_from(right)
    };
    let label = match &node.matching {
        Some(matching) if matching.keyword.value == MatchingKind::On => {
            names(&matching.labels).find(disagrees)
        }
        matching => {
            let is_ignored = |name: &str| {
                name == METRIC_NAME
                    || matching
                        .as_ref()
                        .is_some_and(|matching| names(&matching.labels).any(|one| one == name))
            };
            names_of_both(lhs, rhs).filter(|name| !is_ignored(name)).find(disagrees)
        }
    }?;
    Some(Conflict { label, left: lhs.fact(label), right: rhs.fact(label) })
}
