//! Selectors and subqueries, by looking at everything.

use std::collections::BTreeMap;

use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, TimeRange, Timestamp};
use narthex_promql::ast::{AtValue, MatrixSelector, Modifiers, Subquery, VectorSelector};
use narthex_storage::{Queryable, SampleBuffer, SelectHints};

use super::{Element, Oracle, OracleError, Value, Window, failed, unsupported};

/// A series and all its samples.
pub(super) struct Stored {
    labels: Labels,
    samples: Vec<(Timestamp, f64)>,
    /// Whether there is something beside plain floats.
    is_plain: bool,
}

/// The whole store.
pub(super) fn read_all(store: &dyn Queryable) -> Result<Vec<Stored>, OracleError> {
    let failure = |error| OracleError::Failed(format!("expanding series: {error}"));
    let querier = store.querier(TimeRange::ALL).map_err(failure)?;
    let set = querier.select(&[], TimeRange::ALL, &SelectHints::default()).map_err(failure)?;
    let mut buffer = SampleBuffer::new();
    let mut stored = Vec::new();
    for number in 0..set.len() {
        set.read(number, TimeRange::ALL, &mut buffer).map_err(failure)?;
        let floats = &buffer.floats;
        stored.push(Stored {
            labels: set.labels(number).clone(),
            samples: floats.timestamps.iter().copied().zip(floats.values.iter().copied()).collect(),
            is_plain: buffer.histograms.timestamps.is_empty() && floats.start_timestamps.is_empty(),
        });
    }
    Ok(stored)
}

impl Oracle<'_> {
    fn selected(&self, node: &VectorSelector) -> Result<Vec<&Stored>, OracleError> {
        if node.modifiers.extension.is_some() {
            return unsupported("extended windows");
        }
        let matchers: Vec<_> = node.all_matchers().collect();
        let is_wanted =
            |series: &&Stored| matchers.iter().all(|one| one.matches(series.labels.value(one.name())));
        let selected: Vec<&Stored> = self.stored.iter().filter(is_wanted).collect();
        if selected.iter().all(|series| series.is_plain) {
            Ok(selected)
        } else {
            unsupported("histograms and start timestamps")
        }
    }

    /// Where a selector or subquery looks from.
    fn reference_ms(&self, modifiers: &Modifiers, at_ms: Timestamp) -> Result<Timestamp, OracleError> {
        let at_ms = match modifiers.at.map(|at| at.value) {
            None => at_ms,
            Some(AtValue::Timestamp(fixed_ms)) => fixed_ms,
            Some(AtValue::Start) => self.parameters.grid.start_ms,
            Some(AtValue::End) => self.parameters.end_ms,
        };
        let offset_ms = match &modifiers.offset {
            None => 0,
            Some(offset) => {
                offset.value.evaluate_ms(self.scope()).or_else(|error| failed(error.to_string()))?
            }
        };
        Ok(at_ms.saturating_sub(offset_ms))
    }

    pub(super) fn instant_selector(
        &self,
        node: &VectorSelector,
        at_ms: Timestamp,
    ) -> Result<Vec<Element>, OracleError> {
        let reference_ms = self.reference_ms(&node.modifiers, at_ms)?;
        let lookback = TimeRange::left_open(reference_ms - self.parameters.lookback_ms, reference_ms);
        let newest = |series: &&Stored| {
            let (taken_ms, value) =
                *series.samples.iter().rev().find(|sample| lookback.contains(sample.0))?;
            let element = Element { labels: series.labels.clone(), drops_name: false, value, taken_ms };
            (!is_stale_nan(value)).then_some(element)
        };
        Ok(self.selected(node)?.iter().filter_map(newest).collect())
    }

    pub(super) fn range_selector(
        &self,
        node: &MatrixSelector,
        at_ms: Timestamp,
    ) -> Result<Vec<Window>, OracleError> {
        let range_ms =
            node.range.evaluate_positive_ms(self.scope()).or_else(|error| failed(error.to_string()))?;
        let end_ms = self.reference_ms(&node.selector.modifiers, at_ms)?;
        let inside = TimeRange::left_open(end_ms - range_ms, end_ms);
        let window = |series: &&Stored| Window {
            labels: series.labels.clone(),
            drops_name: false,
            samples: series
                .samples
                .iter()
                .filter(|sample| inside.contains(sample.0) && !is_stale_nan(sample.1))
                .copied()
                .collect(),
            start_ms: end_ms - range_ms,
            end_ms,
        };
        Ok(self.selected(&node.selector)?.iter().map(window).collect())
    }

    pub(super) fn subquery(&self, node: &Subquery, at_ms: Timestamp) -> Result<Vec<Window>, OracleError> {
        let positive = |duration: &narthex_promql::ast::DurationExpr| {
            duration.evaluate_positive_ms(self.scope()).or_else(|error| failed(error.to_string()))
        };
        let range_ms = positive(&node.range)?;
        let step_ms = node.step.as_ref().map_or(Ok(self.parameters.subquery_step_ms), positive)?;
        let end_ms = self.reference_ms(&node.modifiers, at_ms)?;
        let start_ms = end_ms - range_ms;
        let mut series: BTreeMap<Labels, (bool, Vec<(Timestamp, f64)>)> = BTreeMap::new();
        let mut inner_ms = (start_ms.div_euclid(step_ms) + 1) * step_ms;
        while inner_ms <= end_ms {
            let elements = match self.value(&node.expr, inner_ms)? {
                Value::Vector(elements) => elements,
                Value::Scalar(value) => vec![Element::unlabelled(value)],
                _ => return unsupported("windows within windows"),
            };
            for element in elements {
                let (drops_name, samples) = series.entry(element.labels).or_default();
                *drops_name |= element.drops_name;
                samples.push((inner_ms, element.value));
            }
            inner_ms += step_ms;
        }
        let windows = series.into_iter();
        Ok(windows
            .map(|(labels, (drops_name, samples))| Window { labels, drops_name, samples, start_ms, end_ms })
            .collect())
    }
}
