//! What holds for every text and every tree.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod generate;
mod limits;
mod strip;

use narthex_promql::ast::{format, pretty};
use narthex_promql::lexer::lex;
use narthex_promql::series::parse_start_offsets;
use narthex_promql::{Parse, ParseOptions, parse, parse_metric, parse_selector, parse_series};
use narthex_testkit::SplitMix64;
use proptest::prelude::*;

use generate::Generator;
use strip::stripped;

/// Pieces that texts are made of, so that random texts get past the first token.
const PIECES: [&str; 60] = [
    "a",
    "up",
    "sum",
    "rate",
    "topk",
    "by",
    "on",
    "ignoring",
    "group_left",
    "bool",
    "offset",
    "@",
    "start",
    "end",
    "step",
    "range",
    "min_of",
    "fill",
    "anchored",
    "and",
    "or",
    "atan2",
    "inf",
    "nan",
    "1",
    "5m",
    "0x1f",
    "1e3",
    ".5",
    "08",
    "\"s\"",
    "'x\\n'",
    "`r`",
    "\"",
    "(",
    ")",
    "()",
    "{",
    "}",
    "{}",
    "[",
    "]",
    "[5m]",
    "[5m:]",
    ",",
    ":",
    "=",
    "=~",
    "==",
    "!=",
    "<",
    "</",
    "+",
    "-",
    "*",
    "^",
    "# c\n",
    " ",
    "é",
    "\\",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40).prop_map(|pieces| pieces.join(""))
}

/// Whatever the text: no panic, spans inside it, an error node only with a diagnostic.
fn check_parse(text: &str) -> Result<(), TestCaseError> {
    for options in [ParseOptions::STABLE, ParseOptions::ALL] {
        let parsed = parse(text, &options);
        for diagnostic in &parsed.diagnostics {
            let span = diagnostic.span();
            prop_assert!(span.end as usize <= text.len(), "{text:?}: {diagnostic:?}");
            prop_assert!(text.is_char_boundary(span.start as usize), "{text:?}: {diagnostic:?}");
            prop_assert!(!diagnostic.message.is_empty());
        }
        let printed = parsed.expr.to_string();
        if parsed.diagnostics.is_empty() {
            let again = parse(&printed, &options);
            prop_assert!(
                again.diagnostics.is_empty(),
                "{text:?} printed {printed:?}: {:?}",
                again.diagnostics
            );
            prop_assert_eq!(again.expr.to_string(), printed);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        check_parse(&text)?;
    }

    #[test]
    fn any_pieces_are_survived(text in soup()) {
        check_parse(&text)?;
    }

    #[test]
    fn any_series_is_survived(text in "[a{}\"=b, ]{0,8}[ 0-9_x+.{}a-z:\\[\\]-]{0,40}", soup in soup()) {
        for text in [text, soup] {
            let _ = parse_series(&text);
            let _ = parse_start_offsets(&text);
            let _ = parse_metric(&text);
            let _ = parse_selector(&text);
        }
    }

    #[test]
    fn a_printed_tree_is_read_as_itself(seed in any::<u64>()) {
        let expr = Generator::new(seed).expr();
        for text in [expr.to_string(), pretty(&expr, 100), pretty(&expr, 10)] {
            let read = parse(&text, &ParseOptions::ALL);
            prop_assert!(read.diagnostics.is_empty(), "{text}\n{:#?}", read.diagnostics);
            prop_assert_eq!(stripped(read.expr), stripped(expr.clone()), "{}", text);
        }
    }

    #[test]
    fn formatting_keeps_tree_and_comments_and_settles_at_once(seed in any::<u64>()) {
        let expr = Generator::new(seed).expr();
        let text = with_comments(&pretty(&expr, 40), seed);
        let before = parse(&text, &ParseOptions::ALL);
        // Inside brackets not every place may have a comment.
        prop_assume!(before.diagnostics.is_empty());
        for width in [10, 100] {
            let once = formatted(&before, &text, width);
            let after = parse(&once, &ParseOptions::ALL);
            prop_assert!(after.diagnostics.is_empty(), "{once}\n{:#?}", after.diagnostics);
            prop_assert_eq!(comments(&before, &text), comments(&after, &once), "{}\n--\n{}", text, once);
            prop_assert_eq!(stripped(before.expr.clone()), stripped(after.expr.clone()), "{}", once);
            let twice = formatted(&after, &once, width);
            prop_assert_eq!(&once, &twice, "{}\n--\n{}", once, twice);
        }
    }
}

fn formatted(parsed: &Parse, text: &str, width: usize) -> String {
    format(&parsed.expr, &parsed.comments, text, width)
}

/// The comments, sorted: a few may be moved past each other.
fn comments<'a>(parsed: &Parse, text: &'a str) -> Vec<&'a str> {
    let mut comments: Vec<&str> = parsed.comments.iter().map(|span| span.slice(text)).collect();
    comments.sort_unstable();
    comments
}

/// The text with comments between some of its tokens.
fn with_comments(text: &str, seed: u64) -> String {
    let mut random = SplitMix64::new(seed);
    let mut out = String::new();
    let mut last = 0;
    for token in lex(text).tokens {
        let start = token.span.start as usize;
        out.push_str(&text[last..start]);
        last = start;
        if random.chance(0.1) {
            let line = if random.chance(0.5) { "\n" } else { "" };
            out.push_str(&format!("{line} # note {}\n", random.below(100)));
        }
    }
    out + &text[last..]
}
