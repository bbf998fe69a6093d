//! Samples into the head, a batch at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use narthex_model::histogram::{EXPONENTIAL_SCHEMA_MAX, InvalidHistogram};
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_storage::{Appender, StorageError, StorageErrorKind};

use super::Head;
use super::exemplars::{Pushed, late_exemplar};
use super::options::Bounds;
use super::series::{CommitNumbers, NotTaken, Part, Place, Series, SeriesData};
use crate::chunk::STORED_SCHEMA_MAX;
use crate::wal::{Batch, Metadata, Sample, SeriesId, Wal, is_oversized};

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Committed {
    /// Samples that are in the head now.
    pub samples: usize,
    /// Those of them that are histograms.
    pub histograms: usize,
    /// Exemplars that are in the head now.
    pub exemplars: usize,
    /// Samples and exemplars that were taken when they were appended and refused now, because another commit or an earlier sample of
    /// this one came in between.
    pub refused: usize,
    /// Why the first of these was refused.
    pub first_refusal: Option<StorageError>,
}

/// A batch for a head. What is appended is seen by nobody before the commit; dropping the appender forgets it. Any
/// number of appenders can be filled at the same time.
#[derive(Debug)]
pub struct HeadAppender<'a> {
    pub(super) head: &'a Head,
    pub(super) batch: Batch,
    /// The series of each sample of the batch.
    pub(super) targets: Vec<Arc<Series>>,
}

impl Head {
    /// An empty batch.
    pub fn appender(&self) -> HeadAppender<'_> {
        HeadAppender { head: self, batch: Batch::default(), targets: Vec::new() }
    }
}

impl HeadAppender<'_> {
    /// Adds a sample of the series with these labels, which is made if need be. `start_ms` is when the counter started,
    /// 0 for unknown. The number that comes back stands for the labels in [`HeadAppender::append_to`].
    ///
    /// # Errors
    /// `OutOfOrder`, `TooOld`, `Duplicate` when the committed samples of the series leave no place for it,
    /// `InvalidSample` when the value contradicts itself, or it or the labels are longer than the head takes,
    /// `LimitExceeded` when the head takes no more series. The batch is then as before.
    pub fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<SeriesId, StorageError> {
        let value = self.head.accepted(labels, at_ms, value)?;
        let series = self.head.series_of(labels)?;
        let id = series.id();
        self.push(series, at_ms, value, start_ms)?;
        Ok(id)
    }

    /// Adds a sample of a series by its number.
    ///
    /// # Errors
    /// As [`HeadAppender::append`]; `UnknownSeries` when the series is gone since, and needs its labels again.
    pub fn append_to(
        &mut self,
        series: SeriesId,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let series = self.head.index.get(series).ok_or_else(|| unknown(series))?;
        let value = self.head.accepted(series.labels(), at_ms, value)?;
        self.push(series, at_ms, value, start_ms)
    }

    fn push(
        &mut self,
        series: Arc<Series>,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let value = {
            let data = series.lock();
            let value = data.as_stored(value);
            let place = data.place_of(at_ms, &value, self.head.bounds());
            match place.map_err(|reason| not_taken(reason, series.labels(), at_ms))? {
                Place::Known => return Ok(()),
                Place::InOrder | Place::OutOfOrder => value,
            }
        };
        self.batch.samples.push(Sample { series: series.id(), at_ms, start_ms, value });
        self.targets.push(series);
        Ok(())
    }

    /// Says what is known of a metric; the last word counts.
    ///
    /// # Errors
    /// `InvalidSample` when the text is longer than the labels of a series may be.
    pub fn set_metadata(&mut self, metric: &str, metadata: Metadata) -> Result<(), StorageError> {
        let bytes = metric.len() + metadata.unit.len() + metadata.help.len();
        let bytes_max = self.head.options.limits.label_bytes_max;
        if bytes > bytes_max {
            let message = format!("metadata of {metric:.100} has {bytes} bytes, {bytes_max} are taken");
            return Err(StorageError::new(StorageErrorKind::InvalidSample, message));
        }
        if self.head.metadata.read(metric).as_ref() != Some(&metadata) {
            self.batch.metadata.push((metric.into(), metadata));
        }
        Ok(())
    }

    /// Number of samples in the batch.
    pub fn len(&self) -> usize {
        self.batch.samples.len()
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Forgets the batch.
    pub fn rollback(&mut self) {
        self.batch.clear();
        self.targets.clear();
    }

    /// Makes the batch visible as a whole. The appender is empty then and can be filled anew.
    pub fn commit(&mut self) -> Committed {
        let Ok((committed, ())) = self.commit_with(|_| Ok::<(), std::convert::Infallible>(()));
        committed
    }

    /// Writes the batch into the log, makes it visible as a whole, and waits until the log is as durable as its policy
    /// says.
    ///
    /// # Errors
    /// `Io` when the log cannot take it. If it cannot even be noted, the batch stays in the appender and nothing is
    /// visible; if it is noted but not durable, it is visible, but must not be acknowledged.
    pub fn commit_logged(&mut self, log: &Wal) -> Result<Committed, StorageError> {
        let (committed, position) = self.commit_with(|batch| log.append(batch))?;
        log.commit(position)?;
        Ok(committed)
    }

    fn commit_with<T, E>(&mut self, log: impl FnOnce(&Batch) -> Result<T, E>) -> Result<(Committed, T), E> {
        let head = self.head;
        let mut last = head.last_commit();
        for (series, sample) in self.targets.iter().zip(&self.batch.samples) {
            match series.take_part(*last + 1) {
                Part::First => self.batch.series.push((sample.series, series.labels().clone())),
                Part::Again => self.batch.has_repeats = true,
                Part::Later => {}
            }
        }
        let logged = match log(&self.batch) {
            Ok(logged) => logged,
            Err(error) => {
                head.withdraw(&self.batch.series);
                self.batch.series.clear();
                self.batch.has_repeats = false;
                return Err(error);
            }
        };
        *last += 1;
        let committed = head.apply(*last, &mut self.batch, &self.targets, Head::bounds);
        head.readers.publish(*last);
        drop(last);
        self.rollback();
        Ok((committed, logged))
    }
}

