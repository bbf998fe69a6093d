//! What a compiler does not check: layers, sizes, names, forbidden words, the shape of the repository.
//!
//! Every check is a function from what was read to complaints, and has tests with inputs that must fail.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;
use crate::{graph, refuse_unknown};

mod arrows;
mod layout;
mod sizes;
mod words;

/// Folders with texts of ours.
const FOLDERS: &[&str] = &["crates", "fuzz", "benches", "testdata", ".cargo", ".ci", ".config"];
/// What is read as text outside `testdata`.
const TEXT_EXTENSIONS: &[&str] = &["rs", "toml", "md", "sh", "yml", "yaml", "txt", ""];

/// One thing to put right.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Complaint {
    /// A path relative to the root with an optional line, or the name of a crate.
    place: String,
    message: String,
}

impl Complaint {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Complaint {
        Complaint { place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// One text of the repository.
#[derive(Clone, Debug)]
struct TextFile {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl TextFile {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_testdata(&self) -> bool {
        self.path.starts_with("testdata/")
    }
}

/// Checks the repository and prints every complaint.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    refuse_unknown(arguments, &[])?;
    let workspace = Workspace::load()?;
    let files = read_files(&workspace.root);
    let complaints = check(&workspace, &files);
    eprintln!("tidy: {}", sizes::summary(&files));
    if complaints.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    Err(format!("{}\ntidy: {} complaints", lines.join("\n"), lines.len()))
}

fn check(workspace: &Workspace, files: &[TextFile]) -> Vec<Complaint> {
    let ratchet = fs::read_to_string(workspace.root.join(sizes::RATCHET)).unwrap_or_default();
    let mut complaints = arrows::check(workspace);
    complaints.extend(layout::check(workspace, files));
    complaints.extend(files.iter().flat_map(|file| words::check(file, &workspace.root)));
    complaints.extend(sizes::check(files, &ratchet));
    complaints.extend(graph::staleness(workspace).map(|message| Complaint::new("crate graph", message)));
    complaints.sort();
    complaints
}

/// Every text below [`FOLDERS`] and directly below the root, in order of their paths.
fn read_files(root: &Path) -> Vec<TextFile> {
    let mut open: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    let mut paths: Vec<PathBuf> = entries(root).into_iter().filter(|path| path.is_file()).collect();
    while let Some(folder) = open.pop() {
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            entries(&folder).into_iter().partition(|path| path.is_dir());
        open.extend(folders.into_iter().filter(|folder| !folder.ends_with("target")));
        paths.extend(files);
    }
    paths.sort();
    paths.iter().filter_map(|path| read_text(root, path)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// `None` of what is not ours to check: foreign kinds of files, and bytes that are no text.
fn read_text(root: &Path, path: &Path) -> Option<TextFile> {
    let relative = path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    let extension = path.extension().map_or("", |extension| extension.to_str().unwrap_or("?"));
    if relative == "LICENSE" || !(relative.starts_with("testdata/") || TEXT_EXTENSIONS.contains(&extension)) {
        return None;
    }
    Some(TextFile { path: relative, text: fs::read_to_string(path).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let workspace = Workspace::load().unwrap();
        let files = read_files(&workspace.root);
        assert!(files.iter().any(|file| file.path == "crates/xtask/src/tidy/mod.rs"));
        let complaints: Vec<String> = check(&workspace, &files).iter().map(Complaint::to_string).collect();
        assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    }

    #[test]
    fn freshness_of_the_crate_graph() {
        assert_eq!(graph::staleness(&Workspace::load().unwrap()), None);
    }
}
