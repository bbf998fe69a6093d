//! The files that tests name, on disk.

use std::path::Path;

use narthex_ruletest::Files;

use crate::input::read_file;

/// Reads from the file system.
pub(super) struct FilesOnDisk;

impl Files for FilesOnDisk {
    fn read(&self, path: &str) -> Result<String, String> {
        let bytes = read_file(path).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|error| error.utf8_error().to_string())
    }

    fn matching(&self, base: &str, pattern: &str) -> Result<Vec<String>, String> {
        let folder = Path::new(base).parent().unwrap_or(Path::new(""));
        let path = folder.join(pattern);
        if !pattern.contains(['*', '?', '[', '\\']) {
            return Ok(path.exists().then(|| path.to_string_lossy().into_owned()).into_iter().collect());
        }
        // A folder may have characters in its name that mean something in a pattern.
        let folder = glob::Pattern::escape(&folder.to_string_lossy());
        let pattern = Path::new(&folder).join(pattern);
        let found = glob::glob(&pattern.to_string_lossy()).map_err(|error| error.to_string())?;
        Ok(found.filter_map(Result::ok).map(|path| path.to_string_lossy().into_owned()).collect())
    }
}
