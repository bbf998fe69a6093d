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
    // Pipes and devices are read as files are.
    if path == STDIN || (Path::new(path).exists() && !Path::new(path).is_dir()) {
        return Ok(vec![path.to_owned()]);
    }
    let files = if Path::new(path).is_dir() {
        let mut files = Vec::new();
        collect_below(Path::new(path), endings, &mut files);
        files
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

/// The files below a folder, by name. Links to folders are not followed: they may lead in circles.
fn collect_below(folder: &Path, endings: &[&str], files: &mut Vec<String>) {
    // Folders that may not be entered are left out, as a shell does.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = path.to_string_lossy().into_owned();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_below(&path, endings, files);
        } else if has_ending(&name, endings) && path.is_file() {
            files.push(name);
        }
    }
}

fn matches(pattern: &str) -> Result<Vec<String>, Trouble> {
    let found = glob::glob(pattern).map_err(|error| Trouble::new(format!("pattern {pattern}: {error}")))?;
    let files = found.filter_map(Result::ok).filter(|file| file.is_file());
    Ok(files.map(|file| file.to_string_lossy().into_owned()).collect())
}

fn has_ending(file: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| file.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_in_circles_end_and_each_file_comes_once() {
        let folder = narthex_testkit::ScratchDir::new("circle");
        std::fs::write(folder.join("rules.yml"), "groups: []").unwrap();
        for link in ["a", "b"] {
            std::os::unix::fs::symlink(".", folder.join(link)).unwrap();
        }
        let found = expand(&[folder.path().to_string_lossy().into_owned()], &[".yml"]).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
