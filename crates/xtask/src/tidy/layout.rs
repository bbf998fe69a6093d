//! What stands where: the top level, names of crates and modules, crates without content.

use std::fs;
use std::path::Path;

use super::{Complaint, TextFile};
use crate::scan::{Kind, Scan};
use crate::workspace::Workspace;

/// Everything that may stand at the top.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".editorconfig",
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".rustfmt.toml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "crates",
    "fuzz",
    "rust-toolchain.toml",
    "target",
    "testdata",
];

/// Names that do not say what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

/// What begins an item.
const ITEM_WORDS: &[&str] =
    &["fn", "struct", "enum", "trait", "const", "static", "type", "mod", "use", "macro_rules!", "union"];

pub(super) fn check(workspace: &Workspace, files: &[TextFile]) -> Vec<Complaint> {
    let mut complaints = top_level(&names_in(&workspace.root));
    for one in &workspace.crates {
        let name = one.name.strip_prefix("narthex-").unwrap_or(&one.name);
        complaints.extend(is_empty_name(name).then(|| Complaint::new(&one.name, "the name says nothing")));
        complaints.extend(without_content(&workspace.root, &one.folder, files));
    }
    complaints.extend(files.iter().filter(|file| file.is_rust()).flat_map(module_names));
    complaints
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn top_level(names: &[String]) -> Vec<Complaint> {
    let strangers = names.iter().filter(|name| !TOP_LEVEL.contains(&name.as_str()));
    strangers.map(|name| Complaint::new(name, "not expected at the top level")).collect()
}

fn is_empty_name(name: &str) -> bool {
    name.split(['-', '_']).any(|part| EMPTY_NAMES.contains(&part))
}

/// Names of the module's file, of its folders, and of modules declared inside it.
fn module_names(file: &TextFile) -> Vec<Complaint> {
    let stem = file.path.trim_end_matches(".rs");
    let parts = stem.split('/').filter(|part| is_empty_name(part)).map(str::to_owned);
    let code = Scan::of(&file.text).only(Kind::Code);
    let declared =
        code.split("mod ").skip(1).map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_'));
    let declared = declared.map(String::from_iter).filter(|name: &String| is_empty_name(name));
    parts
        .chain(declared)
        .map(|name| Complaint::new(&file.path, format!("the module name {name:?} says nothing")))
        .collect()
}

/// A crate whose sources hold no item at all.
fn without_content(root: &Path, folder: &Path, files: &[TextFile]) -> Option<Complaint> {
    let relative = folder.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    let sources = format!("{relative}/src/");
    let mut rust = files.iter().filter(|file| file.is_rust() && file.path.starts_with(&sources));
    let has_content = rust.any(|file| item_count(file) > 0);
    (!has_content)
        .then(|| Complaint::new(relative, "a crate without an item; create it with its first feature"))
}

/// Items by their first words; the body of `main` counts only when it holds something.
fn item_count(file: &TextFile) -> usize {
    let code = Scan::of(&file.text).only(Kind::Code);
    let code = code.split_whitespace().collect::<Vec<_>>().join(" ").replace("fn main() {}", "");
    code.split_whitespace().filter(|word| ITEM_WORDS.contains(word)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn strangers_at_the_top_are_refused() {
        let names = ["Cargo.toml", "notes.txt", "crates"].map(str::to_owned);
        assert_eq!(top_level(&names), [Complaint::new("notes.txt", "not expected at the top level")]);
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        let count = |path, text| module_names(&file(path, text)).len();
        assert_eq!(count("crates/eval/src/utils.rs", "//! x"), 1);
        assert_eq!(count("crates/eval/src/common/mod.rs", "//! x"), 1);
        assert_eq!(count("crates/eval/src/string_helpers.rs", "//! x"), 1);
        assert_eq!(count("crates/eval/src/kahan.rs", "//! x\nmod misc { }"), 1);
        assert_eq!(
            count("crates/eval/src/commons.rs", "//! mod misc\n/* mod util */ const A: &str = \"mod util\";"),
            0
        );
    }

    #[test]
    fn a_crate_without_an_item_is_refused() {
        let empty = |text: &str| {
            without_content(
                Path::new("/r"),
                Path::new("/r/crates/new"),
                &[file("crates/new/src/lib.rs", text)],
            )
        };
        assert!(empty("//! Says a lot about fn and struct.\n").is_some());
        assert!(empty("//! A tool.\nfn main() {}\n").is_some());
        assert!(empty("//! A library.\npub const A: u8 = 1;\n").is_none());
        assert!(without_content(Path::new("/r"), Path::new("/r/fuzz"), &[]).is_some());
    }
}
