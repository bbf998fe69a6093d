//! How long files and functions may be.
//!
//! What is longer than it should be stands in the ratchet file with its length: `path lines` or `path#function lines`.
//! Lengths there may only shrink, and an entry that is no longer needed must go.

use std::collections::BTreeMap;

use super::{Complaint, TextFile};
use crate::scan::{Function, Scan};

/// The ratchet file.
pub(super) const RATCHET: &str = "crates/xtask/ratchet.txt";
/// No file is longer, listed or not.
const FILE_LINES_CAP: usize = 1000;
/// A longer file is listed.
const FILE_LINES_MAX: usize = 400;
/// A longer function is listed.
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn check(files: &[TextFile], ratchet: &str) -> Vec<Complaint> {
    let too_long = too_long(files);
    let (listed, mut complaints) = entries(ratchet);
    for (what, &lines) in &too_long {
        complaints.extend(beyond_cap(what, lines));
        complaints.extend(judge(what, lines, listed.get(what).copied()));
    }
    let stale = listed.keys().filter(|what| !too_long.contains_key(*what));
    complaints.extend(stale.map(|what| Complaint::new(RATCHET, format!("{what} is not needed any more"))));
    complaints
}

/// How many files and functions there are, for people.
pub(super) fn summary(files: &[TextFile]) -> String {
    let rust: Vec<&TextFile> = files.iter().filter(|file| file.is_rust()).collect();
    let lines: usize = rust.iter().map(|file| file.text.lines().count()).sum();
    let functions: Vec<Function> = rust.iter().flat_map(|file| Scan::of(&file.text).functions()).collect();
    let mean =
        functions.iter().map(|function| function.lines).sum::<usize>() as f64 / functions.len().max(1) as f64;
    let count = functions.len();
    format!("{} Rust files, {lines} lines, {count} functions of {mean:.1} lines on average", rust.len())
}

fn beyond_cap(what: &str, lines: usize) -> Option<Complaint> {
    let is_file = !what.contains('#');
    (is_file && lines > FILE_LINES_CAP)
        .then(|| Complaint::new(what, format!("{lines} lines; no file may have more than {FILE_LINES_CAP}")))
}

fn judge(what: &str, lines: usize, listed: Option<usize>) -> Option<Complaint> {
    let max = if what.contains('#') { FUNCTION_LINES_MAX } else { FILE_LINES_MAX };
    let message = match listed {
        None => format!(
            "{lines} lines, more than {max}: split it, or list it in {RATCHET} with the reason in the commit"
        ),
        Some(listed) if lines > listed => {
            format!("grew from {listed} to {lines} lines; the ratchet only turns down")
        }
        Some(listed) if lines < listed => {
            format!("shrank to {lines} lines; write that instead of {listed} in {RATCHET}")
        }
        Some(_) => return None,
    };
    Some(Complaint::new(what, message))
}

/// Lengths of what is too long. Of functions of one name in one file the longest counts.
fn too_long(files: &[TextFile]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            found.insert(file.path.clone(), lines);
        }
        for function in Scan::of(&file.text).functions() {
            if function.lines > FUNCTION_LINES_MAX {
                let longest = found.entry(format!("{}#{}", file.path, function.name)).or_insert(0);
                *longest = function.lines.max(*longest);
            }
        }
    }
    found
}

/// The entries of the ratchet file; a line of another shape is a complaint. `#` at the start makes a comment.
fn entries(ratchet: &str) -> (BTreeMap<String, usize>, Vec<Complaint>) {
    let mut listed = BTreeMap::new();
    let mut complaints = Vec::new();
    let lines = ratchet.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (index, line) in lines {
        let entry = line.rsplit_once(' ').and_then(|(what, lines)| Some((what, lines.parse().ok()?)));
        let is_new = entry.is_some_and(|(what, lines)| listed.insert(what.to_owned(), lines).is_none());
        if !is_new {
            let place = format!("{RATCHET}:{}", index + 1);
            complaints
                .push(Complaint::new(place, "expected `path lines` or `path#function lines`, each once"));
        }
    }
    (listed, complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(lines: usize, function_lines: usize, ratchet: &str) -> Vec<String> {
        let body = "    x();\n".repeat(function_lines.saturating_sub(2));
        let text = format!(
            "//! A file.\nfn long() {{\n{body}}}\n{}",
            "\n".repeat(lines.saturating_sub(function_lines + 1))
        );
        check(&[TextFile { path: "a.rs".into(), text }], ratchet).iter().map(Complaint::to_string).collect()
    }

    #[test]
    fn long_files_and_functions_must_be_listed_with_their_length() {
        assert!(complaints(400, 70, "").is_empty());
        assert!(complaints(401, 2, "")[0].contains("a.rs: 401 lines, more than 400"));
        assert!(complaints(100, 71, "")[0].contains("a.rs#long: 71 lines, more than 70"));
        assert!(complaints(401, 71, "# why\na.rs 401\na.rs#long 71\n").is_empty());
        assert!(complaints(1001, 2, "a.rs 1001\n")[0].contains("no file may have more"));
    }

    #[test]
    fn the_ratchet_turns_down_only() {
        assert!(complaints(402, 2, "a.rs 401\n")[0].contains("grew from 401 to 402"));
        assert!(complaints(402, 2, "a.rs 500\n")[0].contains("write that instead of 500"));
        assert!(complaints(10, 2, "a.rs 401\n")[0].contains("a.rs is not needed any more"));
        assert!(complaints(10, 2, "gone.rs#f 80\n")[0].contains("gone.rs#f is not needed"));
        assert!(complaints(10, 2, "a.rs\n")[0].contains("expected `path lines`"));
    }
}
