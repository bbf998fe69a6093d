//! Any text as YAML: every scalar knows which bytes of the text it came from.

use narthex_yaml::{Document, Parsed, Scalar, comments, parse};

use crate::input::{check_places, fits, text};

/// See the module.
pub fn target(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let parsed: Parsed<'_> = parse(text);
    parsed.diagnostics.iter().for_each(|found| check_places(found, text));
    assert!(comments(&parsed).into_iter().all(|span| fits(span, text)));
    parsed.documents.iter().for_each(|document| check_document(document, text));
}

fn check_document(document: &Document<'_>, text: &str) {
    assert!(fits(document.span(), text));
    assert!(document.truncated_at().is_none_or(|at| text.is_char_boundary(at)));
    document.scalars().for_each(|scalar| check_scalar(scalar, text));
}

fn check_scalar(scalar: &Scalar<'_>, text: &str) {
    assert!(fits(scalar.source.span, text) && fits(scalar.source.content, text));
    assert!(scalar.source.span.contains(scalar.source.content) || scalar.source.style.is_block());
    let map = scalar.span_map(text);
    let offsets: Vec<usize> = (0..=scalar.text.len()).map(|at| map.offset(at)).collect();
    assert!(offsets.is_sorted() && offsets.last().is_none_or(|&last| last <= text.len()), "{scalar:?}");
    scalar.implicit_value();
}
