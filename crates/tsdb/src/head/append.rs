//! Samples into the head.

use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_storage::{Appender, StorageError, StorageErrorKind};

use super::Head;
use super::series::NotTaken;

/// Appending is visible at once; there is nothing to commit.
impl Appender for Head {
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let outcome = self.series_of(labels)?.append(at_ms, value, start_ms);
        outcome.map_err(|reason| not_taken(reason, labels, at_ms))
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

fn not_taken(reason: NotTaken, labels: &Labels, at_ms: Timestamp) -> StorageError {
    match reason {
        NotTaken::OutOfOrder => {
            let message = format!("sample at {at_ms} is older than the newest one of series {labels}");
            StorageError::new(StorageErrorKind::OutOfOrder, message)
        }
        NotTaken::Duplicate => {
            let message = format!("series {labels} has another value at {at_ms}");
            StorageError::new(StorageErrorKind::Duplicate, message)
        }
    }
}
