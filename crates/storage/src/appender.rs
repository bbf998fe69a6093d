//! How samples get into a store.

use narthex_model::{Labels, SampleValue, Timestamp};

use crate::StorageError;

/// Accepts samples. What was appended is visible to new queriers after [`Appender::commit`].
pub trait Appender {
    /// Adds one sample. `start_ms` is when the counter started, 0 for unknown.
    ///
    /// # Errors
    /// `OutOfOrder` when the series already has a later sample, `Duplicate` when it has another value at the same
    /// instant, `InvalidSample` when the value contradicts itself; the sample is then not taken, earlier ones stay.
    fn append(
        &mut self,
        labels: &Labels,
        at_ms: Timestamp,
        value: SampleValue,
        start_ms: Timestamp,
    ) -> Result<(), StorageError>;

    /// Makes everything appended visible.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn commit(&mut self) -> Result<(), StorageError>;
}
