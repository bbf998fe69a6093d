//! Start timestamps of described series: `a{b="c"}@st -1m _ -30s-1mx3`, one item per value of the series.

use narthex_diag::Span;
use narthex_model::{Labels, PromDuration};

use super::VALUES_MAX;
use crate::error::{ParseError, syntax};
use crate::parser::parse_metric;

/// When the counters of a series started.
#[derive(Clone, PartialEq, Debug)]
pub struct StartOffsets {
    /// Which series.
    pub labels: Labels,
    /// Milliseconds from each sample's own time, normally negative; `None` where the start is unknown.
    pub offsets_ms: Vec<Option<i64>>,
}

/// Reads a line of start timestamps; `None` when the line is none, which only `@st` after the series makes it.
///
/// # Errors
/// When the series or an item cannot be read.
pub fn parse_start_offsets(line: &str) -> Result<Option<StartOffsets>, ParseError> {
    let Some(mark) = find_mark(line) else { return Ok(None) };
    let labels = parse_metric(&line[..mark])?;
    let mut offsets_ms = Vec::new();
    let items = mark + MARK.len();
    for (start, item) in words(line, items) {
        if push_item(item, &mut offsets_ms).is_none() {
            let message = format!(
                "bad start timestamps {item:?}: expected _, a duration, or a repetition such as -1m-30sx3"
            );
            let span = Span::new(start, start + item.len());
            return ParseError::new(line, vec![syntax(message, span)]).map_or(Ok(None), Err);
        }
    }
    Ok(Some(StartOffsets { labels, offsets_ms }))
}

const MARK: &str = "@st";

/// Where the mark stands, outside any string.
fn find_mark(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        match quote {
            Some(open) => {
                let closes = byte == open && !is_escaped;
                is_escaped = byte == b'\\' && open != b'`' && !is_escaped;
                quote = if closes { None } else { quote };
            }
            None if matches!(byte, b'"' | b'\'' | b'`') => quote = Some(byte),
            None if byte == b'@' => {
                let after = line[at..].strip_prefix(MARK)?;
                return (after.is_empty() || after.starts_with([' ', '\t'])).then_some(at);
            }
            None => {}
        }
    }
    None
}

/// The words of `line` from `start` on, with their offsets.
fn words(line: &str, start: usize) -> impl Iterator<Item = (usize, &str)> {
    const SPACE: [char; 2] = [' ', '\t'];
    let mut at = start;
    std::iter::from_fn(move || {
        let rest = line[at..].trim_start_matches(SPACE);
        let word = rest.split(SPACE).next().filter(|word| !word.is_empty())?;
        let begin = line.len() - rest.len();
        at = begin + word.len();
        Some((begin, word))
    })
}

fn push_item(item: &str, offsets_ms: &mut Vec<Option<i64>>) -> Option<()> {
    let (value, repetitions) = match item.split_once('x') {
        Some((value, count)) => (value, Some(count.parse::<usize>().ok()?)),
        None => (item, None),
    };
    if repetitions.unwrap_or(0) >= VALUES_MAX.saturating_sub(offsets_ms.len()) {
        return None;
    }
    if value == "_" {
        offsets_ms.extend(std::iter::repeat_n(None, repetitions.unwrap_or(1)));
        return Some(());
    }
    let (first, rest) = signed_duration(value)?;
    let step = match rest {
        "" => 0,
        rest if repetitions.is_some() && rest.starts_with(['+', '-']) => {
            let (step, rest) = signed_duration(rest)?;
            rest.is_empty().then_some(step)?
        }
        _ => return None,
    };
    for place in 0..=repetitions.unwrap_or(0) {
        let moved = step.checked_mul(i64::try_from(place).ok()?)?;
        offsets_ms.push(Some(first.checked_add(moved)?));
    }
    Some(())
}

/// An optionally signed duration of one unit in milliseconds, and what follows it.
fn signed_duration(text: &str) -> Option<(i64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(['+', '-']).unwrap_or(unsigned.len());
    let (duration, rest) = unsigned.split_at(end);
    let ms = PromDuration::parse(duration).ok()?.ms;
    Some((if text.starts_with('-') { -ms } else { ms }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(line: &str) -> Vec<Option<i64>> {
        parse_start_offsets(line).unwrap().unwrap().offsets_ms
    }

    #[test]
    fn items_repeat_and_step() {
        assert_eq!(offsets("a@st -1m _ -30s"), [Some(-60_000), None, Some(-30_000)]);
        assert_eq!(
            offsets("a{b=\"@st x\"}@st _x2 0-1mx2"),
            [None, None, Some(0), Some(-60_000), Some(-120_000)]
        );
        assert_eq!(offsets("a@st -1msx1 +1s"), [Some(-1), Some(-1), Some(1000)]);
        assert_eq!(offsets("a@st"), []);
    }

    #[test]
    fn other_lines_are_none_and_bad_items_are_refused() {
        assert_eq!(parse_start_offsets("a{b=\"@st\"} 1 2"), Ok(None));
        assert_eq!(parse_start_offsets("a@stx 1"), Ok(None));
        let message = parse_start_offsets("a@st -1m 5").unwrap_err().to_string();
        assert!(message.starts_with("1:10: parse error: bad start timestamps \"5\""), "{message}");
        assert!(parse_start_offsets("a@st -1m-1m").is_err());
        assert!(parse_start_offsets("a@st 1mx99999999999").is_err());
    }
}
