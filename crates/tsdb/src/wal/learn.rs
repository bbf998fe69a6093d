//! What is to be expected of a series, learned from the scrapes since its last key.
//!
//! Three ways to go on are compared: from the last value, from the mean, along a line. Each was noted when the last key
//! was written, so that what it would have cost since is what it is likely to cost from now on.

use super::model::{Model, Scale, width};
use crate::integers::folded;

/// Scrapes between two keys that are looked at.
pub(super) const ROWS: usize = 8;
/// What an exception costs besides the bits of its difference.
const EXCEPTION_BITS: u32 = 16;
/// Few differences are seen: the largest to come is so many times as large.
const EXCESS: f64 = 1.5;
/// The same where the next key is to last for longer, which lets series stray further.
const EXCESS_GROWING: f64 = 2.0;

/// Ways to go on from a key, in steps of the scale beyond the base of its model.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Ways {
    /// From the value at its time.
    value: f32,
    /// From the mean before it; not a number when nothing was known.
    mean: f32,
    /// Along a line from here…
    line: f32,
    /// …so much per millisecond.
    slope: f32,
}

impl Ways {
    const UNKNOWN: Ways = Ways { value: 0.0, mean: f32::NAN, line: f32::NAN, slope: 0.0 };
}

/// What scrapes have shown of the series of a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    ways: Vec<Ways>,
    /// Zeros at the end of all numbers so far.
    zeros: Vec<u8>,
    /// The scale in which all values so far have numbers.
    scales: Vec<Scale>,
    /// Times since the key, and what each value was beyond expectation then; not a number when there was none.
    rows: Vec<(i64, Vec<f32>)>,
}

impl Evidence {
    /// Begins a row for a scrape so long after the key.
    pub(super) fn begin_row(&mut self, elapsed_ms: i64) {
        self.rows.push((elapsed_ms, vec![f32::NAN; self.ways.len()]));
    }

    /// Notes a value in the last row.
    #[inline]
    pub(super) fn note(&mut self, place: usize, model: &Model, difference: i64, elapsed_ms: i64) {
        if let Some((_, row)) = self.rows.last_mut() {
            row[place] = difference as f32;
            let zeros = model.expected(elapsed_ms).wrapping_add(difference).trailing_zeros() as u8;
            self.zeros[place] = self.zeros[place].min(zeros.saturating_add(model.shift));
        }
    }

    /// Notes a value that has no number in the model.
    pub(super) fn note_misfit(&mut self, place: usize, value: u64) {
        if !f64::from_bits(value).is_finite() {
            return;
        }
        let scale = self.scales[place].max(Scale::of(value));
        let zeros = scale.number(value).map_or(0, i64::trailing_zeros) as u8;
        let is_finer = scale != self.scales[place];
        self.zeros[place] = if is_finer { 0 } else { self.zeros[place].min(zeros) };
        self.scales[place] = scale;
    }

    fn push(&mut self, ways: Ways, scale: Scale, zeros: u8) {
        self.ways.push(ways);
        self.scales.push(scale);
        self.zeros.push(zeros);
    }

    /// Adds a series of which nothing is known but this value.
    pub(super) fn push_new(&mut self, value: u64) -> Model {
        let scale = if f64::from_bits(value).is_finite() { Scale::of(value) } else { Scale::WHOLE };
        let base = scale.number(value).unwrap_or(0);
        self.push(Ways::UNKNOWN, scale, base.trailing_zeros() as u8);
        Model { base, slope: 0.0, scale, shift: 0, width: 0 }
    }

    /// Adds a series with what an earlier key and the scrapes since tell of it.
    pub(super) fn push_learned(&mut self, past: &Past<'_>, place: usize, value: u64) -> Model {
        let found = past.go_on(place, value);
        let Some((scale, from)) = found else { return self.push_new(value) };
        let zeros = past.evidence.zeros[place];
        let base = from.base.wrapping_add(from.offset as i64);
        self.push(from.next, scale, zeros);
        let shift = if zeros < from.width { zeros } else { 0 };
        let (width, slope) = (from.width - shift, from.slope / (1u64 << shift) as f64);
        let error_max =
            (0.25 + f64::from(1u32 << width.min(30)) / 16.0) / (4.0 * past.elapsed_ms.max(1) as f64);
        Model { base: base >> shift, slope: trimmed(slope, error_max), scale, shift, width }
    }
}

