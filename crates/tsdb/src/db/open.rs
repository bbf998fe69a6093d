//! Opening a store: whatever an interruption left is finished or undone, whatever is damaged is put aside.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use narthex_model::{TimeRange, Timestamp};
use narthex_storage::{StorageError, StorageErrorKind};

use super::blocks::{self, Found, gap_of, is_damage};
use super::cut::align;
use super::gaps::{self, Gap};
use super::{Access, Counters, Database, DatabaseOptions, LOCK_FILE, LOG_DIR, modes, quarantine};
use crate::block::Block;
use crate::block::failure::io_failed;
use crate::compact;
use crate::fs::{Fs, write_atomically};
use crate::head::Head;
use crate::wal::{self, Damage, DamageKind, Wal};

/// What is known to be missing.
const GAPS_FILE: &str = "gaps";
/// What begins the hints of blocks that are no ordinary cut of a head: late samples, or series that ended.
const EXTRAORDINARY: &str = "from-";

impl Database {
    /// Opens the store in a directory for reading and writing; makes it if need be. A disk that takes nothing opens it
    /// for reading only, and [`Database::maintain`] tries again.
    ///
    /// # Errors
    /// `Io` when another process has the store, when Prometheus's own log is in it (see [`Database::take_over`]), when
    /// another version of this crate wrote the log, or when it cannot be read at all.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path, options: DatabaseOptions) -> Result<Database, StorageError> {
        modes::refuse_foreign_log(&*fs, dir)?;
        let database = Database::prepared(fs, dir, options);
        database.load_gaps();
        let access = database.gain_access()?;
        let is_writable = matches!(access, Access::Write(_));
        database.load_blocks(is_writable)?;
        database.replay_log()?;
        *database.access.write().unwrap_or_else(PoisonError::into_inner) = access;
        Ok(database)
    }

    /// A store with nothing in it yet, for reading.
    pub(super) fn prepared(fs: Arc<dyn Fs>, dir: &Path, options: DatabaseOptions) -> Database {
        Database {
            fs,
            dir: dir.to_owned(),
            blocks: RwLock::default(),
            head: Head::new(options.head),
            foreign: RwLock::default(),
            access: RwLock::new(Access::Read(super::read_only())),
            lock: Mutex::default(),
            gaps: Mutex::default(),
            maintenance: Mutex::default(),
            names: AtomicU64::new(0),
            counters: Counters::default(),
            options,
        }
    }

    /// Takes the lock and opens the log.
    pub(super) fn gain_access(&self) -> Result<Access, StorageError> {
        let log_dir = self.own(LOG_DIR);
        // Before anything is changed: it is whole, and its program can go on with it.
        if let Some(file) = wal::file_of_other_version(&*self.fs, &log_dir) {
            return Err(refused(format!(
                "{}: another version of narthex wrote the file, expected version {}; open the store with that one, \
                 or read it only",
                file.display(),
                wal::VERSION,
            )));
        }
        match self.take_lock() {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(io_failed(&error)),
            Err(error) => return Ok(Access::Read(io_failed(&error))),
        }
        self.clear_log_place(&log_dir);
        // A log that is durable in a directory that is not is no log.
        let made = self.fs.create_dir_all(&log_dir).and_then(|()| self.sync_names(&log_dir));
        let made = made.map_err(|error| io_failed(&error));
        match made.and_then(|()| Wal::open(Arc::clone(&self.fs), &log_dir, self.options.log)) {
            Ok(log) => Ok(Access::Write(Arc::new(log))),
            Err(error) => Ok(Access::Read(error)),
        }
    }

    /// Puts aside what is in the place of the log and is no directory.
    fn clear_log_place(&self, log_dir: &Path) {
        let Err(error) = self.fs.list(log_dir) else { return };
        if error.kind() == io::ErrorKind::NotADirectory {
            let reason = format!("the log is no directory, its samples are missing: {error}");
            // Where it cannot be moved, the log cannot be opened either, and that is told.
            let _ = self.put_aside(log_dir, &reason);
            self.note_gaps([Gap::new(TimeRange::ALL, reason)]);
        }
    }

    /// Moves a damaged part into the quarantine.
    pub(super) fn put_aside(&self, part: &Path, reason: &str) -> Result<(), StorageError> {
        quarantine::put_aside(&*self.fs, &self.dir, part, reason)?;
        self.counters.quarantined.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Takes the lock, unless it is held already.
    fn take_lock(&self) -> io::Result<()> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            self.fs.create_dir_all(&self.dir)?;
            *lock = Some(self.fs.lock(&self.dir.join(LOCK_FILE))?);
        }
        Ok(())
    }

    /// Makes the names of the directories from that of the log up to the one above the store's durable.
    fn sync_names(&self, log_dir: &Path) -> io::Result<()> {
        let above = log_dir.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.dir));
        let top = self.dir.parent().filter(|top| !top.as_os_str().is_empty());
        above.chain(top).try_for_each(|dir| self.fs.sync_dir(dir))
    }

    pub(super) fn load_gaps(&self) {
        let path = self.own(GAPS_FILE);
        let known = match self.fs.read(&path) {
            Ok(file) => gaps::parse(&file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let reason = format!("the list of known gaps cannot be read: {error}");
                vec![Gap { is_lasting: false, ..Gap::new(TimeRange::ALL, reason) }]
            }
        };
        *self.gaps() = known;
    }

    /// Remembers that samples are missing, now and at the next start.
    pub(super) fn note_gaps(&self, found: impl IntoIterator<Item = Gap>) {
        let mut known = self.gaps();
        let mut is_news = false;
        for gap in found {
            if gaps::add(&mut known, gap) {
                self.counters.damages.fetch_add(1, Ordering::Relaxed);
                is_news = true;
            }
        }
        if is_news {
            // A disk that takes nothing: what is wrong will be found again at the next start.
            let _ = write_atomically(&*self.fs, &self.own(GAPS_FILE), gaps::render(&known).as_bytes());
        }
    }

    /// Finishes and undoes what was interrupted, opens the blocks.
    pub(super) fn load_blocks(&self, is_writable: bool) -> Result<(), StorageError> {
        let exists = self.fs.exists(&self.dir).map_err(|error| io_failed(&error))?;
        if !exists {
            return Ok(());
        }
        if is_writable {
            for leftover in compact::leftovers(&*self.fs, &self.dir)? {
                // What cannot be removed now is not read either.
                let _ = compact::remove_leftover(&*self.fs, &self.dir, &leftover);
            }
        }
        let Found { blocks, superseded, damaged } = blocks::find(&*self.fs, &self.dir, &[])?;
        if is_writable {
            for dir in superseded {
                let _ = compact::remove_block(&*self.fs, &dir);
            }
        }
        for block in damaged {
            self.note_gaps([gap_of(&block)]);
            if is_writable && is_damage(&block.error) {
                let _ = self.put_aside(&block.dir, &block.error.to_string());
            }
        }
        let made_up_for = blocks.iter().flat_map(|block| {
            let gap = |error: &StorageError| Gap::new(block.range(), error.to_string());
            block.warnings().iter().map(gap)
        });
        self.note_gaps(made_up_for);
        self.change_blocks(|list| *list = blocks);
        self.open_summaries();
        Ok(())
    }

    /// Samples in order before this are in blocks.
    pub(super) fn blocks_end_ms(&self) -> Timestamp {
        end_ms(&self.block_list())
    }

    /// From which time on samples of the log are wanted: what is older would go with its block at once.
    fn log_floor_ms(&self) -> Timestamp {
        let newest_ms = self.block_list().iter().map(|block| block.meta().max_ms).max();
        match newest_ms {
            Some(newest_ms) if self.options.retention.time_ms > 0 => {
                align(newest_ms.saturating_sub(self.options.retention.time_ms), self.options.block_range_ms())
            }
            _ => Timestamp::MIN,
        }
    }

    fn replay_log(&self) -> Result<(), StorageError> {
        // First, so that late samples that are alone in the log are late again.
        self.head.raise_floor(self.blocks_end_ms());
        let from_ms = self.log_floor_ms();
        let mut refused = None;
        let mut restore = |batch: &wal::Batch| {
            if let Err(error) = self.head.restore_from(batch, from_ms) {
                refused.get_or_insert(error);
            }
        };
        let report = wal::replay(&*self.fs, &self.own(LOG_DIR), &mut restore)?;
        let in_memory = TimeRange::new(self.head.min_ms().unwrap_or(Timestamp::MIN), Timestamp::MAX);
        // A write that did not come to its end is what a crash leaves: nobody was told that it did.
        for damage in report.damages.iter().filter(|damage| damage.kind != DamageKind::Torn) {
            self.counters.log_damages.fetch_add(damage.parts, Ordering::Relaxed);
            self.note_gaps([gap_in_log(damage, in_memory)]);
        }
        self.note_gaps(refused.map(|error| Gap::new(in_memory, error.to_string())));
        Ok(())
    }
}

/// The end of the newest block with all samples of its time.
pub(super) fn end_ms(blocks: &[Arc<Block>]) -> Timestamp {
    let metas = blocks.iter().map(|block| block.meta());
    let ordinary =
        metas.filter(|meta| !meta.compaction.hints.iter().any(|hint| hint.starts_with(EXTRAORDINARY)));
    ordinary.map(|meta| meta.max_ms).max().unwrap_or(Timestamp::MIN)
}

pub(super) fn gap_in_log(damage: &Damage, range: TimeRange) -> Gap {
    Gap::new(range, format!("samples of the log may be missing: {damage}"))
}

/// An error of a store that cannot be opened as it is asked to.
pub(super) fn refused(message: impl Into<String>) -> StorageError {
    StorageError::new(StorageErrorKind::Io, message)
}
