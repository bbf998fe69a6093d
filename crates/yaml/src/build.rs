//! From parser events to the flat list of nodes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::mem;

use narthex_diag::{Diagnostic, Span};
use saphyr_parser::{Event, ScalarStyle as EventStyle, Span as EventSpan, Tag};

use crate::INVALID_YAML;
use crate::layout;
use crate::limits::{ALIAS_TEXT_BYTES, ALIAS_VALUES_MAX, NESTING_MAX};
use crate::node::{Document, KindData, NodeData};
use crate::offsets::CharCursor;
use crate::scalar::{Context, Scalar, ScalarSource, ScalarStyle};

/// Reading cannot go on past this offset; the diagnostic has been written.
pub(crate) struct Stop {
    pub(crate) offset: usize,
}

/// Turns events into documents.
pub(crate) struct Builder<'t, 's> {
    text: &'t str,
    /// Quoted scalars that were shown to the parser as one line; their values are decoded here.
    joined: &'s HashSet<usize>,
    cursor: CharCursor<'t>,
    pub(crate) documents: Vec<Document<'t>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    nodes: Vec<NodeData<'t>>,
    open: Vec<Collection>,
    root: Option<u32>,
    anchors: HashMap<usize, Anchor>,
    /// End of the last thing read, from where the next is looked for.
    last_end: usize,
    /// Values gained by aliases so far in this document.
    alias_values: u64,
}

/// A sequence or mapping whose end has not been met.
struct Collection {
    id: u32,
    start: usize,
    anchor: usize,
    is_mapping: bool,
    context: Context,
    children: Vec<u32>,
    extent: Extent,
}

/// What a node amounts to with its aliases followed.
#[derive(Clone, Copy)]
struct Extent {
    values: u64,
    height: u32,
}

#[derive(Clone, Copy)]
struct Anchor {
    id: u32,
    extent: Extent,
}

impl Extent {
    fn of_text(text: &str) -> Extent {
        Extent { values: 1 + (text.len() / ALIAS_TEXT_BYTES) as u64, height: 0 }
    }
}

impl<'t, 's> Builder<'t, 's> {
    pub(crate) fn new(text: &'t str, joined: &'s HashSet<usize>) -> Builder<'t, 's> {
        Builder {
            text,
            joined,
            cursor: CharCursor::new(text),
            documents: Vec::new(),
            diagnostics: Vec::new(),
            nodes: Vec::new(),
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            last_end: 0,
            alias_values: 0,
        }
    }

    /// Events count characters from `byte` on.
    pub(crate) fn restart_at(&mut self, byte: usize) {
        self.cursor.restart_at(byte);
        self.last_end = byte;
    }

    pub(crate) fn byte_of(&mut self, char_index: usize) -> usize {
        self.cursor.byte_of(char_index)
    }

