//! What has to be done now and then: durability, blocks, compaction, retention.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use narthex_model::Timestamp;
use narthex_storage::{StorageError, StorageErrorKind};

use super::blocks::is_damage;
use super::cut::Unfinished;
use super::{Access, Database, modes};
use crate::block::{Block, BlockMeta, Ulid};
use crate::compact::{self, BlockSize, Plan};

/// What a call of [`Database::maintain`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Maintenance {
    /// Blocks cut from the head.
    pub cuts: u64,
    /// Blocks made of others.
    pub compactions: u64,
    /// Blocks removed because they are too old or there is no room.
    pub expired: u64,
    /// Blocks of which it is known from now on what their chunks amount to; large ones take several calls.
    pub summarised: u64,
}

impl Database {
    /// Makes what was committed durable when the policy says that it is time. To be called several times per interval
    /// of the policy; cheap when nothing is due.
    ///
    /// # Errors
    /// `Io` when it is not durable; it is tried again at the next call or commit.
    pub fn sync_if_due(&self, now_ms: Timestamp) -> Result<(), StorageError> {
        match self.log() {
            Ok(log) => log.sync_if_due(now_ms),
            Err(_) => Ok(()),
        }
    }

    /// Cuts blocks that are due, compacts blocks, removes what is not kept any longer, sums up chunks. To be called every
    /// now and then, by one thread; others may append and query meanwhile. Without anything due it is cheap.
    ///
    /// # Errors
    /// When a step failed: the rest is tried at the next call, and nothing is lost.
    pub fn maintain(&self, now_ms: Timestamp) -> Result<Maintenance, StorageError> {
        let mut held = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        // Room first: the other steps need some, and so may the log.
        let expired = self.expire(&mut held);
        let outcome = self.advance(&mut held, now_ms);
        let outcome = outcome.and_then(|done| Ok(Maintenance { expired: done.expired + expired?, ..done }));
        if outcome.is_err() {
            self.counters.failures.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// All steps but the one that makes room for them.
    fn advance(&self, unfinished: &mut Unfinished, now_ms: Timestamp) -> Result<Maintenance, StorageError> {
        self.regain_access()?;
        let before = self.counters.cuts.load(Ordering::Relaxed);
        let log = self.log()?;
        self.cut_due(&log, unfinished, now_ms)?;
        let cuts = self.counters.cuts.load(Ordering::Relaxed) - before;
        let compactions = self.compact_all(unfinished, now_ms)?;
        let expired = self.expire(unfinished)?;
        let summarised = self.summarise(&mut unfinished.summarising)?;
        Ok(Maintenance { cuts, compactions, expired, summarised })
    }

    /// Tries to write a store that could only be read, for want of room say, when it was opened.
    fn regain_access(&self) -> Result<(), StorageError> {
        if self.log().is_ok() {
            return Ok(());
        }
        // Without the lock the store was anybody's meanwhile.
        modes::refuse_foreign_log(&*self.fs, &self.dir)?;
        match self.gain_access()? {
            Access::Read(reason) => Err(reason),
            access => {
                *self.access.write().unwrap_or_else(PoisonError::into_inner) = access;
                Ok(())
            }
        }
    }

    fn compact_all(&self, unfinished: &mut Unfinished, now_ms: Timestamp) -> Result<u64, StorageError> {
        let mut done = 0;
        while let Some(plan) = self.next_compaction() {
            self.compact(&plan, unfinished, now_ms)?;
            done += 1;
        }
        Ok(done)
    }

    fn next_compaction(&self) -> Option<Plan> {
        let metas: Vec<BlockMeta> = self.block_list().iter().map(|block| (*block.meta()).clone()).collect();
        compact::plan(&metas, &self.options.compaction)
    }

    /// One block of several. Should one of them be damaged, it is marked and left alone from then on.
    fn compact(
        &self,
        plan: &Plan,
        unfinished: &mut Unfinished,
        now_ms: Timestamp,
    ) -> Result<(), StorageError> {
        let blocks = self.block_list();
        let parents: Vec<&Block> =
            blocks.iter().filter(|block| plan.blocks.contains(&block.ulid())).map(|block| &**block).collect();
        let ulid = self.new_name(now_ms)?;
        let made = compact::compact(&*self.fs, &self.dir, &parents, ulid, self.options.block_limits);
        let block = match self.opened(ulid, made.map(|made| made.is_some())) {
            Err(error) if is_damage(&error) => return self.give_up(&parents, &error),
            block => block?,
        };
        self.change_blocks(|list| {
            list.retain(|block| !plan.blocks.contains(&block.ulid()));
            list.extend(block);
        });
        self.counters.compactions.fetch_add(1, Ordering::Relaxed);
        self.remove(parents, unfinished)
    }

    /// Marks the blocks that do not stand a check, or all when each of them does.
    fn give_up(&self, blocks: &[&Block], error: &StorageError) -> Result<(), StorageError> {
        self.counters.damages.fetch_add(1, Ordering::Relaxed);
        let damaged: Vec<&&Block> = blocks.iter().filter(|block| block.verify().is_err()).collect();
        let marked = if damaged.is_empty() { blocks.iter().collect() } else { damaged };
        for block in marked {
            block.mark_failed(&*self.fs)?;
        }
        if self
            .next_compaction()
            .is_some_and(|plan| blocks.iter().any(|block| plan.blocks.contains(&block.ulid())))
        {
            return Err(StorageError::new(StorageErrorKind::Corrupt, format!("compaction failed: {error}")));
        }
        Ok(())
    }

    /// Removes the files of blocks that no list has any more, and of those for which that failed before.
    fn remove<'b>(
        &self,
        blocks: impl IntoIterator<Item = &'b Block>,
        unfinished: &mut Unfinished,
    ) -> Result<(), StorageError> {
        unfinished.removals.extend(blocks.into_iter().map(|block| block.dir().to_owned()));
        let mut outcome = Ok(());
        unfinished.removals.retain(|dir| match compact::remove_block(&*self.fs, dir) {
            Ok(()) => false,
            Err(error) => {
                outcome = Err(error);
                true
            }
        });
        outcome
    }

    fn expire(&self, unfinished: &mut Unfinished) -> Result<u64, StorageError> {
        if self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Ok(0);
        }
        let log_bytes = self.log().map_or(0, |log| log.stats().bytes);
        let blocks = self.block_list();
        let metas: Vec<_> = blocks.iter().map(|block| block.meta()).collect();
        let bytes_of = |block: &Block| {
            block.file_bytes() + block.summaries().map_or(0, |summaries| summaries.file_bytes())
        };
        let sizes = blocks.iter().zip(&metas);
        let sizes: Vec<BlockSize<'_>> =
            sizes.map(|(block, meta)| BlockSize { meta, size_bytes: bytes_of(block) }).collect();
        let gone = compact::expired(&sizes, log_bytes, self.options.retention);
        let gone: Vec<Ulid> = gone.into_iter().map(|one| one.0).collect();
        self.change_blocks(|list| list.retain(|block| !gone.contains(&block.ulid())));
        self.counters.expired.fetch_add(gone.len() as u64, Ordering::Relaxed);
        let blocks = blocks.iter().filter(|block| gone.contains(&block.ulid()));
        self.remove(blocks.map(|block| &**block), unfinished)?;
        Ok(gone.len() as u64)
    }
}
