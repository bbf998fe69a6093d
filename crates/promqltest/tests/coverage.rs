//! Whether our scripts evaluate everything that the tables of the language have, at an instant and over a range, and
//! produce every annotation.

use std::collections::BTreeSet;

use narthex_eval::AnnotationKind;
use narthex_promql::ast::{At, AtValue, Binary, GroupSide, Grouping, GroupingKind, MatchingKind, Modifiers};
use narthex_promql::ast::{RangeExtension, UnaryOp, VectorMatching, walk};
use narthex_promql::{Expr, ParseOptions, aggregations, functions, operators};
use narthex_promqltest::parse;
use narthex_promqltest::script::{Command, Eval, EvalTimes, TextPattern};
use narthex_testkit::fixtures;

/// What may be written besides functions, aggregations and operators, as [`features_of`] names it.
const MODIFIERS: [&str; 26] = [
    "[range]",
    "[range:]",
    "[range:step]",
    "offset",
    "offset of a subquery",
    "@ time",
    "@ start()",
    "@ end()",
    "@ of a subquery",
    "anchored",
    "smoothed",
    "bool",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "fill",
    "fill_left",
    "fill_right",
    "by",
    "without",
    "unary +",
    "unary -",
    "number",
    "string",
    "parentheses",
];

/// Annotations that say to which of several operations they belong: with each of them. Conflicting resets of operands
/// need a store that keeps hints as they were written; see `hints.rs`.
const ANNOTATIONS_OF_OPERATIONS: [&str; 6] = [
    "incompatible bucket layout encountered for binary operator +",
    "incompatible bucket layout encountered for binary operator -",
    "conflicting counter resets during histogram aggregation",
    "mismatched custom buckets were reconciled during addition",
    "mismatched custom buckets were reconciled during subtraction",
    "mismatched custom buckets were reconciled during aggregation",
];

/// Beginnings of all errors of evaluation that data and arguments can cause.
const ERRORS: [&str; 23] = [
    "vector cannot contain metrics with the same labelset",
    "found duplicate series for the match group ",
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    "multiple matches for labels: grouping labels must ensure unique matches",
    "Parameter value is NaN",
    "Ratio value is NaN",
    "Scalar value 1e+20 overflows int64",
    "Scalar value -1e+20 underflows int64",
    "invalid label name ",
    "operator \"</\" not allowed for Scalar operations",
    "operator \">/\" not allowed for Scalar operations",
    "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with ",
    "smoothed modifier can only be used with: delta, increase, rate - not with ",
    "anchored modifier is not supported with histograms",
    "smoothed modifier is not supported with histograms",
    "invalid regular expression in label_replace(): ",
    "invalid destination label name in label_replace(): ",
    "invalid destination label name in label_join(): ",
    "invalid source label name in label_join(): ",
    "invalid smoothing factor. Expected: 0 < sf < 1, got: ",
    "invalid trend factor. Expected: 0 < tf < 1, got: ",
    "conflicting label: ",
    "this should be an info metric, with float samples: ",
];

/// All evaluations of our scripts that are judged by [`fixtures`]' runner.
fn evaluations() -> Vec<Eval> {
    let scripts = fixtures("promql", "test");
    let commands = scripts.iter().flat_map(|script| parse(&script.text).script.commands);
    let evals = commands.filter_map(|command| match command.value {
        Command::Eval(eval) => Some(*eval),
        _ => None,
    });
    evals.collect()
}

/// What queries use that are expected to succeed.
fn used(is_wanted: impl Fn(EvalTimes) -> bool) -> BTreeSet<&'static str> {
    let mut used = BTreeSet::new();
    for eval in evaluations().iter().filter(|eval| is_wanted(eval.times) && !eval.expected.fails()) {
        let parsed = narthex_promql::parse(&eval.query.value, &ParseOptions::ALL);
        let expr = parsed.into_result().expect("a query that is to succeed can be read");
        walk(&expr, &mut |node| features_of(node, &mut used));
    }
    used
}

fn features_of(node: &Expr, used: &mut BTreeSet<&'static str>) {
    match node {
        Expr::Number(_) => used.extend(["number"]),
        Expr::String(_) => used.extend(["string"]),
        Expr::Paren(_) => used.extend(["parentheses"]),
        Expr::Selector(selector) => used.extend(modifiers_of(&selector.modifiers)),
        Expr::Matrix(matrix) => {
            used.extend(["[range]"]);
            used.extend(modifiers_of(&matrix.selector.modifiers));
        }
        Expr::Subquery(subquery) => {
            used.extend([if subquery.step.is_some() { "[range:step]" } else { "[range:]" }]);
            used.extend(subquery.modifiers.offset.as_ref().map(|_| "offset of a subquery"));
            used.extend(subquery.modifiers.at.map(|_| "@ of a subquery"));
        }
        Expr::Call(call) => used.extend(call.function.map(|function| function.as_str())),
        Expr::Aggregate(aggregate) => {
            used.extend([aggregate.op.as_str()]);
            used.extend(aggregate.grouping.as_ref().map(grouping_of));
        }
        Expr::Binary(binary) => used.extend(matching_of(binary)),
        Expr::Unary(unary) => used.extend([match unary.op.value {
            UnaryOp::Plus => "unary +",
            UnaryOp::Minus => "unary -",
        }]),
        Expr::Error(_) => {}
    }
}

