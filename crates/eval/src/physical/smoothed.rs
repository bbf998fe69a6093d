//! `metric smoothed`: the value at a step, interpolated between the samples around it.
//!
//! A sample at the very instant is taken as it is. Without a later sample within the lookback the newest one is carried
//! on; without an earlier one there is nothing.

use std::sync::Arc;

use narthex_model::{CounterResetHint, FloatHistogram, Timestamp};
use narthex_storage::SampleBuffer;

use super::vector_selector::Lookup;
use crate::functions::extended::{Interpolate, IsCounter};
use crate::{AnnotationKind, StepColumn};

/// Fills the column of one series. `samples` hold no stale markers; `annotate` takes warnings that end with the metric
/// name.
pub(super) fn evaluate(
    lookup: &Lookup<'_>,
    samples: &SampleBuffer,
    column: &mut StepColumn,
    annotate: impl Fn(fn(String) -> AnnotationKind),
) {
    let (floats, histograms) = (&samples.floats, &samples.histograms);
    for (step, step_ms) in lookup.grid.timestamps().enumerate() {
        let at_ms = lookup.selector.shift.reference(step_ms);
        let float = Neighbours::around(&floats.timestamps, at_ms, lookup.lookback_ms);
        let histogram = Neighbours::around(&histograms.timestamps, at_ms, lookup.lookback_ms);
        match (float, histogram) {
            (Neighbours::None, Neighbours::None) => {}
            (found, Neighbours::None) => {
                if let Ok(Some(value)) = found.value(&floats.values, |_, _| IsCounter::No) {
                    column.set_float(step, value);
                }
            }
            (Neighbours::None, found) => match found.value(&histograms.values, is_counter) {
                Ok(Some(value)) => column.set_histogram(step, value),
                Ok(None) => {}
                Err(Incompatible) => annotate(AnnotationKind::MixedExponentialCustom),
            },
            _ => annotate(AnnotationKind::MixedFloatsHistograms),
        }
    }
}

/// Histograms count up unless both say that they are gauges.
fn is_counter(left: &Arc<FloatHistogram>, right: &Arc<FloatHistogram>) -> IsCounter {
    let is_gauge = |histogram: &FloatHistogram| histogram.counter_reset_hint == CounterResetHint::Gauge;
    if is_gauge(left) && is_gauge(right) { IsCounter::No } else { IsCounter::Yes }
}

/// Two histograms of different kinds.
struct Incompatible;

/// The samples around an instant, within the lookback on either side.
#[derive(Clone, Copy)]
enum Neighbours {
    /// None at all.
    None,
    /// Only later ones.
    Later,
    /// The newest one at or before the instant; it is at the instant, or no later one is known.
    Earlier(usize),
    /// That sample and the next, and how far between them the instant lies, from 0 to 1.
    Both(usize, f64),
}

impl Neighbours {
    fn around(timestamps: &[Timestamp], at_ms: Timestamp, lookback_ms: i64) -> Neighbours {
        let next = timestamps.partition_point(|&sample_ms| sample_ms <= at_ms);
        let later = timestamps.get(next).filter(|&&sample_ms| sample_ms <= at_ms.saturating_add(lookback_ms));
        let earlier = next.checked_sub(1).filter(|&at| timestamps[at] > at_ms.saturating_sub(lookback_ms));
        match (earlier, later) {
            (None, None) => Neighbours::None,
            (None, Some(_)) => Neighbours::Later,
            (Some(at), Some(&later_ms)) if timestamps[at] < at_ms => {
                let after_earlier = |at_ms: Timestamp| at_ms.saturating_sub(timestamps[at]) as f64;
                Neighbours::Both(at, after_earlier(at_ms) / after_earlier(later_ms))
            }
            (Some(at), _) => Neighbours::Earlier(at),
        }
    }

    fn value<T: Interpolate + Clone>(
        self,
        values: &[T],
        is_counter: impl Fn(&T, &T) -> IsCounter,
    ) -> Result<Option<T>, Incompatible> {
        match self {
            Neighbours::None | Neighbours::Later => Ok(None),
            Neighbours::Earlier(at) => Ok(Some(values[at].clone())),
            Neighbours::Both(at, share) => {
                let (left, right) = (&values[at], &values[at + 1]);
                left.between(right, share, is_counter(left, right)).map(Some).ok_or(Incompatible)
            }
        }
    }
}
