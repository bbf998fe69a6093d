//! Deleting samples.

use std::sync::PoisonError;

use narthex_model::{Matcher, TimeRange, Timestamp};
use narthex_storage::StorageError;

use super::Database;

impl Database {
    /// Deletes the samples within `range` of the series that satisfy every matcher: queries that begin afterwards do not
    /// see them, compaction leaves them out. The deletion is durable when this returns. Waits for maintenance that is
    /// under way.
    ///
    /// # Errors
    /// When the store is only read or cannot be written: some parts may have been deleted then.
    pub fn delete(&self, matchers: &[Matcher], range: TimeRange) -> Result<(), StorageError> {
        // A block that is being made of the head or of others would come to the list without the deletion.
        let mut unfinished = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let log = self.log()?;
        // The log may still have what is in blocks only: it would come back from there at the next start.
        self.finish_checkpoint(&log, &mut unfinished, Timestamp::MIN)?;
        let deletion = self.head.deletion(matchers, range);
        if !deletion.is_empty() {
            log.append(&deletion)?;
            log.sync()?;
            self.head.delete(&deletion);
        }
        for block in self.block_list().iter().filter(|block| block.range().overlaps(range)) {
            block.delete(&*self.fs, matchers, range)?;
        }
        Ok(())
    }
}
