//! The series of a recording rule.

use std::collections::HashSet;

use narthex_eval::result::InstantSample;
use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, LabelsBuilder};

use crate::definition::{LabelText, RuleDefinition};
use crate::error::RuleError;

/// The result with the rule's name and labels: an empty label removes what the series has.
pub(crate) fn recorded(
    rule: &RuleDefinition,
    limit: Option<usize>,
    mut samples: Vec<InstantSample>,
) -> Result<Vec<InstantSample>, RuleError> {
    for sample in &mut samples {
        sample.labels = rule.recorded_labels(&sample.labels);
    }
    let mut seen = HashSet::new();
    if samples.len() > 1 && samples.iter().any(|sample| !seen.insert(&sample.labels)) {
        return Err(RuleError::DuplicateSeries);
    }
    let count = samples.len();
    match limit.filter(|&limit| count > limit) {
        Some(limit) => Err(RuleError::LimitExceeded { limit, count, what: "series" }),
        None => Ok(samples),
    }
}

impl RuleDefinition {
    /// The labels that a recording rule gives a series of its result.
    pub fn recorded_labels(&self, series: &Labels) -> Labels {
        let mut builder = LabelsBuilder::from_labels(series);
        builder.set(METRIC_NAME, &self.name);
        for (name, text) in &self.labels {
            if let LabelText::Plain(text) = text {
                builder.set(name, text);
            }
        }
        builder.build()
    }
}
