//! Samples out of the head.

use narthex_model::{Labels, Matcher, TimeRange, Timestamp};
use narthex_storage::{
    Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError, StorageErrorKind,
};
use rayon::slice::ParallelSliceMut;

use super::Head;
use super::series::Series;

/// From one in so many series on, a selection is sorted by ranks even if these have to be made first.
const RANKED_SHARE: usize = 16;

impl Head {
    /// Sorts series numbers by labels.
    fn sort_by_labels(&self, numbers: &mut [u32]) {
        if self.ranks.get().is_none() && numbers.len() < self.series.len() / RANKED_SHARE {
            numbers.sort_unstable_by_key(|&number| self.series[number as usize].labels());
            return;
        }
        let ranks = self.ranks.get_or_init(|| self.rank_series());
        numbers.sort_unstable_by_key(|&number| ranks[number as usize]);
    }

    fn rank_series(&self) -> Box<[u32]> {
        let mut order: Vec<usize> = (0..self.series.len()).collect();
        order.par_sort_unstable_by_key(|&number| self.series[number].labels());
        let mut ranks = vec![0; order.len()];
        (0..).zip(order).for_each(|(rank, number)| ranks[number] = rank);
        ranks.into_boxed_slice()
    }
}

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
        let in_range = |number: &u32| self.series[*number as usize].range().overlaps(range);
        let mut numbers: Vec<u32> = self.postings.select(matchers).iter().filter(in_range).collect();
        self.sort_by_labels(&mut numbers);
        let selected = numbers.into_iter().map(|number| &self.series[number as usize]).collect();
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
