//! Several queriers read as one: blocks and a head, shards, copies.

use narthex_model::{Labels, Matcher, TimeRange, Timestamp};

use crate::{
    FloatColumn, HistogramColumn, Outline, Querier, ReadCounters, SampleBuffer, SelectHints, SeriesSet,
    StorageError, SummaryNeed,
};

/// Queriers read as one. Where several have a sample of one series at one instant, the first of them counts.
pub struct MergedQuerier<'a> {
    sources: Vec<Box<dyn Querier + 'a>>,
}

impl<'a> MergedQuerier<'a> {
    /// The union of what `sources` see.
    pub fn new(sources: Vec<Box<dyn Querier + 'a>>) -> MergedQuerier<'a> {
        MergedQuerier { sources }
    }

    /// Sorted texts of all sources, each once.
    fn union(
        &self,
        texts: impl Fn(&dyn Querier) -> Result<Vec<String>, StorageError>,
    ) -> Result<Vec<String>, StorageError> {
        let mut all = Vec::new();
        for source in &self.sources {
            all.append(&mut texts(&**source)?);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}

impl Querier for MergedQuerier<'_> {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        hints: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        let mut sets = Vec::new();
        for source in &self.sources {
            sets.push(source.select(matchers, range, hints)?);
        }
        Ok(merge_sets(sets))
    }

    fn label_names(&self, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.union(|source| source.label_names(matchers))
    }

    fn label_values(&self, name: &str, matchers: &[Matcher]) -> Result<Vec<String>, StorageError> {
        self.union(|source| source.label_values(name, matchers))
    }

    fn warnings(&self) -> Vec<String> {
        let mut all: Vec<String> = self.sources.iter().flat_map(|source| source.warnings()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The union of series sets. Where several have a sample of one series at one instant, the first of them counts.
pub fn merge_sets<'a>(mut sets: Vec<Box<dyn SeriesSet + 'a>>) -> Box<dyn SeriesSet + 'a> {
    sets.retain(|set| !set.is_empty());
    match sets.pop() {
        Some(only) if sets.is_empty() => only,
        last => {
            sets.extend(last);
            Box::new(MergedSet::new(sets))
        }
    }
}

/// Where a series of the merged set lies: a set and its number there.
type Part = (u32, u32);

/// Series sets merged by labels.
struct MergedSet<'a> {
    sets: Vec<Box<dyn SeriesSet + 'a>>,
    /// The parts of all series, those of one series side by side, in the order of the sets.
    parts: Vec<Part>,
    /// Where the parts of each series begin, and at last where they all end.
    starts: Vec<u32>,
}

impl<'a> MergedSet<'a> {
    /// A merge of sorted sets; linear in their series times the number of sets, which are few.
    fn new(sets: Vec<Box<dyn SeriesSet + 'a>>) -> MergedSet<'a> {
        let mut merged = MergedSet { parts: Vec::new(), starts: vec![0], sets };
        let mut next = vec![0usize; merged.sets.len()];
        while merged.take_least(&mut next) {
            merged.starts.push(merged.parts.len() as u32);
        }
        merged
    }

    /// Adds the parts of the least series not yet taken; false when there is none.
    fn take_least(&mut self, next: &mut [usize]) -> bool {
        let heads = self.sets.iter().zip(&*next).enumerate().filter(|(_, (set, at))| **at < set.len());
        let mut least: Option<&Labels> = None;
        let taken = self.parts.len();
        for (source, (set, &at)) in heads {
            let labels = set.labels(at);
            let order = least.map_or(std::cmp::Ordering::Less, |known| labels.cmp(known));
            if order.is_lt() {
                self.parts.truncate(taken);
                least = Some(labels);
            }
            if order.is_le() {
                self.parts.push((source as u32, at as u32));
            }
        }
        for &(source, _) in &self.parts[taken..] {
            next[source as usize] += 1;
        }
        self.parts.len() > taken
    }

    fn parts(&self, series: usize) -> &[Part] {
        &self.parts[self.starts[series] as usize..self.starts[series + 1] as usize]
    }
}

impl SeriesSet for MergedSet<'_> {
    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn labels(&self, series: usize) -> &Labels {
        let (source, number) = self.parts(series)[0];
        self.sets[source as usize].labels(number as usize)
    }

