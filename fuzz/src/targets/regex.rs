//! Any pattern, the first line, over any text, the rest: shortcuts decide as the automaton does.

use narthex_regex::{Regex, UnanchoredRegex};

use crate::input::text;

/// Longer texts make the slow side of the comparison too slow.
const HAYSTACK_BYTES_MAX: usize = 4096;

/// See the module.
pub fn target(data: &[u8]) {
    let Some((pattern, haystack)) = text(data).map(|text| text.split_once('\n').unwrap_or((text, ""))) else {
        return;
    };
    if haystack.len() > HAYSTACK_BYTES_MAX {
        return;
    }
    match Regex::new(pattern) {
        Ok(regex) => check(&regex, pattern, haystack),
        Err(error) => assert_eq!(pattern.get(error.span()), Some(error.excerpt())),
    }
}

fn check(regex: &Regex, pattern: &str, haystack: &str) {
    let matches = regex.is_match(haystack);
    assert_eq!(regex.captures(haystack).is_some(), matches);
    assert_eq!(regex.matches_empty(), regex.is_match(""));
    assert!(!matches || haystack.starts_with(regex.prefix().unwrap_or("")));
    assert!(matches || !regex.is_match_all());
    let set = regex.exact_set();
    assert!(set.is_none_or(|set| set.is_sorted_by(|a, b| a < b)));
    assert!(set.is_none_or(|set| set.iter().any(|text| text == haystack) == matches));
    if let Some(plain) = without_shortcuts(pattern) {
        assert_eq!(plain.is_match(haystack), matches);
    }
    if let Ok(unanchored) = UnanchoredRegex::new(pattern) {
        assert_eq!(unanchored.replace_all(haystack, "$0"), haystack);
        // Without anchors a `.` does not match a line break.
        assert!(!matches || haystack.contains('\n') || unanchored.is_match(haystack));
    }
}

/// An alternative that never matches keeps the pattern out of reach of every shortcut. `None` where it becomes too
/// large by that.
fn without_shortcuts(pattern: &str) -> Option<Regex> {
    Regex::new(&format!(r"(?:\b\B|){{1}}(?:{pattern})(?:\b\B|){{1}}")).ok()
}
