//! Any expression over several lines: the same expression, the same comments, and nothing left to do.

use narthex_promql::ast::{WIDTH, format};
use narthex_promql::{Parse, ParseOptions, parse};

use crate::input::text;

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let parsed = parse(text, &ParseOptions::ALL);
    if !parsed.diagnostics.is_empty() {
        return;
    }
    for width in [8, WIDTH] {
        let once = format(&parsed.expr, &parsed.comments, text, width);
        let read = parse(&once, &ParseOptions::ALL);
        assert!(read.diagnostics.is_empty(), "{once}\n{:?}", read.diagnostics);
        assert_eq!(read.expr.to_string(), parsed.expr.to_string(), "{once}");
        assert_eq!(comments(&read, &once), comments(&parsed, text), "{once}");
        assert_eq!(format(&read.expr, &read.comments, &once, width), once);
    }
}

/// Sorted, for a comment may move past another.
fn comments<'a>(parsed: &Parse, text: &'a str) -> Vec<&'a str> {
    let mut comments: Vec<&str> = parsed.comments.iter().map(|span| span.slice(text).trim_end()).collect();
    comments.sort_unstable();
    comments
}
