//! Columns: what one series has at every step, and the windows of samples it is computed from.

mod block;
mod places;
mod presence;
mod segments;
mod window;

use std::sync::Arc;

use narthex_model::{FloatHistogram, SampleValue};

use crate::memory::{Reservation, block_bytes, histogram_bytes};
use crate::{EvalError, QueryContext};

pub use block::lag;
pub(crate) use block::{BLOCK, WindowBlock};
pub(crate) use places::Places;
pub use presence::Presence;
pub(crate) use segments::{Segment, SegmentGrid, Segments};
pub use window::{FloatSlice, HistogramSlice, Window, WindowBounds, Windows};

/// One series over all steps of a grid: at each step nothing, a float or a native histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepColumn {
    values: Vec<f64>,
    presence: Presence,
    /// Empty unless there is a histogram; then as long as `values`, and a step with `Some` is a histogram.
    histograms: Vec<Option<Arc<FloatHistogram>>>,
}

/// A sample at a step, borrowed from its column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleRef<'a> {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(&'a Arc<FloatHistogram>),
}

impl StepColumn {
    /// A column of `steps` steps without samples.
    pub fn new(steps: usize) -> StepColumn {
        let mut column = StepColumn::default();
        column.reset(steps);
        column
    }

    /// Makes this a column of `steps` steps without samples; keeps the memory.
    pub fn reset(&mut self, steps: usize) {
        self.values.clear();
        self.values.resize(steps, 0.0);
        self.presence.reset(steps);
        self.histograms.clear();
    }

    /// Makes this a copy of `other`; keeps the memory.
    pub fn copy_from(&mut self, other: &StepColumn) {
        self.values.clone_from(&other.values);
        self.presence.clone_from(&other.presence);
        self.histograms.clone_from(&other.histograms);
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the grid has no step.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What is at `step`, which is below [`StepColumn::len`].
    pub fn get(&self, step: usize) -> Option<SampleRef<'_>> {
        if !self.presence.get(step) {
            return None;
        }
        Some(match self.histograms.get(step) {
            Some(Some(histogram)) => SampleRef::Histogram(histogram),
            _ => SampleRef::Float(self.values[step]),
        })
    }

    /// The float at `step`, if that is what is there.
    pub fn float(&self, step: usize) -> Option<f64> {
        match self.get(step) {
            Some(SampleRef::Float(value)) => Some(value),
            _ => None,
        }
    }

    /// The histogram at `step`, if that is what is there.
    pub fn histogram(&self, step: usize) -> Option<&Arc<FloatHistogram>> {
        match self.get(step) {
            Some(SampleRef::Histogram(histogram)) => Some(histogram),
            _ => None,
        }
    }

    /// Whether something is at `step`.
    pub fn is_present(&self, step: usize) -> bool {
        self.presence.get(step)
    }

    /// Which steps have something.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// All values as numbers, meaningful only where a float is present. For kernels that know that
    /// [`StepColumn::has_histograms`] is false.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values for writing in place; presence stays.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Whether any step may hold a histogram.
    pub fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    /// Whether no step has anything.
    pub fn is_absent(&self) -> bool {
        self.presence.is_none()
    }

    /// Puts a float at `step`.
    pub fn set_float(&mut self, step: usize, value: f64) {
        self.values[step] = value;
        self.presence.set(step);
        if let Some(slot) = self.histograms.get_mut(step) {
            *slot = None;
        }
    }

    /// Fills a column of absent steps with the floats that `float` has for them; it is asked once for each, in order.
    /// Presence is written by words, which is what makes this faster than [`StepColumn::set_float`].
    #[inline(always)]
    pub fn fill_floats(&mut self, mut float: impl FnMut(usize) -> Option<f64>) {
        self.fill_words(|first, values| {
            values.iter_mut().enumerate().fold(0, |word, (bit, place)| {
                let value = float(first + bit);
                *place = value.unwrap_or(0.0);
                word | u64::from(value.is_some()) << bit
            })
        });
    }

    /// Fills a column of absent steps, up to 64 steps at a time: `fill` gets the number of the first of them and the
    /// places of their floats, and returns which are present, the first in the lowest bit.
    #[inline(always)]
    pub fn fill_words(&mut self, mut fill: impl FnMut(usize, &mut [f64]) -> u64) {
        let words = self.presence.words_mut();
        for (at, (values, word)) in self.values.chunks_mut(64).zip(words).enumerate() {
            *word = fill(at * 64, values) & u64::MAX >> (64 - values.len());
        }
    }

    /// Puts a histogram at `step`.
    pub fn set_histogram(&mut self, step: usize, histogram: Arc<FloatHistogram>) {
        if self.histograms.is_empty() {
            self.histograms.resize(self.values.len(), None);
        }
        self.histograms[step] = Some(histogram);
        self.presence.set(step);
    }

    /// Puts a sample of either kind at `step`.
    pub fn set(&mut self, step: usize, value: SampleValue) {
        match value {
            SampleValue::Float(value) => self.set_float(step, value),
            SampleValue::Histogram(histogram) => self.set_histogram(step, histogram),
        }
    }

    /// Copies one sample of another column.
    pub fn set_ref(&mut self, step: usize, value: SampleRef<'_>) {
        match value {
            SampleRef::Float(value) => self.set_float(step, value),
            SampleRef::Histogram(histogram) => self.set_histogram(step, Arc::clone(histogram)),
        }
    }

