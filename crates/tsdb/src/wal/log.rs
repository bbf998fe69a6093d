//! The log while it is written.
//!
//! Whoever commits notes a batch ([`Wal::append`]) and then waits until it is as safe as the policy asks
//! ([`Wal::commit`]). Of those who wait, one writes for all. A file whose sync failed is not trusted any more: what is
//! not known to be durable is written into a new file, and until that is durable nothing is acknowledged.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use narthex_model::Timestamp;
use narthex_storage::{StorageError, StorageErrorKind};

use super::batch::Batch;
use super::encoder::{Encoder, is_oversized};
use super::files::{HEADER_BYTES, Listing, LogFile, failed, make_dir};
use super::state::{State, Until};
use crate::fs::{Fs, FsFile};

/// When what was committed is made durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncPolicy {
    /// A commit is written at once, so that it survives the end of the process, and made durable by
    /// [`Wal::sync_if_due`] so many milliseconds later: a power cut costs no more than these.
    Interval {
        /// How long at most.
        ms: i64,
    },
    /// A commit waits until it is durable.
    Always,
}

/// How a log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalOptions {
    /// A file that has so many bytes is closed and another one begun.
    pub segment_bytes: u64,
    /// When commits are made durable.
    pub policy: SyncPolicy,
    /// What is not durable is kept in memory to be written anew; when it has so many bytes, it is made durable.
    pub unsynced_bytes_max: usize,
}

impl WalOptions {
    /// What a store uses without being asked: at most a second is lost in a power cut.
    pub const STABLE: WalOptions = WalOptions {
        segment_bytes: 64 << 20,
        policy: SyncPolicy::Interval { ms: 1000 },
        unsynced_bytes_max: 64 << 20,
    };
}

/// A batch in the log; later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position(u64);

/// Numbers of a log since it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WalStats {
    /// Number of the file that is written, 0 before the first batch.
    pub segment: u64,
    /// Batches noted.
    pub batches: u64,
    /// Batches of them that survive a power cut.
    pub durable_batches: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Calls that made something durable.
    pub syncs: u64,
    /// Times that a file was given up because it could not be written or made durable.
    pub failures: u64,
    /// Why nothing is acknowledged at the moment; `None` when all is well.
    pub fault: Option<String>,
}

/// A log that is written.
#[derive(Debug)]
pub struct Wal {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) dir: PathBuf,
    options: WalOptions,
    state: Mutex<State>,
    /// Somebody has finished writing.
    is_idle: Condvar,
    /// Held by whoever makes a checkpoint.
    pub(super) checkpoint: Mutex<()>,
}

