//! Reading a log: batch after batch, past whatever is damaged.

use std::fmt;
use std::path::{Path, PathBuf};

use narthex_storage::StorageError;

use super::batch::Batch;
use super::decoder::{Decoder, Useless};
use super::files::{FileKind, HEADER_BYTES, Listing, LogFile};
use super::frame::{Found, Frames};
use crate::fs::Fs;

/// What is wrong in a file of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DamageKind {
    /// The file's header is not one; its records are read all the same.
    Header,
    /// Bytes that are no record, though they were written whole.
    Record,
    /// Bytes that are no record at the end of a file: the last write did not come to its end.
    Torn,
    /// A record of which this version can make nothing.
    Malformed,
    /// A record that needs another one that was lost.
    Orphan,
    /// A file that cannot be read.
    Unreadable,
    /// A number in the sequence of files for which there is none.
    Missing,
    /// The file was written by another version.
    OtherVersion,
}

impl DamageKind {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            DamageKind::Header => "the header of the file is damaged",
            DamageKind::Record => "these are no records",
            DamageKind::Torn => "the last write did not come to its end",
            DamageKind::Malformed => "a record makes no sense",
            DamageKind::Orphan => "a record needs another one that was lost",
            DamageKind::Unreadable => "the file cannot be read",
            DamageKind::Missing => "a file is missing",
            DamageKind::OtherVersion => "another version of narthex wrote the file",
        }
    }
}

/// What of a file could not be used for one reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Place of the first part in it.
    pub offset: u64,
    /// Number of parts.
    pub parts: u64,
    /// Length of all of them.
    pub bytes: u64,
    /// What is wrong.
    pub kind: DamageKind,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { path, offset, parts, bytes, kind } = self;
        write!(f, "{} at byte {offset}: {}", path.display(), kind.as_str())?;
        match parts {
            0 | 1 if *bytes == 0 => Ok(()),
            0 | 1 => write!(f, " ({bytes} bytes)"),
            _ => write!(f, " (and in {} more places, {bytes} bytes in all)", parts - 1),
        }
    }
}

/// What was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReplayReport {
    /// Files.
    pub files: usize,
    /// Records.
    pub records: u64,
    /// Samples.
    pub samples: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// What could not be used: for every file and reason once. A torn end of the last file is what a crash leaves.
    pub damages: Vec<Damage>,
}

/// Reads the log in a directory in order: `visit` gets what was logged, in pieces, each once, those with the same content
/// as an earlier one included when the log was healed in between. Changes nothing. Holds one file and the keys of the
/// series in memory. Without a directory there is nothing to read.
///
/// # Errors
/// When the directory cannot be listed. Files that cannot be read are in the report.
pub fn replay(fs: &dyn Fs, dir: &Path, visit: &mut dyn FnMut(&Batch)) -> Result<ReplayReport, StorageError> {
    let listing = Listing::read(fs, dir)?;
    Ok(replay_files(fs, dir, &listing.files, visit))
}

/// The same for certain files.
pub(super) fn replay_files(
    fs: &dyn Fs,
    dir: &Path,
    files: &[LogFile],
    visit: &mut dyn FnMut(&Batch),
) -> ReplayReport {
    let mut replay =
        Replay { decoder: Decoder::default(), report: ReplayReport::default(), batch: Batch::default() };
    let mut before: Option<LogFile> = None;
    for &file in files {
        replay.check_sequence(dir, before, file);
        replay.file(fs, dir, file, visit);
        before = Some(file);
    }
    replay.report
}

struct Replay {
    decoder: Decoder,
    report: ReplayReport,
    batch: Batch,
}

impl Replay {
    fn damage(&mut self, path: &Path, offset: usize, bytes: usize, kind: DamageKind) {
        let (offset, bytes) = (offset as u64, bytes as u64);
        let of_file = self.report.damages.iter_mut().rev().take_while(|damage| damage.path == path);
        match of_file.into_iter().find(|damage| damage.kind == kind) {
            Some(damage) => {
                damage.parts += 1;
                damage.bytes += bytes;
            }
            None => self.report.damages.push(Damage { path: path.into(), offset, parts: 1, bytes, kind }),
        }
    }