/// The shortest slope that is no further off.
fn trimmed(slope: f64, error_max: f64) -> f32 {
    let bits = (slope as f32).to_bits();
    let cut = |zeros: u32| f32::from_bits(bits >> zeros << zeros);
    let is_near = |short: &f32| (f64::from(*short) - slope).abs() <= error_max;
    if slope.abs() <= error_max {
        return 0.0;
    }
    (0..23).rev().map(cut).find(is_near).unwrap_or(slope as f32)
}

/// A key that is to be replaced, with what scrapes have shown since.
pub(super) struct Past<'a> {
    pub(super) models: &'a [Model],
    pub(super) evidence: &'a Evidence,
    /// Age of the key.
    pub(super) elapsed_ms: i64,
    /// Whether the next key is to last for longer.
    pub(super) is_growing: bool,
}

/// How a series goes on, in steps of its scale.
struct GoingOn {
    /// Base of the earlier model.
    base: i64,
    /// What the series begins at beyond that.
    offset: f64,
    slope: f64,
    width: u8,
    next: Ways,
}

impl Past<'_> {
    /// How the series at a place goes on from a value, and its scale; `None` when too little is known.
    fn go_on(&self, place: usize, value: u64) -> Option<(Scale, GoingOn)> {
        let (model, scale) = (&self.models[place], self.evidence.scales[place]);
        let steps = scale.steps_of(model.scale)?;
        let base = scale.number(model.value(0, 0))?;
        let unit = steps * (1u64 << model.shift) as f64;
        let slope = f64::from(model.slope) * unit;
        let expected = slope * self.elapsed_ms as f64;
        let finite = Some(value).filter(|value| f64::from_bits(*value).is_finite());
        let now = match finite {
            Some(value) => scale.number(value)?.wrapping_sub(base) as f64,
            None => expected,
        };
        let mut points = Points::default();
        for (elapsed_ms, row) in &self.evidence.rows {
            let at = *elapsed_ms as f64;
            points.push(at, f64::from(row[place]) * unit + slope * at);
        }
        let ways = self.evidence.ways[place];
        let ways = [ways.value, ways.mean, ways.line, ways.slope].map(|one| f64::from(one) * steps);
        let found = points.best(ways, self.elapsed_ms as f64, now, self.is_growing);
        let (offset, slope, width, next) =
            found.unwrap_or((now, slope, model.width.saturating_add(model.shift).min(64), Ways::UNKNOWN));
        Some((scale, GoingOn { base, offset, slope, width, next }))
    }
}

/// Some values of a series over time.
#[derive(Default)]
struct Points {
    points: [(f64, f64); ROWS],
    count: usize,
}

impl Points {
    /// Adds a point if there is a value and room for it.
    fn push(&mut self, at: f64, value: f64) {
        if !value.is_nan() && self.count < ROWS {
            self.points[self.count] = (at, value);
            self.count += 1;
        }
    }

    fn all(&self) -> &[(f64, f64)] {
        &self.points[..self.count]
    }

    fn mean(&self, of: impl Fn(&(f64, f64)) -> f64) -> f64 {
        self.all().iter().map(of).sum::<f64>() / self.count as f64
    }

