//! Where the files of `testdata/` are and what stands in them.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file of `testdata/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fixture {
    /// Absolute path.
    pub path: PathBuf,
    /// Path below the folder that was asked for, `/` between the parts, without the extension.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// The folder that holds the workspace.
pub fn repository_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate stands two folders below the root").to_path_buf()
}

/// A path below `testdata/`, whether or not it exists.
pub fn testdata(relative: impl AsRef<Path>) -> PathBuf {
    repository_root().join("testdata").join(relative)
}

/// All files ending in `.ext` anywhere below `testdata/<folder>`, by name.
///
/// Panics when there are none, or when one cannot be read as UTF-8: a runner without cases would pass for ever.
#[track_caller]
pub fn fixtures(folder: impl AsRef<Path>, ext: &str) -> Vec<Fixture> {
    let root = testdata(folder);
    let found: Vec<Fixture> =
        names_below(&root, ext).into_iter().map(|name| read_fixture(&root, name, ext)).collect();
    assert!(!found.is_empty(), "no *.{ext} below {}", root.display());
    found
}

#[expect(clippy::panic, reason = "a test whose fixture cannot be read fails")]
fn read_fixture(root: &Path, name: String, ext: &str) -> Fixture {
    let path = root.join(format!("{name}.{ext}"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Fixture { path, name, text }
}

/// Names of all files ending in `.ext` below `root`, sorted; none when the folder does not exist.
pub(crate) fn names_below(root: &Path, ext: &str) -> Vec<String> {
    let suffix = format!(".{ext}");
    let mut names = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(name) = relative_name(root, &path).strip_suffix(&suffix) {
                names.push(name.to_owned());
            }
        }
    }
    names.sort();
    names
}

fn relative_name(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_sorted_and_without_extension() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let names = names_below(root, "rs");
        assert!(names.contains(&"src/fixture".to_owned()), "{names:?}");
        assert!(names.is_sorted());
        assert!(names_below(&root.join("nowhere"), "rs").is_empty());
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(repository_root().join("Cargo.toml").is_file());
        assert_eq!(testdata("a").parent().unwrap(), repository_root().join("testdata"));
    }

    #[test]
    fn a_folder_without_cases_is_refused() {
        let outcome = std::panic::catch_unwind(|| fixtures("no-such-folder", "test"));
        assert!(outcome.is_err());
    }
}
