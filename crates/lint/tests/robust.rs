//! Whether any rules are linted without panic, and every place named lies in the text.

use narthex_diag::{Applicability, Span};
use narthex_lint::{LintConfig, LintSelector, Linter};
use narthex_testkit::fixtures;
use proptest::prelude::*;

/// Parts of expressions; whatever they make together that parses is linted.
const PARTS: [&str; 28] = [
    "up",
    "sum",
    "by (job, le)",
    "without (a)",
    "(",
    ")",
    "rate(",
    "x_bucket{a=~\"b|\"}",
    "[5m]",
    "[5m:1m]",
    ">",
    "== 0",
    "and",
    "unless",
    "or",
    "on (a)",
    "group_left (b)",
    "absent(",
    "count(",
    "histogram_quantile(0.9,",
    "NaN",
    "label_replace(",
    ", \"a\", \"$1\", \"b\", \"(.*)\")",
    "bool",
    "/",
    "vector(0)",
    "offset -5m",
    "{é=\"$x\"}",
];

/// Templates of every kind of read.
const TEMPLATES: [&str; 8] = [
    "{{ $labels.é }}",
    "{{ printf \"%d %s é\" $value $labels.a }}",
    "{{ with $labels }}{{ .x }}{{ end }}",
    "{{ if .Value }}{{ index $labels \"x\" }}{{ end }}",
    "{{ range query \"up\" }}{{ .Labels.x }}{{ end }}",
    "{{ $x := .Labels }}{{ $x.a | printf \"%f\" }}",
    "{{ define \"t\" }}{{ .Value }}{{ end }}{{ template \"t\" . }}",
    "plain",
];

fn check(text: &str) {
    let all = LintSelector::parse("ALL").expect("it selects something");
    let config = LintConfig { extend_select: vec![all], ..LintConfig::default() };
    let found = Linter::new(&config).lint_file(text);
    let fits = |span: Span| text.get(span.range()).is_some();
    for finding in &found {
        assert!(fits(finding.span()), "{finding:?} of {text:?}");
        assert!(finding.secondary.iter().all(|other| fits(other.span)), "{finding:?} of {text:?}");
        let safe = finding.suggestions.iter().filter(|one| one.applicability != Applicability::DisplayOnly);
        for edit in safe.flat_map(|suggestion| &suggestion.edits) {
            assert!(fits(edit.span), "{finding:?} of {text:?}");
        }
    }
    assert!(found.is_sorted_by_key(|finding| finding.span()), "{text:?}");
}

proptest! {
    #[test]
    fn rules_of_random_parts(
        parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..14),
        name in prop::sample::select(&["A", "up", "é {{ $value }}", "a:b"][..]),
        template in prop::sample::select(&TEMPLATES[..]),
        is_record in any::<bool>(),
    ) {
        let expr = parts.join(" ");
        let kind = if is_record { "record" } else { "alert" };
        let rest = if is_record { String::new() } else { format!("    annotations:\n      s: '{template}'\n") };
        let rule = format!("  - {kind}: '{name}'\n    expr: |\n      {expr}\n    labels: {{l: '{template}'}}\n{rest}");
        check(&format!("groups:\n- name: g\n  rules:\n{rule}{rule}"));
        check(&format!("groups:\n- name: g\n  rules:\n{}", rule.replace("|\n      ", "")));
    }

    #[test]
    fn files_with_bytes_removed_and_swapped(
        file in 0..usize::MAX,
        cuts in prop::collection::vec((0..usize::MAX, 0..12usize, prop::sample::select(&PARTS[..])), 1..6),
    ) {
        let files = fixtures("lint/probes", "yml");
        let mut text: Vec<char> = files[file % files.len()].text.chars().collect();
        for (at, len, inserted) in cuts {
            let at = at % text.len().max(1);
            let end = (at + len).min(text.len());
            text.splice(at..end, inserted.chars());
        }
        check(&text.into_iter().collect::<String>());
    }
}