    /// Where a series begins and its slope, the bits of a difference, the ways to go on later; `None` without points
    /// enough. `ways` are value, mean, line and slope as they were known before the points.
    fn best(&self, ways: [f64; 4], now: f64, value: f64, is_growing: bool) -> Option<(f64, f64, u8, Ways)> {
        if self.count < 3 {
            return None;
        }
        let (mean_at, mean) = (self.mean(|point| point.0), self.mean(|point| point.1));
        let spread = self.mean(|point| (point.0 - mean_at).powi(2));
        let slope = self.mean(|point| (point.0 - mean_at) * (point.1 - mean)) / spread.max(1.0);
        let line = |at: f64| mean + slope * (at - mean_at);
        let [before, mean_before, line_before, slope_before] =
            if ways[1].is_nan() { [ways[0], mean, line(0.0), slope] } else { ways };
        let excess = if is_growing { EXCESS_GROWING } else { EXCESS };
        let mut best = (value, 0.0, self.width(|_, value| value - before, excess));
        let of_mean = self.width(|_, value| value - mean_before, EXCESS);
        if of_mean.1 < best.2.1 {
            best = (mean, 0.0, of_mean);
        }
        let of_line = self.width(|at, value| value - line_before - slope_before * at, excess);
        if of_line.1 < best.2.1 {
            best = (line(now), slope, of_line);
        }
        let from = best.0;
        let beyond = |value: f64| (value - from) as f32;
        let next =
            Ways { value: beyond(value), mean: beyond(mean), line: beyond(line(now)), slope: slope as f32 };
        Some((from, best.1, best.2.0, next))
    }

    /// How many bits to give to differences, and what all of them cost then.
    fn width(&self, difference: impl Fn(f64, f64) -> f64, excess: f64) -> (u8, u32) {
        let mut widths = [0; ROWS];
        for (place, (at, value)) in widths.iter_mut().zip(self.all()) {
            *place = width(folded((difference(*at, *value) * excess).round_ties_even() as i64));
        }
        let widths = &mut widths[..self.count];
        widths.sort_unstable();
        let cost = |packed: u8| {
            let exceptions = widths.iter().filter(|width| **width > packed);
            let exceptions = exceptions.map(|width| EXCEPTION_BITS + u32::from(*width));
            self.count as u32 * u32::from(packed) + exceptions.sum::<u32>()
        };
        let candidates = [0].into_iter().chain(widths.iter().copied());
        let (packed, cost) =
            candidates.map(|packed| (packed, cost(packed))).min_by_key(|one| one.1).unwrap_or((64, 0));
        (packed, cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The model of a series after scrapes at each second.
    fn learned(value: impl Fn(i64) -> f64) -> Model {
        let mut evidence = Evidence::default();
        let mut model = evidence.push_new(value(0).to_bits());
        for round in 1..4i64 {
            for scrape in 1..=ROWS as i64 {
                let bits = value(8 * (round - 1) + scrape).to_bits();
                evidence.begin_row(scrape * 1000);
                match model.difference(bits, scrape * 1000) {
                    Some(difference) => evidence.note(0, &model, difference, scrape * 1000),
                    None => evidence.note_misfit(0, bits),
                }
            }
            let mut next = Evidence::default();
            let past = Past { models: &[model], evidence: &evidence, elapsed_ms: 8000, is_growing: false };
            model = next.push_learned(&past, 0, value(8 * round).to_bits());
            evidence = next;
        }
        model
    }

    #[test]
    fn a_series_goes_on_as_it_did() {
        assert_eq!(learned(|_| 7.0).width, 0);
        let line = learned(|scrape| 1000.0 + 500.0 * scrape as f64);
        assert!(line.width <= 1 && line.slope == 0.5, "{line:?}");
        let gauge = learned(|scrape| [20.5, 20.51, 20.53, 20.52][scrape as usize * 7 % 4]);
        assert!(gauge.width <= 3 && gauge.slope == 0.0, "{gauge:?}");
        let pages = learned(|scrape| 4096.0 * [1000.0, 1003.0, 1002.0][scrape as usize * 7 % 3]);
        assert_eq!((pages.shift, pages.width <= 3), (12, true), "{pages:?}");
    }

    #[test]
    fn a_slope_is_as_short_as_it_may_be() {
        assert_eq!(trimmed(1.0 / 3.0, 0.1), 0.25);
        assert_eq!(trimmed(1e-9, 1e-6), 0.0);
        assert_eq!(trimmed(1.0 / 3.0, 0.0), 1.0 / 3.0);
    }
}
