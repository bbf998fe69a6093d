//! Label sets with numbers: what groups, match groups and histograms are told apart by.

use std::borrow::Borrow;
use std::collections::HashMap;

use narthex_model::{Labels, LabelsBuffer};

/// Sets that were met, numbered from 0 on in the order in which they first came.
#[derive(Debug, Default)]
pub(crate) struct LabelTable {
    places: HashMap<Key, usize>,
    sets: Vec<Labels>,
    /// The number found last: what is alike often comes in a row.
    last: usize,
    buffer: LabelsBuffer,
}

/// A set to be looked up by its key, before there is one.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Key(Labels);

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.0.key()
    }
}

/// What an entry takes besides its text, the list and the table both having up to as much room again.
pub(crate) const ENTRY_BYTES: usize = 2 * (size_of::<Labels>() + size_of::<(Labels, usize)>() + 1);

impl LabelTable {
    /// The number of the set of those pairs of `labels` that `keep` wants. A set that was not met before gets the next
    /// number, which is [`LabelTable::len`] until then.
    pub(crate) fn number(&mut self, labels: &Labels, keep: impl Fn(&str, &str) -> bool) -> usize {
        let key = self.buffer.filter(labels, &keep);
        if self.sets.get(self.last).is_some_and(|last| last.key() == key) {
            return self.last;
        }
        self.last = match self.places.get(key) {
            Some(&known) => known,
            None => {
                let set = labels.filtered(keep);
                self.places.insert(Key(set.clone()), self.sets.len());
                self.sets.push(set);
                self.sets.len() - 1
            }
        };
        self.last
    }

    /// All sets, by number.
    pub(crate) fn sets(&self) -> &[Labels] {
        &self.sets
    }

    /// Number of sets.
    pub(crate) fn len(&self) -> usize {
        self.sets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_numbered_as_they_come() {
        let mut table = LabelTable::default();
        let mut number =
            |a: &str, b: &str| table.number(&Labels::from_pairs([("a", a), ("b", b)]), |name, _| name == "b");
        assert_eq!([number("1", "x"), number("2", "x"), number("1", "y"), number("3", "x")], [0, 0, 1, 0]);
        assert_eq!(number("3", ""), 2);
        let shown: Vec<String> = table.sets().iter().map(Labels::to_string).collect();
        assert_eq!(shown, [r#"{b="x"}"#, r#"{b="y"}"#, "{}"]);
    }
}
