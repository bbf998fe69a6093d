//! Which keys a mapping had so far: few are compared one by one, many are hashed.

use std::collections::HashMap;

use narthex_diag::Span;

/// Up to here a list is searched faster than a table is filled.
const LINEAR_MAX: usize = 16;

/// Keys with the place where each was met first.
#[derive(Default)]
pub(crate) struct KeySet<'d> {
    few: Vec<(&'d str, Span)>,
    many: HashMap<&'d str, Span>,
}

impl<'d> KeySet<'d> {
    /// Notes a key; where it was met before, if it was.
    pub(crate) fn insert(&mut self, key: &'d str, span: Span) -> Option<Span> {
        let before = match self.many.is_empty() {
            true => self.few.iter().find(|(known, _)| *known == key).map(|&(_, span)| span),
            false => self.many.get(key).copied(),
        };
        if before.is_none() {
            self.add(key, span);
        }
        before
    }

    fn add(&mut self, key: &'d str, span: Span) {
        if !self.many.is_empty() {
            self.many.insert(key, span);
        } else if self.few.len() < LINEAR_MAX {
            self.few.push((key, span));
        } else {
            self.many.extend(self.few.drain(..));
            self.many.insert(key, span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_keys_are_met_once() {
        let names: Vec<String> = (0..LINEAR_MAX * 3).map(|number| number.to_string()).collect();
        let mut keys = KeySet::default();
        for round in 0..2 {
            for (at, name) in names.iter().enumerate() {
                let expected = (round > 0).then(|| Span::empty_at(at));
                assert_eq!(keys.insert(name, Span::empty_at(at)), expected);
            }
        }
    }
}
