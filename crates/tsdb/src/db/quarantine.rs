//! Putting damaged parts aside: nothing is deleted, and somebody can look at it.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use narthex_storage::StorageError;

use super::OWN_DIR;
use crate::block::failure::io_failed;
use crate::fs::{Fs, write_atomically};

/// Where damaged parts go, in [`OWN_DIR`].
pub(super) const QUARANTINE_DIR: &str = "quarantine";

/// Moves a file or directory of the store in `dir` into its quarantine, with the reason beside it.
///
/// # Errors
/// When it cannot be moved; it is where it was then.
pub(super) fn put_aside(fs: &dyn Fs, dir: &Path, part: &Path, reason: &str) -> Result<(), StorageError> {
    let quarantine = dir.join(OWN_DIR).join(QUARANTINE_DIR);
    let name = part.file_name().map_or_else(|| "part".into(), OsStr::to_string_lossy);
    let put = || -> io::Result<()> {
        fs.create_dir_all(&quarantine)?;
        let free = free_name(fs, &quarantine, &name)?;
        write_atomically(fs, &quarantine.join(format!("{free}.reason")), format!("{reason}\n").as_bytes())?;
        fs.rename(part, &quarantine.join(&free))?;
        fs.sync_dir(&quarantine)?;
        fs.sync_dir(part.parent().unwrap_or(dir))
    };
    put().map_err(|error| io_failed(&error))
}

/// The name, or the name with the first number behind it that nothing has.
fn free_name(fs: &dyn Fs, dir: &Path, name: &str) -> io::Result<String> {
    let mut free = name.to_owned();
    let mut number = 1;
    while fs.exists(&dir.join(&free))? {
        number += 1;
        free = format!("{name}.{number}");
    }
    Ok(free)
}
