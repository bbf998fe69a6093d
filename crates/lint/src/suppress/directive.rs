//! What a comment says: which codes, where, until when.

use super::pint;
use crate::config::LintSelector;
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
    /// Whether it is one of ours, not of pint.
    pub(super) is_own: bool,
}

/// What became of a comment that is about findings.
pub(super) type Reading = Result<Directive, String>;

/// Reads a comment, its `#` included; `None` when it is about something else. Comments of pint that cannot be read are
/// none of ours.
pub(super) fn parse_comment(comment: &str) -> Option<Reading> {
    let text = comment.trim_start_matches('#').trim();
    if let Some(rest) = text.strip_prefix("nx:") {
        return Some(own_directive(rest.trim_start()));
    }
    pint::parse(text.strip_prefix("pint ")?.trim()).map(Ok)
}

fn own_directive(text: &str) -> Reading {
    let split = text.split_once('[').and_then(|(verb, rest)| Some((verb, rest.split_once(']')?)));
    let Some((verb, (codes, rest))) = split else { return Err("expected `ignore[CODES]`".to_owned()) };
    let extent = match verb.trim() {
        "ignore" => Extent::Nearest,
        "ignore-group" => Extent::Group,
        "ignore-file" => Extent::File,
        other => return Err(format!("expected `ignore`, `ignore-group` or `ignore-file`, found `{other}`")),
    };
    let codes = codes.split(',').map(str::trim).filter(|code| !code.is_empty());
    let codes = codes.map(code).collect::<Result<Vec<String>, String>>()?;
    if codes.is_empty() {
        return Err("expected the codes of lints between the brackets".to_owned());
    }
    let until = rest.split_whitespace().find_map(|word| word.strip_prefix("until="));
    let until_ms =
        until.map(|until| date_ms(until).ok_or(format!("expected a date like 2027-01-31, found `{until}`")));
    Ok(Directive { extent, codes, until_ms: until_ms.transpose()?, is_own: true })
}

/// The prefix of codes that a code, family or name stands for.
fn code(text: &str) -> Result<String, String> {
    match rules::find(text) {
        Some(spec) => Ok(spec.code.0.to_owned()),
        None if text == "ALL" => Ok(String::new()),
        None => match LintSelector::parse(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(unknown) => Err(unknown.to_string()),
        },
    }
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
        let codes = |text| parse_comment(text)?.ok().map(|directive| directive.codes.join("+"));
        assert_eq!(codes("# nx: ignore[VAL001,TPL] because"), Some("VAL001+TPL".to_owned()));
        assert_eq!(codes("#nx: ignore-file[ALL]"), Some(String::new()));
        assert_eq!(codes("# nx: ignore[never-true]"), Some("VAL001".to_owned()));
        assert_eq!(codes("# nx: ignore VAL001"), None);
        assert_eq!(codes("# nginx: ignore[VAL001]"), None);
    }
}
