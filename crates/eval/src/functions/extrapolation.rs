//! How far beyond the samples of a window their difference is extrapolated, as Prometheus does it.

use narthex_model::Timestamp;

use super::rate::Change;

/// How far a window is extrapolated beyond its samples, in seconds. A border that is further than 1.1 average intervals
/// from its sample counts for half an interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Borders {
    sampled: f64,
    to_start: f64,
    to_end: f64,
    /// What the difference is divided by.
    per: Option<f64>,
}

impl Borders {
    /// Of a window between the first and the last of four rising instants, with `samples` samples, two at the least,
    /// from the second to the third.
    pub(super) fn of_samples(
        change: Change,
        range_ms: i64,
        [start_ms, first_ms, last_ms, end_ms]: [Timestamp; 4],
        samples: usize,
    ) -> Borders {
        let extent = Extent { change, range_ms, first_ms, last_ms, samples, start: None };
        Borders::new(&extent, start_ms, end_ms)
    }

    /// Of a window from `start_ms` to `end_ms`.
    pub(super) fn new(extent: &Extent, start_ms: Timestamp, end_ms: Timestamp) -> Borders {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        // Only samples tell how far apart samples are; a single one, counted from its start, is not extrapolated at all.
        let average = match extent.samples {
            0 | 1 => 0.0,
            samples => seconds(extent.last_ms - extent.first_ms) / (samples - 1) as f64,
        };
        let threshold = average * 1.1;
        let within = |gap: f64| if gap >= threshold { average / 2.0 } else { gap };
        let to_start = if extent.start.is_some() { 0.0 } else { seconds(extent.first_ms - start_ms) };
        Borders {
            sampled: seconds(extent.last_ms - extent.start.unwrap_or(extent.first_ms)),
            to_start: within(to_start),
            to_end: within(seconds(end_ms - extent.last_ms)),
            per: (extent.change == Change::CounterRate).then(|| seconds(extent.range_ms)),
        }
    }

    /// Whether a counter was zero within what would be extrapolated. `zero_share` is its first value over its
    /// difference: how many sampled intervals ago it was zero.
    pub(super) fn is_cut_at_zero(&self, zero_share: f64) -> bool {
        self.sampled * zero_share < self.to_start
    }

    /// The factor from the sampled difference to the result. A counter, which has a `zero_share`, is not extrapolated
    /// below zero.
    pub(super) fn factor(&self, zero_share: Option<f64>) -> f64 {
        let to_start = match zero_share {
            Some(share) if self.is_cut_at_zero(share) => self.sampled * share,
            _ => self.to_start,
        };
        let factor = (self.sampled + to_start + self.to_end) / self.sampled;
        self.per.map_or(factor, |seconds| factor / seconds)
    }
}

/// What decides how far beyond its samples a window is extrapolated, besides its borders.
pub(super) struct Extent {
    change: Change,
    range_ms: i64,
    first_ms: Timestamp,
    last_ms: Timestamp,
    samples: usize,
    start: Option<Timestamp>,
}

impl Extent {
    /// Of a window with samples at `timestamps`; `start` is when the counter is known to have been zero within it.
    /// `None` without samples.
    pub(super) fn of(
        change: Change,
        range_ms: i64,
        timestamps: &[Timestamp],
        start: Option<Timestamp>,
    ) -> Option<Extent> {
        let (&first_ms, &last_ms) = (timestamps.first()?, timestamps.last()?);
        Some(Extent { change, range_ms, first_ms, last_ms, samples: timestamps.len(), start })
    }
}

/// First value over difference: how far back, in sampled intervals, a counter would have been zero.
#[inline(always)]
pub(super) fn zero_share(change: Change, first: f64, difference: f64) -> Option<f64> {
    (change.is_counter() && difference > 0.0 && first >= 0.0).then(|| first / difference)
}
