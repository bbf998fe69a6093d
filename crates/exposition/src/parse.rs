//! How a body is walked: which format, and what happens after an error.

use narthex_diag::{Diagnostic, Span};

use crate::codes::{ENCODING, END_MARKER};
use crate::entry::{Entry, MetricType};
use crate::scan::{Blanks, Cursor};
use crate::{openmetrics, text};

/// Text formats of scrape bodies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// Prometheus text 0.0.4 and 1.0.0.
    Text,
    /// OpenMetrics 1.0 (and 0.0.1, which differs in nothing that is read).
    OpenMetrics,
}

/// What happens after an error.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// The body ends there, as for a server.
    Scrape,
    /// It goes on with the next line, to find all errors of a file.
    File,
}

/// Guesses the format of a body without a content type: OpenMetrics when the last line is `# EOF`.
pub fn detect(body: &str) -> Format {
    let last = body.trim_end_matches(['\n', '\r']).rsplit('\n').next();
    if last == Some("# EOF") { Format::OpenMetrics } else { Format::Text }
}

/// Entries of a body in the Prometheus text format; stops at the first error.
pub fn parse_text(body: &str) -> Entries<'_> {
    parse(body, Format::Text, Mode::Scrape)
}

/// Entries of a body in OpenMetrics; stops at the first error.
pub fn parse_openmetrics(body: &str) -> Entries<'_> {
    parse(body, Format::OpenMetrics, Mode::Scrape)
}

/// Entries of a body.
pub fn parse(body: &str, format: Format, mode: Mode) -> Entries<'_> {
    let blanks = match format {
        Format::Text => Blanks::Free,
        Format::OpenMetrics => Blanks::Forbidden,
    };
    let cursor = Cursor { body, at: 0, blanks };
    Entries { cursor, format, mode, metric_type: None, ended: false }
}

/// The text of a body, which must be UTF-8.
///
/// # Errors
/// Marks the first bytes that are not.
pub fn decode(body: &[u8]) -> Result<&str, Box<Diagnostic>> {
    std::str::from_utf8(body).map_err(|error| {
        let start = error.valid_up_to();
        let end = error.error_len().map_or(body.len(), |len| start + len);
        Box::new(Diagnostic::error(ENCODING, "body is not valid UTF-8", Span::new(start, end)))
    })
}

/// The entries of a body, each borrowed from it; no allocation unless a name, a value or a text has escapes.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    cursor: Cursor<'a>,
    format: Format,
    mode: Mode,
    /// What the last `TYPE` line said.
    metric_type: Option<MetricType>,
    ended: bool,
}

impl<'a> Entries<'a> {
    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.cursor.at
    }

    /// To the line after the one that the error at `start` begins in.
    fn recover(&mut self, start: usize) {
        let at = self.cursor.body.get(start..).and_then(|rest| rest.find('\n'));
        self.cursor.at = at.map_or(self.cursor.body.len(), |len| start + len + 1);
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Box<Diagnostic>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let start = self.cursor.at;
        let next = match self.format {
            Format::Text => text::next_entry(&mut self.cursor, &mut self.metric_type),
            Format::OpenMetrics => openmetrics::next_entry(&mut self.cursor, &mut self.metric_type),
        };
        match next {
            None => {
                self.ended = true;
                None
            }
            Some(Ok(entry)) => {
                self.ended = matches!(entry, Entry::Eof { .. });
                Some(Ok(entry))
            }
            Some(Err(error)) => {
                self.ended = self.mode == Mode::Scrape || error.code == END_MARKER;
                self.recover(line_start(self.cursor.body, start, &error));
                Some(Err(error))
            }
        }
    }
}

/// Where the line of an error begins: blank lines before it are passed.
fn line_start(body: &str, start: usize, error: &Diagnostic) -> usize {
    let place = error.span().start as usize;
    let before = body.get(start..place).unwrap_or("");
    let blank = before.len() - before.trim_start_matches([' ', '\t', '\n']).len();
    start + blank
}
