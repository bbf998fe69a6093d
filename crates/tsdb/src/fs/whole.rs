//! Steps on files that are done whole or not at all.

use std::io;
use std::path::Path;

use super::{EntryKind, Fs};

/// Puts a file with this content in place of whatever has its name, durably: after a crash there is the old content or
/// the new one. Writes `<path>.tmp` on the way; one that a crash left behind is replaced.
///
/// # Errors
/// When any step fails; the old content stands then, unless it is the last one, the sync of the directory, that failed.
pub fn write_atomically(fs: &dyn Fs, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    if fs.exists(temporary)? {
        fs.remove_file(temporary)?;
    }
    let mut file = fs.create(temporary)?;
    file.write_all(content)?;
    file.sync()?;
    drop(file);
    fs.rename(temporary, path)?;
    path.parent().map_or(Ok(()), |dir| fs.sync_dir(dir))
}

/// Removes a directory with all that is in it. Not atomic: rename it to a name that means rubbish first.
///
/// # Errors
/// When something in it cannot be removed; the rest of it is there then.
pub fn remove_tree(fs: &dyn Fs, dir: &Path) -> io::Result<()> {
    for entry in fs.list(dir)? {
        let path = dir.join(&entry.name);
        match entry.kind {
            EntryKind::Directory => remove_tree(fs, &path)?,
            EntryKind::File | EntryKind::Other => fs.remove_file(&path)?,
        }
    }
    fs.remove_dir(dir)
}
