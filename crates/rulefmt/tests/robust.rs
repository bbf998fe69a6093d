//! Whether any text is read without panic, and every place named lies in the text.

use narthex_diag::Span;
use narthex_promql::ParseOptions;
use narthex_rulefmt::unit_test::{self, UnitTestOptions};
use narthex_rulefmt::{Options, parse};
use narthex_testkit::fixtures;
use narthex_yaml::UnknownFields;
use proptest::prelude::*;

/// Lines that fit into rule files in many wrong places.
const LINES: [&str; 16] = [
    "groups:",
    "- name: a",
    "  rules:",
    "  - alert: é",
    "  - record: a:b",
    "    expr: |",
    "      rate(x[5m]",
    "    expr: >-",
    "    expr: &e \"up \\t== 0",
    "    expr: *e",
    "    labels: {a: b, <<: *e}",
    "    for: 5m",
    "    annotations:",
    "      summary: '{{ $labels.漢 }} {{ if'",
    "---",
    "\u{feff}kind: PrometheusRule\r",
];

fn check(text: &str) {
    let parse = parse(text, &Options::PROMETHEUS);
    let fits = |span: Span| text.get(span.range()).is_some();
    for found in &parse.diagnostics {
        assert!(fits(found.span()), "{found:?} of {text:?}");
        assert!(found.secondary.iter().all(|other| fits(other.span)), "{found:?} of {text:?}");
    }
    for (group, rule) in parse.file.rules() {
        assert!(fits(group.span) && fits(rule.span()) && fits(rule.expr().text.span()), "{text:?}");
        let length = rule.expr().text.value.len();
        assert!((0..=length).all(|at| rule.expr().map.offset(at) <= text.len()), "{text:?}");
    }
}

#[test]
fn every_fixture_cut_off_anywhere() {
    for fixture in fixtures("rules", "yaml") {
        for (at, _) in fixture.text.char_indices() {
            check(&fixture.text[..at]);
        }
    }
}

#[test]
fn every_unit_test_file_cut_off_anywhere() {
    let options = UnitTestOptions { promql: ParseOptions::ALL, unknown_fields: UnknownFields::Refuse };
    for fixture in fixtures("rule-tests", "yml") {
        for (at, _) in fixture.text.char_indices() {
            let text = &fixture.text[..at];
            for found in unit_test::parse(text, &options).diagnostics {
                assert!(text.get(found.span().range()).is_some(), "{found:?} of {text:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_in_any_order(lines in prop::collection::vec((0usize..4, prop::sample::select(LINES.to_vec())), 0..20)) {
        let text: String = lines.iter().map(|(indent, line)| format!("{}{line}\n", " ".repeat(*indent))).collect();
        check(&text);
    }

    #[test]
    fn bytes_in_any_order(tail in "[ \n\ta-b'\"\\\\é#:{}\\[\\],&*!|>%@`?-]{0,40}") {
        check(&format!("groups:\n- name: a\n  rules:\n  - expr: {tail}"));
    }
}