    fn outline(
        &self,
        series: usize,
        range: TimeRange,
        need: SummaryNeed,
        outline: &mut Outline,
    ) -> Result<(), StorageError> {
        let parts = self.parts(series);
        let set = |part: &Part| (&self.sets[part.0 as usize], part.1 as usize);
        let (first, number) = set(&parts[0]);
        first.outline(number, range, need, outline)?;
        let mut other = None;
        for (set, number) in parts[1..].iter().map(set) {
            if set.append_outline(number, range, need, outline)? {
                continue;
            }
            let other = other.get_or_insert_with(SampleBuffer::new);
            set.read(number, range, other)?;
            if outline.runs.is_empty() {
                merge_samples(&mut outline.samples, other);
            } else if !append_behind(outline, other) {
                outline.runs.clear();
                return self.read(series, range, &mut outline.samples);
            }
        }
        Ok(())
    }

    fn read(&self, series: usize, range: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        let read = |&(source, number): &Part, samples: &mut SampleBuffer| {
            self.sets[source as usize].read(number as usize, range, samples)
        };
        let parts = self.parts(series);
        read(&parts[0], samples)?;
        let mut other = None;
        for part in &parts[1..] {
            // Blocks of rising times, the usual case, need no second buffer.
            if self.sets[part.0 as usize].append(part.1 as usize, range, samples)? {
                continue;
            }
            let other = other.get_or_insert_with(SampleBuffer::new);
            read(part, other)?;
            merge_samples(samples, other);
        }
        Ok(())
    }

    fn read_counted(
        &self,
        series: usize,
        range: TimeRange,
        samples: &mut SampleBuffer,
        counters: &mut ReadCounters,
    ) -> Result<(), StorageError> {
        if let &[(source, number)] = self.parts(series) {
            return self.sets[source as usize].read_counted(number as usize, range, samples, counters);
        }
        // Several parts are merged: only what came out of it is known.
        self.read(series, range, samples)?;
        counters.samples_decoded += samples.len() as u64;
        Ok(())
    }
}

/// Adds the samples of `other` at instants that `samples` does not have, whichever kind either has there.
fn merge_samples(samples: &mut SampleBuffer, other: &mut SampleBuffer) {
    if other.is_empty() {
        return;
    }
    if samples.is_empty() {
        std::mem::swap(samples, other);
        return;
    }
    let is_plain = samples.histograms.timestamps.is_empty() && other.histograms.timestamps.is_empty();
    if is_plain && samples.floats.timestamps.last() < other.floats.timestamps.first() {
        append_floats(&mut samples.floats, &other.floats);
        return;
    }
    if is_plain && other.floats.timestamps.last() < samples.floats.timestamps.first() {
        append_floats(&mut other.floats, &samples.floats);
        std::mem::swap(samples, other);
        return;
    }
    interleave(samples, other);
}

/// Adds samples that are floats and later than all of an outline; otherwise says `false`.
fn append_behind(outline: &mut Outline, other: &SampleBuffer) -> bool {
    let is_behind = other.floats.timestamps.first().is_none_or(|first| outline.last_ms() < Some(*first));
    let is_taken = is_behind && other.histograms.timestamps.is_empty();
    if is_taken {
        append_floats(&mut outline.samples.floats, &other.floats);
    }
    is_taken
}

fn append_floats(to: &mut FloatColumn, from: &FloatColumn) {
    let before = to.timestamps.len();
    to.timestamps.extend_from_slice(&from.timestamps);
    to.values.extend_from_slice(&from.values);
    if !to.start_timestamps.is_empty() || !from.start_timestamps.is_empty() {
        to.start_timestamps.resize(before, 0);
        to.start_timestamps.extend_from_slice(&from.start_timestamps);
        to.start_timestamps.resize(to.timestamps.len(), 0);
    }
}

/// One sample of a buffer while two are read side by side.
#[derive(Clone, Copy)]
enum At {
    Float(usize),
    Histogram(usize),
}

/// Reads a buffer in time order.
struct Walk<'a> {
    samples: &'a SampleBuffer,
    float: usize,
    histogram: usize,
}

