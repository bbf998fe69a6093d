//! Samples out of the head.

use narthex_model::{Labels, Matcher, TimeRange, Timestamp};
use narthex_storage::{
    Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError, StorageErrorKind,
};
use rayon::slice::ParallelSliceMut;

use super::Head;
use super::series::Series;

/// From this many series on sorting is shared among threads.
const PARALLEL_SORT_MIN: usize = 4096;

impl Queryable for Head {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(self))
    }
}

impl Querier for &Head {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        _: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        let numbers = self.postings.select(matchers);
        let selected = numbers.iter().map(|number| &self.series[number as usize]);
        let mut selected: Vec<_> = selected.filter(|series| series.range().overlaps(range)).collect();
        if selected.len() < PARALLEL_SORT_MIN {
            selected.sort_unstable_by(|left, right| left.labels().cmp(right.labels()));
        } else {
            selected.par_sort_unstable_by(|left, right| left.labels().cmp(right.labels()));
        }
        Ok(Box::new(HeadSeriesSet(selected)))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        if matchers.is_empty() {
            return Ok(self.postings.names().map(str::to_owned).collect());
        }
        let selected = self.postings.select(matchers);
        Ok(self.postings.names_of(&selected).map(str::to_owned).collect())
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        if matchers.is_empty() {
            return Ok(self.postings.values(name).map(str::to_owned).collect());
        }
        let selected = self.postings.select(matchers);
        Ok(self.postings.values_of(name, &selected).map(str::to_owned).collect())
    }
}

struct HeadSeriesSet<'a>(Vec<&'a Series>);

impl SeriesSet for HeadSeriesSet<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        self.0[series].labels()
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        samples.clear();
        let series = self.0[series];
        series.decode_into(range, samples).map_err(|corrupt| {
            StorageError::new(StorageErrorKind::Corrupt, format!("series {}: {corrupt}", series.labels()))
        })?;
        clip(range, samples);
        Ok(())
    }
}

/// Takes away what the first and the last chunk have outside of `range`.
fn clip(range: TimeRange, samples: &mut SampleBuffer) {
    let SampleBuffer { floats, histograms } = samples;
    let (from, to) = places(range, &floats.timestamps);
    keep(&mut floats.timestamps, from, to);
    keep(&mut floats.values, from, to);
    keep(&mut floats.start_timestamps, from, to);
    let (from, to) = places(range, &histograms.timestamps);
    keep(&mut histograms.timestamps, from, to);
    keep(&mut histograms.values, from, to);
    keep(&mut histograms.start_timestamps, from, to);
}

fn places(range: TimeRange, timestamps: &[Timestamp]) -> (usize, usize) {
    let from = timestamps.partition_point(|&at_ms| at_ms < range.min_ms);
    (from, timestamps.partition_point(|&at_ms| at_ms <= range.max_ms).max(from))
}

/// Keeps the elements `from..to`; a column without elements, which says nothing of any sample, stays so.
fn keep<T>(column: &mut Vec<T>, from: usize, to: usize) {
    column.truncate(to);
    column.drain(..from.min(column.len()));
}
