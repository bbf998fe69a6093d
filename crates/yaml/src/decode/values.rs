//! Reading strings, numbers, booleans and sequences.

use narthex_diag::Spanned;

use super::{Decoder, FromYaml};
use crate::implicit::ImplicitValue;
use crate::node::Node;
use crate::scalar::Scalar;

impl FromYaml for String {
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<String> {
        match node.as_scalar() {
            Some(scalar) if scalar.is_null() => Some(String::new()),
            Some(scalar) => Some(scalar.text.to_string()),
            None => {
                decoder.wrong_kind(node, "a string");
                None
            }
        }
    }
}

impl FromYaml for bool {
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<bool> {
        let value = node.as_scalar().and_then(|scalar| match scalar.implicit_value() {
            ImplicitValue::Bool(value) => Some(value),
            // Where a boolean is asked for, the words of YAML 1.1 still count.
            ImplicitValue::Text => match scalar.text.as_ref() {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
                _ => None,
            },
            _ => None,
        });
        if value.is_none() {
            decoder.wrong_kind(node, "a boolean");
        }
        value
    }
}

impl FromYaml for i64 {
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<i64> {
        /// Doubles from here on do not fit; the bound itself is exact.
        const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;
        let value = match node.as_scalar().map(Scalar::implicit_value) {
            Some(ImplicitValue::Int(value)) => Some(value),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "Go drops the fraction too; the range is checked"
            )]
            Some(ImplicitValue::Float(value)) if value.abs() < TOO_LARGE => Some(value as i64),
            _ => None,
        };
        if value.is_none() {
            decoder.wrong_kind(node, "an integer");
        }
        value
    }
}

impl FromYaml for f64 {
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<f64> {
        match node.as_scalar().map(Scalar::implicit_value) {
            Some(ImplicitValue::Float(value)) => Some(value),
            #[expect(clippy::cast_precision_loss, reason = "a number field takes the nearest double")]
            Some(ImplicitValue::Int(value)) => Some(value as f64),
            _ => {
                decoder.wrong_kind(node, "a number");
                None
            }
        }
    }
}

impl<T: FromYaml> FromYaml for Spanned<T> {
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<Spanned<T>> {
        T::from_yaml(node, decoder).map(|value| Spanned::new(value, node.span()))
    }
}

impl<T: FromYaml> FromYaml for Vec<T> {
    fn from_yaml(node: Node<'_>, decoder: &mut Decoder) -> Option<Vec<T>> {
        let items = decoder.sequence(node, "a sequence")?;
        let read = |(index, item)| decoder.at_index(index, |decoder| T::from_yaml(item, decoder));
        Some(items.into_iter().enumerate().filter_map(read).collect())
    }
}
