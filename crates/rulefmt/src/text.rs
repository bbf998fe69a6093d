//! A string of a rule file together with where and how it is written.

use narthex_diag::{Applicability, Diagnostic, Span, SpanMap, Suggestion};
use narthex_yaml::{Decoder, FromYaml, ImplicitValue, Node, Scalar, ScalarSource, ScalarStyle};

/// A string and its place. Any scalar is a string to a rule file: `1.50`, `yes`; nothing is the empty string.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    /// The string.
    pub value: String,
    /// Where and how it is written.
    pub source: ScalarSource,
    /// The alias through which it was reached, if it was.
    pub site: Option<Span>,
}

impl Text {
    /// The string of a scalar, as it is written unless it is a null.
    pub(crate) fn of(scalar: &Scalar<'_>, site: Option<Span>) -> Text {
        let value = if scalar.is_null() { String::new() } else { scalar.text.to_string() };
        Text { value, source: scalar.source, site }
    }

    /// The empty string, written nowhere.
    pub(crate) fn empty_at(offset: u32) -> Text {
        let span = Span { start: offset, end: offset };
        Text { value: String::new(), source: ScalarSource::plain(span), site: None }
    }

    /// The whole notation, quotes included.
    pub fn span(&self) -> Span {
        self.source.span
    }

    /// Maps the bytes of the string to those of `file`, the text it was read from.
    pub fn span_map(&self, file: &str) -> SpanMap {
        self.source.span_map(file)
    }

    /// A finding about this string as one about its file; `map` is [`Text::span_map`]. Edits are written as the
    /// notation needs them; where it cannot hold one, the suggestion is only to be read.
    pub fn in_file(&self, diagnostic: Diagnostic, map: &SpanMap) -> Diagnostic {
        let mut diagnostic = diagnostic.map_spans(|span| self.source.locate(span, map));
        for suggestion in &mut diagnostic.suggestions {
            self.encode_edits(suggestion);
        }
        match self.site {
            Some(site) => diagnostic.with_secondary(site, "used here"),
            None => diagnostic,
        }
    }

    fn encode_edits(&self, suggestion: &mut Suggestion) {
        let encoded = suggestion.edits.iter().map(|edit| self.source.encode(&edit.replacement));
        match encoded.collect::<Option<Vec<String>>>() {
            Some(replacements) => {
                for (edit, replacement) in suggestion.edits.iter_mut().zip(replacements) {
                    edit.replacement = replacement;
                }
            }
            None => {
                suggestion.edits.clear();
                suggestion.applicability = Applicability::DisplayOnly;
            }
        }
    }

    /// What YAML readers that ask for no type make of it: `yes` is text, `1.50` a number.
    pub fn implicit_value(&self) -> ImplicitValue {
        match self.source.style {
            ScalarStyle::Plain => narthex_yaml::implicit::implicit_value(&self.value),
            _ => ImplicitValue::Text,
        }
    }
}

impl FromYaml for Text {
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<Text> {
        let scalar = node.as_scalar();
        if scalar.is_none() {
            decoder.wrong_kind(node, "a string");
        }
        scalar.map(|scalar| Text::of(scalar, node.site()))
    }
}
