//! Samples into a store: seen by all and kept for good, or refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_storage::{Appender, StorageError};

use super::{Counters, Database};
use crate::head::{Committed, HeadAppender};
use crate::wal::{Exemplar, Metadata, SeriesId, Wal};

/// A batch for a store; dropped before its commit it leaves nothing.
#[derive(Debug)]
pub struct DatabaseAppender<'d> {
    head: HeadAppender<'d>,
    log: Result<Arc<Wal>, StorageError>,
    counters: &'d Counters,
}

impl Database {
    /// An empty batch. Of a store that is only read, every commit fails.
    pub fn appender(&self) -> DatabaseAppender<'_> {
        DatabaseAppender { head: self.head.appender(), log: self.log(), counters: &self.counters }
    }
}

impl DatabaseAppender<'_> {
    /// Adds a sample of a series by its number, which an earlier append returned.
    ///
    /// # Errors
    /// As [`HeadAppender::append_to`].
    pub fn append_to(
        &mut self,
        series: SeriesId,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        self.head.append_to(series, at_ms, value, start_ms)
    }

    /// Adds a sample and returns the number of its series.
    ///
    /// # Errors
    /// As [`HeadAppender::append`].
    pub fn append_named(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<SeriesId, StorageError> {
        self.head.append(labels, at_ms, value, start_ms)
    }

    /// Adds an exemplar.
    ///
    /// # Errors
    /// As [`HeadAppender::append_exemplar`].
    pub fn append_exemplar(&mut self, series: SeriesId, exemplar: Exemplar) -> Result<(), StorageError> {
        self.head.append_exemplar(series, exemplar)
    }

    /// Says what is known of a metric.
    ///
    /// # Errors
    /// As [`HeadAppender::set_metadata`].
    pub fn set_metadata(&mut self, metric: &str, metadata: Metadata) -> Result<(), StorageError> {
        self.head.set_metadata(metric, metadata)
    }

    /// Makes the batch visible as a whole and as durable as the policy of the log says.
    ///
    /// # Errors
    /// `Io` when the log cannot take it: it must not be acknowledged then.
    pub fn commit_batch(&mut self) -> Result<Committed, StorageError> {
        let committed = match &self.log {
            Ok(log) => self.head.commit_logged(log)?,
            Err(reason) => return Err(reason.clone()),
        };
        let add = |counter: &AtomicU64, count: usize| counter.fetch_add(count as u64, Ordering::Relaxed);
        add(&self.counters.floats, committed.samples - committed.histograms);
        add(&self.counters.histograms, committed.histograms);
        add(&self.counters.exemplars, committed.exemplars);
        add(&self.counters.refused, committed.refused);
        Ok(committed)
    }
}

impl Appender for DatabaseAppender<'_> {
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        self.head.append(labels, at_ms, value, start_ms).map(drop)
    }

    fn append_exemplar(&mut self, labels: &Labels, exemplar: Exemplar) -> Result<(), StorageError> {
        self.head.append_exemplar_of(labels, exemplar)
    }

    /// Fails as well when another batch came in between and a sample of this one is not there for that: the others are.
    fn commit(&mut self) -> Result<(), StorageError> {
        self.commit_batch()?.first_refusal.map_or(Ok(()), Err)
    }
}
