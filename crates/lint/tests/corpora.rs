//! What the lints find in the rules of other projects. Skipped where they are not present.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use narthex_diag::Diagnostic;
use narthex_lint::{Class, LINTS, LintConfig, Linter};
use narthex_testkit::shared_fixtures;

/// Findings of proof class that were looked at one by one: none of them is wrong.
const SEEN: &[(&str, usize)] = &[
    ("DUP001", 2),
    ("HIS001", 11),
    ("LBL002", 16),
    ("LBL003", 6),
    ("MET004", 5),
    ("REC003", 2),
    ("VAL001", 11),
    ("VAL003", 2),
];

#[test]
fn public_rule_files() {
    let Some(folder) = shared_fixtures("rules") else { return };
    let config = LintConfig::default();
    let linter = Linter::new(&config);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in files_below(&folder) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for finding in linter.lint_file(&text) {
            check(&finding, &text);
            *counts.entry(finding.code.0).or_default() += 1;
        }
    }
    counts.retain(|code, _| LINTS.iter().any(|lint| lint.spec().code.0 == *code));
    eprintln!("{counts:#?}");
    for (code, seen) in SEEN {
        let lint = LINTS.iter().find(|lint| lint.spec().code.0 == *code).expect("the code is in the table");
        assert_eq!(lint.spec().class, Class::Proof);
        assert_eq!(counts.get(code), Some(seen), "{code}: look at every finding that is new");
    }
}

/// Every span lies in the file, and edits do not overlap.
fn check(finding: &Diagnostic, text: &str) {
    let annotations = std::iter::once(&finding.primary).chain(&finding.secondary);
    for annotation in annotations {
        assert!(text.get(annotation.span.range()).is_some(), "{finding:?}");
    }
    for suggestion in &finding.suggestions {
        assert!(suggestion.edits.iter().all(|edit| text.get(edit.span.range()).is_some()), "{finding:?}");
        assert!(
            suggestion.edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start),
            "{finding:?}"
        );
    }
}

/// Applying all safe edits leaves a file that loads as before and has no finding of that kind left.
#[test]
fn safe_edits_are_safe() {
    let Some(folder) = shared_fixtures("rules") else { return };
    let config = LintConfig::default();
    let linter = Linter::new(&config);
    let mut applied = 0;
    for path in files_below(&folder) {
        let Ok(mut text) = fs::read_to_string(&path) else { continue };
        let mut edits: Vec<_> = linter
            .lint_file(&text)
            .into_iter()
            .filter(|finding| LINTS.iter().any(|lint| lint.spec().code == finding.code))
            .flat_map(|finding| finding.suggestions)
            .filter(|suggestion| suggestion.applicability == narthex_diag::Applicability::Safe)
            .flat_map(|suggestion| suggestion.edits)
            .collect();
        edits.sort_by_key(|edit| edit.span);
        edits.dedup();
        if edits.is_empty() {
            continue;
        }
        let before = linter.prepare(&text);
        let (refused_before, count_before) =
            (before.parse().is_refused(), before.parse().file.rules().count());
        drop(before);
        applied += edits.len();
        for edit in edits.iter().rev() {
            text.replace_range(edit.span.range(), &edit.replacement);
        }
        let prepared = linter.prepare(&text);
        let name = path.display();
        assert_eq!(prepared.parse().is_refused(), refused_before, "{name}");
        assert_eq!(prepared.parse().file.rules().count(), count_before, "{name}");
        let left = linter.lint_file(&text);
        let is_fixable = |finding: &&Diagnostic| {
            let mut safe = finding.suggestions.iter();
            safe.any(|one| one.applicability == narthex_diag::Applicability::Safe)
                && LINTS.iter().any(|lint| lint.spec().code == finding.code)
        };
        let left: Vec<_> = left.iter().filter(is_fixable).collect();
        assert!(left.is_empty(), "{name}: {left:#?}");
    }
    eprintln!("{applied} safe edits applied");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder is readable") {
        let path = entry.expect("a folder is readable").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
