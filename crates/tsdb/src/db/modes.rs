//! A directory of Prometheus: read as it is, taken over, handed back.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use narthex_model::{TimeRange, Timestamp};
use narthex_storage::StorageError;

use super::cut::{Unfinished, align};
use super::gaps::{self, Gap};
use super::open::refused;
use super::{Access, Database, DatabaseOptions, LOG_DIR, blocks};
use crate::block::failure::io_failed;
use crate::fs::{Fs, remove_tree};
use crate::head::Head;
use crate::prometheus::{self, ForeignHead, ForeignOptions, ForeignReport};
use crate::wal;

/// What Prometheus keeps beside its blocks, the log last: as long as that is there, nothing was taken over.
const FOREIGN: [&str; 3] = ["chunks_head", "wbl", "wal"];
/// What begins the names of its snapshots.
const FOREIGN_SNAPSHOT: &str = "chunk_snapshot.";
/// Where its log goes when a store is taken over, in [`OWN_DIR`].
const TAKEN_DIR: &str = "taken-over";

impl Database {
    /// Opens the store in a directory for reading, whoever writes it: blocks, what Prometheus has in its logs, what we
    /// have in ours. Not one byte is changed. [`Database::refresh`] looks again.
    ///
    /// What cannot be read is among the known gaps.
    ///
    /// # Errors
    /// `Io` when there is no such directory or it cannot be listed.
    pub fn open_read_only(
        fs: Arc<dyn Fs>,
        dir: &Path,
        options: DatabaseOptions,
    ) -> Result<Database, StorageError> {
        let database = Database::prepared(fs, dir, options);
        database.refresh()?;
        Ok(database)
    }

    /// Looks again at a store that is only read: blocks and logs as they are now. Queries that have begun go on with what
    /// they have. Of a store that is written it does nothing.
    ///
    /// # Errors
    /// As [`Database::open_read_only`]; what was known stays.
    pub fn refresh(&self) -> Result<(), StorageError> {
        if self.log().is_ok() {
            return Ok(());
        }
        let known = self.block_list();
        let before = blocks::find(&*self.fs, &self.dir, &known)?;
        let min_valid_ms = super::open::end_ms(&before.blocks);
        let mut gaps = Vec::new();
        let foreign = ForeignOptions { head: self.options.head, min_valid_ms };
        let head = match ForeignHead::read(&*self.fs, &self.dir, foreign) {
            Ok(ForeignHead { head, report }) => {
                gaps.extend(gaps_of(&report));
                head
            }
            Err(error) => {
                gaps.push(unread("Prometheus's log", &error));
                Head::new(self.options.head)
            }
        };
        let own = self.read_own_log(&mut gaps);
        // What left the logs before they were read is in a block by now.
        let found = blocks::find(&*self.fs, &self.dir, &before.blocks)?;
        gaps.extend(found.damaged.iter().map(blocks::gap_of));
        self.change_blocks(|list| *list = found.blocks);
        self.open_summaries();
        let heads = [head, own].into_iter().filter(|head| head.series_count() > 0);
        *self.foreign.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(heads.collect());
        let mut known = self.gaps();
        known.clear();
        for gap in gaps {
            gaps::add(&mut known, gap);
        }
        Ok(())
    }

