//! Which crate may use which.

use super::Complaint;
use crate::workspace::{Crate, Dependency, Use, Workspace};

/// The foreign crates each of ours may use outside its tests. A crate that is not listed is refused.
const FOREIGN: &[(&str, &[&str])] = &[
    ("narthex-diag", &[]),
    ("narthex-regex", &["regex-automata", "regex-syntax"]),
    ("narthex-model", &["xxhash-rust", "zmij"]),
    ("narthex-yaml", &["saphyr-parser"]),
    ("narthex-report", &["ariadne", "serde", "serde_json"]),
    ("narthex-promql", &["logos", "nom"]),
    ("narthex-template", &[]),
    ("narthex-exposition", &[]),
    ("narthex-storage", &[]),
    ("narthex-plan", &[]),
    ("narthex-rulefmt", &[]),
    ("narthex-remote", &["snap"]),
    ("narthex-tsdb", &["crc32c", "memmap2", "rayon", "roaring", "ruzstd", "serde_json", "snap"]),
    ("narthex-eval", &["rayon"]),
    ("narthex-lint", &[]),
    ("narthex-rules", &[]),
    ("narthex-ruletest", &[]),
    ("narthex-api", &["arrow-array", "arrow-ipc", "arrow-schema", "serde_json"]),
    ("narthex-server", &["flate2", "hyper", "hyper-util", "snap", "tokio"]),
    ("narthex-promqltest", &[]),
    ("narthex", &[]),
    ("narthex-cli", &["clap", "glob", "jiff", "rayon", "serde", "serde_json"]),
    ("narthex-testkit", &[]),
    ("xtask", &["serde_json"]),
    ("narthex-fuzz", &["libfuzzer-sys"]),
    ("narthex-benches", &["criterion", "promql-parser", "stats_alloc"]),
];

/// What tests, fuzz targets and benches of any crate may use besides.
const FOREIGN_IN_TESTS: &[&str] = &["criterion", "proptest", "rayon", "serde", "serde_json"];

/// Arrows that are wrong even where the ranks would permit them, with the reason.
const DENIED: &[(&[&str], &[&str], &str)] = &[
    (
        &["narthex-promql", "narthex-plan", "narthex-lint"],
        &["narthex-storage", "narthex-tsdb", "narthex-eval"],
        "texts and plans do not know that data exists",
    ),
    (&["narthex-eval"], &["narthex-tsdb"], "the engine meets data only through storage"),
    (
        &["narthex-tsdb"],
        &["narthex-promql", "narthex-plan", "narthex-eval"],
        "data does not know that queries exist",
    ),
];

/// Crates for tests only, and the crates that are nothing but tests.
const TEST_KIT: &str = "narthex-testkit";
const TEST_CRATES: &[&str] = &["narthex-fuzz", "narthex-benches"];

pub(super) fn check(workspace: &Workspace) -> Vec<Complaint> {
    let arrows = workspace.crates.iter().flat_map(|from| from.dependencies.iter().map(move |to| (from, to)));
    let wrong = arrows.filter_map(|(from, to)| {
        let message = wrong_with(workspace, from, to)?;
        Some(Complaint::new(&from.name, message))
    });
    let unranked = workspace.crates.iter().filter(|one| one.rank.is_none());
    let unranked = unranked.map(|one| Complaint::new(&one.name, "no rank in [package.metadata.narthex]"));
    wrong.chain(unranked).collect()
}

fn wrong_with(workspace: &Workspace, from: &Crate, to: &Dependency) -> Option<String> {
    match (to.is_ours, to.use_) {
        (true, Use::Product) => wrong_arrow(workspace, from, to),
        (true, Use::Development) => None,
        (false, _) => wrong_foreign(from, to),
    }
}

