//! A group at work: one evaluation after the other, and what is carried over between them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use narthex_eval::result::InstantSample;
use narthex_model::sample::stale_nan;
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_storage::{Appender, StorageError};

use crate::alerting::{AlertingState, Bounds, Restoration};
use crate::definition::{GroupDefinition, RuleDefinition, RuleKind};
use crate::error::RuleError;
use crate::queries::RuleQueries;
use crate::recording::recorded;

/// A group and its state.
#[derive(Clone, Debug)]
pub struct Group {
    definition: Arc<GroupDefinition>,
    pub(crate) states: Vec<RuleState>,
    /// Series of rules that are gone: they end with the next evaluation.
    orphans: BTreeSet<Labels>,
}

/// What a rule leaves behind for its next evaluation.
#[derive(Clone, Debug)]
pub(crate) struct RuleState {
    /// The alerts of an alerting rule.
    pub(crate) alerting: Option<AlertingState>,
    /// The series it wrote last.
    written: BTreeSet<Labels>,
}

/// What came of one evaluation of one rule.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RuleOutcome {
    /// Samples the rule gave.
    pub samples: usize,
    /// What went wrong; of several refused samples the last.
    pub error: Option<RuleError>,
}

impl Group {
    /// A group that was never evaluated.
    pub fn new(definition: Arc<GroupDefinition>, restoration: Restoration) -> Group {
        let state = |rule: &RuleDefinition| RuleState {
            alerting: rule.is_alerting().then(|| AlertingState::new(&rule.name, restoration)),
            written: BTreeSet::new(),
        };
        let states = definition.rules.iter().map(state).collect();
        Group { definition, states, orphans: BTreeSet::new() }
    }

    /// What it evaluates.
    pub fn definition(&self) -> &GroupDefinition {
        &self.definition
    }

    /// The alerts of its alerting rules, in the order of the rules.
    pub fn alerting_rules(&self) -> impl Iterator<Item = &AlertingState> {
        self.states.iter().filter_map(|state| state.alerting.as_ref())
    }

    /// The same, to take out what is to be sent.
    pub fn alerting_rules_mut(&mut self) -> impl Iterator<Item = &mut AlertingState> {
        self.states.iter_mut().filter_map(|state| state.alerting.as_mut())
    }

    /// The alerts of rule number `index`; `None` for a recording rule.
    pub fn alerting_rule(&self, index: usize) -> Option<&AlertingState> {
        self.states.get(index)?.alerting.as_ref()
    }

    /// Evaluates all rules in their order, each seeing what those before it wrote; an outcome per rule. A rule that fails
    /// writes nothing and does not keep the others from being evaluated. Series that a rule wrote the last time and not
    /// now end with a stale marker.
    pub fn tick(
        &mut self,
        now_ms: Timestamp,
        queries: &dyn RuleQueries,
        appender: &mut dyn Appender,
    ) -> Vec<RuleOutcome> {
        let Group { definition, states, orphans } = self;
        let at_ms = now_ms.saturating_sub(definition.query_offset_ms);
        let rules = definition.rules.iter().zip(states).enumerate();
        let outcomes = rules.map(|(index, (rule, state))| {
            let limit = definition.limit;
            let result = queries
                .evaluate(index, rule, at_ms)
                .and_then(|samples| state.samples(rule, limit, samples, (now_ms, at_ms), queries));
            match result {
                Ok(samples) => state.write(&samples, at_ms, appender),
                Err(error) => RuleOutcome { samples: 0, error: Some(error) },
            }
        });
        let outcomes = outcomes.collect();
        end_series(orphans, at_ms, appender);
        outcomes
    }