impl Wal {
    /// Opens the log in a directory, which is made if need be. What is there is not touched: writing begins in a new
    /// file. [`replay`](super::replay()) it first.
    ///
    /// # Errors
    /// `Io` when the directory cannot be made or listed.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path, options: WalOptions) -> Result<Wal, StorageError> {
        make_dir(&*fs, dir)?;
        let listing = Listing::read(&*fs, dir)?;
        let next_segment = listing.last_number() + 1;
        let state = State {
            // No key of an earlier process has such a number.
            encoder: Encoder::new(next_segment << 32 | 1),
            segment: None,
            file: None,
            is_busy: false,
            next_segment,
            pending: Vec::new(),
            unsynced: Vec::new(),
            appended: 0,
            written: 0,
            durable: 0,
            last_sync_ms: Timestamp::MIN,
            stats: WalStats { bytes: listing.bytes, ..WalStats::default() },
        };
        Ok(Wal {
            fs,
            dir: dir.into(),
            options,
            state: Mutex::new(state),
            is_idle: Condvar::new(),
            checkpoint: Mutex::new(()),
        })
    }

    /// How it was opened.
    pub fn options(&self) -> WalOptions {
        self.options
    }

    /// Numbers.
    pub fn stats(&self) -> WalStats {
        let state = self.state();
        let segment = state.segment.map_or(0, |segment| segment.0.number);
        WalStats { segment, batches: state.appended, durable_batches: state.durable, ..state.stats.clone() }
    }

    /// Notes a batch behind all others. It is not safe yet: see [`Wal::commit`].
    ///
    /// # Errors
    /// `Io` when the log cannot be written at the moment, `InvalidSample` when a value is longer than a record may be;
    /// the batch is not noted then.
    pub fn append(&self, batch: &Batch) -> Result<Position, StorageError> {
        if batch.samples.iter().any(|sample| is_oversized(&sample.value)) {
            let message = "a histogram has more buckets than the log takes";
            return Err(StorageError::new(StorageErrorKind::InvalidSample, message));
        }
        let mut state = self.state();
        if self.wants_attention(&state) {
            state = self.attend(state)?;
        }
        let State { encoder, segment, pending, unsynced, .. } = &mut *state;
        let Some((file, end)) = segment else { return Err(no_segment()) };
        encoder.put(batch, &mut |payload| note(*file, end, pending, unsynced, payload));
        state.appended += 1;
        Ok(Position(state.appended))
    }

    /// Whether something is to be done before a batch is noted.
    fn wants_attention(&self, state: &State) -> bool {
        state.stats.fault.is_some()
            || state.unsynced.len() >= self.options.unsynced_bytes_max
            || state.segment.is_none_or(|(_, end)| end >= self.options.segment_bytes)
    }

    fn attend<'a>(&'a self, state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>, StorageError> {
        let mut state = self.idle(state);
        if state.stats.fault.is_some() {
            self.heal(&mut state)?;
        }
        if state.unsynced.len() >= self.options.unsynced_bytes_max {
            self.write_here(&mut state, Until::Durable)?;
        }
        if state.segment.is_some_and(|(_, end)| end >= self.options.segment_bytes) {
            self.close_segment(&mut state)?;
        }
        if state.segment.is_none() {
            self.open_segment(&mut state)?;
        }
        Ok(state)
    }

    /// Waits until a batch and all before it are as safe as the policy asks.
    ///
    /// # Errors
    /// `Io` when they are not. Nobody may be told then that they are stored; they are written once more when the log
    /// can be written again.
    pub fn commit(&self, position: Position) -> Result<(), StorageError> {
        match self.options.policy {
            SyncPolicy::Interval { .. } => self.reach(position, Until::Written),
            SyncPolicy::Always => self.reach(position, Until::Durable),
        }
    }

    /// Makes everything noted so far durable.
    ///
    /// # Errors
    /// `Io` when it is not.
    pub fn sync(&self) -> Result<(), StorageError> {
        let position = Position(self.state().appended);
        self.reach(position, Until::Durable)
    }

    /// Makes everything durable if the policy says that it is time; call it a few times per interval.
    ///
    /// # Errors
    /// `Io` when it is not.
    pub fn sync_if_due(&self, now_ms: Timestamp) -> Result<(), StorageError> {
        let SyncPolicy::Interval { ms } = self.options.policy else { return Ok(()) };
        {
            let mut state = self.state();
            let is_due = now_ms.saturating_sub(state.last_sync_ms) >= ms || now_ms < state.last_sync_ms;
            if !is_due || (state.durable == state.appended && state.stats.fault.is_none()) {
                return Ok(());
            }
            state.last_sync_ms = now_ms;
        }
        self.sync()
    }

    /// Closes the file that is written, durably; the next batch begins a new one. Returns the number of the last closed
    /// file, 0 for none: what was noted so far is in files up to it.
    ///
    /// # Errors
    /// `Io` when it cannot be made durable.
    pub fn cut_segment(&self) -> Result<u64, StorageError> {
        let mut state = self.idle(self.state());
        if state.stats.fault.is_some() {
            self.heal(&mut state)?;
        }
        self.close_segment(&mut state)?;
        Ok(state.next_segment - 1)
    }

    /// The number of the last file that is closed, 0 for none: all that is in files up to it was noted before.
    pub fn closed_through(&self) -> u64 {
        let state = self.state();
        state.segment.map_or(state.next_segment, |segment| segment.0.number).saturating_sub(1)
    }

    /// Counts the bytes of all files anew: some of them were replaced.
    pub(super) fn recount(&self) -> Result<(), StorageError> {
        let mut state = self.idle(self.state());
        state.stats.bytes = Listing::read(&*self.fs, &self.dir)?.bytes;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody writes.
    fn idle<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.is_idle.wait_while(state, |state| state.is_busy).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a batch is safe, or makes it so for all who wait.
    fn reach(&self, position: Position, until: Until) -> Result<(), StorageError> {
        let mut state = self.state();
        loop {
            if state.stats.fault.is_none() && state.reached(until) >= position.0 {
                return Ok(());
            }
            if state.is_busy {
                state = self.idle(state);
                continue;
            }
            if state.stats.fault.is_some() {
                // All that was noted is durable then.
                return self.heal(&mut state);
            }
            state = self.write_for_all(state, until);
        }
    }

    /// Writes what is pending while others note batches.
    fn write_for_all<'a>(&'a self, mut state: MutexGuard<'a, State>, until: Until) -> MutexGuard<'a, State> {
        let Some(mut file) = state.file.take() else {
            state.give_up(&no_segment());
            return state;
        };
        let mut job = state.begin(until);
        drop(state);
        let outcome = job.run(&mut *file);
        let mut state = self.state();
        state.file = Some(file);
        state.end(job, outcome);
        self.is_idle.notify_all();
        state
    }

    /// Writes what is pending while all wait.
    fn write_here(&self, state: &mut State, until: Until) -> Result<(), StorageError> {
        let Some(mut file) = state.file.take() else { return Ok(()) };
        let mut job = state.begin(until);
        let outcome = job.run(&mut *file);
        state.file = Some(file);
        let failure = outcome.as_ref().err().map(|error| failed("write", &self.dir, error));
        state.end(job, outcome);
        self.is_idle.notify_all();
        failure.map_or(Ok(()), Err)
    }

    fn close_segment(&self, state: &mut State) -> Result<(), StorageError> {
        let State { encoder, segment, pending, unsynced, .. } = &mut *state;
        let Some((file, end)) = segment else { return Ok(()) };
        encoder.put_copies(&mut |payload| note(*file, end, pending, unsynced, payload));
        self.write_here(state, Until::Durable)?;
        state.encoder.forget_keys();
        state.file = None;
        state.segment = None;
        Ok(())
    }

    fn open_segment(&self, state: &mut State) -> Result<(), StorageError> {
        let (segment, mut file) = self.create(state)?;
        let written = file
            .write_all(&segment.header())
            .and_then(|()| self.fs.sync_dir(&self.dir))
            .map_err(|error| failed("begin", &segment.path(&self.dir), &error));
        if let Err(error) = written {
            self.abandon(state, segment);
            return Err(error);
        }
        state.adopt(segment, file, HEADER_BYTES as u64);
        Ok(())
    }

    fn create(&self, state: &mut State) -> Result<(LogFile, Box<dyn FsFile>), StorageError> {
        let segment = LogFile::segment(state.next_segment);
        let path = segment.path(&self.dir);
        let file = self.fs.create(&path).map_err(|error| failed("make", &path, &error))?;
        state.next_segment += 1;
        Ok((segment, file))
    }

    /// Gives a file up that was just made; its number is free again if it can be removed.
    fn abandon(&self, state: &mut State, segment: LogFile) {
        if self.fs.remove_file(&segment.path(&self.dir)).is_ok() {
            state.next_segment = segment.number;
        }
    }

    /// Writes all that is not known to be durable into a new file and makes it durable.
    fn heal(&self, state: &mut State) -> Result<(), StorageError> {
        let (segment, mut file) = self.create(state)?;
        let mut records = segment.header().to_vec();
        let mut put = |payload: &[u8]| {
            let offset = records.len() as u64;
            segment.seed().put(&mut records, offset, payload);
        };
        state.encoder.restate_keys(&mut put);
        payloads(&state.unsynced).for_each(&mut put);
        state.encoder.restate_keys(&mut put);
        let healed = file
            .write_all(&records)
            .and_then(|()| file.sync())
            .and_then(|()| self.fs.sync_dir(&self.dir))
            .map_err(|error| failed("write", &segment.path(&self.dir), &error));
        if let Err(error) = healed {
            drop(file);
            self.abandon(state, segment);
            return Err(error);
        }
        state.pending.clear();
        state.unsynced.clear();
        state.encoder.forget_retired();
        (state.written, state.durable) = (state.appended, state.appended);
        state.stats.fault = None;
        state.stats.syncs += 1;
        state.stats.bytes += records.len() as u64;
        state.adopt(segment, file, records.len() as u64);
        Ok(())
    }
}

/// Puts a payload among what is to be written, and among what is to be written anew if that fails.
fn note(file: LogFile, end: &mut u64, pending: &mut Vec<u8>, unsynced: &mut Vec<u8>, payload: &[u8]) {
    let held = pending.len();
    file.seed().put(pending, *end, payload);
    *end += (pending.len() - held) as u64;
    unsynced.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    unsynced.extend_from_slice(payload);
}

/// The payloads of what is kept to be written anew.
fn payloads(mut kept: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = kept.split_first_chunk::<4>()?;
        let (payload, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        kept = rest;
        Some(payload)
    })
}

fn no_segment() -> StorageError {
    StorageError::new(StorageErrorKind::Io, "the log has no file to write to")
}