impl<'a> Walk<'a> {
    fn new(samples: &'a SampleBuffer) -> Walk<'a> {
        Walk { samples, float: 0, histogram: 0 }
    }

    fn peek(&self) -> Option<(Timestamp, At)> {
        let float = self.samples.floats.timestamps.get(self.float);
        let histogram = self.samples.histograms.timestamps.get(self.histogram);
        match (float, histogram) {
            (Some(&float), Some(&histogram)) if histogram < float => {
                Some((histogram, At::Histogram(self.histogram)))
            }
            (Some(&float), _) => Some((float, At::Float(self.float))),
            (None, Some(&histogram)) => Some((histogram, At::Histogram(self.histogram))),
            (None, None) => None,
        }
    }

    fn skip(&mut self, at: At) {
        match at {
            At::Float(_) => self.float += 1,
            At::Histogram(_) => self.histogram += 1,
        }
    }

    fn copy_to(&mut self, at: At, merged: &mut SampleBuffer) {
        match at {
            At::Float(number) => copy_float(&self.samples.floats, number, &mut merged.floats),
            At::Histogram(number) => copy_histogram(&self.samples.histograms, number, &mut merged.histograms),
        }
        self.skip(at);
    }
}

fn copy_float(from: &FloatColumn, number: usize, to: &mut FloatColumn) {
    let start_ms = from.start_timestamps.get(number).copied().unwrap_or(0);
    to.push(from.timestamps[number], from.values[number], start_ms);
}

fn copy_histogram(from: &HistogramColumn, number: usize, to: &mut HistogramColumn) {
    let start_ms = from.start_timestamps.get(number).copied().unwrap_or(0);
    to.push(from.timestamps[number], from.values[number].clone(), start_ms);
}

fn interleave(samples: &mut SampleBuffer, other: &SampleBuffer) {
    let first = std::mem::take(samples);
    let (mut left, mut right) = (Walk::new(&first), Walk::new(other));
    loop {
        match (left.peek(), right.peek()) {
            (Some((at_ms, at)), Some((other_ms, other_at))) if at_ms == other_ms => {
                left.copy_to(at, samples);
                right.skip(other_at);
            }
            (Some((at_ms, at)), Some((other_ms, _))) if at_ms < other_ms => left.copy_to(at, samples),
            (_, Some((_, at))) => right.copy_to(at, samples),
            (Some((_, at)), None) => left.copy_to(at, samples),
            (None, None) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Appender, MemoryStorage, Queryable};
    use narthex_model::{FloatHistogram, SampleValue};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn value(kind: u8, number: usize) -> SampleValue {
        if kind == 0 {
            (number as f64).into()
        } else {
            SampleValue::Histogram(Arc::new(FloatHistogram::default()))
        }
    }

    /// One sample: source, series, time, kind.
    type Placed = (usize, u8, i64, u8);

    fn samples() -> impl Strategy<Value = Vec<Placed>> {
        prop::collection::vec((0..3usize, 0..3u8, 0..12i64, 0..2u8), 0..60)
    }

    fn labels(series: u8) -> Labels {
        Labels::from_pairs([("x", ["a", "b", "c"][series as usize])])
    }

    proptest! {
        #[test]
        fn merged_sources_equal_one_store(samples in samples(), from in 0..12i64, length in 0..12i64) {
            let mut samples = samples;
            samples.sort_by_key(|sample| (sample.2, sample.0));
            let mut sources = [MemoryStorage::new(), MemoryStorage::new(), MemoryStorage::new()];
            let mut whole = MemoryStorage::new();
            let mut taken = std::collections::BTreeSet::new();
            for (number, &(source, series, at_ms, kind)) in samples.iter().enumerate() {
                if !taken.insert((source, series, at_ms)) {
                    continue;
                }
                sources[source].append(&labels(series), at_ms, value(kind, number), 0).unwrap();
                if !(0..source).any(|before| taken.contains(&(before, series, at_ms))) {
                    whole.append(&labels(series), at_ms, value(kind, number), 0).unwrap();
                }
            }
            let range = TimeRange::new(from, from + length);
            let merged = MergedQuerier::new(
                sources.iter().map(|source| source.querier(range).unwrap()).collect(),
            );
            let expected = whole.querier(range).unwrap();
            let (left, right) = (
                merged.select(&[], range, &SelectHints::default()).unwrap(),
                expected.select(&[], range, &SelectHints::default()).unwrap(),
            );
            prop_assert_eq!(left.len(), right.len());
            let (mut found, mut wanted) = (SampleBuffer::new(), SampleBuffer::new());
            for series in 0..left.len() {
                prop_assert_eq!(left.labels(series), right.labels(series));
                left.read(series, range, &mut found).unwrap();
                right.read(series, range, &mut wanted).unwrap();
                prop_assert_eq!(&found, &wanted);
            }
            prop_assert_eq!(merged.label_values("x", &[]).unwrap(), expected.label_values("x", &[]).unwrap());
            prop_assert_eq!(merged.label_names(&[]).unwrap(), expected.label_names(&[]).unwrap());
        }
    }
}
