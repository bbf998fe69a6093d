//! `rate`, `increase` and `delta` of plain floats: the loop that most queries spend their time in.
//!
//! The windows of most steps have their samples at the same places, so the share that is extrapolated is worked out
//! once for all steps in a row of which that is true.

use narthex_model::Timestamp;

use super::extrapolation::{Borders, zero_share};
use super::rate::{Change, Resets};
use crate::column::Places;
use crate::{StepColumn, Windows};

/// Where the samples of a window lie in it, and how far they are extrapolated.
struct Shape {
    before_ms: i64,
    sampled_ms: i64,
    after_ms: i64,
    samples: usize,
    borders: Borders,
    /// The factor unless the counter would have been zero within the window.
    factor: f64,
}

/// Fills `out` with the changes over `windows`, whose series has no histograms, and whose start times are not looked at.
pub(super) fn changes(
    change: Change,
    range_ms: i64,
    windows: &Windows<'_>,
    resets: &Resets,
    out: &mut StepColumn,
) {
    let floats = &windows.samples().floats;
    let (mut starts, mut ends) = (Places::new(&floats.timestamps), Places::new(&floats.timestamps));
    let mut known: Option<Shape> = None;
    out.fill_floats(|step| {
        let bounds = windows.bounds().get(step)?;
        if windows.is_stopped() {
            return None;
        }
        let (from, to) = (starts.up_to(bounds.start_ms), ends.up_to(bounds.end_ms));
        let samples = to.saturating_sub(from);
        if samples < 2 {
            return None;
        }
        let [first_ms, last_ms] = [floats.timestamps[from], floats.timestamps[to - 1]];
        let [first, last] = [floats.values[from], floats.values[to - 1]];
        let difference = resets.replayed(last - first, from + 1, to);
        let shape = shape_of(
            &mut known,
            change,
            range_ms,
            [bounds.start_ms, first_ms, last_ms, bounds.end_ms],
            samples,
        );
        Some(difference * shape.factor_of(zero_share(change, first, difference)))
    });
}

impl Shape {
    fn factor_of(&self, zero_share: Option<f64>) -> f64 {
        match zero_share {
            Some(share) if self.borders.is_cut_at_zero(share) => self.borders.factor(zero_share),
            _ => self.factor,
        }
    }
}

/// The shape of a window with samples between two of these instants, which rise.
#[inline(always)]
fn shape_of(
    known: &mut Option<Shape>,
    change: Change,
    range_ms: i64,
    [start_ms, first_ms, last_ms, end_ms]: [Timestamp; 4],
    samples: usize,
) -> &Shape {
    let (before_ms, sampled_ms, after_ms) = (first_ms - start_ms, last_ms - first_ms, end_ms - last_ms);
    known.take_if(|shape| {
        (shape.before_ms, shape.sampled_ms, shape.after_ms, shape.samples)
            != (before_ms, sampled_ms, after_ms, samples)
    });
    known.get_or_insert_with(|| {
        let borders = Borders::of_samples(change, range_ms, [start_ms, first_ms, last_ms, end_ms], samples);
        let factor = borders.factor(None);
        Shape { before_ms, sampled_ms, after_ms, samples, borders, factor }
    })
}
