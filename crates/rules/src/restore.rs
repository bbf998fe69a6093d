//! What alerts were before a restart: since when they are active is read back from `ALERTS_FOR_STATE`.

use std::collections::BTreeMap;

use narthex_model::labels::METRIC_NAME;
use narthex_model::sample::is_stale_nan;
use narthex_model::{Labels, LabelsBuilder, Matcher, TimeRange, Timestamp};
use narthex_storage::{Queryable, SampleBuffer, SelectHints, StorageError};

use crate::alert::Alert;
use crate::alerting::{ALERT_NAME, ALERTS_FOR_STATE, Restoration};
use crate::definition::{RuleDefinition, RuleKind};
use crate::group::Group;

/// How generous a restoration is. Both in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RestoreOptions {
    /// How long the server may have been down for state to be restored.
    pub outage_tolerance_ms: i64,
    /// What is left of `for` after a restart is at least this; rules with a shorter `for` start anew.
    pub for_grace_period_ms: i64,
}

impl RestoreOptions {
    /// What Prometheus uses: an hour, ten minutes.
    pub const PROMETHEUS: RestoreOptions =
        RestoreOptions { outage_tolerance_ms: 3_600_000, for_grace_period_ms: 600_000 };
}

/// The last sample of a series: its time and value.
type Last = (Timestamp, f64);

impl Group {
    /// Looks up since when the alerts that are active now were active before the restart. To be called once, after the
    /// first evaluations; alerts that are not in their results are not looked at. Rules write their series from then on.
    ///
    /// # Errors
    /// What the store said last. The rules whose state could not be read start anew.
    pub fn restore(
        &mut self,
        now_ms: Timestamp,
        storage: &dyn Queryable,
        options: RestoreOptions,
    ) -> Result<(), StorageError> {
        let range = TimeRange::new(now_ms.saturating_sub(options.outage_tolerance_ms), now_ms);
        let definition = self.definition().clone();
        let mut outcome = Ok(());
        for (rule, state) in definition.rules.iter().zip(&mut self.states) {
            let (RuleKind::Alerting { hold_for_ms, .. }, Some(state)) = (&rule.kind, &mut state.alerting)
            else {
                continue;
            };
            state.restoration = Restoration::Done;
            // A short wait is not worth restoring: it would become the grace period.
            if *hold_for_ms < options.for_grace_period_ms {
                continue;
            }
            match last_states(rule, range, storage) {
                Ok(known) => {
                    for alert in state.active.values_mut() {
                        if let Some(&last) = known.get(&alert.labels) {
                            alert.resume(now_ms, last, *hold_for_ms, options.for_grace_period_ms);
                        }
                    }
                }
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}

impl Alert {
    /// The time without a server does not count; one that was firing fires again with the next evaluation.
    fn resume(&mut self, now_ms: Timestamp, (seen_at_ms, since): Last, hold_for_ms: i64, grace_ms: i64) {
        let down_at_ms = seen_at_ms.div_euclid(1000) * 1000;
        let since_ms = (since as i64).saturating_mul(1000);
        let left_ms = hold_for_ms.saturating_sub(down_at_ms.saturating_sub(since_ms));
        self.active_at_ms = if left_ms <= 0 {
            since_ms
        } else if left_ms < grace_ms {
            now_ms.saturating_add(grace_ms).saturating_sub(hold_for_ms)
        } else {
            since_ms.saturating_add(now_ms.saturating_sub(down_at_ms))
        };
    }
}

/// What `ALERTS_FOR_STATE` last said of the alerts of a rule, by their labels; those that had ended are left out.
fn last_states(
    rule: &RuleDefinition,
    range: TimeRange,
    storage: &dyn Queryable,
) -> Result<BTreeMap<Labels, Last>, StorageError> {
    let mut wanted = LabelsBuilder::from_labels(&rule.raw_labels);
    let wanted = wanted.set(METRIC_NAME, ALERTS_FOR_STATE).set(ALERT_NAME, &rule.name).build();
    let matchers: Vec<Matcher> = wanted.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    let querier = storage.querier(range)?;
    let series = querier.select(&matchers, range, &SelectHints::default())?;
    let mut buffer = SampleBuffer::new();
    let mut known = BTreeMap::new();
    for number in 0..series.len() {
        series.read(number, range, &mut buffer)?;
        let floats = &buffer.floats;
        let last = floats.timestamps.last().zip(floats.values.last()).map(|(&at_ms, &value)| (at_ms, value));
        if let Some(last) = last.filter(|last| !is_stale_nan(last.1)) {
            known.insert(series.labels(number).filtered(|name, _| name != METRIC_NAME), last);
        }
    }
    Ok(known)
}