impl Head {
    /// Takes back that series were announced: the log did not take the batch that defines them.
    fn withdraw(&self, series: &[(SeriesId, Labels)]) {
        let series = self.index.get_all(series.iter().map(|one| one.0));
        series.iter().flatten().for_each(|series| series.withdraw());
    }

    /// Puts a batch in place. Whoever calls holds the number of the last commit.
    pub(super) fn apply(
        &self,
        commit: u64,
        batch: &mut Batch,
        targets: &[Arc<Series>],
        bounds: impl Fn(&Head) -> Bounds,
    ) -> Committed {
        self.index.publish(batch.series.iter().map(|(id, labels)| (*id, labels)));
        let numbers = CommitNumbers { commit, seen_by_all: self.readers.seen_by_all() };
        let (mut committed, bounds) = (Committed::default(), bounds(self));
        for (series, sample) in targets.iter().zip(batch.samples.drain(..)) {
            let Sample { at_ms, start_ms, value, .. } = sample;
            let is_histogram = matches!(value, SampleValue::Histogram(_));
            match self.put(&mut series.lock(), (at_ms, value, start_ms), bounds, numbers) {
                Ok(is_new) => {
                    committed.samples += usize::from(is_new);
                    committed.histograms += usize::from(is_new && is_histogram);
                }
                Err(reason) => {
                    committed.refused += 1;
                    let refusal = || not_taken(reason, series.labels(), at_ms);
                    committed.first_refusal.get_or_insert_with(refusal);
                }
            }
        }
        for (metric, metadata) in batch.metadata.drain(..) {
            self.metadata.set(metric, metadata);
        }
        self.put_exemplars(batch.exemplars.drain(..), |pushed, at_ms, labels| match pushed {
            Pushed::New => committed.exemplars += 1,
            Pushed::Known => {}
            Pushed::Late => {
                committed.refused += 1;
                committed.first_refusal.get_or_insert_with(|| late_exemplar(at_ms, labels));
            }
        });
        for (id, range) in batch.deletions.drain(..) {
            self.delete_from(id, range);
        }
        committed
    }

    /// Puts a sample where it belongs; says whether it was new.
    #[inline]
    fn put(
        &self,
        data: &mut SeriesData,
        sample: (Timestamp, SampleValue, Timestamp),
        bounds: Bounds,
        numbers: CommitNumbers,
    ) -> Result<bool, NotTaken> {
        let (at_ms, value, start_ms) = sample;
        let value = data.as_stored(value);
        let chunk_range_ms = self.options.chunk_range_ms;
        let is_new = match data.place_of(at_ms, &value, bounds)? {
            Place::Known => return Ok(false),
            Place::InOrder => {
                data.push((at_ms, value, start_ms), chunk_range_ms, numbers);
                self.note_newest(at_ms);
                true
            }
            Place::OutOfOrder => data.rare().late.push((at_ms, value, start_ms), chunk_range_ms, numbers),
        };
        self.note_oldest(at_ms);
        Ok(is_new)
    }

