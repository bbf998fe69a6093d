//! Cutting blocks from the head, and making the log short after that.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use narthex_model::{TimeRange, Timestamp};
use narthex_storage::StorageError;

use super::Database;
use super::accel::Summarising;
use crate::block::{Block, BlockWriter, ChunkSource, Compaction, NewBlock, Ulid};
use crate::compact;
use crate::head::{Head, Seen};
use crate::wal::Wal;

/// A checkpoint that failed is tried again so much later: it reads and writes the whole log.
const CHECKPOINT_PAUSE_MS: i64 = 30_000;

/// What maintenance has begun and not finished.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// A truncation of the head that an open query holds back.
    truncation: Option<(Timestamp, Seen)>,
    /// The log was cut for blocks that are not all written.
    is_log_cut: bool,
    /// Blocks are written, and the log still has what is in them.
    checkpoint: Option<Checkpoint>,
    /// Directories of blocks that are no longer wanted.
    pub(super) removals: Vec<PathBuf>,
    /// Blocks whose chunks are being summed up.
    pub(super) summarising: Summarising,
}

/// A checkpoint to be made.
#[derive(Clone, Copy, Debug)]
struct Checkpoint {
    /// Of the files up to this number.
    through: u64,
    /// Without samples before this.
    before_ms: Timestamp,
    /// Not to be tried before.
    due_ms: Timestamp,
}

impl Database {
    /// Cuts every block that is due. The head keeps the newest half block at least, where samples may still come in order.
    pub(super) fn cut_due(
        &self,
        log: &Wal,
        unfinished: &mut Unfinished,
        now_ms: Timestamp,
    ) -> Result<(), StorageError> {
        if let Some((before_ms, seen)) = unfinished.truncation.take()
            && self.head.truncate(before_ms, seen).is_held_back
        {
            unfinished.truncation = Some((before_ms, seen));
        }
        let is_waiting = |checkpoint: Checkpoint| now_ms < checkpoint.due_ms;
        let finished = match unfinished.checkpoint {
            Some(checkpoint) if !is_waiting(checkpoint) => self.finish_checkpoint(log, unfinished, now_ms),
            _ => Ok(()),
        };
        match self.due_end_ms() {
            Some(end_ms) => self.cut_until(log, unfinished, now_ms, end_ms),
            None => finished,
        }
    }

    /// Makes the log short if that failed before.
    pub(super) fn finish_checkpoint(
        &self,
        log: &Wal,
        unfinished: &mut Unfinished,
        now_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(checkpoint) = &mut unfinished.checkpoint else { return Ok(()) };
        checkpoint.due_ms = now_ms.saturating_add(CHECKPOINT_PAUSE_MS);
        log.checkpoint(checkpoint.through, &|id| self.head.has_series(id), checkpoint.before_ms)?;
        unfinished.checkpoint = None;
        Ok(())
    }

    /// Cuts everything before `end_ms`, block by block, and forgets it in head and log.
    pub(super) fn cut_until(
        &self,
        log: &Wal,
        unfinished: &mut Unfinished,
        now_ms: Timestamp,
        end_ms: Timestamp,
    ) -> Result<(), StorageError> {
        // What is noted up to here is visible before the first source looks at the head: late samples that are in these
        // files of the log are in the blocks. Those that come from now on stay in head and log, whichever block's time
        // they belong to. Tried again, it takes the files as they are: each attempt would leave a small one otherwise.
        let through = if unfinished.is_log_cut { log.closed_through() } else { log.cut_segment()? };
        unfinished.is_log_cut = true;
        self.head.settle();
        let seen = self.head.seen();
        let mut next = self.next_range(Timestamp::MIN, end_ms);
        while let Some(range) = next {
            self.cut(&self.head, range, now_ms)?;
            let cut_ms = range.max_ms.saturating_add(1);
            let is_held_back = self.head.truncate(cut_ms, seen).is_held_back;
            unfinished.truncation = is_held_back.then_some((cut_ms, seen));
            next = self.next_range(cut_ms, end_ms);
        }
        unfinished.is_log_cut = false;
        unfinished.checkpoint = Some(Checkpoint { through, before_ms: end_ms, due_ms: now_ms });
        self.finish_checkpoint(log, unfinished, now_ms)
    }

    /// The end of the newest block that is due, if one is.
    fn due_end_ms(&self) -> Option<Timestamp> {
        let range_ms = self.options.block_range_ms();
        let newest_ms = self.head.max_ms()?;
        let oldest_ms = self.head.min_ms()?.max(self.head.floor_ms());
        let end_ms = align(newest_ms.saturating_sub(range_ms / 2), range_ms);
        (oldest_ms < end_ms).then_some(end_ms)
    }

    /// The time of the first block before `end_ms` for which the head has samples that are not before `from_ms`. What is
    /// before that may still be there, held back by a query.
    fn next_range(&self, from_ms: Timestamp, end_ms: Timestamp) -> Option<TimeRange> {
        let at_ms = self.head.first_from(from_ms).filter(|&at_ms| at_ms < end_ms)?;
        Some(self.range_of(at_ms, end_ms))
    }

    /// The time of the block that an instant before `end_ms` lies in.
    fn range_of(&self, at_ms: Timestamp, end_ms: Timestamp) -> TimeRange {
        let range_ms = self.options.block_range_ms();
        let start_ms = align(at_ms, range_ms);
        TimeRange::new(start_ms, start_ms.saturating_add(range_ms).min(end_ms) - 1)
    }

    /// Makes a block of what a head has in `range`, if there is anything, and lets queries see it.
    pub(super) fn cut(&self, head: &Head, range: TimeRange, now_ms: Timestamp) -> Result<(), StorageError> {
        self.write_block(&mut head.source(range), range, now_ms)
    }

    /// Makes a block of level 1 and lets queries see it; none without samples.
    pub(super) fn write_block(
        &self,
        source: &mut dyn ChunkSource,
        range: TimeRange,
        now_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let ulid = self.new_name(now_ms)?;
        let mut writer = BlockWriter::create(&*self.fs, &self.dir, ulid, self.options.block_limits)?;
        writer.add_all(source)?;
        let (min_ms, max_ms) = (range.min_ms, range.max_ms.saturating_add(1));
        let block = NewBlock { min_ms, max_ms, compaction: Compaction::of_head(ulid), thanos: None };
        let made = writer.finish(block).map(|made| made.is_some());
        if let Some(block) = self.opened(ulid, made)? {
            self.change_blocks(|blocks| blocks.push(block));
            self.counters.cuts.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Database {
    /// The block that was made, if one was. Should anything have failed, it goes: it may have its name by now, and what is
    /// deleted from the store would be deleted from all blocks but this one.
    pub(super) fn opened(
        &self,
        ulid: Ulid,
        is_made: Result<bool, StorageError>,
    ) -> Result<Option<Arc<Block>>, StorageError> {
        let dir = self.dir.join(ulid.to_string());
        let opened = is_made.and_then(|is_made| match is_made {
            true => Block::open(&*self.fs, &dir).map(|block| Some(Arc::new(block))),
            false => Ok(None),
        });
        opened.inspect_err(|_| {
            // What cannot be removed either is told by the error.
            let _ = compact::remove_block(&*self.fs, &dir);
        })
    }
}

/// The last multiple of `range_ms` that is not after `at_ms`.
pub(super) fn align(at_ms: Timestamp, range_ms: i64) -> Timestamp {
    at_ms.saturating_sub(at_ms.rem_euclid(range_ms))
}
