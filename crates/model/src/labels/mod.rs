//! The identity of a series: an immutable set of names and values.

mod buffer;
mod builder;
mod difference;
mod name;
mod pairs;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh64::Xxh64;

pub use buffer::LabelsBuffer;
pub use builder::LabelsBuilder;
pub use difference::Difference;
pub use name::{is_legacy_label_name, is_legacy_metric_name, quote, write_label_name};
pub use pairs::{Iter, LABEL_TEXT_MAX};

use pairs::push_text;

/// The label that holds the metric name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds the metric type.
pub const METRIC_TYPE: &str = "__type__";
/// The label that holds the metric unit.
pub const METRIC_UNIT: &str = "__unit__";
/// The label that holds a classic bucket's upper bound.
pub const BUCKET_LABEL: &str = "le";

/// Names and values, sorted by name, each name once, no empty value (an empty value means absent).
///
/// One shared allocation: each string stands behind one character whose code point is the string's length in bytes.
/// That keeps the whole a `str` (no unsafe, no per-access validation), costs a byte per string, and makes equality and
/// hashing plain memory operations.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// The set without labels.
    pub fn empty() -> Labels {
        Labels(Arc::default())
    }

    /// From pairs in any order; of equal names the last wins, empty values are left out.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Labels {
        let mut pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
        // Stable, so that of equal names the last stays last.
        pairs.sort_by_key(|pair| pair.0);
        let mut text =
            String::with_capacity(pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
        for (at, &(name, value)) in pairs.iter().enumerate() {
            let is_replaced = pairs.get(at + 1).is_some_and(|next| next.0 == name);
            if !is_replaced && !value.is_empty() {
                push_text(&mut text, name);
                push_text(&mut text, value);
            }
        }
        Labels(text.into())
    }

    /// From pairs in name order, each name once; empty values are left out. Put together in `scratch`, whose content is
    /// gone then: who makes many sets allocates only what they keep.
    pub fn from_sorted<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        scratch: &mut String,
    ) -> Labels {
        scratch.clear();
        for (name, value) in pairs.into_iter().filter(|pair| !pair.1.is_empty()) {
            push_text(scratch, name);
            push_text(scratch, value);
        }
        Labels(Arc::from(scratch.as_str()))
    }

    /// Pairs in name order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.0 }
    }

    /// The value of a label, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        // To look on behind the place of an absent name costs less than to compare the order of each.
        self.iter().find(|pair| pair.0 == name).map(|pair| pair.1)
    }

    /// The value of a label, empty when it is absent: what matchers and joins see.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// The metric name, empty when there is none.
    pub fn metric_name(&self) -> &str {
        self.value(METRIC_NAME)
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Only the pairs that `keep` wants.
    pub fn filtered(&self, keep: impl FnMut(&str, &str) -> bool) -> Labels {
        let mut gathered = String::new();
        let last_run = self.gather(keep, &mut gathered);
        if last_run.len() == self.0.len() {
            return self.clone();
        }
        if gathered.is_empty() {
            return Labels(Arc::from(last_run));
        }
        gathered.push_str(last_run);
        Labels(Arc::from(gathered.as_str()))
    }

    /// Appends the pairs that `keep` wants, in runs of neighbours, but returns the last run instead: most sets lose
    /// their first pair only, and what is left need not be copied twice.
    fn gather(&self, mut keep: impl FnMut(&str, &str) -> bool, out: &mut String) -> &str {
        let mut run = self.iter();
        let mut pairs = run.clone();
        loop {
            let before = pairs.clone();
            let Some((name, value)) = pairs.next() else { return run.rest };
            if keep(name, value) {
                continue;
            }
            let kept = run.rest.len() - before.rest.len();
            if kept > 0 {
                out.reserve(self.0.len());
                out.push_str(&run.rest[..kept]);
            }
            run = pairs.clone();
        }
    }

    /// With this value of one label, whatever it was; an empty one removes the label.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Labels {
        let mut pairs = self.iter();
        let (mut before, mut behind) = (pairs.clone(), pairs.clone());
        while let Some((other, _)) = pairs.next() {
            match other.cmp(name) {
                Ordering::Less => (before, behind) = (pairs.clone(), pairs.clone()),
                Ordering::Equal => behind = pairs.clone(),
                Ordering::Greater => break,
            }
        }
        let mut text = String::with_capacity(self.0.len() + name.len() + value.len() + 2);
        text.push_str(&self.0[..self.0.len() - before.rest.len()]);
        if !value.is_empty() {
            push_text(&mut text, name);
            push_text(&mut text, value);
        }
        text.push_str(behind.rest);
        Labels(Arc::from(text.as_str()))
    }

    /// What equal sets have in common and others do not: something to look a set up by. Opaque, and no order.
    pub fn key(&self) -> &str {
        &self.0
    }

    /// Without metric name, type and unit: what an operation that makes a new quantity leaves.
    pub fn without_metric_identity(&self) -> Labels {
        self.filtered(|name, _| !matches!(name, METRIC_NAME | METRIC_TYPE | METRIC_UNIT))
    }

    /// XXH64 (seed 0) over name and value strings in order, each behind its length (one byte below 255, otherwise
    /// 255 and three little-endian bytes): the hash that `limit_ratio` selects by.
    pub fn xxh64(&self) -> u64 {
        let mut hash = Xxh64::new(0);
        for text in self.iter().flat_map(<[&str; 2]>::from) {
            match u8::try_from(text.len()) {
                Ok(length) if length < 255 => hash.update(&[length]),
                _ => {
                    let length = (text.len() as u32).to_le_bytes();
                    hash.update(&[255, length[0], length[1], length[2]]);
                }
            }
            hash.update(text.as_bytes());
        }
        hash.digest()
    }

    /// Whether both are one allocation: clones of one set.
    pub fn shares_text(&self, other: &Labels) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Bytes held, for memory accounting.
    pub fn size_bytes(&self) -> usize {
        self.0.len()
    }
}

