//! Templates of labels and annotations, expanded for one series.

use narthex_eval::result::InstantSample;
use narthex_model::Timestamp;
use narthex_template::{Data, Limits, QuerySource, Sample, render};

use crate::definition::LabelText;
use crate::queries::RuleQueries;

/// Expands the texts of one rule for one series of its result: what it knows is the series, not what the rule sets.
pub(crate) struct Expander<'a> {
    pub(crate) alert: &'a str,
    pub(crate) data: Data,
    pub(crate) queries: &'a dyn RuleQueries,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(
        alert: &'a str,
        sample: &InstantSample,
        now_ms: Timestamp,
        queries: &'a dyn RuleQueries,
    ) -> Expander<'a> {
        let surroundings = queries.surroundings();
        let data = Data {
            labels: sample.labels.clone(),
            external_labels: surroundings.external_labels.clone(),
            external_url: surroundings.external_url.clone(),
            value: sample.value.clone(),
            now_ms,
        };
        Expander { alert, data, queries }
    }

    /// The text; of a template that fails, what a server says of it.
    pub(crate) fn expand(&self, text: &LabelText) -> String {
        let name = || format!("__alert_{}", self.alert);
        match text {
            LabelText::Plain(text) => text.clone(),
            LabelText::Template(template) => render(template, &self.data, self, Limits::GENEROUS)
                .unwrap_or_else(|error| {
                    let error = error.to_server_text(template, &name());
                    format!("<error expanding template: error executing template {}: {error}>", name())
                }),
            LabelText::Broken(error) => {
                let name = name();
                format!("<error expanding template: error parsing template {name}: template: {name}:{error}>")
            }
        }
    }
}

impl QuerySource for Expander<'_> {
    fn query(&self, expression: &str, at_ms: Timestamp) -> Result<Vec<Sample>, String> {
        let samples = self.queries.query(expression, at_ms).map_err(|error| error.to_string())?;
        Ok(samples.into_iter().map(|InstantSample { labels, value, .. }| Sample { labels, value }).collect())
    }
}
