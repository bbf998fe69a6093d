//! Which files a list of paths means: files, folders, shell patterns, `-`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::exit::Trouble;

/// The name for standard input.
pub(crate) const STDIN: &str = "-";

/// Expands folders (every file below with one of the endings) and patterns. Files named as such are taken whatever
/// their ending is. Each file once, in the order of the arguments.
///
/// # Errors
/// When a path does not exist, or a folder or pattern yields nothing.
pub(crate) fn expand(paths: &[String], endings: &[&str]) -> Result<Vec<String>, Trouble> {
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for path in paths {
        for file in expand_one(path, endings)? {
            if seen.insert(file.clone()) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn expand_one(path: &str, endings: &[&str]) -> Result<Vec<String>, Trouble> {
    if path == STDIN || Path::new(path).is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let files = if Path::new(path).is_dir() {
        let pattern = format!("{}/**/*", glob::Pattern::escape(path.trim_end_matches('/')));
        matches(&pattern)?.into_iter().filter(|file| has_ending(file, endings)).collect()
    } else if path.contains(['*', '?', '[']) {
        matches(path)?
    } else {
        return Err(Trouble::new(format!("{path}: no such file or folder")));
    };
    if files.is_empty() {
        let wanted = endings.join(", ");
        return Err(Trouble::new(format!("{path}: nothing to read there (looked for {wanted})")));
    }
    Ok(files)
}

fn matches(pattern: &str) -> Result<Vec<String>, Trouble> {
    let found = glob::glob(pattern).map_err(|error| Trouble::new(format!("pattern {pattern}: {error}")))?;
    // Folders that may not be entered are left out, as a shell does.
    let files = found.filter_map(Result::ok).filter(|file| file.is_file());
    Ok(files.map(|file| file.to_string_lossy().into_owned()).collect())
}

fn has_ending(file: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| file.ends_with(ending))
}
