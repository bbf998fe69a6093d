//! Cutting blocks from the head, and making the log short after that.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use narthex_model::{TimeRange, Timestamp};
use narthex_storage::StorageError;

use super::Database;
use crate::block::{Block, BlockWriter, ChunkSource, Compaction, NewBlock};
use crate::head::{Head, Seen};
use crate::wal::Wal;

/// A truncation of the head that an open query holds back: to be tried again.
#[derive(Debug, Default)]
pub(super) struct HeldBack(Option<(Timestamp, Seen)>);

impl Database {
    /// Cuts every block that is due. The head keeps the newest half block at least, where samples may still come in order.
    pub(super) fn cut_due(
        &self,
        log: &Wal,
        held: &mut HeldBack,
        now_ms: Timestamp,
    ) -> Result<(), StorageError> {
        if let Some((before_ms, seen)) = held.0.take()
            && self.head.truncate(before_ms, seen).is_held_back
        {
            held.0 = Some((before_ms, seen));
        }
        let Some(end_ms) = self.due_end_ms() else { return Ok(()) };
        self.cut_until(log, held, now_ms, end_ms)
    }

    /// Cuts everything before `end_ms`, block by block, and forgets it in head and log.
    pub(super) fn cut_until(
        &self,
        log: &Wal,
        held: &mut HeldBack,
        now_ms: Timestamp,
        end_ms: Timestamp,
    ) -> Result<(), StorageError> {
        // What is noted up to here is visible before the first source looks at the head: late samples that are in these
        // files of the log are in the blocks. Those that come from now on stay in head and log, whichever block's time
        // they belong to.
        let through = log.cut_segment()?;
        self.head.settle();
        let seen = self.head.seen();
        let Some(mut range) = self.first_range(end_ms) else { return Ok(()) };
        loop {
            self.cut(&self.head, range, now_ms)?;
            let cut_ms = range.max_ms.saturating_add(1);
            held.0 = self.head.truncate(cut_ms, seen).is_held_back.then_some((cut_ms, seen));
            match self.range_after(cut_ms, end_ms) {
                Some(next) => range = next,
                None => break,
            }
        }
        log.checkpoint(through, &|id| self.head.has_series(id), end_ms)?;
        Ok(())
    }

    /// The end of the newest block that is due, if one is.
    fn due_end_ms(&self) -> Option<Timestamp> {
        let range_ms = self.options.block_range_ms();
        let newest_ms = self.head.max_ms()?;
        let oldest_ms = self.head.min_ms()?.max(self.head.floor_ms());
        let end_ms = align(newest_ms.saturating_sub(range_ms / 2), range_ms);
        (oldest_ms < end_ms).then_some(end_ms)
    }

    /// The time of the oldest block before `end_ms` for which the head has samples.
    fn first_range(&self, end_ms: Timestamp) -> Option<TimeRange> {
        let oldest_ms = self.head.min_ms().filter(|&oldest_ms| oldest_ms < end_ms)?;
        Some(self.range_of(oldest_ms, end_ms))
    }

    /// The time of the next block before `end_ms` when everything before `cut_ms` is in blocks. A query may hold back
    /// what was cut: then the next one is looked at even if the head has nothing there.
    fn range_after(&self, cut_ms: Timestamp, end_ms: Timestamp) -> Option<TimeRange> {
        let oldest_ms = self.head.min_ms()?.max(cut_ms);
        (oldest_ms < end_ms).then(|| self.range_of(oldest_ms, end_ms))
    }

    /// The time of the block that an instant before `end_ms` lies in.
    fn range_of(&self, at_ms: Timestamp, end_ms: Timestamp) -> TimeRange {
        let range_ms = self.options.block_range_ms();
        let start_ms = align(at_ms, range_ms);
        TimeRange::new(start_ms, start_ms.saturating_add(range_ms).min(end_ms) - 1)
    }

    /// Makes a block of what a head has in `range` and lets queries see it. Returns whether there was anything.
    pub(super) fn cut(&self, head: &Head, range: TimeRange, now_ms: Timestamp) -> Result<bool, StorageError> {
        self.write_block(&mut head.source(range), range, now_ms)
    }

    /// Makes a block of level 1 and lets queries see it; none without samples. Returns whether it made one.
    pub(super) fn write_block(
        &self,
        source: &mut dyn ChunkSource,
        range: TimeRange,
        now_ms: Timestamp,
    ) -> Result<bool, StorageError> {
        let ulid = self.new_name(now_ms)?;
        let mut writer = BlockWriter::create(&*self.fs, &self.dir, ulid, self.options.block_limits)?;
        writer.add_all(source)?;
        let (min_ms, max_ms) = (range.min_ms, range.max_ms.saturating_add(1));
        let block = NewBlock { min_ms, max_ms, compaction: Compaction::of_head(ulid), thanos: None };
        let is_made = writer.finish(block)?.is_some();
        if is_made {
            let block = Arc::new(Block::open(&*self.fs, &self.dir.join(ulid.to_string()))?);
            self.change_blocks(|blocks| blocks.push(block));
            self.counters.cuts.fetch_add(1, Ordering::Relaxed);
        }
        Ok(is_made)
    }
}

/// The last multiple of `range_ms` that is not after `at_ms`.
pub(super) fn align(at_ms: Timestamp, range_ms: i64) -> Timestamp {
    at_ms.saturating_sub(at_ms.rem_euclid(range_ms))
}
