//! What a comment says: which codes, where, until when.

use super::pint;
use crate::rules;

/// What a directive is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    /// The line it ends, or the rule or group it stands in or before.
    Nearest,
    /// The rule it stands in or before.
    Rule,
    /// The group it stands in or before.
    Group,
    /// Its line.
    Line,
    /// The line after it.
    NextLine,
    /// The file.
    File,
    /// Everything from here to the next [`Extent::End`].
    Begin,
    /// See [`Extent::Begin`].
    End,
}

/// A comment that suppresses findings.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Directive {
    pub(super) extent: Extent,
    /// Prefixes of codes; the empty one means all.
    pub(super) codes: Vec<String>,
    pub(super) until_ms: Option<i64>,
}

/// Reads a comment, its `#` included.
pub(super) fn parse_comment(comment: &str) -> Option<Directive> {
    let text = comment.trim_start_matches('#').trim();
    if let Some(rest) = text.strip_prefix("nx:") {
        return own_directive(rest.trim_start());
    }
    pint::parse(text.strip_prefix("pint ")?.trim())
}

fn own_directive(text: &str) -> Option<Directive> {
    let (verb, rest) = text.split_once('[')?;
    let (codes, rest) = rest.split_once(']')?;
    let extent = match verb.trim() {
        "ignore" => Extent::Nearest,
        "ignore-group" => Extent::Group,
        "ignore-file" => Extent::File,
        _ => return None,
    };
    let codes = codes.split(',').map(str::trim).filter(|code| !code.is_empty());
    let codes = codes.map(|code| match rules::find(code) {
        Some(spec) => spec.code.0.to_owned(),
        None if code == "ALL" => String::new(),
        None => code.to_owned(),
    });
    let codes = codes.collect();
    let until = rest.split_whitespace().find_map(|word| word.strip_prefix("until="));
    Some(Directive { extent, codes, until_ms: until.and_then(date_ms) })
}

/// The start of a day written `2026-12-31`, in milliseconds since the epoch; what follows the day is not looked at.
pub(super) fn date_ms(text: &str) -> Option<i64> {
    let mut parts = text.get(..10)?.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 0000-03-01, with years starting in March so that leap days come last.
    let shifted = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400);
    Some((days + of_year - 719_468) * 86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date_ms("1970-01-01"), Some(0));
        assert_eq!(date_ms("2000-03-01"), Some(951_868_800_000));
        assert_eq!(date_ms("2024-02-29T10:00:00Z"), Some(1_709_164_800_000));
        assert_eq!(date_ms("2024-13-01"), None);
        assert_eq!(date_ms("soon"), None);
    }

    #[test]
    fn comments_that_are_directives() {
        let codes = |text| parse_comment(text).map(|directive| directive.codes.join("+"));
        assert_eq!(codes("# nx: ignore[VAL001,TPL] because"), Some("VAL001+TPL".to_owned()));
        assert_eq!(codes("#nx: ignore-file[ALL]"), Some(String::new()));
        assert_eq!(codes("# nx: ignore[never-true]"), Some("VAL001".to_owned()));
        assert_eq!(codes("# nx: ignore VAL001"), None);
        assert_eq!(codes("# nginx: ignore[VAL001]"), None);
    }
}
