//! From text to documents, errors beside them.

use narthex_diag::{Diagnostic, Span};
use saphyr_parser::{Parser, ScanError};

use crate::INVALID_YAML;
use crate::build::{Builder, Stop};
use crate::layout::quoted_end;
use crate::lenient::{Mend, Shown};
use crate::limits::{SYNTAX_ERRORS_MAX, TEXT_BYTES_MAX};
use crate::node::{Document, Node};

/// What was read of a text. Parsing never fails: what is wrong stands in the diagnostics.
#[derive(Clone, Debug)]
pub struct Parsed<'t> {
    /// The text.
    pub text: &'t str,
    /// The documents in order; one that a syntax error ended is partial or empty. None when there are only comments.
    pub documents: Vec<Document<'t>>,
    /// Syntax errors and exceeded limits, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed<'_> {
    /// The outermost node of the first document, the only one Prometheus reads.
    pub fn root(&self) -> Option<Node<'_>> {
        self.documents.first()?.root()
    }
}

/// Reads every document of `text`. After a syntax error reading goes on with the next document.
pub fn parse(text: &str) -> Parsed<'_> {
    if text.len() > TEXT_BYTES_MAX {
        let message = "text is larger than 4 GiB";
        let error = Diagnostic::error(INVALID_YAML, message, Span::default());
        return Parsed { text, documents: Vec::new(), diagnostics: vec![error] };
    }
    let mut shown = Shown::new(text);
    loop {
        match read(text, &shown) {
            Ok(parsed) => return parsed,
            Err(mend) => shown.apply(mend),
        }
    }
}

/// Reads all of what is shown, unless something has to be shown differently first.
fn read<'t>(text: &'t str, shown: &Shown<'_>) -> Result<Parsed<'t>, Mend> {
    let mut builder = Builder::new(text, &shown.joined);
    let mut start = Some(0);
    while let Some(from) = start {
        start =
            read_from(&mut builder, shown, from)?.filter(|_| builder.diagnostics.len() < SYNTAX_ERRORS_MAX);
    }
    Ok(Parsed { text, documents: builder.documents, diagnostics: builder.diagnostics })
}

/// Reads up to the end or an error; then the start of the next document after it, if there is one.
fn read_from(builder: &mut Builder<'_, '_>, shown: &Shown<'_>, from: usize) -> Result<Option<usize>, Mend> {
    builder.restart_at(from);
    let text = shown.text.as_ref();
    let mut parser = Parser::new_from_str(text.get(from..).unwrap_or(""));
    while let Some(next) = parser.next_event() {
        let stop = match next {
            Ok((event, span)) => builder.on_event(event, span),
            Err(error) => {
                let offset = builder.byte_of(error.marker().index());
                if let Some(mend) = shown.mend(offset) {
                    return Err(mend);
                }
                builder.diagnostics.push(syntax_error(text, &error, offset));
                Err(Stop { offset })
            }
        };
        if let Err(Stop { offset }) = stop {
            builder.truncate(offset);
            return Ok(next_document(text, offset.saturating_sub(1).max(from + 1)));
        }
    }
    Ok(None)
}

fn next_document(text: &str, after: usize) -> Option<usize> {
    let rest = text.as_bytes().get(after..)?;
    let found = rest.windows(4).position(|window| window == b"\n---")?;
    Some(after + found + 1)
}

fn syntax_error(text: &str, error: &ScanError, offset: usize) -> Diagnostic {
    let rest = text.get(offset..).unwrap_or("");
    let length = rest.chars().next().filter(|first| !first.is_whitespace()).map_or(0, char::len_utf8);
    let span = Span::new(offset, offset + length);
    if rest.starts_with(['"', '\'']) && !is_closed_quote(text, offset) {
        return Diagnostic::error(INVALID_YAML, "invalid YAML: quote is never closed", span);
    }
    let diagnostic = Diagnostic::error(INVALID_YAML, format!("invalid YAML: {}", error.info()), span);
    let line_start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or("");
    match advice(error.info(), line, rest) {
        Some(advice) => diagnostic.with_help(advice),
        None => diagnostic,
    }
}

fn is_closed_quote(text: &str, offset: usize) -> bool {
    let bytes = text.as_bytes();
    let end = quoted_end(bytes, offset);
    end > offset + 1 && bytes.get(end - 1) == bytes.get(offset)
}

