//! The picture of the crates, generated into `ARCHITECTURE.md`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use crate::refuse_unknown;
use crate::workspace::{Crate, Use, Workspace};

const FILE: &str = "ARCHITECTURE.md";
const OPEN: &str = "<!-- crate-graph -->";
const CLOSE: &str = "<!-- /crate-graph -->";

/// Writes the picture.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    refuse_unknown(arguments, &[])?;
    let workspace = Workspace::load()?;
    let path = workspace.root.join(FILE);
    let text = fs::read_to_string(&path).map_err(|error| format!("{FILE}: {error}"))?;
    let fresh = with_picture(&text, &workspace)
        .ok_or_else(|| format!("{FILE}: no {OPEN} … {CLOSE} to write the graph between"))?;
    fs::write(&path, fresh).map_err(|error| format!("{FILE}: {error}"))
}

/// What is wrong with the picture in the repository; nothing when there is no place for one.
pub(crate) fn staleness(workspace: &Workspace) -> Option<String> {
    let text = fs::read_to_string(workspace.root.join(FILE)).ok()?;
    let fresh = with_picture(&text, workspace)?;
    (fresh != text).then(|| format!("{FILE}: the crate graph is stale; run `cargo xtask graph`"))
}

fn with_picture(text: &str, workspace: &Workspace) -> Option<String> {
    let (before, rest) = text.split_once(OPEN)?;
    let (_, after) = rest.split_once(CLOSE)?;
    Some(format!("{before}{OPEN}\n{}{CLOSE}{after}", picture(workspace)))
}

/// Mermaid, one row per rank. An arrow that follows from two others is left out.
fn picture(workspace: &Workspace) -> String {
    let mut out = String::from("```mermaid\nflowchart TD\n");
    let shown: Vec<&Crate> = workspace.crates.iter().filter(|one| !is_tool(&one.name)).collect();
    let ranks: BTreeSet<u64> = shown.iter().filter_map(|one| one.rank).collect();
    for rank in ranks.into_iter().rev() {
        let _ = writeln!(out, "    subgraph rank{rank} [rank {rank}]");
        for one in shown.iter().filter(|one| one.rank == Some(rank)) {
            let _ = writeln!(out, "        {}", short(&one.name));
        }
        out.push_str("    end\n");
    }
    for one in &shown {
        for target in direct(workspace, &one.name) {
            if !is_implied(workspace, &one.name, &target) {
                let _ = writeln!(out, "    {} --> {}", short(&one.name), short(&target));
            }
        }
    }
    out.push_str("```\n");
    out
}

fn is_tool(name: &str) -> bool {
    ["xtask", "narthex-testkit", "narthex-fuzz", "narthex-benches"].contains(&name)
}

fn short(name: &str) -> &str {
    name.strip_prefix("narthex-").unwrap_or(name)
}

fn direct(workspace: &Workspace, name: &str) -> BTreeSet<String> {
    let dependencies = workspace.find(name).map_or(&[][..], |one| &one.dependencies);
    let ours = dependencies.iter().filter(|one| one.is_ours && one.use_ == Use::Product);
    ours.map(|one| one.name.clone()).collect()
}

fn is_implied(workspace: &Workspace, from: &str, to: &str) -> bool {
    direct(workspace, from).iter().any(|between| between != to && reaches(workspace, between, to))
}

fn reaches(workspace: &Workspace, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name.clone()) {
            open.extend(direct(workspace, &name));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn workspace(arrows: &[(&str, u64, &[&str])]) -> Workspace {
        let ours = |name: &&str| Dependency { name: (*name).into(), use_: Use::Product, is_ours: true };
        let crates = arrows.iter().map(|(name, rank, to)| Crate {
            name: (*name).to_owned(),
            folder: "/".into(),
            rank: Some(*rank),
            dependencies: to.iter().map(ours).collect(),
        });
        Workspace { root: "/".into(), crates: crates.collect() }
    }

    #[test]
    fn the_picture_replaces_what_is_between_the_marks_and_leaves_out_implied_arrows() {
        let workspace = workspace(&[
            ("narthex-diag", 0, &[]),
            ("narthex-promql", 1, &["narthex-diag"]),
            ("narthex-eval", 2, &["narthex-diag", "narthex-promql"]),
        ]);
        let text = with_picture(&format!("a\n{OPEN}old{CLOSE}\nb"), &workspace).unwrap();
        assert!(
            text.contains("    eval --> promql\n    ```") || text.contains("    eval --> promql\n```"),
            "{text}"
        );
        assert!(text.contains("promql --> diag") && !text.contains("eval --> diag") && !text.contains("old"));
        assert_eq!(with_picture(&text, &workspace), Some(text.clone()));
        assert_eq!(with_picture("no marks", &workspace), None);
    }
}
