//! The keys of a mapping once merge keys are followed.

use narthex_diag::{Span, Spanned};

use crate::keys::KeySet;
use crate::node::Node;
use crate::scalar::Scalar;

/// One key of a mapping with its value.
#[derive(Clone, Copy, Debug)]
pub struct Field<'d> {
    /// The key.
    pub key: &'d Scalar<'d>,
    /// The value.
    pub value: Node<'d>,
}

impl<'d> Field<'d> {
    /// The key's text.
    pub fn name(&self) -> &'d str {
        &self.key.text
    }

    /// The key and where it stands.
    pub fn key(&self) -> Spanned<String> {
        Spanned::new(self.key.text.to_string(), self.key.source.span)
    }

    /// From the key to the end of the value; where the value is an alias, to the end of the alias.
    pub fn span(&self) -> Span {
        let key = self.key.source.span;
        let value = self.value.span();
        key.to(self.value.site().filter(|site| site.start >= key.end).unwrap_or(value))
    }
}

/// The keys of a mapping, merged ones last, each once.
#[derive(Clone, Debug, Default)]
pub struct Fields<'d> {
    pub(super) fields: Vec<Field<'d>>,
}

impl<'d> Fields<'d> {
    /// The field of that name.
    pub fn get(&self, name: &str) -> Option<&Field<'d>> {
        self.fields.iter().find(|field| field.key.text == name)
    }

    /// All fields: those written here in order, then those merged in.
    pub fn iter(&self) -> std::slice::Iter<'_, Field<'d>> {
        self.fields.iter()
    }
}

/// Fields being collected: of several with the same name the first counts.
#[derive(Default)]
pub(super) struct Found<'d> {
    pub(super) fields: Fields<'d>,
    keys: KeySet<'d>,
}

impl<'d> Found<'d> {
    pub(super) fn add(&mut self, field: Field<'d>) {
        if self.keys.insert(&field.key.text, field.key.source.span).is_none() {
            self.fields.fields.push(field);
        }
    }
}