/// What usually helps, told from the line of the error and what stands at it.
fn advice(info: &str, line: &str, rest: &str) -> Option<&'static str> {
    if rest.starts_with('\t') || info.contains("tab") {
        return Some("indent with spaces: YAML does not allow tabs there");
    }
    if line.contains(": {{") || line.contains("- {{") {
        return Some("put the value in quotes: an unquoted `{` starts a mapping");
    }
    if rest.starts_with(['@', '`', '%']) {
        return Some("put the value in quotes: it cannot start with this character");
    }
    if info.contains("unknown escape character") {
        return Some(
            "write the backslash twice, or use single quotes or a `|` block, where it has no meaning",
        );
    }
    if info.contains("mapping values are not allowed") {
        return Some("put the value in quotes if it contains `: `, or check the indentation");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::NESTING_MAX;
    use crate::node::Kind;

    /// The tree in brackets, with the text under each scalar's span.
    fn shape(text: &str, node: Node<'_>) -> String {
        let join = |parts: Vec<String>| parts.join(" ");
        match node.kind() {
            Kind::Scalar(_) => format!("`{}`", node.span().slice(text)),
            Kind::Sequence(items) => format!("[{}]", join(items.map(|item| shape(text, item)).collect())),
            Kind::Mapping(entries) => {
                let pair = |(key, value)| format!("{}={}", shape(text, key), shape(text, value));
                format!("{{{}}}", join(entries.map(pair).collect()))
            }
        }
    }

    fn check(text: &str, expected: &str) {
        let parsed = parse(text);
        let shapes: Vec<String> =
            parsed.documents.iter().filter_map(|document| Some(shape(text, document.root()?))).collect();
        let errors: Vec<String> =
            parsed.diagnostics.iter().map(|error| format!("!{:?} {}", error.span(), error.message)).collect();
        assert_eq!([shapes, errors].concat().join("\n"), expected, "{text:?}");
    }

    #[test]
    fn spans_cover_what_is_written() {
        check("a: b # c\nd:\n- 'e' # f\n- \"g\"   \n", "{`a`=`b` `d`=[`'e'` `\"g\"`]}");
        check("é: [漢, {x: 'y' , z: }] ", "{`é`=[`漢` {`x`=`'y'` `z`=``}]}");
        check("a: |  # c\n  x\n  y\n\n# d\nb: >-\n  z\n", "{`a`=`|  # c\n  x\n  y` `b`=`>-\n  z`}");
        check("a: &x !!str 'b'\nc: *x\n", "{`a`=`'b'` `c`=`'b'`}");
        check("a:\nb: # no\n  \nc: ~\n", "{`a`=`` `b`=`` `c`=`~`}");
        check("\u{feff}--- 1\n---\n- 2\n...\n", "`1`\n[`2`]");
        check("# nothing\n", "");
        check("- [a: b, c]\n- ? d\n  : e", "[[{`a`=`b`} `c`] {`d`=`e`}]");
    }

    #[test]
    fn what_is_nested_spans_from_first_to_last() {
        let text = "a:\n- b: 1\n  c:\n    - [x]\n- d:\n";
        let parsed = parse(text);
        let items = parsed.root().and_then(|root| root.get("a")).unwrap();
        assert_eq!(items.span().slice(text), "- b: 1\n  c:\n    - [x]\n- d:");
        let spans: Vec<&str> = items.as_sequence().unwrap().map(|item| item.span().slice(text)).collect();
        assert_eq!(spans, ["b: 1\n  c:\n    - [x]", "d:"]);
        let place = items.as_sequence().unwrap().nth(1).and_then(|item| item.get("d")).unwrap();
        assert_eq!((place.is_null(), place.span()), (true, Span::empty_at(text.len() - 1)));
    }

    #[test]
    fn an_error_keeps_what_came_before_and_the_documents_after() {
        let text = "a: b\nc: [d\n---\ne: f\n";
        let parsed = parse(text);
        assert_eq!(
            parsed.diagnostics.iter().map(|error| error.span()).collect::<Vec<_>>(),
            [Span::new(11, 12)]
        );
        assert_eq!(parsed.root().and_then(|root| root.get("a")).unwrap().span().slice(text), "b");
        assert!(parsed.documents[0].truncated_at().is_some());
        assert_eq!(shape(text, parsed.documents[1].root().unwrap()), "{`e`=`f`}");
    }

    #[test]
    fn quotes_may_go_on_at_the_left_margin() {
        let text = "a:\n  b: \"x\ny \\\n\n z\"\n  c: 'd\n\ne'\n";
        let parsed = parse(text);
        assert_eq!(parsed.diagnostics, []);
        let inner = parsed.root().and_then(|root| root.get("a")).unwrap();
        let value = |key| inner.get(key).and_then(Node::as_scalar).unwrap();
        assert_eq!((value("b").text.as_ref(), value("c").text.as_ref()), ("x y \nz", "d\ne"));
        assert_eq!(value("c").span_map(text).offset(2), text.find("e'").unwrap());
        assert_eq!(parse("a: 'b\n---\n'").diagnostics.len(), 2);
    }

    #[test]
    fn comments_may_follow_quotes_closely() {
        check("a: 'b'#c: d\ne: [f]#\n", "{`a`=`'b'` `e`=[`f`]}");
    }

    #[test]
    fn aliases_share_and_never_contain_themselves() {
        let text = "a: &x {b: c}\nd: *x\n";
        let parsed = parse(text);
        let node = parsed.root().and_then(|root| root.get("d")).unwrap();
        assert_eq!((node.span().slice(text), node.site().unwrap().slice(text)), ("{b: c}", "*x"));
        assert_eq!(node.get("b").unwrap().site().unwrap().slice(text), "*x");

        let selfish = parse("a: &x [*x]");
        assert_eq!(selfish.diagnostics[0].message, "anchor contains itself");
        assert_eq!(parse("a: *x").diagnostics.len(), 1);
        assert_eq!(parse("&x a\n---\n*x").diagnostics.len(), 1);
    }

    #[test]
    fn hostile_nesting_and_aliasing_end_in_one_error() {
        for open in ["[", "{a: ", "- ", "? "] {
            let parsed = parse(&open.repeat(100_000)).diagnostics;
            assert_eq!(parsed.len(), 1, "{open:?}");
        }
        let mut bomb = String::from("a0: &a0 [x, x]\n");
        let mut chain = String::from("a0: &a0 [x]\n");
        for level in 1..200 {
            let below = level - 1;
            bomb += &format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}]\n");
            chain += &format!("a{level}: &a{level} [*a{below}]\n");
        }
        let long_text = format!("- &a '{}'\n{}", "x".repeat(1 << 20), "- *a\n".repeat(100));
        for text in [bomb, long_text] {
            assert!(parse(&text).diagnostics[0].message.contains("aliases"));
        }
        assert!(parse(&chain).diagnostics[0].message.contains(&format!("{NESTING_MAX} levels")));
    }
}
