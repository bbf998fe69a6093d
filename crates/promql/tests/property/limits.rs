//! Hostile texts: deep, long, and both. A stack of 2 MiB is enough for all of them, in any build.

use narthex_promql::ast::{dump, pretty, walk};
use narthex_promql::features::{
    CHAIN_LIMIT, DIAGNOSTIC_LIMIT, NEST_LIMIT, PART_LIMIT, TEXT_BYTES_LIMIT, TOKEN_LIMIT,
};
use narthex_promql::{Parse, ParseOptions, parse, parse_metric, parse_series};

/// Runs on a thread with the stack that threads have unless told otherwise.
fn on_small_stack(text: String) -> String {
    let run = move || {
        let parsed = parse(&text, &ParseOptions::ALL);
        let mut nodes = 0usize;
        walk(&parsed.expr, &mut |_| nodes += 1);
        assert!(nodes > 0);
        let copy = parsed.expr.clone();
        assert_eq!(copy.to_string().is_empty(), text.is_empty());
        assert!(copy == parsed.expr && !dump(&copy).is_empty() && !pretty(&copy, usize::MAX).is_empty());
        first_message(&parsed)
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap()
}

fn first_message(parsed: &Parse) -> String {
    parsed.diagnostics.first().map_or(String::new(), |first| first.message.clone())
}

const MANY: usize = 20_000;

#[test]
fn nesting_is_limited_and_the_error_names_the_limit() {
    let nested = |open: &str, close: &str, count: usize| open.repeat(count) + "1" + &close.repeat(count);
    let texts = [
        nested("(", ")", MANY),
        nested("abs(", ")", MANY),
        nested("sum(", ")", MANY),
        nested("-", "", MANY),
        nested("2^", "", MANY),
        nested("-2^(", ")", MANY),
        nested("1 or 1 and 1 == 1 + 1 * 1 ^ (", ")", MANY),
        nested("topk(1, abs(-(", ")))", MANY),
        format!("a[{}]", nested("(", ")", MANY)),
        format!("a[{}]", nested("min_of(1,", ")", MANY)),
        format!("a[{}]", nested("-2^", "", MANY)),
        format!("a offset {}", nested("(", ")", MANY)),
        "(".repeat(MANY),
    ];
    for text in texts {
        let shown = text[..20].to_owned();
        assert_eq!(
            on_small_stack(text),
            format!("expression nests deeper than the limit of {NEST_LIMIT}"),
            "{shown}"
        );
    }
}

#[test]
fn chains_are_limited_and_the_error_names_the_limit() {
    let texts = [
        "a".to_owned() + &" + a".repeat(MANY),
        "a".to_owned() + &" or a".repeat(MANY),
        "a".to_owned() + &"[1m:]".repeat(MANY),
        format!("a[1{}]", "+1".repeat(MANY)),
        format!("a offset (1{})", "*1".repeat(MANY)),
    ];
    for text in texts {
        let shown = text[..20].to_owned();
        let message = on_small_stack(text);
        let expected = format!("expression is a chain of more than {CHAIN_LIMIT} operations");
        let is_subquery = message.starts_with("subquery is only allowed on instant vector");
        assert!(message == expected || is_subquery, "{shown}: {message}");
    }
}

#[test]
fn what_is_just_inside_the_limits_is_read() {
    let inside = NEST_LIMIT - 1;
    let texts = [
        "(".repeat(inside) + "a" + &")".repeat(inside),
        "-".repeat(inside) + "a",
        "a".to_owned() + &" + a".repeat(CHAIN_LIMIT - 1),
        "abs(".repeat(inside) + "a" + &")".repeat(inside),
        "2^".repeat(inside) + "2",
    ];
    for text in texts {
        let shown = text[..20].to_owned();
        assert_eq!(on_small_stack(text), "", "{shown}");
    }
}

#[test]
fn deep_chains_in_deep_parentheses_stay_shallow() {
    let chain = " + a".repeat(200);
    let text = "(".repeat(100) + "a" + &format!("{chain})").repeat(100);
    assert_eq!(on_small_stack(text), format!("expression is a chain of more than {CHAIN_LIMIT} operations"));
}

#[test]
fn thousands_of_errors_are_all_reported() {
    let text = "{}".to_owned() + &"-1-{}".repeat(MANY);
    let parsed = parse(&text, &ParseOptions::STABLE);
    let count =
        parsed.diagnostics.iter().filter(|one| one.message.starts_with("vector selector must")).count();
    assert_eq!(count, MANY + 1);
}

#[test]
fn texts_beyond_any_use_are_refused_by_name() {
    let options = ParseOptions { text_bytes_max: 9, ..ParseOptions::STABLE };
    assert_eq!(first_message(&parse("sum(up)  ", &options)), "");
    let long = "expression has 10 bytes, more than the limit of 9";
    assert_eq!(first_message(&parse("sum(up)   ", &options)), long);
    let spaces = " ".repeat(TEXT_BYTES_LIMIT + 1);
    for error in [parse_metric(&spaces).err(), parse_series(&spaces).err()] {
        assert!(error.is_some_and(|error| error.to_string().contains("more than the limit of 16777216")));
    }
    let parts = format!("m{{{}}}", "a=\"\",".repeat(PART_LIMIT));
    let message = format!("expression has more than {PART_LIMIT} operands, matchers and labels");
    assert_eq!(on_small_stack(parts), message);
    let comments = "#\n".repeat(TOKEN_LIMIT + 2) + "1";
    assert_eq!(on_small_stack(comments), format!("expression has more than {TOKEN_LIMIT} tokens"));
}

#[test]
fn after_too_many_complaints_no_more_is_read() {
    let parsed = parse(&format!("m{{{}}}", "a b,".repeat(2 * DIAGNOSTIC_LIMIT)), &ParseOptions::STABLE);
    let found = parsed.diagnostics.len();
    assert!((DIAGNOSTIC_LIMIT..DIAGNOSTIC_LIMIT + 8).contains(&found), "{found}");
}

#[test]
fn only_the_first_unknown_functions_are_looked_up() {
    let parsed = parse(&"raet(a) or ".repeat(300), &ParseOptions::STABLE);
    let suggested = parsed.diagnostics.iter().filter(|one| !one.suggestions.is_empty()).count();
    assert_eq!(suggested, 100);
}

#[test]
fn series_of_very_many_labels_are_read_in_linear_time() {
    let labels: Vec<String> = (0..100_000).map(|at| format!("l{at}=\"{at}\"")).collect();
    let series = parse_metric(&format!("m{{{}}}", labels.join(","))).unwrap();
    assert_eq!((series.len(), series.value("l99999")), (100_001, "99999"));
}

#[test]
fn line_ends_of_two_characters_are_spaces() {
    let text = "sum(\r\n  rate(m{a=\"1\",\r\n b=\"2\"}[5m\r\n]) # all\r\n)\r\n";
    let parsed = parse(text, &ParseOptions::STABLE);
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(parsed.expr.to_string(), "sum(rate(m{a=\"1\",b=\"2\"}[5m]))");
    assert_eq!(parsed.comments.len(), 1);
    assert!(parse("\u{feff}m", &ParseOptions::STABLE).into_result().is_err());
}
