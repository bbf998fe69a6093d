//! What a test may use when the machine has it: fixtures that are not ours, and other programs.
//!
//! Both return `None` after saying so on standard error, and the test ends there.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::fixture::repository_root;

/// A file or folder of the fixtures that are not part of the repository (the test corpora of other projects).
///
/// They are looked for in the folder named by `NARTHEX_SHARED_FIXTURES`, else in `../shared/fixtures` beside the
/// repository.
pub fn shared_fixtures(relative: impl AsRef<Path>) -> Option<PathBuf> {
    let root = env::var_os("NARTHEX_SHARED_FIXTURES")
        .map_or_else(|| repository_root().join("../shared/fixtures"), PathBuf::from);
    let path = root.join(&relative);
    if path.exists() {
        return Some(path);
    }
    say_skipped("shared fixtures", relative.as_ref());
    None
}

/// A program of another project, such as `promtool`.
///
/// It is looked for in the folder named by `NARTHEX_PEERS`, then on `PATH`.
pub fn peer(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("NARTHEX_PEERS").into_iter().chain(env::var_os("PATH"));
    let found = folders.flat_map(|list| program_in(&list, program)).next();
    if found.is_none() {
        say_skipped("program", Path::new(program));
    }
    found
}

fn program_in(list: &OsStr, program: &str) -> Option<PathBuf> {
    env::split_paths(list).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Not by `eprintln!`: the test harness would keep it to itself, and a skipped test must be seen.
fn say_skipped(what: &str, name: &Path) {
    let _ = writeln!(std::io::stderr(), "skipped: {what} {} not present", name.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_the_first_folder_that_has_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let list = env::join_paths([here.join("nowhere"), here.join("src")]).unwrap();
        assert_eq!(program_in(&list, "lib.rs"), Some(here.join("src/lib.rs")));
        assert_eq!(program_in(&list, "src"), None);
        assert_eq!(program_in(&list, "no-such-program"), None);
        let shell = peer("sh").expect("every machine that runs these tests has a shell");
        assert!(shell.is_file());
    }
}
