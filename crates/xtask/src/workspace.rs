//! What the workspace consists of, as `cargo metadata` tells it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The workspace.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) crates: Vec<Crate>,
}

/// One of our crates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// `package.metadata.narthex.rank`.
    pub(crate) rank: Option<u64>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One arrow out of a crate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) use_: Use,
    /// Whether it is a crate of this workspace.
    pub(crate) is_ours: bool,
}

/// What a dependency is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// The crate itself, or its build script.
    Product,
    /// Tests, examples and benches.
    Development,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Workspace, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
        let output = Command::new(cargo)
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .map_err(|error| format!("cargo metadata: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let metadata =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
        Workspace::from_metadata(&metadata).ok_or_else(|| "cargo metadata: unexpected shape".to_owned())
    }

    fn from_metadata(metadata: &Value) -> Option<Workspace> {
        let packages = metadata["packages"].as_array()?;
        let mut crates: Vec<Crate> = packages.iter().map(crate_of).collect::<Option<_>>()?;
        crates.sort_by(|a, b| (a.rank, &a.name).cmp(&(b.rank, &b.name)));
        Some(Workspace { root: metadata["workspace_root"].as_str()?.into(), crates })
    }

    /// The crate of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Crate> {
        self.crates.iter().find(|one| one.name == name)
    }
}

fn crate_of(package: &Value) -> Option<Crate> {
    let manifest = PathBuf::from(package["manifest_path"].as_str()?);
    Some(Crate {
        name: package["name"].as_str()?.to_owned(),
        folder: manifest.parent()?.to_path_buf(),
        rank: package["metadata"]["narthex"]["rank"].as_u64(),
        dependencies: package["dependencies"].as_array()?.iter().map(dependency_of).collect::<Option<_>>()?,
    })
}

fn dependency_of(dependency: &Value) -> Option<Dependency> {
    let use_ = if dependency["kind"] == "dev" { Use::Development } else { Use::Product };
    Some(Dependency {
        name: dependency["name"].as_str()?.to_owned(),
        use_,
        is_ours: dependency["path"].is_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_ranks_and_kinds() {
        let workspace = Workspace::load().unwrap();
        let report = workspace.find("narthex-report").unwrap();
        assert_eq!(report.rank, Some(1));
        let find = |name| report.dependencies.iter().find(|one| one.name == name).unwrap();
        assert_eq!((find("narthex-diag").use_, find("narthex-diag").is_ours), (Use::Product, true));
        assert_eq!(find("narthex-testkit").use_, Use::Development);
        assert!(!find("ariadne").is_ours);
    }
}
