//! Which texts diagnostics point into, and which line and column an offset is.

use crate::Span;

/// Identifies one text of a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SourceId(pub u32);

/// A named text: a file, standard input, a query.
#[derive(Clone, Debug)]
pub struct Source {
    /// What a person calls it: a path, `<stdin>`, `<query>`.
    pub name: String,
    /// The whole text.
    pub text: String,
    lines: LineIndex,
}

impl Source {
    /// A source with its line index.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        let lines = LineIndex::new(&text);
        Source { name: name.into(), text, lines }
    }

    /// Where an offset is, as a person counts.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        self.lines.line_column(offset)
    }

    /// The line index of the text.
    pub fn lines(&self) -> &LineIndex {
        &self.lines
    }
}

/// All texts of one run, addressed by [`SourceId`].
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.push(Source::new(name, text))
    }

    /// Adds a source made elsewhere, say on a worker thread.
    pub fn push(&mut self, source: Source) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(source);
        id
    }

    /// The source of an id, when the id is of this map.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// All sources in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0u32..).map(SourceId).zip(&self.sources)
    }
}

/// A position as upstream prints it: both 1-based, the column in **bytes** after the last newline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineColumn {
    /// 1-based line.
    pub line: usize,
    /// 1-based byte column.
    pub column: usize,
}

/// Offsets of the line starts of one text.
#[derive(Clone, Debug, Default)]
pub struct LineIndex {
    starts: Vec<u32>,
    len: u32,
}

impl LineIndex {
    /// Indexes `text`; a line ends after LF.
    pub fn new(text: &str) -> LineIndex {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| Span::empty_at(at + 1).start)).collect();
        LineIndex { starts, len: Span::empty_at(text.len()).start }
    }

    /// Line and byte column of an offset; an offset past the end is taken as the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let offset = Span::empty_at(offset).start.min(self.len);
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        LineColumn { line, column: (offset - start) as usize + 1 }
    }

    /// Byte span of a 1-based line, its line break included; `None` past the last line.
    pub fn line_span(&self, line: usize) -> Option<Span> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let end = self.starts.get(line).copied().unwrap_or(self.len);
        Some(Span { start, end })
    }

    /// Number of lines; a text ending in LF has an empty last line.
    pub fn line_count(&self) -> usize {
        self.starts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_bytes_and_clamp_at_the_end() {
        let source = Source::new("q", "aé\nb");
        let at = |offset| {
            let place = source.line_column(offset);
            (place.line, place.column)
        };
        assert_eq!([at(0), at(3), at(4), at(5), at(99)], [(1, 1), (1, 4), (2, 1), (2, 2), (2, 2)]);
        assert_eq!(source.lines().line_span(1), Some(Span::new(0, 4)));
        assert_eq!(source.lines().line_span(3), None);
    }
}
