//! Where the comments of a text stand.

use narthex_diag::Span;

use crate::layout::line_end;
use crate::parse::Parsed;

/// The comments outside scalars, in order: each from its `#` to the end of its line. After a syntax error everything up
/// to the next document is taken for YAML without scalars.
pub fn comments(parsed: &Parsed<'_>) -> Vec<Span> {
    let scalars = parsed.documents.iter().flat_map(|document| document.scalars());
    let mut found = Vec::new();
    let mut at = 0;
    for scalar in scalars {
        let Span { start, end } = scalar.source.span;
        if scalar.source.style.is_block() {
            in_gap(parsed.text, at, scalar.source.content.start as usize, &mut found);
        } else {
            in_gap(parsed.text, at, start as usize, &mut found);
        }
        at = at.max(end as usize);
    }
    in_gap(parsed.text, at, parsed.text.len(), &mut found);
    found
}

/// Comments between two scalars: a `#` that starts a line or follows a blank.
fn in_gap(text: &str, from: usize, to: usize, found: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < to {
        let is_separated = at == 0 || matches!(bytes.get(at - 1), Some(b' ' | b'\t' | b'\n' | b'\r' | 0xBF));
        if bytes.get(at) != Some(&b'#') || !is_separated {
            at += 1;
            continue;
        }
        let end = line_end(bytes, at);
        found.push(Span::new(at, end));
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn comments_but_not_what_looks_like_one() {
        let text =
            "# a\nb: '# no' # c\nd: | # e\n  # no\n  x # no\n # f\nu: http://x#no\n[y#no, # g\n z]\n#h";
        let parsed = parse(text);
        let found: Vec<&str> = comments(&parsed).iter().map(|span| span.slice(text)).collect();
        assert_eq!(found, ["# a", "# c", "# e", "# f", "# g", "#h"]);
    }
}
