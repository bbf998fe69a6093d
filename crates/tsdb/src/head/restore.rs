//! The head of the process before, out of the log.

use std::sync::atomic::Ordering;

use narthex_model::{Labels, Timestamp};
use narthex_storage::{StorageError, StorageErrorKind};

use super::Head;
use super::options::Bounds;
use super::series::Part;
use crate::wal::{Batch, SeriesId};

/// What was restored of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Restored {
    /// Samples that are in the head now.
    pub samples: usize,
    /// Samples that the head refuses, which it did the first time too or which are older than all it still takes.
    pub refused: usize,
    /// Samples of series that the log does not define.
    pub unknown: usize,
}

impl Head {
    /// Puts a batch of a log into the head: what another head, of the process before, had taken. Samples of series that
    /// no batch defined are left out.
    ///
    /// # Errors
    /// `LimitExceeded` when there are more series than the head takes; all else is in the head.
    pub fn restore(&self, batch: &Batch) -> Result<Restored, StorageError> {
        self.restore_from(batch, Timestamp::MIN)
    }

    /// The same without samples before `from_ms`, which nobody wants any more.
    ///
    /// # Errors
    /// As [`Head::restore`].
    pub fn restore_from(&self, batch: &Batch, from_ms: Timestamp) -> Result<Restored, StorageError> {
        let mut last = self.last_commit();
        *last += 1;
        let is_refused = |(id, labels): &&(SeriesId, Labels)| !self.restore_series(*id, labels, *last);
        let refused = batch.series.iter().filter(is_refused).count();
        let targets = self.index.get_all(batch.samples.iter().map(|sample| sample.series));
        let unknown = targets.iter().filter(|target| target.is_none()).count();
        let known = batch.samples.iter().zip(&targets).filter(|one| one.1.is_some());
        let mut known = Batch {
            series: Vec::new(),
            samples: known.map(|one| one.0.clone()).collect(),
            metadata: batch.metadata.clone(),
            exemplars: batch.exemplars.clone(),
            deletions: batch.deletions.clone(),
            has_repeats: batch.has_repeats,
        };
        let targets: Vec<_> = targets.into_iter().flatten().collect();
        let committed = self.apply(*last, &mut known, &targets, |head| head.bounds_of_log(from_ms));
        self.readers.publish(*last);
        if refused > 0 {
            let message = format!("no place for {refused} series of the log");
            return Err(StorageError::new(StorageErrorKind::LimitExceeded, message));
        }
        Ok(Restored { samples: committed.samples, refused: committed.refused, unknown })
    }

    fn restore_series(&self, id: SeriesId, labels: &Labels, commit: u64) -> bool {
        let Some(series) = self.index.restore(id, labels, self.options.limits.series_max) else {
            return false;
        };
        if series.take_part(commit) == Part::First {
            self.index.publish([(series.id(), labels)]);
        }
        true
    }

    /// What a log holds was taken when it was written, wherever the newest sample is now and whatever the rules are.
    fn bounds_of_log(&self, from_ms: Timestamp) -> Bounds {
        let in_order_ms = self.floor_ms.load(Ordering::Relaxed).max(from_ms);
        Bounds { in_order_ms, out_of_order_ms: Some(from_ms) }
    }
}
