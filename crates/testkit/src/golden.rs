//! Whether what is produced equals what was recorded in `testdata/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::diff::line_diff;
use crate::fixture::{names_below, testdata};

/// Whether to compare with recordings or to make them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Compare,
    Record,
}

impl Mode {
    /// `UPDATE` set to anything but nothing or `0` records.
    fn from_environment() -> Mode {
        match std::env::var("UPDATE") {
            Ok(value) if !value.is_empty() && value != "0" => Mode::Record,
            _ => Mode::Compare,
        }
    }
}

/// Compares `actual` with the file `testdata/<relative>`; with `UPDATE=1` writes the file instead.
///
/// Panics with a line diff when they differ.
#[track_caller]
#[expect(clippy::panic, reason = "a test whose output differs fails")]
pub fn golden(relative: impl AsRef<Path>, actual: &str) {
    if let Some(failure) = judge(&testdata(relative), actual, Mode::from_environment()) {
        panic!("{failure}");
    }
}

/// Says that every `*.ext` below `testdata/<folder>` is one of `names`; with `UPDATE=1` deletes the others.
///
/// Panics with the list of orphans.
#[track_caller]
pub fn check_no_orphans<'a>(folder: impl AsRef<Path>, ext: &str, names: impl IntoIterator<Item = &'a str>) {
    let made = names.into_iter().map(str::to_owned).collect();
    let failures = judge_orphans(&testdata(folder), ext, &made, Mode::from_environment());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The recordings of one runner: all `*.ext` below one folder of `testdata/`.
///
/// Collects every difference, so that one run shows them all. [`Golden::finish`] fails when there was one, and when a
/// recording was never asked for; a value dropped without it fails the test.
#[derive(Debug)]
#[must_use = "differences are reported by `finish`"]
pub struct Golden {
    root: PathBuf,
    ext: String,
    mode: Mode,
    made: BTreeSet<String>,
    failures: Vec<String>,
    finished: bool,
}

impl Golden {
    /// The recordings `testdata/<folder>/**/*.<ext>`.
    pub fn of(folder: impl AsRef<Path>, ext: &str) -> Golden {
        Golden::at(testdata(folder), ext, Mode::from_environment())
    }

    fn at(root: PathBuf, ext: &str, mode: Mode) -> Golden {
        let ext = ext.to_owned();
        Golden { root, ext, mode, made: BTreeSet::new(), failures: Vec::new(), finished: false }
    }

    /// Compares `actual` with the recording of that name (as [`crate::Fixture::name`]: no extension).
    pub fn check(&mut self, name: &str, actual: &str) {
        if !self.made.insert(name.to_owned()) {
            self.failures.push(format!("{name}: checked twice"));
        }
        let path = self.root.join(format!("{name}.{}", self.ext));
        self.failures.extend(judge(&path, actual, self.mode));
    }

    /// Ends the run. Panics with all differences and orphaned recordings, or when nothing was checked.
    #[track_caller]
    pub fn finish(mut self) {
        self.finished = true;
        assert!(!self.made.is_empty(), "nothing was compared with {}", self.root.display());
        let orphans = judge_orphans(&self.root, &self.ext, &self.made, self.mode);
        self.failures.extend(orphans);
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n\n"));
    }
}

impl Drop for Golden {
    fn drop(&mut self) {
        let forgotten = !self.finished && !std::thread::panicking();
        assert!(!forgotten, "Golden::finish was not called for {}", self.root.display());
    }
}

fn judge(path: &Path, actual: &str, mode: Mode) -> Option<String> {
    if mode == Mode::Record {
        return record(path, actual).err().map(|error| format!("{}: {error}", path.display()));
    }
    match fs::read_to_string(path) {
        Ok(expected) if expected == actual => None,
        Ok(expected) => Some(format!(
            "{} differs (- recorded, + produced; UPDATE=1 records anew):\n{}",
            path.display(),
            line_diff(&expected, actual)
        )),
        Err(error) => Some(format!("{}: {error} (UPDATE=1 records it):\n{actual}", path.display())),
    }
}

fn record(path: &Path, actual: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::read_to_string(path) {
        Ok(expected) if expected == actual => Ok(()),
        _ => fs::write(path, actual),
    }
}

fn judge_orphans(root: &Path, ext: &str, made: &BTreeSet<String>, mode: Mode) -> Vec<String> {
    let orphans = names_below(root, ext).into_iter().filter(|name| !made.contains(name));
    let paths = orphans.map(|name| root.join(format!("{name}.{ext}")));
    match mode {
        Mode::Record => {
            paths.filter_map(|path| fs::remove_file(path).err()).map(|error| error.to_string()).collect()
        }
        Mode::Compare => {
            paths.map(|path| format!("{}: recorded, but nothing makes it", path.display())).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn scratch(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("narthex-testkit-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        root
    }

    fn run(root: &Path, mode: Mode, cases: &[(&str, &str)]) -> Result<(), String> {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut golden = Golden::at(root.to_path_buf(), "out", mode);
            for (name, actual) in cases {
                golden.check(name, actual);
            }
            golden.finish();
        }));
        outcome.map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
    }

    #[test]
    fn records_then_compares_then_finds_the_difference_and_the_orphan() {
        let root = scratch("cycle");
        assert!(run(&root, Mode::Compare, &[("a", "1\n")]).unwrap_err().contains("UPDATE=1 records it"));
        run(&root, Mode::Record, &[("a", "1\n"), ("deep/b", "2\n")]).unwrap();
        run(&root, Mode::Compare, &[("a", "1\n"), ("deep/b", "2\n")]).unwrap();
        let failure = run(&root, Mode::Compare, &[("a", "9\n")]).unwrap_err();
        assert!(failure.contains("- 1\n+ 9"), "{failure}");
        assert!(failure.contains("b.out: recorded, but nothing makes it"), "{failure}");
        run(&root, Mode::Record, &[("a", "1\n")]).unwrap();
        run(&root, Mode::Compare, &[("a", "1\n")]).unwrap();
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_run_that_checks_nothing_or_one_name_twice_fails() {
        let root = scratch("misuse");
        assert!(run(&root, Mode::Compare, &[]).unwrap_err().contains("nothing was compared"));
        assert!(run(&root, Mode::Record, &[("a", "1"), ("a", "1")]).unwrap_err().contains("checked twice"));
        let forgotten = catch_unwind(|| drop(Golden::at(scratch("forgotten"), "out", Mode::Compare)));
        assert!(forgotten.is_err());
        fs::remove_dir_all(root).unwrap();
    }
}
