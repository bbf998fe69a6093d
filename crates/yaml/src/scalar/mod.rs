//! Texts as written and as meant, and which byte of the one is which of the other.

mod block;
mod copier;
mod flow;

use std::borrow::Cow;

use narthex_diag::{Span, SpanMap};

use crate::implicit::{ImplicitValue, implicit_value};
use copier::Copier;

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ScalarStyle {
    /// Without quotes; may span lines.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

impl ScalarStyle {
    /// Whether line breaks and indentation are part of the notation: `|` and `>`.
    pub fn is_block(self) -> bool {
        matches!(self, ScalarStyle::Literal | ScalarStyle::Folded)
    }

    /// Whether the scalar stands in quotes.
    pub fn is_quoted(self) -> bool {
        matches!(self, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
    }
}

/// Where and how a scalar is written: enough to find every byte of its value again, given the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ScalarSource {
    /// The whole notation: with quotes; of a block from its `|` or `>` to the end of its last line with content.
    pub span: Span,
    /// What is decoded: inside the quotes; of a block all lines after its header, blank ones included.
    pub content: Span,
    /// The notation.
    pub style: ScalarStyle,
    /// Spaces that indent the lines of a block.
    pub indent: u32,
    /// What it stands in.
    pub context: Context,
}

/// Whether a scalar stands inside brackets or braces, where unquoted text may hold neither these nor commas.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Context {
    /// Outside.
    Block,
    /// Inside.
    Flow,
}

impl ScalarSource {
    /// A scalar written plainly at `span`.
    pub fn plain(span: Span) -> ScalarSource {
        ScalarSource { span, content: span, style: ScalarStyle::Plain, indent: 0, context: Context::Block }
    }

    /// Maps the bytes of the value to those of `file`, which must be the text the scalar was read from.
    ///
    /// The blank that a folded line break becomes maps to the break, an escape to its backslash.
    pub fn span_map(&self, file: &str) -> SpanMap {
        let raw = self.content.slice(file);
        let start = self.content.start as usize;
        if self.is_verbatim(raw) {
            return SpanMap::identity(start, raw.len());
        }
        self.decode(raw).map
    }

    /// The bytes of the file that a part of the value is written with; `map` is [`ScalarSource::span_map`]. Unlike
    /// [`SpanMap::span`] this takes in the whole of an escape that the part ends with.
    pub fn locate(&self, span: Span, map: &SpanMap) -> Span {
        let place = map.span(span);
        if span.is_empty() || !self.style.is_quoted() {
            return place;
        }
        place.to(Span::empty_at(map.offset(span.end as usize)))
    }

    /// How `text` is to be written to become part of the value; `None` when this notation cannot hold it. What results
    /// at the edges of the value (a leading `{`, say) is not looked at.
    pub fn encode(&self, text: &str) -> Option<String> {
        match self.style {
            ScalarStyle::Plain => self.plain_can_hold(text).then(|| text.to_owned()),
            ScalarStyle::SingleQuoted => (!text.contains('\n')).then(|| text.replace('\'', "''")),
            ScalarStyle::DoubleQuoted => {
                Some(text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let line_start = format!("\n{}", " ".repeat(self.indent as usize));
                Some(text.replace('\n', &line_start))
            }
        }
    }

    fn plain_can_hold(&self, text: &str) -> bool {
        let ends_value = text.contains(['\n', '#']) || text.contains(": ") || text.ends_with(':');
        let ends_item = self.context == Context::Flow && text.contains([',', '[', ']', '{', '}']);
        !ends_value && !ends_item
    }

    /// The single line of a flow scalar without escapes: value and notation are the same bytes.
    pub(crate) fn is_verbatim(&self, raw: &str) -> bool {
        let special = match self.style {
            ScalarStyle::Plain => b'\n',
            ScalarStyle::SingleQuoted => b'\'',
            ScalarStyle::DoubleQuoted => b'\\',
            ScalarStyle::Literal | ScalarStyle::Folded => return false,
        };
        !raw.bytes().any(|byte| byte == special || byte == b'\n' || byte == b'\r')
    }

    /// The value, decoded again; of a block with the line breaks that chomping would drop.
    pub(crate) fn decoded(&self, file: &str) -> String {
        self.decode(self.content.slice(file)).text
    }

    fn decode<'a>(&self, raw: &'a str) -> Copier<'a> {
        let copier = Copier::new(raw, self.content.start as usize);
        match self.style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                block::decode(copier, self.style, self.indent as usize)
            }
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                flow::decode(copier, self.style)
            }
        }
    }
}

