//! The switches that change evaluation, under upstream's names.

use narthex_plan::{LogicalNode, LogicalPlan};

use crate::context::EvalOptions;
use crate::{EvalError, EvalErrorKind};

/// A switch of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EngineFeature {
    /// See [`EvalOptions::delayed_name_removal`].
    DelayedNameRemoval,
    /// See [`EvalOptions::start_timestamps`].
    StartTimestamps,
    /// See [`EvalOptions::type_and_unit_labels`].
    TypeAndUnitLabels,
}

/// All switches with the names that `--enable-feature` takes.
pub const ENGINE_FEATURES: [(EngineFeature, &str); 3] = [
    (EngineFeature::DelayedNameRemoval, "promql-delayed-name-removal"),
    (EngineFeature::StartTimestamps, "use-start-timestamps"),
    (EngineFeature::TypeAndUnitLabels, "type-and-unit-labels"),
];

/// Further names that `--enable-feature` of Prometheus takes or took: they concern a server, or what is now always so,
/// and change no result.
pub const OTHER_FEATURES: [&str; 27] = [
    "agent",
    "auto-gomaxprocs",
    "auto-gomemlimit",
    "auto-reload-config",
    "concurrent-rule-eval",
    "created-timestamp-zero-ingestion",
    "delayed-compaction",
    "exemplar-storage",
    "expand-external-labels",
    "extra-scrape-metrics",
    "memory-snapshot-on-shutdown",
    "metadata-wal-records",
    "native-histograms",
    "new-service-discovery-manager",
    "no-default-scrape-port",
    "old-ui",
    "ooo-native-histograms",
    "otlp-deltatocumulative",
    "otlp-native-delta-ingestion",
    "otlp-write-receiver",
    "promql-at-modifier",
    "promql-negative-offset",
    "promql-per-step-stats",
    "remote-write-receiver",
    "st-storage",
    "use-uncached-io",
    "utf8-names",
];

impl EngineFeature {
    /// The switch called `name`.
    pub fn by_name(name: &str) -> Option<EngineFeature> {
        ENGINE_FEATURES.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

impl EvalOptions {
    /// With one feature switched on.
    #[must_use]
    pub fn with(mut self, feature: EngineFeature) -> EvalOptions {
        match feature {
            EngineFeature::DelayedNameRemoval => self.delayed_name_removal = true,
            EngineFeature::StartTimestamps => self.start_timestamps = true,
            EngineFeature::TypeAndUnitLabels => self.type_and_unit_labels = true,
        }
        self
    }

    /// Refuses a plan that looks at a fixed time or into the future although that is not allowed.
    pub(crate) fn check(self, plan: &LogicalPlan) -> Result<(), EvalError> {
        if self.at_modifier && self.negative_offset {
            return Ok(());
        }
        let mut refused = None;
        plan.root.walk(&mut |node| {
            let shift = match node {
                LogicalNode::VectorSelector { selector, .. }
                | LogicalNode::MatrixSelector { selector, .. } => selector.shift,
                LogicalNode::Subquery { shift, .. } => *shift,
                _ => return,
            };
            let message = if shift.at_ms.is_some() && !self.at_modifier {
                "@ modifier is disabled"
            } else if shift.offset_ms < 0 && !self.negative_offset {
                "negative offset is disabled"
            } else {
                return;
            };
            refused.get_or_insert_with(|| EvalError::new(EvalErrorKind::Plan, message, node.span()));
        });
        refused.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use narthex_plan::QueryParameters;
    use narthex_promql::{ParseOptions, parse};

    use super::*;
    use crate::{Engine, EngineOptions};

    #[test]
    fn no_name_stands_in_two_lists() {
        let mut names: Vec<&str> = ENGINE_FEATURES.iter().map(|row| row.1).chain(OTHER_FEATURES).collect();
        names.extend(narthex_promql::features::FEATURES.iter().map(|row| row.1));
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    /// What an engine says that allows neither fixed times nor the future.
    fn refusal(query: &str) -> String {
        let eval = EvalOptions { at_modifier: false, negative_offset: false, ..EvalOptions::STABLE };
        let expr = parse(query, &ParseOptions::STABLE).into_result().unwrap();
        let parameters = QueryParameters::instant(0, 300_000, 60_000);
        let prepared =
            Engine::new(EngineOptions { eval, ..EngineOptions::STABLE }).prepare(&expr, parameters);
        prepared.err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn fixed_times_and_the_future_can_be_refused() {
        for query in ["a @ 1", "rate(a[5m] @ start())", "sum_over_time(a[5m:1m] @ end())", "a offset -5m @ 0"]
        {
            assert_eq!(refusal(query), "@ modifier is disabled", "{query}");
        }
        for query in ["a offset -5m", "1 + rate(a[5m] offset -1s)", "sum_over_time(a[5m:] offset (1s - 2s))"]
        {
            assert_eq!(refusal(query), "negative offset is disabled", "{query}");
        }
        assert_eq!(refusal("a offset 5m"), "");
    }
}
