//! Whether the reference pages say what the tables and the scripts of `testdata/promql/reference` say. `UPDATE=1` writes
//! them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod literate;

use std::fmt::Write;

use narthex_promql::ValueType;
use narthex_promql::aggregations::{AGGREGATIONS, AggregateSpec};
use narthex_promql::functions::{FUNCTIONS, FunctionSpec};
use narthex_promql::operators::OPERATORS;
use narthex_testkit::{check_no_orphans, fixtures, golden};

use literate::{Script, Section};

/// Where the pages stand, seen from `testdata/`.
const PAGES: &str = "../crates/promql/docs";

/// The modifiers in the order of their page.
const MODIFIERS: [&str; 16] = [
    "[range]",
    "[range:step]",
    "offset",
    "@",
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
];

#[test]
fn freshness_of_the_reference() {
    golden(format!("{PAGES}/functions.md"), &functions());
    let aggregations = AGGREGATIONS.iter().map(|row| (row.name, aggregation_head(row)));
    golden(format!("{PAGES}/aggregations.md"), &page("aggregations", aggregations));
    let operators = OPERATORS.iter().map(|row| (row.text, String::new()));
    golden(format!("{PAGES}/operators.md"), &page("operators", operators));
    let modifiers = MODIFIERS.iter().map(|&name| (name, modifier_head(name)));
    golden(format!("{PAGES}/modifiers.md"), &page("modifiers", modifiers));
    check_no_orphans(PAGES, "md", ["functions", "aggregations", "operators", "modifiers"]);
}

/// The script `testdata/promql/reference/<name>.test`.
fn script(name: &str) -> Script {
    let all = fixtures("promql/reference", "test");
    let fixture = all.iter().find(|fixture| fixture.name == name);
    literate::read(&fixture.unwrap_or_else(|| panic!("no script {name}")).text)
}

/// The page of functions: an index, then the families in the order of the table.
fn functions() -> String {
    let mut families: Vec<(String, Vec<&FunctionSpec>)> = Vec::new();
    for row in FUNCTIONS {
        let family = family(row);
        match families.last_mut().filter(|last| last.0 == family) {
            Some(last) => last.1.push(row),
            None => families.push((family, vec![row])),
        }
    }
    let scripts = fixtures("promql/reference/functions", "test");
    let mut named: Vec<&str> = families.iter().map(|family| family.0.as_str()).collect();
    named.sort_unstable();
    assert_eq!(scripts.iter().map(|script| script.name.as_str()).collect::<Vec<_>>(), named);

    let mut out = "# Functions\n\n".to_owned();
    out += "Every example was evaluated; see [modifiers](modifiers.md) for what may stand behind a selector.\n\n";
    out += "| function | what it yields |\n|---|---|\n";
    let mut rows: Vec<&FunctionSpec> = FUNCTIONS.iter().collect();
    rows.sort_unstable_by_key(|row| row.name);
    for row in rows {
        writeln!(out, "| [{0}](#{0}) | {1} |", row.name, row.summary).unwrap();
    }
    for (family, rows) in &families {
        let script = script(&format!("functions/{family}"));
        write!(out, "\n## {}\n\n{}\n", script.title, script.intro).unwrap();
        let heads = rows.iter().map(|row| (row.name, function_head(row)));
        sections(&mut out, &script, heads);
    }
    out
}

/// The name of a function's family in `snake_case`.
fn family(row: &FunctionSpec) -> String {
    let id = format!("{:?}", row.id);
    let family = id.split('(').next().unwrap_or_default();
    let mut out = String::new();
    for (at, letter) in family.char_indices() {
        if letter.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// A page with the sections of one script.
fn page(name: &str, heads: impl Iterator<Item = (&'static str, String)>) -> String {
    let script = script(name);
    let mut out = format!("# {}\n\n{}\n", script.title, script.intro);
    sections(&mut out, &script, heads);
    out
}

/// Appends a section for each name; there must be one for each, and no other.
fn sections(out: &mut String, script: &Script, heads: impl Iterator<Item = (&'static str, String)>) {
    let mut left: Vec<&Section> = script.sections.iter().collect();
    for (name, head) in heads {
        let at = left.iter().position(|section| section.name == name);
        let section = left.remove(at.unwrap_or_else(|| panic!("no section {name} in {}", script.title)));
        write!(out, "\n### {name}\n\n{head}{}\n", section.text).unwrap();
    }
    let unknown: Vec<&str> = left.iter().map(|section| section.name.as_str()).collect();
    assert!(unknown.is_empty(), "sections about nothing in {}: {unknown:?}", script.title);
}

fn function_head(row: &FunctionSpec) -> String {
    head(&signature(row), row.is_experimental)
}

fn aggregation_head(row: &AggregateSpec) -> String {
    let parameter = row.parameter.map_or_else(String::new, |parameter| format!("{}, ", parameter.as_str()));
    head(&format!("{}({parameter}instant vector) → instant vector", row.name), row.is_experimental)
}

fn head(signature: &str, is_experimental: bool) -> String {
    let note = "Experimental: switched on with `--enable-feature=promql-experimental-functions`.\n\n";
    format!("`{signature}`\n\n{}", if is_experimental { note } else { "" })
}

/// Modifiers that need a feature say which.
fn modifier_head(name: &str) -> String {
    let feature = match name {
        "anchored" | "smoothed" => "promql-extended-range-selectors",
        "fill" | "fill_left" | "fill_right" => "promql-binop-fill-modifiers",
        _ => return String::new(),
    };
    format!("Experimental: switched on with `--enable-feature={feature}`.\n\n")
}

/// `name(type, type[, type]) → type`; an ellipsis after what may be repeated.
fn signature(row: &FunctionSpec) -> String {
    let type_of = |at| row.parameter(at).map_or("", ValueType::as_str);
    let mut arguments: Vec<&str> = (0..row.args_min).map(type_of).collect();
    let required = arguments.len();
    arguments.extend(row.args_max.filter(|&max| max == required + 1).map(|_| type_of(required)));
    let mut text = arguments[..required].join(", ");
    let separator = if required == 0 { "" } else { ", " };
    match row.args_max {
        Some(max) if max == required => {}
        Some(max) if max == required + 1 => write!(text, "[{separator}{}]", arguments[required]).unwrap(),
        _ => write!(text, "[{separator}{}…]", type_of(required)).unwrap(),
    }
    format!("{}({text}) → {}", row.name, row.returns.as_str())
}

#[test]
fn signatures_show_what_may_be_left_out() {
    let of = |name: &str| signature(FUNCTIONS.iter().find(|row| row.name == name).unwrap());
    assert_eq!(of("pi"), "pi() → scalar");
    assert_eq!(of("year"), "year([instant vector]) → instant vector");
    assert_eq!(of("round"), "round(instant vector[, scalar]) → instant vector");
    assert_eq!(of("sort_by_label"), "sort_by_label(instant vector[, string…]) → instant vector");
    assert_eq!(
        of("histogram_quantiles"),
        "histogram_quantiles(instant vector, string, scalar[, scalar…]) → instant vector"
    );
}
