//! The last exemplars, up to a fixed number.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use narthex_model::{Labels, Matcher, TimeRange, Timestamp};
use narthex_storage::{StorageError, StorageErrorKind};

use super::Head;
use super::append::HeadAppender;
use super::series::Series;
use crate::wal::{Exemplar, SeriesId};

/// Most characters of all names and values of an exemplar. Source: OpenMetrics 1.0, "Exemplars".
const LABEL_CHARS_MAX: usize = 128;

/// Exemplars, oldest first.
#[derive(Debug, Default)]
pub(super) struct ExemplarRing(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<(SeriesId, Exemplar)>,
    newest: HashMap<SeriesId, Newest>,
}

/// The newest exemplar of a series that has any.
#[derive(Debug)]
struct Newest {
    exemplar: Exemplar,
    /// How many the series has.
    count: usize,
}

/// What became of an exemplar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pushed {
    /// It is there now.
    New,
    /// It was there already.
    Known,
    /// Its series has a later one.
    Late,
}

fn check(exemplar: &Exemplar) -> Result<(), StorageError> {
    let chars = |(name, value): (&str, &str)| name.chars().count() + value.chars().count();
    let chars: usize = exemplar.labels.iter().map(chars).sum();
    if chars <= LABEL_CHARS_MAX {
        return Ok(());
    }
    let message = format!("labels of an exemplar have {chars} characters, {LABEL_CHARS_MAX} are taken");
    Err(StorageError::new(StorageErrorKind::InvalidSample, message))
}

impl ExemplarRing {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, series: SeriesId, exemplar: Exemplar, entries_max: usize) -> Pushed {
        match self.newest.get_mut(&series) {
            Some(newest) if newest.exemplar == exemplar => return Pushed::Known,
            Some(newest) if newest.exemplar.at_ms > exemplar.at_ms => return Pushed::Late,
            Some(newest) => {
                newest.exemplar = exemplar.clone();
                newest.count += 1;
            }
            None => {
                self.newest.insert(series, Newest { exemplar: exemplar.clone(), count: 1 });
            }
        }
        self.entries.push_back((series, exemplar));
        while self.entries.len() > entries_max {
            self.pop();
        }
        Pushed::New
    }

    fn pop(&mut self) {
        let Some((series, _)) = self.entries.pop_front() else { return };
        if let Some(newest) = self.newest.get_mut(&series) {
            newest.count -= 1;
            if newest.count == 0 {
                self.newest.remove(&series);
            }
        }
    }
}

impl HeadAppender<'_> {
    /// Adds an exemplar of a series that has a sample in this batch or an earlier one. One that is older than the last
    /// of its series, or equal to it, is forgotten at the commit.
    ///
    /// # Errors
    /// `InvalidSample` when its labels are longer than OpenMetrics permits.
    pub fn append_exemplar(&mut self, series: SeriesId, exemplar: Exemplar) -> Result<(), StorageError> {
        check(&exemplar)?;
        if self.head.options.exemplars_max > 0 {
            self.batch.exemplars.push((series, exemplar));
        }
        Ok(())
    }

    /// The same by the labels of the series.
    ///
    /// # Errors
    /// As [`HeadAppender::append_exemplar`]; `InvalidSample` when the head keeps none, `UnknownSeries` when there is no
    /// such series, `OutOfOrder` when it has a later exemplar.
    pub fn append_exemplar_of(&mut self, labels: &Labels, exemplar: Exemplar) -> Result<(), StorageError> {
        let at_ms = exemplar.at_ms;
        if self.head.options.exemplars_max == 0 {
            let message = "exemplars are not stored: none are to be kept";
            return Err(StorageError::new(StorageErrorKind::InvalidSample, message));
        }
        let is_last =
            |series: &Arc<Series>| self.targets.last().is_some_and(|last| Arc::ptr_eq(last, series));
        let series = self.head.index.find(labels).filter(|series| series.is_defined() || is_last(series));
        let Some(series) = series else {
            let message = format!("exemplar at {at_ms} of series {labels}, which has no samples");
            return Err(StorageError::new(StorageErrorKind::UnknownSeries, message));
        };
        let id = series.id();
        let in_batch = self.batch.exemplars.last().filter(|last| last.0 == id).map(|last| last.1.at_ms);
        let newest_ms = in_batch.or_else(|| self.head.newest_exemplar_ms(id));
        if newest_ms.is_some_and(|newest_ms| newest_ms > at_ms) {
            return Err(late_exemplar(at_ms, labels));
        }
        self.append_exemplar(id, exemplar)
    }
}

