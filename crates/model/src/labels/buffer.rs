//! Label sets that are looked up before they are made.

use super::Labels;

/// Room for the inner form of one set after the other: who looks for sets among known ones allocates only new ones.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuffer(String);

impl LabelsBuffer {
    /// The [`Labels::key`] of the set of only those pairs of `labels` that `keep` wants.
    pub fn filter<'a>(&'a mut self, labels: &Labels, keep: impl FnMut(&str, &str) -> bool) -> &'a str {
        self.0.clear();
        let last_run = labels.gather(keep, &mut self.0);
        self.0.push_str(last_run);
        &self.0
    }
}
