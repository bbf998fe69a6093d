//! The series of one selection.

use narthex_model::{Labels, TimeRange};

use crate::{Outline, ReadCounters, SampleBuffer, StorageError, SummaryNeed};

/// Selected series, addressed by number. Sorted by labels, each label set once.
///
/// Reading is by number and takes `&self`, so that workers can read different series of one set at the same time.
pub trait SeriesSet: Send + Sync {
    /// Number of series.
    fn len(&self) -> usize;

    /// Whether nothing was selected.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Labels of series number `series`, which is below [`SeriesSet::len`].
    fn labels(&self, series: usize) -> &Labels;

    /// Fills `samples` with the samples of one series within `range`, in time order, stale markers included. What the
    /// buffer held before is gone; its memory is kept and reused. The caller owns the buffer and may pass it to any
    /// number of reads. A series without samples in `range` leaves it empty.
    ///
    /// # Errors
    /// When the samples cannot be read; the buffer then holds nothing that may be used.
    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError>;

    /// As [`SeriesSet::read`], but a store may tell what a run of floats amounts to instead of the samples, where no window
    /// of [`SelectHints::windows`](crate::SelectHints) begins or ends within the run and its summary serves `need`.
    ///
    /// # Errors
    /// As [`SeriesSet::read`].
    fn outline(
        &self,
        series: usize,
        range: TimeRange,
        _need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<(), StorageError> {
        outline.runs.clear();
        self.read(series, range, &mut outline.samples)
    }

    /// As [`SeriesSet::outline`], behind what `outline` holds. Says `false`, and leaves the outline as it is, where that
    /// cannot be done: see [`SeriesSet::append`].
    ///
    /// # Errors
    /// As [`SeriesSet::read`].
    fn append_outline(
        &self,
        _series: usize,
        _range: TimeRange,
        _need: SummaryNeed,
        _outline: &mut Outline,
    ) -> Result<bool, StorageError> {
        Ok(false)
    }

    /// Adds the samples of one series within `range` behind those that `samples` holds, which are all within `range` too.
    /// Says `false`, and leaves the buffer as it is, where that cannot be done: because samples of the series are not
    /// later than all that are held, or because the store does not offer it.
    ///
    /// # Errors
    /// As [`SeriesSet::read`].
    fn append(
        &self,
        _series: usize,
        _range: TimeRange,
        _samples: &mut SampleBuffer,
    ) -> Result<bool, StorageError> {
        Ok(false)
    }

    /// As [`SeriesSet::read`], and adds to `counters` what it took. For queries that are analyzed; stores that know more
    /// than how many samples they hand out say so here.
    ///
    /// # Errors
    /// As [`SeriesSet::read`].
    fn read_counted(
        &self,
        series: usize,
        range: TimeRange,
        samples: &mut SampleBuffer,
        counters: &mut ReadCounters,
    ) -> Result<(), StorageError> {
        self.read(series, range, samples)?;
        counters.samples_decoded += samples.len() as u64;
        Ok(())
    }
}
