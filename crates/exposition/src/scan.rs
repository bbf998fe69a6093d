//! A cursor over a body and what both formats read with it: names, quoted texts, labels.

use std::borrow::Cow;

use narthex_diag::{Code, Diagnostic, Span};
use narthex_model::number::parse_float;
use narthex_model::sample::NORMAL_NAN_BITS;

use crate::codes::{METRIC_NAME_FAULT, NUMBER, SYNTAX};
use crate::entry::{LabelText, quoted_len, unescape_label};

/// Where spaces and tabs may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blanks {
    /// Anywhere between tokens, and commas between labels may be left out.
    Free,
    /// Nowhere but where one space is prescribed.
    Forbidden,
}

/// A place in a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) body: &'a str,
    pub(crate) at: usize,
    pub(crate) blanks: Blanks,
}

/// A series that was read.
pub(crate) struct Series<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
    pub(crate) name: Cow<'a, str>,
    pub(crate) labels: LabelText<'a>,
}

pub(crate) type Scanned<T> = Result<T, Box<Diagnostic>>;

/// An error at `span`.
pub(crate) fn fault<T>(code: Code, message: impl Into<String>, span: Span) -> Scanned<T> {
    Err(Box::new(Diagnostic::error(code, message, span)))
}

impl<'a> Cursor<'a> {
    pub(crate) fn peek(&self) -> Option<u8> {
        self.body.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.body.as_bytes().get(self.at..).unwrap_or(&[])
    }

    pub(crate) fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn take_text(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted.as_bytes());
        if found {
            self.at += wanted.len();
        }
        found
    }

    /// Past bytes that `belongs` wants; the text they make. The bytes must end at character boundaries.
    pub(crate) fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        let len = self.rest().iter().position(|&byte| !belongs(byte)).unwrap_or(self.rest().len());
        self.at += len;
        self.body.get(start..self.at).unwrap_or("")
    }

    pub(crate) fn skip_blanks(&mut self) {
        if self.blanks == Blanks::Free {
            self.take_while(is_blank);
        }
    }

    /// The rest of the line without its line feed, which is consumed too.
    pub(crate) fn take_line(&mut self) -> &'a str {
        let line = self.take_while(|byte| byte != b'\n');
        self.at += usize::from(self.peek().is_some());
        line
    }

    /// The span from `start` to here.
    pub(crate) fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.at)
    }

    /// Reports that something else was expected at the cursor.
    pub(crate) fn expected<T>(&self, what: &str) -> Scanned<T> {
        let found = self.body.get(self.at..).and_then(|rest| rest.chars().next());
        let span = Span::new(self.at, self.at + found.map_or(0, char::len_utf8));
        match found {
            None => fault(SYNTAX, format!("expected {what}, found the end of the body"), span),
            Some('\n') => {
                fault(SYNTAX, format!("expected {what}, found the end of the line"), Span::empty_at(self.at))
            }
            Some(found) => fault(SYNTAX, format!("expected {what}, found {found:?}"), span),
        }
    }

    /// A legacy metric name, possibly empty.
    pub(crate) fn metric_name(&mut self) -> &'a str {
        self.word(|byte| byte == b':')
    }

    fn label_name(&mut self) -> &'a str {
        self.word(|_| false)
    }

    fn word(&mut self, also: impl Fn(u8) -> bool) -> &'a str {
        let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || also(byte);
        if !self.peek().is_some_and(&starts) {
            return "";
        }
        self.take_while(|byte| starts(byte) || byte.is_ascii_digit())
    }

    /// A quoted text, undecoded and without its quotes; the cursor is at the first quote.
    pub(crate) fn quoted(&mut self, line_feeds: LineFeeds) -> Scanned<&'a str> {
        let start = self.at;
        let rest = self.rest();
        let len = quoted_len(rest).filter(|&len| len <= rest.len());
        let inside = len.and_then(|len| self.body.get(start + 1..start + len - 1));
        match inside.filter(|inside| line_feeds == LineFeeds::Part || !inside.contains('\n')) {
            Some(inside) => {
                self.at += inside.len() + 2;
                Ok(inside)
            }
            None => {
                let line = rest.iter().position(|&byte| byte == b'\n');
                let end = line.map_or(self.body.len(), |line| start + line);
                fault(SYNTAX, "quoted text does not end", Span::new(start, end))
            }
        }
    }

    /// A metric name with its labels.
    pub(crate) fn series(&mut self) -> Scanned<Series<'a>> {
        let start = self.at;
        let bare = self.metric_name();
        let mut end = self.at;
        let mut name = (!bare.is_empty()).then_some(Cow::Borrowed(bare));
        let mut labels = LabelText("");
        self.skip_blanks();
        if self.take(b'{') {
            labels = self.labels(&mut name, LineFeeds::Part)?;
            end = self.at;
        } else if name.is_none() {
            return self.expected("a metric name");
        }
        let span = Span::new(start, end);
        match name {
            Some(name) => Ok(Series { text: span.slice(self.body), span, name, labels }),
            None => fault(METRIC_NAME_FAULT, "series has no metric name", span),
        }
    }

    /// Labels up to and with the closing brace. A quoted text without a value becomes the metric name.
    pub(crate) fn labels(
        &mut self,
        name: &mut Option<Cow<'a, str>>,
        line_feeds: LineFeeds,
    ) -> Scanned<LabelText<'a>> {
        let start = self.at;
        loop {
            self.skip_blanks();
            let inside = self.at;
            if self.take(b'}') {
                return Ok(LabelText(self.body.get(start..inside).unwrap_or("")));
            }
            let quoted = if self.peek() == Some(b'"') { Some(self.quoted(line_feeds)?) } else { None };
            if quoted.is_none() && self.label_name().is_empty() {
                return self.expected("a label name or '}'");
            }
            let name_span = self.span_from(inside);
            self.skip_blanks();
            match quoted {
                Some(text) if matches!(self.peek(), Some(b',' | b'}')) => {
                    if name.is_some() {
                        return fault(METRIC_NAME_FAULT, "series has a second metric name", name_span);
                    }
                    *name = Some(unescape_label(text));
                    self.take(b',');
                }
                _ => self.label_value()?,
            }
        }
    }

    fn label_value(&mut self) -> Scanned<()> {
        if !self.take(b'=') {
            return self.expected("'=' after the label name");
        }
        self.skip_blanks();
        if self.peek() != Some(b'"') {
            return self.expected("a quoted label value");
        }
        let line_feeds = if self.blanks == Blanks::Free { LineFeeds::Part } else { LineFeeds::End };
        self.quoted(line_feeds)?;
        self.skip_blanks();
        let parted = self.take(b',');
        if !parted && self.blanks == Blanks::Forbidden && self.peek() != Some(b'}') {
            return self.expected("',' or '}'");
        }
        Ok(())
    }
}

/// Whether a line feed may stand in a quoted text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LineFeeds {
    /// It is part of the text.
    Part,
    /// The text must end before it.
    End,
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Reads a float; every NaN becomes the ordinary one.
pub(crate) fn float(text: &str, what: &str, span: Span) -> Scanned<f64> {
    match parse_float(text) {
        Some(value) if value.is_nan() => Ok(f64::from_bits(NORMAL_NAN_BITS)),
        Some(value) => Ok(value),
        None => fault(NUMBER, format!("expected {what}, found {text:?}"), span),
    }
}