    /// Time of the newest sample in order, in blocks, memory or logs; `None` in an empty store.
    pub fn newest_ms(&self) -> Option<Timestamp> {
        let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner).clone();
        let blocks = self.block_list().iter().map(|block| block.meta().max_ms.saturating_sub(1)).max();
        let logs = foreign.iter().filter_map(Head::max_ms).max();
        blocks.max(logs).max(self.head.max_ms())
    }

    fn read_own_log(&self, gaps: &mut Vec<Gap>) -> Head {
        let head = Head::new(self.options.head);
        let report = wal::replay(&*self.fs, &self.own(LOG_DIR), &mut |batch| {
            let _ = head.restore(batch);
        });
        match report {
            Ok(report) => {
                let lost = report.damages.iter().filter(|damage| damage.kind != wal::DamageKind::Torn);
                gaps.extend(lost.map(|damage| super::open::gap_in_log(damage, TimeRange::ALL)));
            }
            Err(error) => gaps.push(unread("the log", &error)),
        }
        head
    }

    /// Makes a store of Prometheus one of ours: what it has in memory and logs becomes blocks, its logs are moved to
    /// `narthex/taken-over`. Interrupted, it is done again from the start.
    ///
    /// # Errors
    /// `Io` when Prometheus runs on it or it cannot be written; it is Prometheus's still then.
    pub fn take_over(
        fs: Arc<dyn Fs>,
        dir: &Path,
        options: DatabaseOptions,
        now_ms: Timestamp,
    ) -> Result<(), StorageError> {
        if !fs.exists(dir).map_err(|error| io_failed(&error))? {
            return Err(refused(format!("{}: there is no such directory", dir.display())));
        }
        let database = Database::prepared(fs, dir, options);
        database.load_gaps();
        if let Access::Read(reason) = database.gain_access()? {
            return Err(reason);
        }
        database.load_blocks(true)?;
        let foreign = ForeignOptions { head: database.options.head, min_valid_ms: database.blocks_end_ms() };
        let ForeignHead { head, report } = ForeignHead::read(&*database.fs, dir, foreign)?;
        database.note_gaps(gaps_of(&report));
        database.write_head(&head, now_ms)?;
        database.move_foreign_aside().map_err(|error| io_failed(&error))
    }

    fn move_foreign_aside(&self) -> io::Result<()> {
        let fs = &*self.fs;
        let taken = self.own(TAKEN_DIR);
        fs.create_dir_all(&taken)?;
        let listed = fs.list(&self.dir)?;
        let snapshots = listed.iter().filter(|entry| entry.name.starts_with(FOREIGN_SNAPSHOT));
        for name in snapshots.map(|entry| &*entry.name).chain(FOREIGN) {
            if !fs.exists(&self.dir.join(name))? {
                continue;
            }
            let mut target = taken.join(name);
            let mut number = 1;
            while fs.exists(&target)? {
                number += 1;
                target = taken.join(format!("{name}.{number}"));
            }
            fs.rename(&self.dir.join(name), &target)?;
        }
        fs.sync_dir(&taken)?;
        fs.sync_dir(&self.dir)
    }

    /// Hands the store to Prometheus: what is in memory and log becomes blocks, the log goes; into the quarantine if
    /// something is known to be missing. It is closed by that.
    ///
    /// # Errors
    /// When it cannot be written; it is open no longer, and ours still.
    pub fn hand_back(self, now_ms: Timestamp) -> Result<(), StorageError> {
        let log = self.log()?;
        if let Some(newest_ms) = self.head.max_ms() {
            let mut unfinished = Unfinished::default();
            self.cut_until(&log, &mut unfinished, now_ms, newest_ms.saturating_add(1))?;
        }
        log.cut_segment()?;
        let is_whole = self.gaps().is_empty();
        if is_whole {
            return remove_tree(&*self.fs, &self.own(LOG_DIR)).map_err(|error| io_failed(&error));
        }
        let reason = "samples of it may be in no block: something of the store is missing";
        self.put_aside(&self.own(LOG_DIR), reason)
    }

    /// Blocks of everything that a head has, for a directory that is not open.
    pub(super) fn write_head(&self, head: &Head, now_ms: Timestamp) -> Result<(), StorageError> {
        let Some(max_ms) = head.max_ms() else { return Ok(()) };
        let range_ms = self.options.block_range_ms();
        // Between samples that are far apart there may be more ranges than there is time for.
        let mut next_ms = head.first_from(Timestamp::MIN);
        while let Some(at_ms) = next_ms.filter(|&at_ms| at_ms <= max_ms) {
            let start_ms = align(at_ms, range_ms);
            let end_ms = start_ms.saturating_add(range_ms - 1).min(max_ms);
            self.cut(head, TimeRange::new(start_ms, end_ms), now_ms)?;
            next_ms = end_ms.checked_add(1).and_then(|after_ms| head.first_from(after_ms));
        }
        Ok(())
    }
}

/// What is missing while a log cannot be read; perhaps it can the next time.
fn unread(what: &str, error: &StorageError) -> Gap {
    let reason = format!("{what} cannot be read, its samples are missing: {error}");
    Gap { is_lasting: false, ..Gap::new(TimeRange::ALL, reason) }
}

/// What could not be read of Prometheus's logs.
fn gaps_of(report: &ForeignReport) -> Vec<Gap> {
    let lost = report.damages.iter().filter(|damage| damage.kind != prometheus::DamageKind::Torn);
    let lost = lost.map(ToString::to_string);
    let refused = report.first_refusal.iter().map(|reason| {
        format!("{} samples of the log were not taken, the first one because: {reason}", report.refused)
    });
    lost.chain(refused).map(|reason| Gap::new(TimeRange::ALL, reason)).collect()
}

/// Refuses a directory in which Prometheus has a log: writing beside it would split the newest samples in two.
pub(super) fn refuse_foreign_log(fs: &dyn Fs, dir: &Path) -> Result<(), StorageError> {
    let log = dir.join("wal");
    let has_log = match fs.list(&log) {
        Ok(entries) => entries.iter().any(|entry| entry.len > 0 || entry.name.starts_with("checkpoint")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(io_failed(&error)),
    };
    if !has_log {
        return Ok(());
    }
    let message = format!(
        "{} is a log of Prometheus: stop Prometheus and take the store over with `narthex tsdb take-over`, or open it for reading only",
        log.display()
    );
    Err(refused(message))
}
