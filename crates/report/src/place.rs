//! Where in which file a span stands, whatever the span.

use narthex_diag::{LineColumn, Source, SourceId, SourceMap, Span};

/// A span that certainly fits its source: inside the text, on character boundaries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) source: &'a Source,
    pub(crate) span: Span,
}

impl<'a> Place<'a> {
    /// The place of `span`; `None` when the source is unknown.
    pub(crate) fn of(sources: &'a SourceMap, source: Option<SourceId>, span: Span) -> Option<Place<'a>> {
        let source = sources.get(source?)?;
        Some(Place { source, span: fit(&source.text, span) })
    }

    pub(crate) fn file(&self) -> &'a str {
        &self.source.name
    }

    pub(crate) fn start(&self) -> LineColumn {
        self.source.line_column(self.span.start as usize)
    }

    pub(crate) fn end(&self) -> LineColumn {
        self.source.line_column(self.span.end as usize)
    }

    /// Line of the last byte covered: a span that ends with a line break does not reach the next line.
    pub(crate) fn last_line(&self) -> usize {
        let last = (self.span.end as usize).saturating_sub(1).max(self.span.start as usize);
        self.source.line_column(last).line
    }
}

/// Moves both ends into the text and outwards to character boundaries.
fn fit(text: &str, span: Span) -> Span {
    let mut start = (span.start as usize).min(text.len());
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Span::new(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_span_is_made_to_fit() {
        assert_eq!(fit("aéb", Span::new(2, 2)), Span::new(1, 3));
        assert_eq!(fit("aéb", Span::new(0, 99)), Span::new(0, 4));
        assert_eq!(fit("aéb", Span { start: 50, end: 2 }), Span::new(4, 4));
        assert_eq!(fit("", Span::new(7, 9)), Span::new(0, 0));
    }

    #[test]
    fn a_final_line_break_belongs_to_its_line() {
        let mut sources = SourceMap::new();
        let id = sources.add("f", "ab\ncd\n");
        let place = Place::of(&sources, Some(id), Span::new(0, 3)).unwrap();
        assert_eq!((place.last_line(), place.end().line), (1, 2));
        assert!(Place::of(&sources, Some(SourceId(9)), Span::new(0, 3)).is_none());
        assert!(Place::of(&sources, None, Span::new(0, 3)).is_none());
    }
}