    /// Takes over the state of the group that this one replaces. Rules are the same when name and labels are; of several
    /// that are, the first is the first. What the others wrote ends with the next evaluation.
    pub fn take_over(&mut self, mut from: Group) {
        let mut places: HashMap<(String, Labels), Vec<usize>> = HashMap::new();
        for (place, rule) in from.definition.rules.iter().enumerate().rev() {
            places.entry((rule.name.clone(), rule.raw_labels.clone())).or_default().push(place);
        }
        for (rule, state) in self.definition.rules.iter().zip(&mut self.states) {
            let same = places.get_mut(&(rule.name.clone(), rule.raw_labels.clone())).and_then(Vec::pop);
            let Some(old) = same.and_then(|place| from.states.get_mut(place)) else { continue };
            state.written = std::mem::take(&mut old.written);
            if let (Some(alerting), Some(old)) = (&mut state.alerting, &mut old.alerting) {
                alerting.active = std::mem::take(&mut old.active);
            }
        }
        self.orphans.append(&mut from.orphans);
        for state in &mut from.states {
            self.orphans.append(&mut state.written);
        }
    }

    /// Ends every series of a group that is no longer there. Upstream waits for two intervals before it does so, so that
    /// a renamed group can go on writing them: `now_ms` is when the group was taken away, not when this is called.
    pub fn retire(mut self, now_ms: Timestamp, appender: &mut dyn Appender) {
        for state in &mut self.states {
            self.orphans.append(&mut state.written);
        }
        let at_ms = now_ms.saturating_sub(self.definition.query_offset_ms);
        end_series(&mut self.orphans, at_ms, appender);
    }
}

impl RuleState {
    /// What the rule makes of its result: the samples to be written.
    fn samples(
        &mut self,
        rule: &RuleDefinition,
        limit: Option<usize>,
        samples: Vec<InstantSample>,
        (now_ms, at_ms): (Timestamp, Timestamp),
        queries: &dyn RuleQueries,
    ) -> Result<Vec<InstantSample>, RuleError> {
        let (RuleKind::Alerting { hold_for_ms, keep_firing_for_ms, annotations }, Some(state)) =
            (&rule.kind, &mut self.alerting)
        else {
            return recorded(rule, limit, samples);
        };
        let found = state.candidates(rule, annotations, &samples, now_ms, queries)?;
        let bounds = Bounds { hold_for_ms: *hold_for_ms, keep_firing_for_ms: *keep_firing_for_ms, limit };
        state.advance(now_ms, found, bounds)?;
        if state.restoration == Restoration::Awaited {
            return Ok(Vec::new());
        }
        let series = state.state_series(rule).into_iter().flat_map(|(alerts, for_state, active_at_ms)| {
            let since = active_at_ms.div_euclid(1000) as f64;
            [
                InstantSample { labels: alerts, at_ms, value: 1.0.into() },
                InstantSample { labels: for_state, at_ms, value: since.into() },
            ]
        });
        Ok(series.collect())
    }

    /// Writes samples, ends the series that are not among them, and makes both visible.
    fn write(
        &mut self,
        samples: &[InstantSample],
        at_ms: Timestamp,
        appender: &mut dyn Appender,
    ) -> RuleOutcome {
        let mut outcome = RuleOutcome { samples: samples.len(), error: None };
        if samples.is_empty() && self.written.is_empty() {
            return outcome;
        }
        let mut written = BTreeSet::new();
        for InstantSample { labels, value, .. } in samples {
            match appender.append(labels, at_ms, value.clone(), 0) {
                Ok(()) => {
                    written.insert(labels.clone());
                }
                Err(error) => outcome.error = Some(RuleError::Append(error)),
            }
        }
        for labels in self.written.difference(&written) {
            end(labels, at_ms, appender);
        }
        match appender.commit() {
            Ok(()) => self.written = written,
            Err(error) => outcome.error = Some(RuleError::Append(error)),
        }
        outcome
    }
}

/// Ends series; they stay in the set when that cannot be made visible.
fn end_series(series: &mut BTreeSet<Labels>, at_ms: Timestamp, appender: &mut dyn Appender) {
    if series.is_empty() {
        return;
    }
    for labels in &*series {
        end(labels, at_ms, appender);
    }
    if appender.commit().is_ok() {
        series.clear();
    }
}

/// A series that another rule writes as well has a sample there already, or a later one: it goes on.
fn end(labels: &Labels, at_ms: Timestamp, appender: &mut dyn Appender) {
    let _: Result<(), StorageError> = appender.append(labels, at_ms, SampleValue::Float(stale_nan()), 0);
}