    pub(crate) fn on_event(&mut self, event: Event<'_>, span: EventSpan) -> Result<(), Stop> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.start_document(span);
                Ok(())
            }
            Event::DocumentEnd => {
                self.end_document(None);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let source = self.scalar_source(&text, style, anchor != 0 || tag.is_some(), span);
                let source = ScalarSource { context: self.context(), ..source };
                self.scalar(text, source, tag.as_deref(), anchor);
                Ok(())
            }
            Event::SequenceStart(anchor, _) => self.open_collection(anchor, span, false),
            Event::MappingStart(anchor, _) => self.open_collection(anchor, span, true),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close_collection(span);
                Ok(())
            }
        }
    }

    /// Closes everything: an error at `offset` ended the text.
    pub(crate) fn truncate(&mut self, offset: usize) {
        while let Some(mut collection) = self.open.pop() {
            if collection.is_mapping && collection.children.len() % 2 == 1 {
                collection.children.push(self.push_null(offset));
            }
            self.finish(collection, offset);
        }
        self.end_document(Some(Span::empty_at(offset).start));
    }

    fn start_document(&mut self, span: EventSpan) {
        let start = self.byte_of(span.start.index());
        let has_marker = self.text.get(start..).is_some_and(|rest| rest.starts_with("---"));
        if has_marker && span.end.index() > span.start.index() {
            self.last_end = start + 3;
        }
    }

    fn end_document(&mut self, truncated_at: Option<u32>) {
        let nodes = mem::take(&mut self.nodes);
        let root = self.root.take();
        let span = root.and_then(|id| nodes.get(id as usize)).map_or(Span::default(), |node| node.span);
        self.documents.push(Document { nodes, root, span, truncated_at });
        self.anchors.clear();
        self.alias_values = 0;
    }

    fn scalar(&mut self, text: Cow<'_, str>, source: ScalarSource, tag: Option<&Tag>, anchor: usize) {
        let raw = source.content.slice(self.text);
        let text = if self.joined.contains(&(source.span.start as usize)) {
            Cow::Owned(source.decoded(self.text))
        } else if raw == text {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(text.into_owned())
        };
        let extent = Extent::of_text(&text);
        let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix).into_boxed_str());
        let id = self.push(source.span, KindData::Scalar(Scalar { text, source, tag }));
        self.last_end = self.last_end.max(source.span.end as usize);
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { id, extent });
        }
        self.attach(id, extent);
    }

    fn alias(&mut self, anchor: usize, span: EventSpan) -> Result<(), Stop> {
        let (start, end) = (self.byte_of(span.start.index()), self.byte_of(span.end.index()));
        let site = Span::new(start, end);
        self.last_end = end;
        if self.open.iter().any(|collection| collection.anchor == anchor) {
            return Err(self.stop("anchor contains itself", site));
        }
        let Some(&Anchor { id: target, extent }) = self.anchors.get(&anchor) else {
            return Err(self.stop("alias of an anchor of another document", site));
        };
        self.alias_values = self.alias_values.saturating_add(extent.values);
        if self.alias_values > ALIAS_VALUES_MAX {
            let message = format!("aliases stand for more than {ALIAS_VALUES_MAX} values");
            return Err(self.stop(&message, site));
        }
        if self.depth() + extent.height > NESTING_MAX {
            return Err(self.too_deep(site));
        }
        let id = self.push(site, KindData::Alias(target));
        self.attach(id, extent);
        Ok(())
    }

    fn open_collection(&mut self, anchor: usize, span: EventSpan, is_mapping: bool) -> Result<(), Stop> {
        let bytes = self.text.as_bytes();
        let mut start = layout::skip_properties(bytes, self.cursor.byte_of(span.start.index()));
        let is_flow = matches!((is_mapping, bytes.get(start)), (true, Some(b'{')) | (false, Some(b'[')));
        if is_flow {
            self.last_end = start + 1;
        } else if !is_mapping {
            start = layout::first_dash(bytes, self.last_end);
        }
        if self.depth() >= NESTING_MAX {
            return Err(self.too_deep(Span::empty_at(start)));
        }
        let id = self.push(Span::empty_at(start), KindData::Sequence(Box::default()));
        let children = Vec::new();
        self.open.push(Collection {
            id,
            start,
            anchor,
            is_mapping,
            context: if is_flow { Context::Flow } else { self.context() },
            children,
            extent: Extent { values: 1, height: 1 },
        });
        Ok(())
    }

    fn close_collection(&mut self, span: EventSpan) {
        let Some(collection) = self.open.pop() else { return };
        let at = self.byte_of(span.start.index());
        let bytes = self.text.as_bytes();
        let opened = bytes.get(collection.start);
        let end = match (opened, bytes.get(at)) {
            (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) if span.end.index() > span.start.index() => {
                self.last_end = at + 1;
                at + 1
            }
            _ => 0,
        };
        self.finish(collection, end);
    }

    /// Fills in what was reserved when the collection opened. It ends at `end` or with its last child.
    fn finish(&mut self, collection: Collection, end: usize) {
        let Collection { id, start, anchor, is_mapping, children, extent, .. } = collection;
        let span_of =
            |child: Option<&u32>| child.and_then(|&id| self.nodes.get(id as usize)).map(|node| node.span);
        let last_end = span_of(children.last()).map_or(start, |span| span.end as usize);
        let first_start = span_of(children.first()).filter(|_| end == 0 && is_mapping);
        let start = first_start.map_or(start, |span| span.start as usize);
        let children = children.into_boxed_slice();
        let kind = if is_mapping { KindData::Mapping(children) } else { KindData::Sequence(children) };
        if let Some(node) = self.nodes.get_mut(id as usize) {
            *node = NodeData { span: Span::new(start, end.max(last_end)), kind };
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { id, extent });
        }
        self.attach(id, extent);
    }

    fn attach(&mut self, id: u32, extent: Extent) {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(id);
            return;
        };
        parent.children.push(id);
        parent.extent.values = parent.extent.values.saturating_add(extent.values);
        parent.extent.height = parent.extent.height.max(extent.height + 1);
    }

    fn push(&mut self, span: Span, kind: KindData<'t>) -> u32 {
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(NodeData { span, kind });
        id
    }

    fn push_null(&mut self, at: usize) -> u32 {
        let source = ScalarSource::plain(Span::empty_at(at));
        self.push(source.span, KindData::Scalar(Scalar { text: Cow::Borrowed(""), source, tag: None }))
    }

    fn context(&self) -> Context {
        self.open.last().map_or(Context::Block, |collection| collection.context)
    }

    fn depth(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }

    fn too_deep(&mut self, span: Span) -> Stop {
        self.stop(&format!("nested deeper than {NESTING_MAX} levels"), span)
    }

    fn stop(&mut self, message: &str, span: Span) -> Stop {
        self.diagnostics.push(Diagnostic::error(INVALID_YAML, message, span));
        Stop { offset: span.start as usize }
    }

    /// Where a scalar stands. With an anchor or tag the event starts there; of a block it starts inside.
    fn scalar_source(
        &mut self,
        text: &str,
        style: EventStyle,
        has_properties: bool,
        span: EventSpan,
    ) -> ScalarSource {
        let bytes = self.text.as_bytes();
        let mut start = self.byte_of(span.start.index());
        let end = self.byte_of(span.end.index());
        if has_properties {
            start = layout::skip_properties(bytes, start);
        }
        match style {
            EventStyle::Plain if text.is_empty() => self.empty_scalar(start, has_properties),
            EventStyle::Plain => ScalarSource::plain(Span::new(start, end)),
            EventStyle::SingleQuoted => self.quoted(start, ScalarStyle::SingleQuoted),
            EventStyle::DoubleQuoted => self.quoted(start, ScalarStyle::DoubleQuoted),
            EventStyle::Literal => self.block(text, end, ScalarStyle::Literal),
            EventStyle::Folded => self.block(text, end, ScalarStyle::Folded),
        }
    }

    fn empty_scalar(&self, start: usize, has_properties: bool) -> ScalarSource {
        let bytes = self.text.as_bytes();
        let place = if has_properties {
            layout::trim_end(bytes, 0, start)
        } else {
            layout::empty_place(bytes, self.last_end)
        };
        ScalarSource::plain(Span::empty_at(place))
    }

    fn quoted(&self, start: usize, style: ScalarStyle) -> ScalarSource {
        let end = layout::quoted_end(self.text.as_bytes(), start);
        let content = Span::new(start + 1, end.saturating_sub(1));
        ScalarSource { span: Span::new(start, end), content, style, indent: 0, context: Context::Block }
    }

    fn block(&self, text: &str, end: usize, style: ScalarStyle) -> ScalarSource {
        let bytes = self.text.as_bytes();
        let header = layout::skip_indicators(bytes, self.last_end);
        let content = Span::new(layout::next_line(bytes, header).min(end), end);
        let indent = layout::block_indent(content.slice(self.text), text);
        let header_end = layout::trim_end(bytes, header, layout::line_end(bytes, header));
        let last = layout::trim_end(bytes, content.start as usize, end);
        let span_end = if last > content.start as usize { last } else { header_end };
        let indent = u32::try_from(indent).unwrap_or(0);
        ScalarSource { span: Span::new(header, span_end), content, style, indent, context: Context::Block }
    }
}