impl Default for Labels {
    fn default() -> Labels {
        Labels::empty()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Labels {
        Labels::from_pairs(pairs)
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a str);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// `{a="1", b="2"}`, the metric name as an ordinary label, values quoted as Go does.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from("{");
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            write_label_name(&mut text, name);
            text.push('=');
            quote(&mut text, value.as_bytes());
        }
        text.push('}');
        f.write_str(&text)
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_come_back_sorted_once_and_without_empty_values() {
        let labels = Labels::from_pairs([("b", "2"), ("__name__", "up"), ("a", ""), ("b", "3")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("__name__", "up"), ("b", "3")]);
        assert_eq!(
            (labels.metric_name(), labels.get("a"), labels.value("b"), labels.len()),
            ("up", None, "3", 2)
        );
        assert_eq!(labels.to_string(), r#"{__name__="up", b="3"}"#);
        let sorted = [("__name__", "up"), ("a", ""), ("b", "3")];
        assert_eq!(Labels::from_sorted(sorted, &mut String::from("old")), labels);
        assert_eq!(labels.without_metric_identity().to_string(), r#"{b="3"}"#);
    }

    #[test]
    fn strings_of_every_length_class_survive() {
        for length in
            [0, 1, 127, 128, 254, 255, 2047, 0xd7ff, 0xd800, 0xe000, LABEL_TEXT_MAX, LABEL_TEXT_MAX + 9]
        {
            let value = "x".repeat(length);
            let labels = Labels::from_pairs([("a", value.as_str()), ("b", "1")]);
            assert_eq!(labels.value("a").len(), length.min(LABEL_TEXT_MAX));
            assert_eq!(labels.value("b"), "1");
        }
    }

    #[test]
    fn order_is_by_pairs_and_a_prefix_sorts_first() {
        let one = |pairs: &[(&'static str, &'static str)]| Labels::from_pairs(pairs.iter().copied());
        let sorted = [
            one(&[]),
            one(&[("a", "1")]),
            one(&[("a", "1"), ("b", "0")]),
            one(&[("a", "10")]),
            one(&[("b", "")]),
        ];
        assert!(sorted[..4].windows(2).all(|two| two[0] < two[1]));
        assert_eq!(sorted[4], sorted[0]);
    }

    pub(super) fn labels() -> impl Strategy<Value = Labels> {
        let text = prop_oneof![4 => "[ab]{0,2}", 1 => "a{20,40}", 1 => "[ab]{120,140}", 1 => "é{0,2}"];
        prop::collection::vec((text.clone(), text), 0..6)
            .prop_map(|pairs| pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
    }

    proptest! {
        #[test]
        fn a_filter_keeps_the_pairs_wanted(labels in labels(), kept in prop::collection::vec(any::<bool>(), 6)) {
            let mut wanted = kept.iter();
            let expected: Vec<_> =
                labels.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(pair, _)| pair).collect();
            let filtered = labels.filtered(|_, _| *wanted.next().unwrap());
            prop_assert_eq!(filtered.iter().collect::<Vec<_>>(), expected);
            let mut wanted = kept.iter();
            let mut buffer = LabelsBuffer::default();
            prop_assert_eq!(buffer.filter(&labels, |_, _| *wanted.next().unwrap()), filtered.key());
        }

        #[test]
        fn a_label_is_set_as_a_builder_does(labels in labels(), name in "[ab]{1,2}", value in "[ab]{0,2}") {
            let expected = LabelsBuilder::from_labels(&labels).set(&name, &value).build();
            prop_assert_eq!(labels.with(&name, &value), expected);
        }
    }

    #[test]
    fn the_hash_is_upstreams() {
        let labels = Labels::from_pairs([("__name__", "g"), ("x", "1"), ("y", "a")]);
        let offset = labels.xxh64() as f64 / 18_446_744_073_709_551_616.0;
        assert_eq!(offset, 0.422_857_067_948_688_3);
    }
}
