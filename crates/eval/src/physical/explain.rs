//! The tree of operators as text, for people.

use std::sync::Arc;

use narthex_model::{Labels, Matcher, TimeRange};
use narthex_plan::{LogicalNode, LogicalPlan};
use narthex_promql::ValueType;
use narthex_storage::{Querier, SampleBuffer, SelectHints, SeriesSet, StorageError};

use super::Description;
use super::build::Builder;
use super::histogram_stats::HistogramDetail;
use super::shared::{Outlines, Sharing};
use super::tally::Counting;
use crate::{EngineOptions, EvalError, QueryContext};

/// One line per operator, inputs indented below.
pub(crate) fn explain(plan: &LogicalPlan, options: &EngineOptions) -> Result<String, EvalError> {
    let parameters = &plan.parameters;
    let context = QueryContext::new(*parameters, options.limits, options.eval);
    let builder = Builder {
        querier: &NoData,
        options: options.eval,
        limits: options.limits,
        histograms: HistogramDetail::Full,
        counting: Counting::Nothing,
        parameters,
        sharing: Some(Arc::new(Sharing::new(context.clone(), Outlines::Kept))),
        context,
    };
    let mut text = String::new();
    if let LogicalNode::Text { value, .. } = &plan.root {
        text = format!("string {value:?}\n");
    } else if plan.root.value_type() == ValueType::RangeVector {
        write(&mut text, builder.windows(&plan.root, parameters.grid)?.describe());
    } else {
        write(&mut text, builder.root(&plan.root)?.describe());
    }
    Ok(text)
}

/// Chains of operators may be long: they are walked, not recursed into.
fn write(text: &mut String, root: Description<'_>) {
    let mut rest = vec![(root, 0)];
    while let Some((Description { line, inputs }, depth)) = rest.pop() {
        text.extend(std::iter::repeat_n("  ", depth));
        text.push_str(&line);
        text.push('\n');
        rest.extend(inputs.into_iter().rev().map(|input| (input.describe(), depth + 1)));
    }
}

/// A store that is never read: operators read when they are run, not when they are made.
struct NoData;

impl Querier for NoData {
    fn select(
        &self,
        _: &[Matcher],
        _: TimeRange,
        _: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        Ok(Box::new(NoSeries(Labels::empty())))
    }

    fn label_names(&self, _: &[Matcher]) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &[Matcher]) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}

/// Its selections; the labels are there to have something to refer to.
struct NoSeries(Labels);

impl SeriesSet for NoSeries {
    fn len(&self) -> usize {
        0
    }

    fn labels(&self, _: usize) -> &Labels {
        &self.0
    }

    fn read(&self, _: usize, _: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        samples.clear();
        Ok(())
    }
}
