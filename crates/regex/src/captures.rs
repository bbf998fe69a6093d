//! What the capture groups of a match hold, and Go's replacement templates.

use crate::unicode;

/// Names of the capture groups of a pattern, without the group of the whole match.
pub(crate) type GroupNames = [Option<Box<str>>];

/// The groups of one match. Group 0 is the whole match.
#[derive(Clone, Debug)]
pub struct Captures<'r, 'h> {
    haystack: &'h str,
    names: &'r GroupNames,
    /// Start and end of each group that took part, in bytes of the haystack.
    slots: Vec<Option<(usize, usize)>>,
}

impl<'r, 'h> Captures<'r, 'h> {
    pub(crate) fn new(
        haystack: &'h str,
        names: &'r GroupNames,
        slots: Vec<Option<(usize, usize)>>,
    ) -> Captures<'r, 'h> {
        Captures { haystack, names, slots }
    }

    /// The text of group `index`; `None` if there is no such group or it took no part in the match.
    pub fn get(&self, index: usize) -> Option<&'h str> {
        let (start, end) = (*self.slots.get(index)?)?;
        self.haystack.get(start..end)
    }

    /// The text of the group called `name`. Go allows one name for several groups: the first that took part counts.
    pub fn name(&self, name: &str) -> Option<&'h str> {
        let named = |group: &Option<Box<str>>| group.as_deref() == Some(name);
        let indices = self.names.iter().enumerate().filter(|(_, group)| named(group)).map(|(at, _)| at + 1);
        indices.filter_map(|index| self.get(index)).next()
    }

    /// Appends `template` to `out` with its variables replaced, as Go's `Regexp.Expand` does.
    ///
    /// `$1` and `${1}` are groups by number, `$name` and `${name}` by name, `$$` is a dollar sign. Without braces the
    /// name is the longest run of letters, digits and underscores: `$1x` is `${1x}`. Unknown groups are empty; a `$`
    /// that begins no variable stands for itself.
    pub fn expand(&self, template: &str, out: &mut String) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) = variable(after) {
                out.push_str(self.variable(name).unwrap_or(""));
                rest = after;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out.push_str(rest);
    }

    fn variable(&self, name: &str) -> Option<&'h str> {
        match group_number(name) {
            Some(index) => self.get(index),
            None => self.name(name),
        }
    }
}

/// Splits `name…` or `{name}…` after its variable.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (text, closing) = match text.strip_prefix('{') {
        Some(inner) => (inner, "}"),
        None => (text, ""),
    };
    let end = text.find(|c: char| c != '_' && !unicode::is_letter_or_digit(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    Some((name, rest.strip_prefix(closing)?)).filter(|_| !name.is_empty())
}

/// A variable of digits only is a number, unless it has a leading zero or is absurdly large.
fn group_number(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    if plain && name.len() <= 9 { name.parse().ok() } else { None }
}