fn modifiers_of(modifiers: &Modifiers) -> Vec<&'static str> {
    let at = modifiers.at.map(|At { value, .. }| match value {
        AtValue::Timestamp(_) => "@ time",
        AtValue::Start => "@ start()",
        AtValue::End => "@ end()",
    });
    let extension = modifiers.extension.map(|extension| match extension.value {
        RangeExtension::Anchored => "anchored",
        RangeExtension::Smoothed => "smoothed",
    });
    let offset = modifiers.offset.as_ref().map(|_| "offset");
    [at, extension, offset].into_iter().flatten().collect()
}

fn grouping_of(grouping: &Grouping) -> &'static str {
    match grouping.keyword.value {
        GroupingKind::By => "by",
        GroupingKind::Without => "without",
    }
}

fn matching_of(binary: &Binary) -> Vec<&'static str> {
    let mut used = vec![binary.op.as_str()];
    used.extend(binary.bool_modifier.map(|_| "bool"));
    if let Some(VectorMatching { keyword, group, .. }) = &binary.matching {
        used.push(match keyword.value {
            MatchingKind::On => "on",
            MatchingKind::Ignoring => "ignoring",
        });
        used.extend(group.as_ref().map(|group| match group.keyword.value {
            GroupSide::Left => "group_left",
            GroupSide::Right => "group_right",
        }));
    }
    match (binary.fill.left, binary.fill.right) {
        (Some(left), Some(right)) if left == right => used.push("fill"),
        (left, right) => {
            used.extend(left.map(|_| "fill_left"));
            used.extend(right.map(|_| "fill_right"));
        }
    }
    used
}

fn check_all_used(used: &BTreeSet<&'static str>) {
    let functions = functions::FUNCTIONS.iter().map(|row| row.name);
    let aggregations = aggregations::AGGREGATIONS.iter().map(|row| row.name);
    let operators = operators::OPERATORS.iter().map(|row| row.text);
    let all = functions.chain(aggregations).chain(operators).chain(MODIFIERS);
    let missing: Vec<&str> = all.filter(|name| !used.contains(name)).collect();
    assert!(missing.is_empty(), "never evaluated: {missing:?}");
}

#[test]
fn everything_is_evaluated_at_an_instant() {
    check_all_used(&used(|times| matches!(times, EvalTimes::Instant { .. })));
}

/// A range query has no strings but those that are arguments.
#[test]
fn everything_is_evaluated_over_a_range() {
    check_all_used(&used(|times| matches!(times, EvalTimes::Range(_))));
}

/// The texts that scripts demand as a whole; that the scripts pass says that they are produced.
fn demanded<'a>(patterns: impl Iterator<Item = &'a TextPattern>) -> BTreeSet<String> {
    let exact = patterns.filter_map(|pattern| match pattern {
        TextPattern::Exactly { text, .. } => Some(text.clone()),
        _ => None,
    });
    exact.collect()
}

fn check_all_demanded(beginnings: &[&str], demanded: &BTreeSet<String>) {
    let missing =
        beginnings.iter().filter(|beginning| !demanded.iter().any(|text| text.starts_with(**beginning)));
    let missing: Vec<&&str> = missing.collect();
    assert!(missing.is_empty(), "no script demands as a whole: {missing:#?}");
}

#[test]
fn each_annotation_is_produced() {
    let evals = evaluations();
    let patterns = evals.iter().flat_map(|eval| eval.expected.warnings.iter().chain(&eval.expected.infos));
    let texts = demanded(patterns);
    let levels = ["PromQL warning: ", "PromQL info: "];
    let bare = |text: &String| levels.iter().find_map(|level| text.strip_prefix(level)).map(str::to_owned);
    let texts = texts.iter().filter_map(bare).collect();
    check_all_demanded(AnnotationKind::BEGINNINGS, &texts);
    check_all_demanded(&ANNOTATIONS_OF_OPERATIONS, &texts);
}

#[test]
fn each_error_of_data_is_produced() {
    let evals = evaluations();
    check_all_demanded(&ERRORS, &demanded(evals.iter().filter_map(|eval| eval.expected.failure.as_ref())));
}
