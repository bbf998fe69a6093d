//! Upstream's scripts, which are not part of the repository.

use std::path::Path;
use std::{fs, io};

use narthex_plan::Optimizer;
use narthex_plan::optimize::PASSES;
use narthex_promqltest::{Repetition, RunOptions, run_scripts};
use narthex_testkit::shared_fixtures;

/// Evaluations of upstream's 21 scripts.
const TOTAL: usize = 2214;

fn scripts_of(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    paths.sort();
    paths.iter().map(|path| Ok((path.display().to_string(), fs::read_to_string(path)?))).collect()
}

fn check(scripts: &[(String, String)], options: &RunOptions) {
    let borrowed = scripts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let report = run_scripts(borrowed, options);
    assert_eq!((report.passed(), report.failed()), (TOTAL, 0), "{report}");
}

#[test]
fn upstreams_scripts_pass() {
    let Some(folder) = shared_fixtures("prometheus/promqltest") else { return };
    check(&scripts_of(&folder).unwrap(), &RunOptions::CONFORMANCE);
}

/// No pass of the optimizer changes a result.
#[test]
fn upstreams_scripts_pass_whatever_is_optimized() {
    let Some(folder) = shared_fixtures("prometheus/promqltest") else { return };
    let scripts = scripts_of(&folder).unwrap();
    let lone = PASSES.iter().map(|pass| Optimizer::NONE.with(pass.name()));
    for optimizer in lone.chain([Optimizer::NONE]) {
        let mut options = RunOptions { repetition: Repetition::Once, ..RunOptions::CONFORMANCE };
        options.engine.optimizer = optimizer;
        check(&scripts, &options);
    }
}

/// The stable default of a server is another mode than the one of the scripts above.
#[test]
fn names_can_be_removed_immediately() {
    let path = "prometheus/promqltest-extra/name_removal_immediate.test";
    let Some(path) = shared_fixtures(path) else { return };
    let mut options = RunOptions::CONFORMANCE;
    options.engine.eval.delayed_name_removal = false;
    let text = fs::read_to_string(path).unwrap();
    let report = run_scripts([("name_removal_immediate", text.as_str())], &options);
    assert_eq!((report.passed(), report.failed()), (23, 0), "{report}");
}
