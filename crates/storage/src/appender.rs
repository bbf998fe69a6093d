//! How samples get into a store.

use narthex_model::{Labels, SampleValue, Timestamp};

use crate::{Exemplar, StorageError, StorageErrorKind};

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

    /// Adds an exemplar of a series that has samples, in this batch or before.
    ///
    /// # Errors
    /// `UnknownSeries` when the series has none, `OutOfOrder` when it has a later exemplar, `InvalidSample` when it is one
    /// that the store does not take, which is every one unless the store says otherwise. Nothing else is lost by that.
    fn append_exemplar(&mut self, labels: &Labels, exemplar: Exemplar) -> Result<(), StorageError> {
        let message =
            format!("exemplars are not stored, such as that at {} of series {labels}", exemplar.at_ms);
        Err(StorageError::new(StorageErrorKind::InvalidSample, message))
    }

    /// Makes everything appended visible.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn commit(&mut self) -> Result<(), StorageError>;
}
