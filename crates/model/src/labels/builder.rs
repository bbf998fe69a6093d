//! Changing labels: from nothing or from a base set.

use super::{Labels, push_text};

/// Collects pairs, in time that grows with their number and no faster, and makes a [`Labels`] of them; reusable through [`LabelsBuilder::reset`].
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder {
    /// In any order; of equal names the last counts.
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    /// Without labels.
    pub fn new() -> LabelsBuilder {
        LabelsBuilder::default()
    }

    /// Starting from the labels of a set.
    pub fn from_labels(labels: &Labels) -> LabelsBuilder {
        LabelsBuilder { pairs: labels.iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// Forgets everything and starts from `labels`.
    pub fn reset(&mut self, labels: &Labels) {
        self.pairs.clear();
        self.pairs.extend(labels.iter().map(|(name, value)| (name.into(), value.into())));
    }

    /// Sets a label, replacing its value; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) -> &mut LabelsBuilder {
        self.pairs.push((name.into(), value.into()));
        self
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) -> &mut LabelsBuilder {
        self.pairs.retain(|pair| pair.0 != name);
        self
    }

    /// Keeps only the labels whose name `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) -> &mut LabelsBuilder {
        self.pairs.retain(|pair| keep(&pair.0));
        self
    }

    /// The present value of a label, empty when absent.
    pub fn value(&self, name: &str) -> &str {
        self.pairs.iter().rfind(|pair| pair.0 == name).map_or("", |pair| &pair.1)
    }

    /// The set; the builder keeps its pairs.
    pub fn build(&mut self) -> Labels {
        // Stable and backwards, so that of equal names the last comes first.
        self.pairs.reverse();
        self.pairs.sort_by(|a, b| a.0.cmp(&b.0));
        self.pairs.dedup_by(|later, first| later.0 == first.0);
        self.pairs.retain(|pair| !pair.1.is_empty());
        let mut text =
            String::with_capacity(self.pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
        for (name, value) in &self.pairs {
            push_text(&mut text, name);
            push_text(&mut text, value);
        }
        Labels(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_replaces_and_removes() {
        let base = Labels::from_pairs([("a", "1"), ("b", "2")]);
        let mut builder = LabelsBuilder::from_labels(&base);
        builder.set("b", "").set("c", "3").set("a", "9").set("a", "8");
        assert_eq!(builder.build().to_string(), r#"{a="8", c="3"}"#);
        builder.set("c", "").set("a", "7");
        assert_eq!((builder.value("a"), builder.value("c")), ("7", ""));
        assert_eq!(builder.build().to_string(), r#"{a="7"}"#);
        builder.reset(&base);
        assert_eq!(builder.remove("a").build().to_string(), r#"{b="2"}"#);
    }
}
