//! Control comments of pint, so that files that carry them need no second set.
//!
//! `disable`, `file/disable`, `snooze`, `file/snooze` name a check, which stands for the codes of [`CHECKS`]; what
//! follows the check's name in parentheses is not looked at. `ignore/…` is about all findings.

use super::directive::{Directive, Extent, date_ms};

/// The codes that find what a check of pint finds.
pub const CHECKS: &[(&str, &[&str])] = &[
    ("alerts/absent", &["LBL010"]),
    ("alerts/comparison", &["VAL002", "VAL005", "VAL006", "VAL007"]),
    ("alerts/for", &["YML008", "WIN002"]),
    ("alerts/template", &["TPL", "ALR004", "LBL010"]),
    ("promql/impossible", &["LBL", "VAL001", "VAL003", "MAT005"]),
    ("promql/nan", &["VAL008"]),
    ("promql/rate", &["MET004"]),
    ("promql/regexp", &["MAT"]),
    ("promql/vector_matching", &["LBL002", "LBL003"]),
    ("rule/dependency", &["REC"]),
    ("rule/duplicate", &["DUP"]),
];

/// Reads what follows `# pint `.
pub(super) fn parse(text: &str) -> Option<Directive> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let all = |extent| Some(Directive { extent, codes: vec![String::new()], until_ms: None, is_own: false });
    let named = |extent, rest: &str, until_ms| {
        let name = rest.trim().split(['(', ' ']).next().unwrap_or("");
        let codes = CHECKS.iter().find(|(check, _)| *check == name)?.1;
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        Some(Directive { extent, codes, until_ms, is_own: false })
    };
    let snoozed = |extent| {
        let (until, check) = rest.trim().split_once(' ')?;
        named(extent, check, Some(date_ms(until)?))
    };
    match verb {
        "ignore/file" => all(Extent::File),
        "ignore/line" => all(Extent::Line),
        "ignore/next-line" => all(Extent::NextLine),
        "ignore/begin" => all(Extent::Begin),
        "ignore/end" => all(Extent::End),
        "disable" => named(Extent::Rule, rest, None),
        "file/disable" => named(Extent::File, rest, None),
        "snooze" => snoozed(Extent::Rule),
        "file/snooze" => snoozed(Extent::File),
        _ => None,
    }
}
