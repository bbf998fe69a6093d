//! Where a byte of a decoded text stands in the file it was decoded from.
//!
//! PromQL inside a YAML block scalar loses indentation, a quoted scalar loses its escapes, a folded one turns line
//! breaks into spaces. A [`SpanMap`] keeps, for every run of bytes copied unchanged, the file offset it came from.

use crate::Span;

/// Maps spans of a decoded text to spans of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SpanMap {
    /// `(offset in the decoded text, offset in the file)` at each start of a run, rising in both.
    runs: Vec<(u32, u32)>,
    /// Offset in the file just past the text.
    file_end: u32,
}

impl SpanMap {
    /// A text that stands in the file byte for byte from `file_start` on.
    pub fn identity(file_start: usize, len: usize) -> SpanMap {
        let span = Span::new(file_start, file_start + len);
        SpanMap { runs: vec![(0, span.start)], file_end: span.end }
    }

    /// Starts a map whose runs are added by [`SpanMap::push_run`].
    pub fn with_end(file_end: usize) -> SpanMap {
        SpanMap { runs: Vec::new(), file_end: Span::empty_at(file_end).start }
    }

    /// Says that from `decoded` on, bytes come from `file` on. Runs come in rising order; one that merely continues
    /// the last is merged into it.
    pub fn push_run(&mut self, decoded: usize, file: usize) {
        let run = (Span::empty_at(decoded).start, Span::empty_at(file).start);
        match self.runs.last_mut() {
            Some(last) if run.0.wrapping_sub(last.0) == run.1.wrapping_sub(last.1) => {}
            Some(last) if last.0 == run.0 => *last = run,
            _ => self.runs.push(run),
        }
    }

    /// File offset of the decoded byte at `offset`.
    pub fn offset(&self, offset: usize) -> usize {
        let offset = Span::empty_at(offset).start;
        let next = self.runs.partition_point(|&(decoded, _)| decoded <= offset);
        let Some(&(decoded, file)) = next.checked_sub(1).and_then(|at| self.runs.get(at)) else {
            return self.runs.first().map_or(self.file_end, |run| run.1) as usize;
        };
        let limit = self.runs.get(next).map_or(self.file_end, |run| run.1);
        (file + (offset - decoded)).min(limit.max(file)) as usize
    }

    /// The file span of a decoded span. The end maps through the last byte inside, so that a span that ends at a line
    /// break of a block scalar does not swallow the next line's indentation.
    pub fn span(&self, span: Span) -> Span {
        let start = self.offset(span.start as usize);
        if span.is_empty() {
            return Span::empty_at(start);
        }
        // A decoded text may end in a line break that the file does not have.
        let end = (self.offset(span.end as usize - 1) + 1).min(self.file_end as usize);
        Span::new(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_scalar_maps_line_by_line() {
        // File: `expr: |\n    sum(\n    up)` decoded to `sum(\nup)`.
        let mut map = SpanMap::with_end(24);
        map.push_run(0, 12);
        map.push_run(5, 21);
        assert_eq!(map.span(Span::new(0, 3)), Span::new(12, 15));
        assert_eq!(map.span(Span::new(5, 7)), Span::new(21, 23));
        assert_eq!(map.span(Span::new(0, 8)), Span::new(12, 24));
        assert_eq!(map.offset(99), 24);
        assert_eq!(map.span(Span::new(7, 9)), Span::new(23, 24));
    }

    #[test]
    fn runs_that_continue_are_merged() {
        let mut map = SpanMap::identity(10, 5);
        map.push_run(3, 13);
        assert_eq!(map, SpanMap::identity(10, 5));
    }
}
