//! What of a log is noted, what written, what durable.

use std::mem;

use narthex_model::Timestamp;
use narthex_storage::{StorageError, StorageErrorKind};

use super::encoder::Encoder;
use super::files::LogFile;
use super::log::WalStats;
use crate::fs::FsFile;

/// The changing part of a log.
#[derive(Debug)]
pub(super) struct State {
    pub(super) encoder: Encoder,
    /// The file that records go to, and where the next one will lie in it.
    pub(super) segment: Option<(LogFile, u64)>,
    /// Out while somebody writes.
    pub(super) file: Option<Box<dyn FsFile>>,
    pub(super) is_busy: bool,
    pub(super) next_segment: u64,
    /// Records that are not written yet.
    pub(super) pending: Vec<u8>,
    /// Payloads that are not known to be durable, each behind its length.
    pub(super) unsynced: Vec<u8>,
    pub(super) appended: u64,
    pub(super) written: u64,
    pub(super) durable: u64,
    pub(super) last_sync_ms: Timestamp,
    pub(super) stats: WalStats,
}

/// How safe something is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    Written,
    Durable,
}

/// What is written at once.
#[derive(Debug)]
pub(super) struct Job {
    records: Vec<u8>,
    until: Until,
    /// The last batch that is in the file afterwards.
    batch: u64,
    /// Length of what is durable afterwards, of what is kept to be written anew.
    unsynced: usize,
}

impl Job {
    pub(super) fn run(&mut self, file: &mut dyn FsFile) -> std::io::Result<()> {
        if !self.records.is_empty() {
            file.write_all(&self.records)?;
        }
        if self.until == Until::Durable { file.sync() } else { Ok(()) }
    }
}

impl State {
    pub(super) fn reached(&self, until: Until) -> u64 {
        match until {
            Until::Written => self.written,
            Until::Durable => self.durable,
        }
    }

    pub(super) fn begin(&mut self, until: Until) -> Job {
        self.is_busy = true;
        let records = mem::take(&mut self.pending);
        Job { records, until, batch: self.appended, unsynced: self.unsynced.len() }
    }

    pub(super) fn end(&mut self, job: Job, outcome: std::io::Result<()>) {
        self.is_busy = false;
        if let Err(error) = outcome {
            let message = format!("cannot write the log: {error}");
            return self.give_up(&StorageError::new(StorageErrorKind::Io, message));
        }
        self.stats.bytes += job.records.len() as u64;
        self.written = self.written.max(job.batch);
        if job.until == Until::Durable {
            self.durable = self.durable.max(job.batch);
            self.unsynced.drain(..job.unsynced);
            self.stats.syncs += 1;
            if self.unsynced.is_empty() {
                self.encoder.forget_retired();
            }
        }
        if self.pending.is_empty() {
            // The memory of what was written serves the next ones.
            self.pending = job.records;
            self.pending.clear();
        }
    }

    /// The file is not trusted any more.
    pub(super) fn give_up(&mut self, error: &StorageError) {
        self.stats.fault = Some(error.to_string());
        self.stats.failures += 1;
        self.file = None;
    }

    pub(super) fn adopt(&mut self, segment: LogFile, file: Box<dyn FsFile>, end: u64) {
        self.segment = Some((segment, end));
        self.file = Some(file);
    }
}