    #[inline]
    fn note_newest(&self, at_ms: Timestamp) {
        if self.newest_ms.load(Ordering::Relaxed) < at_ms {
            self.newest_ms.fetch_max(at_ms, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(super) fn note_oldest(&self, at_ms: Timestamp) {
        if self.oldest_ms.load(Ordering::Relaxed) > at_ms {
            self.oldest_ms.fetch_min(at_ms, Ordering::Relaxed);
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.options.bounds(self.newest_ms.load(Ordering::Relaxed), self.floor_ms.load(Ordering::Relaxed))
    }

    /// The series with these labels, made if need be.
    fn series_of(&self, labels: &Labels) -> Result<Arc<Series>, StorageError> {
        if let Some(series) = self.index.find(labels) {
            return Ok(series);
        }
        let limits = self.options.limits;
        let (bytes, bytes_max) = (labels.size_bytes(), limits.label_bytes_max);
        if bytes > bytes_max {
            let message = format!(
                "labels of a series of metric {:.100} have {bytes} bytes, {bytes_max} are taken",
                labels.metric_name()
            );
            return Err(StorageError::new(StorageErrorKind::InvalidSample, message));
        }
        self.index.find_or_add(labels, limits.series_max).ok_or_else(|| {
            let message = format!("no place for series {labels}: there are {} already", self.index.len());
            StorageError::new(StorageErrorKind::LimitExceeded, message)
        })
    }

    /// The value as the head keeps it: a histogram of a finer schema than there is in queries is made coarser.
    #[inline]
    fn accepted(
        &self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
    ) -> Result<SampleValue, StorageError> {
        let SampleValue::Histogram(_) = value else { return Ok(value) };
        let invalid = |reason: &str| {
            let message = format!("histogram at {at_ms} of series {labels}: {reason}");
            StorageError::new(StorageErrorKind::InvalidSample, message)
        };
        // One by one: in a commit it would take the others with it.
        if is_oversized(&value) {
            return Err(invalid("it has more buckets than the log takes"));
        }
        checked(value).map_err(|reason| invalid(&reason.to_string()))
    }
}

/// Whoever has the head to himself appends without a batch: a sample is visible at once.
impl Appender for Head {
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let value = self.accepted(labels, at_ms, value)?;
        let series = self.series_of(labels)?;
        if series.take_part(u64::MAX) == Part::First {
            self.index.publish([(series.id(), labels)]);
        }
        // No view is open, and those opened later see everything.
        let numbers = CommitNumbers { commit: 0, seen_by_all: u64::MAX };
        let put = self.put(&mut series.lock(), (at_ms, value, start_ms), self.bounds(), numbers);
        put.map(drop).map_err(|reason| not_taken(reason, labels, at_ms))
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

fn checked(value: SampleValue) -> Result<SampleValue, InvalidHistogram> {
    let SampleValue::Histogram(mut histogram) = value else { return Ok(value) };
    if (EXPONENTIAL_SCHEMA_MAX + 1..=STORED_SCHEMA_MAX).contains(&histogram.schema) {
        histogram = histogram.copy_to_schema(EXPONENTIAL_SCHEMA_MAX).map_or(histogram, Arc::new);
    }
    histogram.validate()?;
    Ok(SampleValue::Histogram(histogram))
}

fn unknown(series: SeriesId) -> StorageError {
    let message = format!("there is no series number {}", series.number());
    StorageError::new(StorageErrorKind::UnknownSeries, message)
}

fn not_taken(reason: NotTaken, labels: &Labels, at_ms: Timestamp) -> StorageError {
    match reason {
        NotTaken::OutOfOrder => {
            let message = format!("sample at {at_ms} is older than the newest one of series {labels}");
            StorageError::new(StorageErrorKind::OutOfOrder, message)
        }
        NotTaken::TooOld => {
            let message = format!("sample at {at_ms} of series {labels} is older than what is still taken");
            StorageError::new(StorageErrorKind::TooOld, message)
        }
        NotTaken::Duplicate => {
            let message = format!("series {labels} has another value at {at_ms}");
            StorageError::new(StorageErrorKind::Duplicate, message)
        }
    }
}
