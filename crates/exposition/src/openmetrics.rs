//! OpenMetrics 1.0, as a server accepts it: the lexical rules, the end marker, units and types, but not the grouping of
//! families nor the suffixes of samples.

use std::borrow::Cow;

use narthex_diag::Span;

use crate::codes::{END_MARKER, METADATA, NUMBER};
use crate::entry::{Entry, Exemplar, FloatLabel, MetricType, Sample, unescape_label};
use crate::scan::{Cursor, LineFeeds, Scanned, fault, float};

/// The next entry; `None` after the end marker.
pub(crate) fn next_entry<'a>(
    cursor: &mut Cursor<'a>,
    metric_type: &mut Option<MetricType>,
) -> Option<Scanned<Entry<'a>>> {
    let entry = match cursor.peek() {
        None => fault(END_MARKER, "body does not end with '# EOF'", Span::empty_at(cursor.at)),
        Some(b'#') => comment(cursor, metric_type),
        Some(b'\n') => cursor.expected("a sample or '# '"),
        Some(_) => sample(cursor, *metric_type).map(Entry::Sample),
    };
    Some(entry)
}

fn comment<'a>(cursor: &mut Cursor<'a>, metric_type: &mut Option<MetricType>) -> Scanned<Entry<'a>> {
    let start = cursor.at;
    if cursor.take_text("# EOF") {
        return end_marker(cursor, start);
    }
    if cursor.take_text("# HELP ") {
        let (name, text) = metadata(cursor)?;
        return Ok(Entry::Help { name, text: unescape_label(text), span: line_from(cursor, start) });
    }
    if cursor.take_text("# TYPE ") {
        let (name, word) = metadata(cursor)?;
        let span = line_from(cursor, start);
        let Some(found) = MetricType::from_openmetrics_word(word) else {
            return fault(
                METADATA,
                format!("{word:?} is not a metric type of OpenMetrics"),
                word_at_end(span, word),
            );
        };
        *metric_type = Some(found);
        return Ok(Entry::Type { name, metric_type: found, span });
    }
    if cursor.take_text("# UNIT ") {
        let (name, unit) = metadata(cursor)?;
        let span = line_from(cursor, start);
        let is_suffix = name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
        if !unit.is_empty() && !is_suffix {
            let message = format!("unit {unit:?} is not a suffix of metric {name:?}");
            return fault(METADATA, message, word_at_end(span, unit));
        }
        return Ok(Entry::Unit { name, unit, span });
    }
    cursor.at = start + 1;
    cursor.expected::<Entry<'a>>("' HELP ', ' TYPE ', ' UNIT ' or ' EOF' after '#'")
}

fn end_marker<'a>(cursor: &mut Cursor<'a>, start: usize) -> Scanned<Entry<'a>> {
    let span = cursor.span_from(start);
    cursor.take(b'\n');
    if cursor.peek().is_some() {
        return fault(END_MARKER, "data after '# EOF'", Span::new(cursor.at, cursor.body.len()));
    }
    Ok(Entry::Eof { span })
}

/// The line just taken, without its line feed.
fn line_from(cursor: &Cursor<'_>, start: usize) -> Span {
    Span::new(start, cursor.at - 1)
}

fn word_at_end(line: Span, word: &str) -> Span {
    Span::new(line.end as usize - word.len(), line.end as usize)
}

/// A family name, one space, and the rest of a line that must end.
fn metadata<'a>(cursor: &mut Cursor<'a>) -> Scanned<(Cow<'a, str>, &'a str)> {
    let name = if cursor.peek() == Some(b'"') {
        unescape_label(cursor.quoted(LineFeeds::End)?)
    } else {
        Cow::Borrowed(cursor.metric_name())
    };
    if name.is_empty() {
        return cursor.expected("a metric name");
    }
    if !cursor.take(b' ') {
        return cursor.expected("a space after the metric name");
    }
    let text = cursor.take_while(|byte| byte != b'\n');
    if cursor.take(b'\n') { Ok((name, text)) } else { unterminated(cursor) }
}

fn unterminated<T>(cursor: &Cursor<'_>) -> Scanned<T> {
    fault(END_MARKER, "body does not end with '# EOF'", Span::empty_at(cursor.at))
}

fn sample<'a>(cursor: &mut Cursor<'a>, metric_type: Option<MetricType>) -> Scanned<Sample<'a>> {
    let series = cursor.series()?;
    let value = spaced_float(cursor, "a number as value")?;
    let mut timestamp_ms = None;
    if cursor.peek() == Some(b' ') && cursor.body.as_bytes().get(cursor.at + 1) != Some(&b'#') {
        timestamp_ms = Some(timestamp(cursor)?);
    }
    let mut exemplar = None;
    if cursor.take_text(" # {") {
        exemplar = Some(read_exemplar(cursor)?);
    }
    end_of_line(cursor)?;
    Ok(Sample {
        series: series.text,
        series_span: series.span,
        name: series.name,
        label_text: series.labels,
        float_label: FloatLabel::of(metric_type),
        value,
        timestamp_ms,
        exemplar,
    })
}

fn end_of_line(cursor: &mut Cursor<'_>) -> Scanned<()> {
    match cursor.peek() {
        Some(b'\n') => {
            cursor.at += 1;
            Ok(())
        }
        None => unterminated(cursor),
        Some(_) => cursor.expected("the end of the line"),
    }
}

/// A space and the word after it.
fn spaced_word<'a>(cursor: &mut Cursor<'a>, what: &str) -> Scanned<(&'a str, Span)> {
    if !cursor.take(b' ') {
        return cursor.expected(&format!("a space and {what}"));
    }
    let start = cursor.at;
    let word = cursor.take_while(|byte| !matches!(byte, b' ' | b'\n'));
    if word.is_empty() {
        return cursor.expected(what);
    }
    Ok((word, cursor.span_from(start)))
}

fn spaced_float(cursor: &mut Cursor<'_>, what: &str) -> Scanned<f64> {
    let (word, span) = spaced_word(cursor, what)?;
    float(word, what, span)
}

/// Seconds, cut to milliseconds.
fn timestamp(cursor: &mut Cursor<'_>) -> Scanned<i64> {
    let what = "a number of seconds as timestamp";
    let (word, span) = spaced_word(cursor, what)?;
    let seconds = float(word, what, span)?;
    if !seconds.is_finite() {
        return fault(NUMBER, format!("expected {what}, found {word:?}"), span);
    }
    let ms = seconds * 1000.0;
    // Both ends are the numbers next to what 64 bits hold.
    if !(-(i64::MAX as f64)..i64::MAX as f64).contains(&ms) {
        return fault(NUMBER, format!("expected {what} of 64 bits of milliseconds, found {word:?}"), span);
    }
    Ok(ms as i64)
}

/// An exemplar whose opening brace is read.
fn read_exemplar<'a>(cursor: &mut Cursor<'a>) -> Scanned<Exemplar<'a>> {
    let start = cursor.at;
    // An exemplar has no metric name: one is claimed so that a second is refused.
    let label_text = match cursor.labels(&mut Some(Cow::Borrowed("")), LineFeeds::End) {
        Err(error) if error.code == crate::codes::METRIC_NAME_FAULT => {
            return fault(crate::codes::SYNTAX, "label of an exemplar has no value", cursor.span_from(start));
        }
        labels => labels?,
    };
    let value = spaced_float(cursor, "a number as value of the exemplar")?;
    let timestamp_ms = if cursor.peek() == Some(b' ') { Some(timestamp(cursor)?) } else { None };
    Ok(Exemplar { label_text, value, timestamp_ms })
}