fn wrong_arrow(workspace: &Workspace, from: &Crate, to: &Dependency) -> Option<String> {
    let name = &to.name;
    if from.name == "xtask" {
        return Some(format!("{name}: the chores import no crate of ours"));
    }
    if name == TEST_KIT {
        let is_test_crate = TEST_CRATES.contains(&from.name.as_str());
        return (!is_test_crate).then(|| format!("{name} is for tests: a dev-dependency"));
    }
    let denied = DENIED
        .iter()
        .find(|(who, whom, _)| who.contains(&from.name.as_str()) && whom.contains(&name.as_str()));
    if let Some((_, _, reason)) = denied {
        return Some(format!("must not use {name}: {reason}"));
    }
    let target = workspace.find(name)?;
    match (from.rank, target.rank) {
        (Some(upper), Some(lower)) if lower >= upper => {
            Some(format!("rank {upper} uses {name} of rank {lower}; arrows go down"))
        }
        _ => None,
    }
}

fn wrong_foreign(from: &Crate, to: &Dependency) -> Option<String> {
    let name = to.name.as_str();
    let Some((_, allowed)) = FOREIGN.iter().find(|(one, _)| *one == from.name) else {
        return Some("not in the table of foreign crates (xtask/src/tidy/arrows.rs)".to_owned());
    };
    let in_tests = to.use_ == Use::Development || TEST_CRATES.contains(&from.name.as_str());
    let is_allowed = allowed.contains(&name) || (in_tests && FOREIGN_IN_TESTS.contains(&name));
    (!is_allowed).then(|| format!("foreign crate {name} is not allowed here (xtask/src/tidy/arrows.rs)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, rank and dependencies of a crate.
    type Row<'a> = (&'a str, Option<u64>, &'a [(&'a str, Use)]);

    fn complaints(arrows: &[Row<'_>]) -> Vec<String> {
        let ours = |name: &str| name.starts_with("narthex");
        let dependency =
            |&(name, use_): &(&str, Use)| Dependency { name: name.into(), use_, is_ours: ours(name) };
        let crates = arrows.iter().map(|(name, rank, to)| Crate {
            name: (*name).to_owned(),
            folder: "/".into(),
            rank: *rank,
            dependencies: to.iter().map(dependency).collect(),
        });
        let workspace = Workspace { root: "/".into(), crates: crates.collect() };
        check(&workspace).iter().map(Complaint::to_string).collect()
    }

    fn refused(name: &str, rank: u64, to: (&str, Use), to_rank: u64) -> String {
        let found = complaints(&[(name, Some(rank), &[to]), (to.0, Some(to_rank), &[])]);
        found.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn arrows_go_down() {
        assert!(refused("narthex-model", 1, ("narthex-yaml", Use::Product), 1).contains("arrows go down"));
        assert!(refused("narthex-model", 1, ("narthex-eval", Use::Product), 4).contains("arrows go down"));
        assert_eq!(refused("narthex-model", 1, ("narthex-regex", Use::Product), 0), "");
        assert_eq!(refused("narthex-model", 1, ("narthex-eval", Use::Development), 4), "");
        assert!(complaints(&[("narthex-diag", None, &[])])[0].contains("no rank"));
    }

    #[test]
    fn denied_arrows_are_refused_whatever_the_ranks() {
        assert!(refused("narthex-plan", 9, ("narthex-storage", Use::Product), 0).contains("data exists"));
        assert!(refused("narthex-eval", 9, ("narthex-tsdb", Use::Product), 0).contains("through storage"));
        assert!(refused("narthex-tsdb", 9, ("narthex-promql", Use::Product), 0).contains("queries exist"));
        assert!(refused("narthex-eval", 4, ("narthex-testkit", Use::Product), 0).contains("dev-dependency"));
        assert!(refused("xtask", 4, ("narthex-diag", Use::Product), 0).contains("no crate of ours"));
    }

    #[test]
    fn foreign_crates_stay_where_they_belong() {
        let foreign = |name, to| complaints(&[(name, Some(3), &[to])]);
        assert!(foreign("narthex-eval", ("serde", Use::Product))[0].contains("not allowed here"));
        assert!(foreign("narthex-storage", ("roaring", Use::Development))[0].contains("not allowed here"));
        assert!(foreign("narthex-new", ("rayon", Use::Product))[0].contains("not in the table"));
        assert!(foreign("narthex-eval", ("rayon", Use::Product)).is_empty());
        assert!(foreign("narthex-eval", ("proptest", Use::Development)).is_empty());
    }
}
