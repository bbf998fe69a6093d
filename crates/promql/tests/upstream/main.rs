//! Whether upstream's own parser tests come out the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod corpus;
mod series;
mod tokens;
mod tree;

use std::fs;

use narthex_promql::ast::pretty;
use narthex_promql::{Feature, ParseOptions, parse};
use serde_json::Value;

/// The rows of an extracted table; nothing where it is not present.
fn rows(name: &str) -> Vec<Value> {
    let Some(path) = narthex_testkit::shared_fixtures(format!("prometheus/promql/{name}.jsonl")) else {
        return Vec::new();
    };
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Fails with all failures, one a line.
fn finish(name: &str, failures: &[String]) {
    assert!(failures.is_empty(), "{name}: {} differ\n{}", failures.len(), failures.join("\n"));
}

/// What upstream's tests of the parser run with.
fn options() -> ParseOptions {
    ParseOptions::STABLE.with(Feature::ExperimentalFunctions).with(Feature::ExtendedRangeSelectors)
}

#[test]
fn valid_expressions_yield_the_same_tree_and_text() {
    let mut failures = Vec::new();
    for row in rows("parse_expr_dev").iter().filter(|row| row["ok"] == true) {
        let input = row["input"].as_str().unwrap();
        let parsed = parse(input, &options());
        if let Some(first) = parsed.diagnostics.first() {
            failures.push(format!("{input}: refused: {}", first.message));
            continue;
        }
        let expected = [&row["type"], &tree::normalized(row["ast"].clone()), &row["string"], &row["pretty"]]
            .map(Value::clone);
        let got = [
            tree::type_name(&parsed.expr).into(),
            tree::normalized(tree::tree(&parsed.expr)),
            parsed.expr.to_string().into(),
            pretty(&parsed.expr, 100).into(),
        ];
        for (expected, got) in expected.iter().zip(&got).filter(|(expected, got)| expected != got) {
            failures.push(format!("{input}\n  expected {expected}\n  got      {got}"));
        }
    }
    finish("parse_expr", &failures);
}

#[test]
fn invalid_expressions_yield_the_same_first_error() {
    let mut failures = Vec::new();
    for row in rows("parse_expr_dev").iter().filter(|row| row["ok"] == false) {
        let input = row["input"].as_str().unwrap();
        let shown = &input[..input.len().min(100)];
        let expected = &row["errors"][0];
        let Some(first) = parse(input, &options()).diagnostics.into_iter().next() else {
            failures.push(format!("{shown}: accepted, expected {expected}"));
            continue;
        };
        let span = first.span();
        // Bytes that are no UTF-8 became characters when the table was extracted, which moves its end.
        let was_changed = input.contains('\u{fffd}');
        let same_place = expected["start"] == span.start && (expected["end"] == span.end || was_changed);
        if !same_place || expected["msg"] != first.message.as_str() {
            failures.push(format!("{shown}\n  expected {expected}\n  got      {span:?} {}", first.message));
        }
    }
    finish("parse_expr errors", &failures);
}

#[test]
fn printing_is_canonical() {
    let mut failures = Vec::new();
    for row in rows("printer_dev") {
        let (input, expected) = (row["in"].as_str().unwrap(), row["out"].as_str().unwrap());
        let parsed = parse(input, &ParseOptions::ALL);
        let got = parsed.expr.to_string();
        if !parsed.diagnostics.is_empty() || got != expected {
            failures.push(format!("{input}\n  expected {expected}\n  got      {got}"));
        }
    }
    finish("printer", &failures);
}

#[test]
fn pretty_printing_breaks_lines_alike() {
    const WIDTH: usize = 10;
    let mut failures = Vec::new();
    for row in rows("prettier_dev") {
        let (input, expected) = (row["in"].as_str().unwrap(), row["out"].as_str().unwrap());
        let got = pretty(&parse(input, &ParseOptions::ALL).expr, WIDTH);
        if got != expected {
            failures.push(format!("{input}\nexpected\n{expected}\ngot\n{got}"));
        }
    }
    finish("prettier", &failures);
}
