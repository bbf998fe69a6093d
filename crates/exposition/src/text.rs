//! The Prometheus text format, versions 0.0.4 and 1.0.0, as a server accepts it.
//!
//! Laxer than its description: blanks may stand between any two tokens, commas between labels may be missing, families
//! may interleave, the last line needs no line feed.

use std::borrow::Cow;

use narthex_diag::Span;

use crate::codes::{METADATA, NUMBER};
use crate::entry::{Entry, FloatLabel, MetricType, Sample, unescape_help, unescape_label};
use crate::scan::{Cursor, LineFeeds, Scanned, fault, float, is_blank};

/// The next entry; `None` at the end of the body.
pub(crate) fn next_entry<'a>(
    cursor: &mut Cursor<'a>,
    metric_type: &mut Option<MetricType>,
) -> Option<Scanned<Entry<'a>>> {
    loop {
        cursor.skip_blanks();
        match cursor.peek()? {
            b'\n' => cursor.at += 1,
            b'#' => return Some(comment(cursor, metric_type)),
            _ => return Some(sample(cursor, *metric_type).map(Entry::Sample)),
        }
    }
}

fn comment<'a>(cursor: &mut Cursor<'a>, metric_type: &mut Option<MetricType>) -> Scanned<Entry<'a>> {
    let start = cursor.at;
    cursor.at += 1;
    let spaced = cursor.peek().is_some_and(is_blank);
    cursor.skip_blanks();
    if spaced && keyword(cursor, "HELP") {
        let (name, text) = metadata(cursor)?;
        let span = Span::new(start, line_end(cursor));
        return Ok(Entry::Help { name, text: unescape_help(text), span });
    }
    if spaced && keyword(cursor, "TYPE") {
        let (name, word) = metadata(cursor)?;
        let span = Span::new(start, line_end(cursor));
        let Some(found) = MetricType::from_text_word(word) else {
            let end = span.end as usize;
            let message = format!(
                "expected counter, gauge, histogram, summary or untyped as metric type, found {word:?}"
            );
            return fault(METADATA, message, Span::new(end - word.len(), end));
        };
        *metric_type = Some(found);
        return Ok(Entry::Type { name, metric_type: found, span });
    }
    cursor.at = start;
    let text = cursor.take_line();
    Ok(Entry::Comment { text, span: Span::new(start, start + text.len()) })
}

/// The word and at least one blank; nothing is consumed otherwise.
fn keyword(cursor: &mut Cursor<'_>, word: &str) -> bool {
    let start = cursor.at;
    let found = cursor.take_text(word) && cursor.peek().is_some_and(is_blank);
    if found {
        cursor.skip_blanks();
    } else {
        cursor.at = start;
    }
    found
}

/// A family name, one separator, and the rest of the line.
fn metadata<'a>(cursor: &mut Cursor<'a>) -> Scanned<(Cow<'a, str>, &'a str)> {
    let name = if cursor.peek() == Some(b'"') {
        unescape_label(cursor.quoted(LineFeeds::End)?)
    } else {
        Cow::Borrowed(cursor.metric_name())
    };
    if name.is_empty() {
        return cursor.expected("a metric name");
    }
    if !cursor.peek().is_none_or(|next| is_blank(next) || next == b'\n') {
        return cursor.expected("a space after the metric name");
    }
    if cursor.peek().is_some_and(is_blank) {
        cursor.at += 1;
    }
    Ok((name, cursor.take_line()))
}

/// Offset of the end of the line just taken, before its line feed.
fn line_end(cursor: &Cursor<'_>) -> usize {
    let fed = cursor.body.get(..cursor.at).is_some_and(|before| before.ends_with('\n'));
    cursor.at - usize::from(fed)
}

fn sample<'a>(cursor: &mut Cursor<'a>, metric_type: Option<MetricType>) -> Scanned<Sample<'a>> {
    let series = cursor.series()?;
    cursor.skip_blanks();
    let start = cursor.at;
    let number = cursor.take_while(|byte| !is_blank(byte) && !matches!(byte, b'\n' | b'{'));
    if number.is_empty() {
        return cursor.expected("a value");
    }
    let value = float(number, "a number as value", cursor.span_from(start))?;
    cursor.skip_blanks();
    let timestamp_ms = timestamp(cursor)?;
    cursor.skip_blanks();
    if !cursor.take(b'\n') && cursor.peek().is_some() {
        let what =
            if timestamp_ms.is_some() { "the end of the line" } else { "a timestamp or the end of the line" };
        return cursor.expected(what);
    }
    Ok(Sample {
        series: series.text,
        series_span: series.span,
        name: series.name,
        label_text: series.labels,
        float_label: FloatLabel::of(metric_type),
        value,
        timestamp_ms,
        exemplar: None,
    })
}

/// Whole milliseconds, not negative.
fn timestamp(cursor: &mut Cursor<'_>) -> Scanned<Option<i64>> {
    let start = cursor.at;
    let digits = cursor.take_while(|byte| byte.is_ascii_digit());
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse() {
        Ok(timestamp_ms) => Ok(Some(timestamp_ms)),
        Err(_) => fault(NUMBER, "timestamp is out of range", cursor.span_from(start)),
    }
}
