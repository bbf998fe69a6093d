//! The newest sample of each series at each step.

use std::sync::Arc;

use narthex_model::sample::is_stale_nan;
use narthex_model::{StepGrid, TimeRange, Timestamp};
use narthex_plan::logical::{SelectedPart, Selector};
use narthex_storage::{Querier, SampleBuffer, SelectHints, SeriesSet};

use super::{Description, Operator, SeriesMetadata, selected, selector_text, series_per_batch};
use crate::column::SeriesBatch;
use crate::{EvalError, QueryContext, StepColumn};

/// Reads series one by one and looks up each step's newest sample within the lookback.
pub(super) struct VectorSelector<'a> {
    selector: &'a Selector,
    part: SelectedPart,
    grid: StepGrid,
    lookback_ms: i64,
    querier: &'a dyn Querier,
    set: Option<Box<dyn SeriesSet + 'a>>,
    next: usize,
    samples: SampleBuffer,
}

impl<'a> VectorSelector<'a> {
    pub(super) fn new(
        selector: &'a Selector,
        part: SelectedPart,
        grid: StepGrid,
        lookback_ms: i64,
        querier: &'a dyn Querier,
    ) -> VectorSelector<'a> {
        VectorSelector {
            selector,
            part,
            grid,
            lookback_ms,
            querier,
            set: None,
            next: 0,
            samples: SampleBuffer::new(),
        }
    }

    /// Every instant that some step looks at.
    fn range(&self) -> TimeRange {
        let first_ms = self.selector.shift.reference(self.grid.start_ms);
        let last_ms = self.selector.shift.reference(self.grid.end_ms());
        TimeRange::left_open(first_ms.saturating_sub(self.lookback_ms), last_ms)
    }
}

impl Operator for VectorSelector<'_> {
    fn series(&mut self, context: &QueryContext) -> Result<Arc<[SeriesMetadata]>, EvalError> {
        let hints = SelectHints { step_ms: self.grid.step_ms, ..SelectHints::default() };
        let set = self.querier.select(&self.selector.matchers, self.range(), &hints)?;
        let series = selected(&*set, context, self.selector.span)?;
        self.set = Some(set);
        Ok(series)
    }

    fn next_batch(&mut self, context: &QueryContext, batch: &mut SeriesBatch) -> Result<bool, EvalError> {
        context.check()?;
        batch.start(self.next);
        let range = self.range();
        let Some(set) = &self.set else { return Ok(false) };
        while self.next < set.len() && batch.columns.len() < series_per_batch(self.grid.len) {
            set.read(self.next, range, &mut self.samples)?;
            context.hold_samples(self.samples.len())?;
            let mut lookup = Lookup::new(&self.samples, self.lookback_ms);
            let column = batch.push_column(self.grid.len);
            for (step, step_ms) in self.grid.timestamps().enumerate() {
                let found = lookup.newest(self.selector.shift.reference(step_ms));
                put(column, step, found, &self.samples, self.part);
            }
            context.release_samples(self.samples.len());
            self.next += 1;
        }
        Ok(!batch.columns.is_empty())
    }

    fn describe(&self) -> Description<'_> {
        Description { line: format!("select {}", selector_text(self.selector)), inputs: Vec::new() }
    }
}

/// Puts what was found into the column, or a time of it.
fn put(
    column: &mut StepColumn,
    step: usize,
    found: Option<Found>,
    samples: &SampleBuffer,
    part: SelectedPart,
) {
    let Some(found) = found else { return };
    let (timestamps, starts, at) = match found {
        Found::Float(at) => (&samples.floats.timestamps, &samples.floats.start_timestamps, at),
        Found::Histogram(at) => (&samples.histograms.timestamps, &samples.histograms.start_timestamps, at),
    };
    match (part, found) {
        (SelectedPart::Timestamp, _) => column.set_float(step, timestamps[at] as f64 / 1000.0),
        (SelectedPart::StartTimestamp, _) => {
            if let Some(&start_ms) = starts.get(at).filter(|&&start_ms| start_ms != 0) {
                column.set_float(step, start_ms as f64 / 1000.0);
            }
        }
        (SelectedPart::Value, Found::Float(at)) => column.set_float(step, samples.floats.values[at]),
        (SelectedPart::Value, Found::Histogram(at)) => {
            column.set_histogram(step, Arc::clone(&samples.histograms.values[at]));
        }
    }
}

/// Place of a sample in its column.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Float(usize),
    Histogram(usize),
}

/// Finds newest samples at rising instants: two cursors, each moving forward only.
pub(super) struct Lookup<'a> {
    samples: &'a SampleBuffer,
    lookback_ms: i64,
    floats: usize,
    histograms: usize,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(samples: &'a SampleBuffer, lookback_ms: i64) -> Lookup<'a> {
        Lookup { samples, lookback_ms, floats: 0, histograms: 0 }
    }

    /// The newest sample in `(at − lookback, at]`, unless it is a stale marker.
    pub(super) fn newest(&mut self, at_ms: Timestamp) -> Option<Found> {
        let (floats, histograms) = (&self.samples.floats, &self.samples.histograms);
        self.floats = advance(&floats.timestamps, self.floats, at_ms);
        self.histograms = advance(&histograms.timestamps, self.histograms, at_ms);
        let float = self.floats.checked_sub(1).map(|at| (floats.timestamps[at], Found::Float(at)));
        let histogram =
            self.histograms.checked_sub(1).map(|at| (histograms.timestamps[at], Found::Histogram(at)));
        let (found_ms, found) = match (float, histogram) {
            (Some(float), Some(histogram)) if histogram.0 > float.0 => histogram,
            (Some(float), _) => float,
            (None, histogram) => histogram?,
        };
        let is_stale = match found {
            Found::Float(at) => is_stale_nan(floats.values[at]),
            Found::Histogram(at) => is_stale_nan(histograms.values[at].sum),
        };
        (found_ms > at_ms.saturating_sub(self.lookback_ms) && !is_stale).then_some(found)
    }
}

/// Number of timestamps up to `at_ms`; `from` of them are known to be. Near steps are walked, far ones searched.
fn advance(timestamps: &[Timestamp], from: usize, at_ms: Timestamp) -> usize {
    const WALK: usize = 8;
    let rest = &timestamps[from..];
    let near = rest.iter().take(WALK).take_while(|&&sample_ms| sample_ms <= at_ms).count();
    if near < WALK { from + near } else { from + rest.partition_point(|&sample_ms| sample_ms <= at_ms) }
}
