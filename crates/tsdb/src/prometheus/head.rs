//! A head as Prometheus would have it after a start on the same files.

use std::path::Path;

use narthex_model::Timestamp;
use narthex_storage::{StorageError, StorageErrorKind};

use super::damage::Damage;
use super::files::LiveFiles;
use super::replay::{Deleted, Replay};
use crate::fs::Fs;
use crate::head::{Head, HeadOptions};

/// How often the files are looked for again when one of them vanishes while it is to be read.
const TRIES_MAX: usize = 5;

/// What is taken over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForeignOptions {
    /// What the head may hold. Whatever its rules, it takes samples in order and late ones however old.
    pub head: HeadOptions,
    /// In-order samples before this are in blocks: the greatest `maxTime` of all blocks that were not made of
    /// out-of-order or stale series. `Timestamp::MIN` without blocks.
    pub min_valid_ms: Timestamp,
}

/// What Prometheus has in memory and in its logs, as far as it can be read.
#[derive(Debug)]
pub struct ForeignHead {
    /// The samples, exemplars and metadata.
    pub head: Head,
    /// What was found and what was not taken.
    pub report: ForeignReport,
}

/// What was found in the files and what was not taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ForeignReport {
    /// Where reading had to stop.
    pub damages: Vec<Damage>,
    /// Chunks of `chunks_head`.
    pub head_chunks: u64,
    /// Records of all logs.
    pub records: u64,
    /// Records of types that came after this code.
    pub records_unknown: u64,
    /// Samples in records, each as often as it is there.
    pub samples: u64,
    /// Samples that came out of order, of head chunks and of their log.
    pub late: u64,
    /// Exemplars in records.
    pub exemplars: u64,
    /// Samples and head chunks of series that no record names.
    pub without_series: u64,
    /// Samples that a store does not take, such as histograms that contradict themselves.
    pub refused: u64,
    /// Why the first of them was not taken.
    pub first_refusal: Option<String>,
}

impl ForeignHead {
    /// Reads everything that Prometheus keeps beside its blocks. The directory may be in use; not a byte is changed.
    ///
    /// # Errors
    /// When a file cannot be read, or a limit is reached.
    pub fn read(fs: &dyn Fs, data_dir: &Path, options: ForeignOptions) -> Result<ForeignHead, StorageError> {
        let mut files = LiveFiles::find(fs, data_dir)?;
        for _ in 1..TRIES_MAX {
            match ForeignHead::read_files(fs, &files, options) {
                Err(error) if error.kind() == StorageErrorKind::Io => {
                    // Prometheus removes what it has put into a block or a checkpoint.
                    let found = LiveFiles::find(fs, data_dir)?;
                    if found == files {
                        return Err(error);
                    }
                    files = found;
                }
                done => return done,
            }
        }
        ForeignHead::read_files(fs, &files, options)
    }

    fn read_files(
        fs: &dyn Fs,
        files: &LiveFiles,
        options: ForeignOptions,
    ) -> Result<ForeignHead, StorageError> {
        let none = Deleted::default();
        let (first, deleted) = ForeignHead::replay(fs, files, options, none)?;
        if deleted.is_empty() {
            return Ok(first);
        }
        // Deletions are rare. A head only grows, so it is built again without what was deleted.
        ForeignHead::replay(fs, files, options, deleted).map(|(foreign, _)| foreign)
    }

    /// A head without what is deleted, and what the logs say of deletions.
    fn replay(
        fs: &dyn Fs,
        files: &LiveFiles,
        options: ForeignOptions,
        deleted: Deleted,
    ) -> Result<(ForeignHead, Deleted), StorageError> {
        let rules =
            HeadOptions { in_order_span_ms: i64::MAX, out_of_order_window_ms: i64::MAX, ..options.head };
        let head = Head::new(rules);
        let mut replay = Replay::new(&head, options.min_valid_ms, deleted);
        replay.run(fs, files)?;
        let Replay { report, found, .. } = replay;
        Ok((ForeignHead { head, report }, found))
    }
}
