//! What a document is made of: scalars, sequences and mappings, each with its place.
//!
//! A document keeps its nodes in one flat list and refers to them by index, so that aliases share what they stand for
//! and that dropping hostile nesting cannot exhaust the stack. [`Node`] is a copyable reference into that list.

use narthex_diag::Span;

use crate::scalar::Scalar;

/// One YAML document.
#[derive(Clone, Debug)]
pub struct Document<'t> {
    pub(crate) nodes: Vec<NodeData<'t>>,
    pub(crate) root: Option<u32>,
    pub(crate) span: Span,
    pub(crate) truncated_at: Option<u32>,
}

/// A node of the flat list.
#[derive(Clone, Debug)]
pub(crate) struct NodeData<'t> {
    pub(crate) span: Span,
    pub(crate) kind: KindData<'t>,
}

#[derive(Clone, Debug)]
pub(crate) enum KindData<'t> {
    Scalar(Scalar<'t>),
    Sequence(Box<[u32]>),
    /// Keys and values in turn; always an even number.
    Mapping(Box<[u32]>),
    /// The node it stands for, always an earlier one.
    Alias(u32),
}

impl<'t> Document<'t> {
    /// The outermost node; `None` when the document has no content at all.
    pub fn root(&self) -> Option<Node<'_>> {
        self.root.map(|id| Node { document: self, id, site: None }.followed())
    }

    /// The bytes of the document, without `---` and surrounding blank lines.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Where a syntax error ended the document early. What was open there was closed; its last entries are partial.
    pub fn truncated_at(&self) -> Option<usize> {
        self.truncated_at.map(|at| at as usize)
    }

    /// Every scalar in the order of the text, each once however many aliases stand for it.
    pub fn scalars(&self) -> impl Iterator<Item = &Scalar<'t>> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            KindData::Scalar(scalar) => Some(scalar),
            _ => None,
        })
    }
}

/// A node with aliases followed: what an alias stands for is met in its place, with [`Node::site`] telling so.
#[derive(Clone, Copy, Debug)]
pub struct Node<'d> {
    document: &'d Document<'d>,
    id: u32,
    site: Option<Span>,
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'d> {
    /// A text, number, boolean or null, as written.
    Scalar(&'d Scalar<'d>),
    /// A list.
    Sequence(Items<'d>),
    /// Keys with values, in the order of the text, duplicates and merge keys included.
    Mapping(Entries<'d>),
}

impl Kind<'_> {
    /// The kind with its article, for messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Kind::Scalar(scalar) => scalar.implicit_value().describe(),
            Kind::Sequence(_) => "a sequence",
            Kind::Mapping(_) => "a mapping",
        }
    }
}

impl<'d> Node<'d> {
    /// Where the node itself is written; through an alias, that is at the anchor.
    pub fn span(self) -> Span {
        self.data().map_or(Span::default(), |data| data.span)
    }

    /// The outermost alias this node was reached through.
    pub fn site(self) -> Option<Span> {
        self.site
    }

    /// What it is.
    pub fn kind(self) -> Kind<'d> {
        match self.data().map(|data| &data.kind) {
            Some(KindData::Scalar(scalar)) => Kind::Scalar(scalar),
            Some(KindData::Mapping(ids)) => Kind::Mapping(Entries { node: self, ids }),
            Some(KindData::Sequence(ids)) => Kind::Sequence(Items { node: self, ids }),
            Some(KindData::Alias(_)) | None => Kind::Sequence(Items { node: self, ids: &[] }),
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(self) -> Option<&'d Scalar<'d>> {
        match self.kind() {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_mapping(self) -> Option<Entries<'d>> {
        match self.kind() {
            Kind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items, if it is a sequence.
    pub fn as_sequence(self) -> Option<Items<'d>> {
        match self.kind() {
            Kind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The value of the first key written so, if it is a mapping. Merge keys are not followed.
    pub fn get(self, key: &str) -> Option<Node<'d>> {
        let mut entries = self.as_mapping()?;
        entries
            .find(|(name, _)| name.as_scalar().is_some_and(|name| name.text == key))
            .map(|(_, value)| value)
    }

    /// Whether it is a null: nothing, `~` or `null`, unquoted.
    pub fn is_null(self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }

    /// Whether a syntax error cut it off: it was still open when its document ended early.
    pub fn is_truncated(self) -> bool {
        self.document.truncated_at.is_some_and(|at| self.span().end >= at)
    }

    fn data(self) -> Option<&'d NodeData<'d>> {
        self.document.nodes.get(self.id as usize)
    }

    fn child(self, id: u32) -> Node<'d> {
        Node { id, ..self }.followed()
    }

    /// The node an alias stands for. Aliases point backwards, so this ends.
    fn followed(mut self) -> Node<'d> {
        while let Some(NodeData { span, kind: KindData::Alias(target) }) = self.data() {
            self.site = self.site.or(Some(*span));
            self.id = *target;
        }
        self
    }
}

/// The items of a sequence.
#[derive(Clone, Copy, Debug)]
pub struct Items<'d> {
    node: Node<'d>,
    ids: &'d [u32],
}

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        let (&id, rest) = self.ids.split_first()?;
        self.ids = rest;
        Some(self.node.child(id))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ids.len(), Some(self.ids.len()))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// The keys and values of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Entries<'d> {
    node: Node<'d>,
    ids: &'d [u32],
}

impl<'d> Iterator for Entries<'d> {
    type Item = (Node<'d>, Node<'d>);

    fn next(&mut self) -> Option<(Node<'d>, Node<'d>)> {
        let ([key, value], rest) = self.ids.split_first_chunk::<2>()?;
        self.ids = rest;
        Some((self.node.child(*key), self.node.child(*value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ids.len() / 2, Some(self.ids.len() / 2))
    }
}

impl ExactSizeIterator for Entries<'_> {}
