//! Every query and series of upstream's engine tests is read, and printing is a fixed point.

use std::fs;

use narthex_promql::ast::{Expr, pretty};
use narthex_promql::series::parse_start_offsets;
use narthex_promql::{ParseOptions, parse, parse_series};

use crate::{finish, rows};

/// The scripts; nothing where they are not present.
fn scripts() -> Vec<String> {
    let Some(folder) = narthex_testkit::shared_fixtures("prometheus/promqltest") else { return Vec::new() };
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ext| ext == "test"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// The query of an `eval` line.
fn query(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("eval")?;
    let (_, rest) = rest.split_once(" at ").or_else(|| rest.split_once(" step "))?;
    rest.trim_start().split_once(char::is_whitespace).map(|(_, query)| query.trim())
}

fn read(query: &str) -> Result<Expr, String> {
    parse(query, &ParseOptions::ALL).into_result().map_err(|error| format!("{query}: {error}"))
}

fn check_fixed_point(query: &str) -> Result<(), String> {
    let expr = read(query)?;
    let printed = expr.to_string();
    let again = read(&printed)?.to_string();
    let broken = pretty(&expr, 10);
    let joined = read(&broken)?.to_string();
    if printed == again && printed == joined {
        return Ok(());
    }
    Err(format!("{query}\n  printed {printed}\n  again   {again}\n  broken  {broken}"))
}

#[test]
fn engine_queries_are_read_and_printing_is_a_fixed_point() {
    let mut failures = Vec::new();
    let mut refused = Vec::new();
    let mut total = 0;
    let scripts = scripts();
    for script in &scripts {
        let lines: Vec<&str> = script.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(query) = query(line) else { continue };
            total += 1;
            let may_fail = lines.get(at + 1).is_some_and(|next| next.starts_with("expect fail"));
            match check_fixed_point(query) {
                Ok(()) => {}
                Err(_) if may_fail => refused.push(query.to_owned()),
                Err(failure) => failures.push(failure),
            }
        }
    }
    finish("engine queries", &failures);
    assert!(refused.len() < 20, "{}", refused.join("\n"));
    assert!(scripts.is_empty() || total > 2000, "only {total} queries found");
}

#[test]
fn compliance_queries_print_as_a_fixed_point() {
    let cases = rows("compliance_cases");
    let mut failures = Vec::new();
    for case in &cases {
        let query = case["query"].as_str().unwrap();
        if case["expect"]["phase"] != "create" {
            failures.extend(check_fixed_point(query).err());
        }
    }
    finish("compliance queries", &failures);
}

#[test]
fn valid_parser_tests_print_as_a_fixed_point() {
    let cases = rows("parse_expr_dev");
    let valid = cases.iter().filter(|row| row["ok"] == true);
    let failures: Vec<String> =
        valid.filter_map(|row| check_fixed_point(row["input"].as_str().unwrap()).err()).collect();
    finish("parser tests", &failures);
}

#[test]
fn loaded_series_are_read() {
    let mut failures = Vec::new();
    for script in scripts() {
        let mut is_load = false;
        for line in script.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                is_load = false;
            } else if line.starts_with("load") {
                is_load = true;
            } else if is_load {
                let start = parse_start_offsets(line).map(|offsets| offsets.is_some());
                let outcome = match start {
                    Ok(false) => parse_series(line).map(|_| ()),
                    other => other.map(|_| ()),
                };
                failures.extend(outcome.err().map(|error| format!("{line}: {error}")));
            }
        }
    }
    finish("series", &failures);
}