    /// Takes away what is at `step`.
    pub fn remove(&mut self, step: usize) {
        self.presence.unset(step);
        if let Some(slot) = self.histograms.get_mut(step) {
            *slot = None;
        }
    }

    /// Keeps only what is at the steps of `kept`, which has as many.
    pub fn retain(&mut self, kept: &Presence) {
        self.presence.intersect_with(kept);
    }

    /// Takes away what is at the steps of `removed`, which has as many.
    pub fn remove_all(&mut self, removed: &Presence) {
        self.presence.subtract(removed);
    }

    /// Steps that have something, with it.
    pub fn iter(&self) -> impl Iterator<Item = (usize, SampleRef<'_>)> {
        self.presence.iter().filter_map(|step| Some((step, self.get(step)?)))
    }

    /// Bytes held, spare room included. A histogram at several steps in a row counts once.
    pub fn size_bytes(&self) -> usize {
        let slots = self.histograms.capacity() * size_of::<Option<Arc<FloatHistogram>>>();
        size_of::<StepColumn>()
            + block_bytes(self.values.capacity() * size_of::<f64>())
            + block_bytes(self.presence.size_bytes())
            + block_bytes(slots)
            + self.owned_bytes()
    }

    fn owned_bytes(&self) -> usize {
        let mut last: Option<&Arc<FloatHistogram>> = None;
        let mut bytes = 0;
        for histogram in self.histograms.iter().filter_map(Option::as_ref) {
            if last.is_none_or(|last| !Arc::ptr_eq(last, histogram)) {
                bytes += histogram_bytes(histogram);
            }
            last = Some(histogram);
        }
        bytes
    }
}

impl SampleRef<'_> {
    /// As an owned value; a histogram is shared, not copied.
    pub fn to_value(self) -> SampleValue {
        match self {
            SampleRef::Float(value) => SampleValue::Float(value),
            SampleRef::Histogram(histogram) => SampleValue::Histogram(Arc::clone(histogram)),
        }
    }
}

/// Some consecutive series of an operator's output. Owned by the consumer and handed back for the next batch, so that
/// columns are reused.
#[derive(Debug, Default)]
pub struct SeriesBatch {
    /// Number of the first series.
    pub first: usize,
    /// One column per series.
    pub columns: Vec<StepColumn>,
    spare: Vec<StepColumn>,
    held: Reservation,
}

impl SeriesBatch {
    /// An empty batch.
    pub fn new() -> SeriesBatch {
        SeriesBatch::default()
    }

    /// Empties the batch, to be filled from series number `first` on.
    pub fn start(&mut self, first: usize) {
        self.first = first;
        self.spare.append(&mut self.columns);
    }

    /// Adds a column of `steps` absent steps and hands it out to be filled.
    pub fn push_column(&mut self, steps: usize) -> &mut StepColumn {
        let mut column = self.spare.pop().unwrap_or_default();
        column.reset(steps);
        self.columns.push(column);
        let last = self.columns.len() - 1;
        &mut self.columns[last]
    }

    /// Adds a copy of a column.
    pub(crate) fn push_copy(&mut self, column: &StepColumn) {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.copy_from(column);
        self.columns.push(copy);
    }

    /// Whether no column was ever in it, or all were taken away.
    pub(crate) fn is_unused(&self) -> bool {
        self.columns.is_empty() && self.spare.is_empty()
    }

    /// Counts what the batch holds now for the query, as long as the batch is there.
    ///
    /// # Errors
    /// When the query would hold more bytes than it may.
    pub(crate) fn settle(&mut self, context: &QueryContext) -> Result<(), EvalError> {
        if !self.held.is_attached() {
            self.held = context.reserve(0)?;
        }
        let bytes = self.columns.iter().chain(&self.spare).map(StepColumn::size_bytes).sum();
        self.held.resize(bytes)
    }

    /// Takes the columns away, with what they count as; whoever keeps them drops that with them.
    pub(crate) fn take_columns(
        &mut self,
        kept: &mut Vec<StepColumn>,
        held: &mut Reservation,
    ) -> Result<(), EvalError> {
        let bytes = self.columns.iter().map(StepColumn::size_bytes).sum::<usize>();
        let spare = self.spare.iter().map(StepColumn::size_bytes).sum();
        kept.append(&mut self.columns);
        // First given back, then taken: both belong to one query, which holds them all the time.
        self.held.resize(spare)?;
        held.grow(bytes)
    }

    /// Columns with the numbers of their series.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &StepColumn)> {
        (self.first..).zip(&self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_absent_a_float_or_a_histogram() {
        let mut column = StepColumn::new(70);
        let histogram = Arc::new(FloatHistogram::default());
        column.set_float(0, 1.5);
        column.set_histogram(65, Arc::clone(&histogram));
        column.set_histogram(1, histogram);
        column.set_float(1, 2.0);
        assert_eq!((column.float(0), column.float(1), column.float(65)), (Some(1.5), Some(2.0), None));
        assert!(column.histogram(65).is_some() && column.get(2).is_none());
        assert_eq!(column.iter().map(|(step, _)| step).collect::<Vec<_>>(), [0, 1, 65]);
        column.remove(65);
        assert!(!column.is_present(65));
        column.reset(3);
        assert!(column.is_absent() && !column.has_histograms() && column.len() == 3);
    }
}