/// A text, number, boolean or null.
#[derive(Clone, Debug)]
pub struct Scalar<'t> {
    /// The value as text: escapes resolved, lines folded, indentation gone.
    pub text: Cow<'t, str>,
    /// Where and how it is written.
    pub source: ScalarSource,
    /// The tag in full, such as `tag:yaml.org,2002:str`.
    pub tag: Option<Box<str>>,
}

impl Scalar<'_> {
    /// Maps the bytes of [`Scalar::text`] to those of `file`, the text that was parsed.
    pub fn span_map(&self, file: &str) -> SpanMap {
        self.source.span_map(file)
    }

    /// What it means where no type is asked for.
    pub fn implicit_value(&self) -> ImplicitValue {
        match self.tag.as_deref() {
            Some("tag:yaml.org,2002:str" | "!") => ImplicitValue::Text,
            Some("tag:yaml.org,2002:null") => ImplicitValue::Null,
            Some(_) => implicit_value(&self.text),
            None if self.source.style == ScalarStyle::Plain => implicit_value(&self.text),
            None => ImplicitValue::Text,
        }
    }

    /// Whether it is nothing, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.implicit_value() == ImplicitValue::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use proptest::prelude::*;

    #[test]
    fn text_is_encoded_for_where_it_goes() {
        let text = "plain: a\nflow: [a]\nsingle: 'a'\ndouble: \"a\"\nblock: |\n   a\n";
        let parsed = parse(text);
        let scalars: Vec<&Scalar<'_>> =
            parsed.documents[0].scalars().filter(|scalar| scalar.text.trim() == "a").collect();
        for insert in ["b", "[5m]", "'c'", "\"\\d\"", "e: f", "g\nh", "# i"] {
            for (at, scalar) in scalars.iter().enumerate() {
                let Some(encoded) = scalar.source.encode(insert) else { continue };
                let end =
                    scalar.source.content.start as usize + scalar.source.content.slice(text).trim_end().len();
                let edited = [&text[..end], &encoded, &text[end..]].concat();
                let reparsed = parse(&edited);
                let values: Vec<&str> =
                    reparsed.documents[0].scalars().map(|scalar| scalar.text.trim()).collect();
                assert!(values.contains(&format!("a{insert}").as_str()), "{insert:?} in {at}: {edited}");
            }
            assert!(scalars[3].source.encode(insert).is_some() && scalars[4].source.encode(insert).is_some());
        }
        assert_eq!(
            (scalars[0].source.encode("[5m]").is_some(), scalars[1].source.encode("[5m]")),
            (true, None)
        );
    }

    #[test]
    fn parts_take_in_whole_escapes() {
        for (text, part, written) in [
            (r#"a: "x \"y\" z""#, "\"y\"", r#"\"y\""#),
            (r#"a: "x \"y\"""#, "\"y\"", r#"\"y\""#),
            ("a: 'x ''y'''", "'y'", "''y''"),
            (r#"a: "\u00e9x""#, "é", r"\u00e9"),
            ("a: |\n  x\n  y", "x", "x"),
        ] {
            let parsed = parse(text);
            let scalar = parsed.documents[0].scalars().nth(1).unwrap();
            let at = scalar.text.find(part).unwrap();
            let place = scalar.source.locate(Span::new(at, at + part.len()), &scalar.span_map(text));
            assert_eq!(place.slice(text), written, "{text}");
        }
    }

    /// Parses `file`, and checks for every scalar that our own decoding agrees with the parser's and that the map is
    /// truthful: a decoded byte stands where the map says, unless it is a folded break or part of an escape.
    fn check(file: &str) {
        let parsed = parse(file);
        for scalar in parsed.documents.iter().flat_map(|document| document.scalars()) {
            let source = &scalar.source;
            let decoded = source.decode(source.content.slice(file));
            let trim = |text: &str| match source.style.is_block() {
                true => text.trim_end().to_owned(),
                false => text.to_owned(),
            };
            assert_eq!(trim(&decoded.text), trim(&scalar.text), "{source:?} of {file:?}");
            check_map(file, scalar);
        }
    }

    fn check_map(file: &str, scalar: &Scalar<'_>) {
        let map = scalar.span_map(file);
        for (at, byte) in scalar.text.bytes().enumerate().take(scalar.text.trim_end().len()) {
            let place = map.offset(at);
            let found = file.as_bytes()[place];
            let escaped = scalar.source.style == ScalarStyle::DoubleQuoted
                && file.as_bytes()[source_start(scalar)..=place].contains(&b'\\');
            let folded = matches!(byte, b' ' | b'\n') && matches!(found, b'\n' | b'\r');
            assert!(
                found == byte || folded || escaped,
                "byte {at} of {:?} at {place} of {file:?}",
                scalar.text
            );
        }
    }

    fn source_start(scalar: &Scalar<'_>) -> usize {
        scalar.source.content.start as usize
    }

    #[test]
    fn every_notation_maps_back() {
        for file in [
            "a: b c  # d",
            "a: b\n  c\n\n  d",
            "a: 'it''s'\nb: 'x  \n   y\n\n\n z'",
            "a: \"x\\ty\\u00e9 \\\n    z\\n\"",
            "a: \"x\n\n  y\"",
            "a: \"\n x\n \"",
            "é: |\n  sum(\n    漢字\n\n  )\n\n",
            "a: |2\n    x\n   y\nb: |-\n\n\n  x\n  y\n\n# end\n",
            "a: >\n  x\n  y\n\n  z\n    more\n    than\n\n  back\n",
            "a: >-  # why\r\n  x\r\n  y\r\n\r\n  z\r\n",
            "a:\r\n - |+\r\n  x\r\n\r\n - &q |\r\n   y",
            "\u{feff}a: |\n x\n",
            "- !!str |1\n  x\n",
            "--- >\n\n x\n y\n",
            "a: |\n\tx",
            "a: |\n \tx\n y\t\n",
            "k: >\n   a\n\n\n   b\n   \n     c\n\n   d",
        ] {
            check(file);
        }
    }

    #[test]
    fn public_files_map_back() {
        for folder in
            ["rules", "prometheus/rulefmt", "prometheus/rules", "prometheus/promtool", "prometheus/config"]
        {
            let Some(folder) = narthex_testkit::shared_fixtures(folder) else { return };
            files_below(&folder, &mut |text| check(text));
        }
    }

    fn files_below(folder: &std::path::Path, visit: &mut impl FnMut(&str)) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(&path, visit);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                visit(&text);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_in_any_notation(
            lines in prop::collection::vec("[ \ta-c'\"\\\\é漢#:{}-]{0,6}", 0..6),
            indent in 1usize..5,
            header in prop::sample::select(vec!["|", ">", "|-", ">-", "|+", ">+", "'", "\"", ""]),
            line_break in prop::sample::select(vec!["\n", "\r\n"]),
        ) {
            let quote = if header.starts_with(['\'', '"']) { header } else { "" };
            let mut file = format!("é: {header}");
            for (at, line) in lines.iter().enumerate() {
                if at > 0 || quote.is_empty() && !header.is_empty() {
                    file.push_str(line_break);
                    file.push_str(&" ".repeat(indent));
                }
                file.push_str(line);
            }
            file.push_str(quote);
            file.push_str(line_break);
            check(&file);
        }

        #[test]
        fn any_bytes_parse(file in "[ \n\ta-b'\"\\\\é#:{}\\[\\],&*!|>%@`?-]{0,60}") {
            check(&file);
        }
    }
}