    /// Notes files that are missing in front of a segment.
    fn check_sequence(&mut self, dir: &Path, before: Option<LogFile>, file: LogFile) {
        let expected = before.map(|before| before.number + 1);
        if file.kind == FileKind::Segment && expected.is_some_and(|expected| expected < file.number) {
            let missing = LogFile::segment(expected.unwrap_or(0));
            self.damage(&missing.path(dir), 0, 0, DamageKind::Missing);
        }
    }

    fn file(&mut self, fs: &dyn Fs, dir: &Path, file: LogFile, visit: &mut dyn FnMut(&Batch)) {
        let path = file.path(dir);
        let Ok(bytes) = fs.map(&path) else {
            return self.damage(&path, 0, 0, DamageKind::Unreadable);
        };
        self.report.files += 1;
        self.report.bytes += bytes.len() as u64;
        if LogFile::is_of_other_version(&bytes) {
            return self.damage(&path, 0, bytes.len(), DamageKind::OtherVersion);
        }
        if is_unfinished(&bytes, &file.header()) {
            return self.damage(&path, 0, bytes.len(), DamageKind::Torn);
        }
        if bytes.get(..HEADER_BYTES).is_some_and(|header| header != file.header()) {
            self.damage(&path, 0, HEADER_BYTES, DamageKind::Header);
        } else if bytes.len() < HEADER_BYTES {
            self.damage(&path, 0, bytes.len(), DamageKind::Torn);
        }
        self.records(&path, Frames::new(&bytes, file.seed(), HEADER_BYTES), visit);
        self.decoder.end_file();
    }

    fn records(&mut self, path: &Path, mut frames: Frames<'_>, visit: &mut dyn FnMut(&Batch)) {
        let mut is_rescued = false;
        loop {
            let offset = frames.offset();
            match frames.next() {
                None => return,
                Some(Found::Record(payload)) => self.record(path, offset, payload, visit),
                Some(Found::Torn(bytes)) => self.damage(path, offset, bytes, DamageKind::Torn),
                Some(Found::Damaged(bytes)) => {
                    self.damage(path, offset, bytes, DamageKind::Record);
                    if !std::mem::replace(&mut is_rescued, true) {
                        self.rescue(frames.clone(), visit);
                    }
                }
            }
        }
    }

    fn record(&mut self, path: &Path, offset: usize, payload: &[u8], visit: &mut dyn FnMut(&Batch)) {
        self.batch.clear();
        match self.decoder.read(payload, &mut self.batch) {
            Ok(()) => {
                self.report.records += 1;
                self.hand_out(visit);
            }
            Err(useless) => {
                let kind = match useless {
                    Useless::Malformed => DamageKind::Malformed,
                    Useless::KeyLost => DamageKind::Orphan,
                };
                self.damage(path, offset, payload.len(), kind);
            }
        }
    }

    /// Looks ahead for copies of what may have been in a damaged part.
    fn rescue(&mut self, frames: Frames<'_>, visit: &mut dyn FnMut(&Batch)) {
        self.batch.clear();
        for found in frames {
            if let Found::Record(payload) = found {
                self.decoder.rescue(payload, &mut self.batch);
            }
        }
        self.hand_out(visit);
    }

    fn hand_out(&mut self, visit: &mut dyn FnMut(&Batch)) {
        self.report.samples += self.batch.samples.len() as u64;
        if !self.batch.is_empty() {
            visit(&self.batch);
        }
    }
}

/// Whether a file is no more than a beginning of its header, perhaps with zeros where the system had made it longer.
fn is_unfinished(file: &[u8], header: &[u8]) -> bool {
    let written = file.iter().zip(header).take_while(|(is, should)| is == should).count();
    written < header.len() && file[written..].iter().all(|&byte| byte == 0)
}
