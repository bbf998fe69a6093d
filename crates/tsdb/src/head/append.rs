//! Samples into the head.

use std::sync::Arc;

use narthex_model::histogram::{EXPONENTIAL_SCHEMA_MAX, InvalidHistogram};
use narthex_model::{Labels, SampleValue, Timestamp};
use narthex_storage::{Appender, StorageError, StorageErrorKind};

use super::Head;
use super::series::NotTaken;
use crate::chunk::STORED_SCHEMA_MAX;

/// Appending is visible at once; there is nothing to commit.
impl Appender for Head {
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let value = accepted(value).map_err(|reason| {
            let message = format!("histogram at {at_ms} of series {labels}: {reason}");
            StorageError::new(StorageErrorKind::InvalidSample, message)
        })?;
        let outcome = self.series_of(labels)?.append(at_ms, value, start_ms);
        outcome.map_err(|reason| not_taken(reason, labels, at_ms))
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

/// The value as the head keeps it: a histogram of a finer schema than there is in queries is made coarser.
fn accepted(value: SampleValue) -> Result<SampleValue, InvalidHistogram> {
    let SampleValue::Histogram(mut histogram) = value else { return Ok(value) };
    if (EXPONENTIAL_SCHEMA_MAX + 1..=STORED_SCHEMA_MAX).contains(&histogram.schema) {
        histogram = histogram.copy_to_schema(EXPONENTIAL_SCHEMA_MAX).map_or(histogram, Arc::new);
    }
    histogram.validate()?;
    Ok(SampleValue::Histogram(histogram))
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
