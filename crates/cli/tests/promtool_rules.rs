//! The verdicts of promtool on unit tests of rules, where promtool is at hand.
//!
//! All test files of the public fixtures and of `testdata/rule-tests` are run by both, test by test. Differences must be
//! explained in `testdata/rule-tests/promtool.differences`: a path, whether the difference is there with `older` versions
//! of promtool only or at `random`, the reason.
//!
//! How long both take:
//!
//! ```text
//! files=$(grep -rl '^tests:' /path/to/a/repository --include='*.y*ml')
//! time promtool test rules $files; time narthex test rules $files
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use narthex_testkit::{ScratchDir, peer, shared_fixtures, testdata};
use serde_json::Value;

/// What became of a test file: whether it passed, and which of its tests failed; `None` when none was run.
#[derive(PartialEq, Debug)]
struct Verdict {
    passed: bool,
    failed_tests: Option<Vec<bool>>,
}

impl Verdict {
    fn agrees_with(&self, other: &Verdict) -> bool {
        let tests = self.failed_tests.as_ref().zip(other.failed_tests.as_ref());
        self.passed == other.passed && tests.is_none_or(|(ours, theirs)| ours == theirs)
    }
}

fn run(program: &Path, file: &Path, args: &[&str]) -> (bool, String) {
    let folder = file.parent().expect("a file lies in a folder");
    let name = file.file_name().expect("a file has a name");
    let output = Command::new(program)
        .args(["test", "rules"])
        .args(args)
        .arg(name)
        .current_dir(folder)
        .output()
        .expect("the program runs");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn of_promtool(promtool: &Path, file: &Path, scratch: &Path) -> Verdict {
    let junit = scratch.join("junit.xml");
    let _ = fs::remove_file(&junit);
    let (passed, _) = run(promtool, file, &["--junit", junit.to_str().expect("UTF-8")]);
    let xml = fs::read_to_string(&junit).unwrap_or_default();
    let cases: Vec<bool> = xml.split("<testcase").skip(1).map(|case| case.contains("<failure")).collect();
    // A file that is refused counts as one case without failure.
    let was_run = passed || cases.contains(&true);
    Verdict { passed, failed_tests: was_run.then_some(cases) }
}

fn of_narthex(file: &Path) -> Verdict {
    let (passed, json) = run(Path::new(env!("CARGO_BIN_EXE_narthex")), file, &["--format", "json"]);
    let report: Value = serde_json::from_str(&json).expect("JSON");
    let tests = report["files"][0]["tests"].as_array().cloned().unwrap_or_default();
    let failed: Vec<bool> = tests.iter().map(|test| test["passed"] == Value::Bool(false)).collect();
    let was_run = passed || !failed.is_empty();
    Verdict { passed, failed_tests: was_run.then_some(failed) }
}

fn copy_below(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_below(&path, &target);
        } else {
            fs::create_dir_all(to).and_then(|()| fs::copy(&path, &target)).expect("a file can be copied");
        }
    }
}

/// Test files below a folder by their path in it.
fn test_files(root: &Path, folder: &Path, found: &mut BTreeMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            test_files(root, &path, found);
        } else if fs::read_to_string(&path).is_ok_and(|text| text.lines().any(|line| line == "tests:")) {
            let name = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
            found.insert(name, path);
        }
    }
}

/// The public repositories with their tests and rules put together again, and promtool's own tests.
fn public_files(scratch: &Path) -> Option<BTreeMap<String, PathBuf>> {
    let (rules, promtool) = (shared_fixtures("rules")?, shared_fixtures("prometheus/promtool")?);
    for repository in fs::read_dir(&rules).into_iter().flatten().flatten() {
        for part in ["plain", "tests"] {
            copy_below(&repository.path().join(part), &scratch.join(repository.file_name()));
        }
    }
    copy_below(&promtool, &scratch.join("promtool"));
    let mut found = BTreeMap::new();
    test_files(scratch, scratch, &mut found);
    Some(found)
}

/// Paths with their kinds.
fn explained() -> BTreeMap<String, String> {
    let text = fs::read_to_string(testdata("rule-tests/promtool.differences")).expect("the list is there");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let (path, kind) = (words.next()?, words.next()?);
        words.next().map(|_| (path, kind))
    };
    rows.map(|line| row(line).expect("a path, a kind, a reason")).collect()
}

#[test]
fn verdicts_are_those_of_promtool() {
    let Some(promtool) = peer("promtool") else { return };
    let scratch = ScratchDir::new("promtool-rules");
    let Some(mut files) = public_files(scratch.path()) else { return };
    assert!(files.len() > 50, "{files:?}");
    let ours = testdata("rule-tests");
    test_files(ours.parent().expect("it lies in a folder"), &ours, &mut files);
    let explained = explained();
    assert!(explained.keys().all(|path| files.contains_key(path)), "the list names files that are not there");
    let mut differences = Vec::new();
    for (name, path) in &files {
        let (ours, theirs) = (of_narthex(path), of_promtool(&promtool, path, scratch.path()));
        if !ours.agrees_with(&theirs) && !explained.contains_key(name) {
            differences.push(format!("{name}: narthex {ours:?}, promtool {theirs:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
