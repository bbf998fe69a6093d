//! What must not stand in a text.

use std::path::Path;

use super::{Complaint, TextFile};
use crate::scan::{Kind, Scan};

/// Refused in code, with what to do instead.
const IN_CODE: &[(&str, &str)] = &[
    ("todo!(", "finish it"),
    ("unimplemented!(", "finish it"),
    ("dbg!(", "remove it"),
    ("#[ignore", "a test that does not run protects nothing"),
    ("#[should_panic", "assert on the error instead"),
    ("#[allow(", "use #[expect(…, reason = …)]"),
    ("#![allow(", "use #![expect(…, reason = …)]"),
];

/// Refused in comments.
const IN_COMMENTS: &[&str] = &["FIXME", "TODO", "XXX"];

/// Beginnings of paths that exist on one machine only; the parent of the checkout is another.
const MACHINE_FOLDERS: &[&str] = &["/home/", "/Users/", "/root/"];

pub(super) fn check(file: &TextFile, root: &Path) -> Vec<Complaint> {
    let mut complaints = machine_paths(file, root);
    if file.is_testdata() {
        return complaints;
    }
    complaints.extend(blanks_at_line_ends(file));
    if file.is_rust() {
        complaints.extend(first_line(file));
        complaints.extend(forbidden(file));
    }
    complaints
}

fn at_line(file: &TextFile, line: usize, message: impl Into<String>) -> Complaint {
    Complaint::new(format!("{}:{line}", file.path), message)
}

fn first_line(file: &TextFile) -> Option<Complaint> {
    let first = file.text.lines().next().unwrap_or("");
    let says_something = first.strip_prefix("//! ").is_some_and(|rest| !rest.trim().is_empty());
    (!says_something).then(|| at_line(file, 1, "the first line must be `//!` and say what the file answers"))
}

fn forbidden(file: &TextFile) -> Vec<Complaint> {
    let scan = Scan::of(&file.text);
    let code = scan.only(Kind::Code);
    let in_code = IN_CODE.iter().flat_map(|(word, advice)| {
        code.match_indices(word)
            .filter(|&(at, _)| {
                word.starts_with('#') || !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            })
            .map(|(at, _)| at_line(file, line_of(&code, at), format!("`{word}` is refused: {advice}")))
            .collect::<Vec<_>>()
    });
    let comments = scan.only(Kind::Comment);
    let in_comments = IN_COMMENTS.iter().flat_map(|word| {
        let hits = comments.match_indices(word).map(|(at, _)| line_of(&comments, at));
        hits.map(|line| at_line(file, line, format!("`{word}` is refused: do it or say why not")))
            .collect::<Vec<_>>()
    });
    in_code.chain(in_comments).collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn blanks_at_line_ends(file: &TextFile) -> Vec<Complaint> {
    let lines = file.text.split('\n').enumerate();
    let blank = lines.filter(|(_, line)| line.ends_with([' ', '\t', '\r']));
    blank.map(|(index, _)| at_line(file, index + 1, "blanks at the end of the line")).collect()
}

fn machine_paths(file: &TextFile, root: &Path) -> Vec<Complaint> {
    let here = root
        .parent()
        .and_then(Path::to_str)
        .filter(|parent| parent.len() > 1)
        .map(|parent| format!("{parent}/"));
    let general = MACHINE_FOLDERS.iter().map(|&folder| folder.to_owned()).filter(|_| !file.is_testdata());
    let folders: Vec<String> = general.chain(here).collect();
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let folder = folders.iter().find(|folder| begins_a_path(line, folder))?;
            Some(at_line(file, index + 1, format!("a path of one machine ({folder}…)")))
        })
        .collect()
}

/// Whether `folder` stands in the line as the beginning of a path, not inside another path or an address.
fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let goes_on = line[at + folder.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '.');
        goes_on && !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/~$}*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&file, Path::new("/builds/narthex")).iter().map(Complaint::to_string).collect()
    }

    #[test]
    fn a_file_begins_by_saying_what_it_answers() {
        for text in ["", "use a;\n", "//!\n", "// x\n"] {
            assert!(complaints("a.rs", text)[0].contains("a.rs:1: the first line"), "{text:?}");
        }
        assert!(complaints("a.rs", "//! What a is.\n").is_empty());
        assert!(complaints("a.md", "# a\n").is_empty());
    }

    #[test]
    fn forbidden_words_are_found_in_code_only() {
        for (word, _) in IN_CODE {
            let found = complaints("a.rs", &format!("//! x\n\n    {word}) x"));
            assert!(found.iter().any(|one| one.starts_with("a.rs:3: ")), "{word}: {found:?}");
            assert!(complaints("a.rs", &format!("//! {word}\nconst A: &str = \"{word}\";\n")).is_empty());
        }
        for word in IN_COMMENTS {
            assert!(complaints("a.rs", &format!("//! x\n// {word}: later\n"))[0].starts_with("a.rs:2: "));
            assert!(complaints("a.rs", &format!("//! x\nconst A: &str = \"{word}\";\n")).is_empty());
        }
        assert!(complaints("a.rs", "//! x\nmy_todo!()\n").is_empty());
    }

    #[test]
    fn blanks_and_machine_paths_are_found() {
        assert!(complaints("a.toml", "x = 1 \n")[0].contains("a.toml:1: blanks"));
        assert!(complaints("testdata/a.out", "x \n").is_empty());
        let home = ["/ho", "me/ann/x"].concat();
        assert!(complaints("a.md", &format!("see {home}"))[0].contains("one machine"));
        assert!(complaints("testdata/a.yml", "path: /builds/narthex/x")[0].contains("one machine"));
        assert!(complaints("a.md", "https://example.org/builds/x and a/builds/y").is_empty());
        assert!(complaints("testdata/a.yml", &format!("path: {home}")).is_empty());
    }
}