pub(super) fn late_exemplar(at_ms: Timestamp, labels: &Labels) -> StorageError {
    let message = format!("exemplar at {at_ms} is older than the newest one of series {labels}");
    StorageError::new(StorageErrorKind::OutOfOrder, message)
}

impl Head {
    /// Puts exemplars where they belong; calls `see` with what became of each, the time and the labels of its series.
    pub(super) fn put_exemplars(
        &self,
        exemplars: impl Iterator<Item = (SeriesId, Exemplar)>,
        mut see: impl FnMut(Pushed, Timestamp, &Labels),
    ) {
        let entries_max = self.options.exemplars_max;
        let mut exemplars = exemplars.peekable();
        if entries_max == 0 || exemplars.peek().is_none() {
            return;
        }
        let mut ring = self.exemplars.ring();
        for (series, exemplar) in exemplars {
            // The log may know a series by another name.
            if let Some(series) = self.index.get(series) {
                let at_ms = exemplar.at_ms;
                see(ring.push(series.id(), exemplar, entries_max), at_ms, series.labels());
            }
        }
    }

    /// Time of the newest exemplar of a series.
    pub(super) fn newest_exemplar_ms(&self, series: SeriesId) -> Option<Timestamp> {
        self.exemplars.ring().newest.get(&series).map(|newest| newest.exemplar.at_ms)
    }

    /// The exemplars within `range` of the series that satisfy all matchers of any of `selectors`: series in the order
    /// of labels, exemplars in that of time.
    pub fn exemplars<M: AsRef<[Matcher]>>(
        &self,
        selectors: &[M],
        range: TimeRange,
    ) -> Vec<(Labels, Vec<Exemplar>)> {
        if self.exemplars.ring().entries.is_empty() {
            return Vec::new();
        }
        let selected = selectors.iter().flat_map(|matchers| self.index.select(matchers.as_ref(), |_| true));
        let labels: HashMap<SeriesId, Labels> =
            selected.map(|series| (series.id(), series.labels().clone())).collect();
        let mut found: BTreeMap<&Labels, Vec<Exemplar>> = BTreeMap::new();
        let ring = self.exemplars.ring();
        for (series, exemplar) in &ring.entries {
            if let Some(labels) = labels.get(series).filter(|_| range.contains(exemplar.at_ms)) {
                found.entry(labels).or_default().push(exemplar.clone());
            }
        }
        drop(ring);
        let sorted = found.into_iter().map(|(labels, mut exemplars)| {
            exemplars.sort_by_key(|exemplar| exemplar.at_ms);
            (labels.clone(), exemplars)
        });
        sorted.collect()
    }

    /// All exemplars from `from_ms` on, for a checkpoint of the log.
    pub fn exemplars_since(&self, from_ms: Timestamp) -> Vec<(SeriesId, Exemplar)> {
        let ring = self.exemplars.ring();
        ring.entries.iter().filter(|(_, exemplar)| exemplar.at_ms >= from_ms).cloned().collect()
    }

    /// Number of exemplars.
    pub fn exemplar_count(&self) -> usize {
        self.exemplars.ring().entries.len()
    }

    /// The series that have exemplars.
    pub fn series_with_exemplars(&self) -> BTreeSet<SeriesId> {
        self.exemplars.ring().newest.keys().copied().collect()
    }
}
