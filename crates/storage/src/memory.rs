//! The smallest store there is: sorted samples in maps. A reference to test real stores and the engine against.

use std::collections::{BTreeMap, BTreeSet};

use narthex_model::{Labels, Matcher, SampleValue, TimeRange, Timestamp};

use crate::{
    Appender, Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError, StorageErrorKind,
};

/// Samples by instant: value and start timestamp.
type Samples = BTreeMap<Timestamp, (SampleValue, Timestamp)>;

/// A store that keeps every sample as a value. Simple and slow on purpose.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    series: BTreeMap<Labels, Samples>,
}

impl MemoryStorage {
    /// An empty store.
    pub fn new() -> MemoryStorage {
        MemoryStorage::default()
    }

    fn matching<'a>(&'a self, matchers: &[Matcher]) -> Vec<(&'a Labels, &'a Samples)> {
        let wanted = |labels: &Labels| matchers.iter().all(|one| one.matches(labels.value(one.name())));
        self.series.iter().filter(|(labels, _)| wanted(labels)).collect()
    }
}

impl Appender for MemoryStorage {
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let samples = self.series.entry(labels.clone()).or_default();
        if samples.last_key_value().is_some_and(|last| *last.0 > at_ms) {
            let message = format!("out of order sample for series {labels} at {at_ms}");
            return Err(StorageError::new(StorageErrorKind::OutOfOrder, message));
        }
        samples.insert(at_ms, (value, start_ms));
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

impl Queryable for MemoryStorage {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(self))
    }
}

impl Querier for &MemoryStorage {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        _: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        let has_samples = |samples: &Samples| {
            !range.is_empty() && samples.range(range.min_ms..=range.max_ms).next().is_some()
        };
        let selected =
            self.matching(matchers).into_iter().filter(|(_, samples)| has_samples(samples)).collect();
        Ok(Box::new(MemorySeriesSet(selected)))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        let names = self.matching(matchers).into_iter().flat_map(|(labels, _)| labels.iter());
        Ok(names.map(|pair| pair.0.to_owned()).collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        let values = self.matching(matchers).into_iter().filter_map(|(labels, _)| labels.get(name));
        Ok(values.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect())
    }
}

struct MemorySeriesSet<'a>(Vec<(&'a Labels, &'a Samples)>);

impl SeriesSet for MemorySeriesSet<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        self.0[series].0
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        samples.clear();
        self.append(series, range, samples).map(|_| ())
    }

    fn append(
        &self,
        series: usize,
        range: TimeRange,
        samples: &mut SampleBuffer,
    ) -> Result<bool, StorageError> {
        let within = if range.is_empty() { TimeRange::new(0, 0) } else { range };
        let found = self.0[series].1.range(within.min_ms..=within.max_ms);
        let mut found = found.filter(|(at_ms, _)| range.contains(**at_ms)).peekable();
        if found.peek().is_some_and(|(at_ms, _)| samples.last_ms() >= Some(**at_ms)) {
            return Ok(false);
        }
        for (&at_ms, (value, start_ms)) in found {
            samples.push(at_ms, value.clone(), *start_ms);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_sorted_series_and_reads_closed_ranges() {
        let mut store = MemoryStorage::new();
        for (name, at_ms) in [("b", 1), ("a", 1), ("a", 2), ("a", 3)] {
            store.append(&Labels::from_pairs([("__name__", name)]), at_ms, 1.0.into(), 0).unwrap();
        }
        let late = store.append(&Labels::from_pairs([("__name__", "a")]), 1, 1.0.into(), 0);
        assert_eq!(late.unwrap_err().kind(), StorageErrorKind::OutOfOrder);
        let querier = store.querier(TimeRange::ALL).unwrap();
        let set = querier.select(&[], TimeRange::new(2, 3), &SelectHints::default()).unwrap();
        assert_eq!((set.len(), set.labels(0).metric_name()), (1, "a"));
        let mut samples = SampleBuffer::new();
        set.read(0, TimeRange::new(2, 2), &mut samples).unwrap();
        assert_eq!(samples.floats.timestamps, [2]);
        assert_eq!(querier.label_values("__name__", &[]).unwrap(), ["a", "b"]);
    }
}
