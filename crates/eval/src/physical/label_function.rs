//! Labels rewritten: `label_replace` and `label_join`. Values are not touched.

use std::sync::Arc;

use narthex_diag::Span;
use narthex_model::labels::METRIC_NAME;
use narthex_model::{Labels, Text};
use narthex_plan::LogicalNode;
use narthex_promql::functions::LabelFunction;
use narthex_regex::Regex;

use super::relabel::SeriesList;
use super::{Description, Operator, SeriesMetadata};
use crate::column::SeriesBatch;
use crate::memory::Reservation;
use crate::{EvalError, QueryContext};

/// Rewrites the labels of its input's series.
pub(super) struct LabelFunctionOperator<'a> {
    rewrite: Rewrite,
    input: Box<dyn Operator + 'a>,
    output: Reservation,
}

/// How one label is set.
enum Rewrite {
    Replace { target: String, replacement: String, source: String, regex: Regex },
    Join { target: String, separator: String, sources: Vec<String> },
}

impl<'a> LabelFunctionOperator<'a> {
    /// `texts` are the string arguments in order.
    ///
    /// # Errors
    /// When a label name or the regular expression is not valid.
    pub(super) fn new(
        function: LabelFunction,
        texts: &[&LogicalNode],
        input: Box<dyn Operator + 'a>,
        span: Span,
    ) -> Result<LabelFunctionOperator<'a>, EvalError> {
        let texts: Vec<&Text> = texts.iter().filter_map(|node| text_of(node)).collect();
        let rewrite = match (function, texts.as_slice()) {
            (LabelFunction::Replace, [target, replacement, source, pattern]) => Rewrite::Replace {
                // First, so that of two mistakes it is the one that upstream reports.
                regex: anchored(pattern, span)?,
                target: label_name(target, "destination", function, span)?,
                replacement: replacement.to_str_lossy().into_owned(),
                source: source.to_str_lossy().into_owned(),
            },
            (LabelFunction::Join, [target, separator, sources @ ..]) => Rewrite::Join {
                target: label_name(target, "destination", function, span)?,
                separator: separator.to_str_lossy().into_owned(),
                sources: sources
                    .iter()
                    .map(|source| label_name(source, "source", function, span))
                    .collect::<Result<_, _>>()?,
            },
            _ => return Err(EvalError::execution("label functions take string literals", span)),
        };
        Ok(LabelFunctionOperator { rewrite, input, output: Reservation::default() })
    }
}

/// A string argument; optimizer passes may have wrapped it.
fn text_of(node: &LogicalNode) -> Option<&Text> {
    match node {
        LogicalNode::Text { value, .. } => Some(value),
        LogicalNode::StepInvariant { expr } => text_of(expr),
        _ => None,
    }
}

fn anchored(pattern: &Text, span: Span) -> Result<Regex, EvalError> {
    let shown = pattern.to_str_lossy();
    let invalid =
        || EvalError::execution(format!("invalid regular expression in label_replace(): {shown}"), span);
    pattern.as_str().and_then(|pattern| Regex::new(pattern).ok()).ok_or_else(invalid)
}

fn label_name(name: &Text, role: &str, function: LabelFunction, span: Span) -> Result<String, EvalError> {
    match name.as_str() {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => {
            let caller = match function {
                LabelFunction::Replace => "label_replace",
                LabelFunction::Join => "label_join",
            };
            let shown = name.to_str_lossy();
            Err(EvalError::execution(format!("invalid {role} label name in {caller}(): {shown}"), span))
        }
    }
}

impl Rewrite {
    /// The new value of the target label; `None` leaves the series as it is.
    fn value(&self, labels: &Labels) -> Option<String> {
        match self {
            Rewrite::Replace { replacement, source, regex, .. } => {
                let mut value = String::new();
                regex.captures(labels.value(source))?.expand(replacement, &mut value);
                Some(value)
            }
            Rewrite::Join { separator, sources, .. } => {
                let values: Vec<&str> = sources.iter().map(|source| labels.value(source)).collect();
                Some(values.join(separator))
            }
        }
    }

    /// How long the new value may become, known without making it.
    fn value_bytes(&self, labels: &Labels) -> usize {
        match self {
            Rewrite::Replace { replacement, source, .. } => {
                // Each reference to a group yields the source at most.
                let references = replacement.bytes().filter(|byte| *byte == b'$').count();
                replacement.len() + references.saturating_mul(labels.value(source).len())
            }
            Rewrite::Join { separator, sources, .. } => {
                sources.iter().map(|source| separator.len() + labels.value(source).len()).sum()
            }
        }
    }

    fn target(&self) -> &str {
        match self {
            Rewrite::Replace { target, .. } | Rewrite::Join { target, .. } => target,
        }
    }

    /// A name that is written here is meant to stay.
    fn apply(&self, series: &SeriesMetadata) -> SeriesMetadata {
        let Some(value) = self.value(&series.labels) else { return series.clone() };
        let labels = series.labels.with(self.target(), &value);
        SeriesMetadata { labels, drops_name: series.drops_name && self.target() != METRIC_NAME }
    }
}

impl Operator for LabelFunctionOperator<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let input = self.input.series(context)?;
        let mut list = SeriesList::new(context)?;
        for series in input.iter() {
            // The value, the new labels and what they are made from are there at the same time.
            drop(context.reserve(3 * self.rewrite.value_bytes(&series.labels))?);
            list.push(context, self.rewrite.apply(series), Some(series))?;
        }
        let (series, held) = list.finish()?;
        self.output = held;
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        self.input.next_batch(context, batch)
    }

    fn describe(&self) -> Description<'_> {
        let line = match &self.rewrite {
            Rewrite::Replace { target, .. } => format!("label_replace {target:?}"),
            Rewrite::Join { target, .. } => format!("label_join {target:?}"),
        };
        Description { line, inputs: vec![&*self.input] }
    }
}
