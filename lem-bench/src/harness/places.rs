//! Where the package and the workspace are, found by looking for `Cargo.toml`, without starting cargo.

use std::path::{Path, PathBuf};

use super::hints::TargetInfo;

/// The folders that relative paths count from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorkspacePaths {
    /// The current folder; cargo and nextest make it the package's.
    pub(super) cwd: PathBuf,
    /// The workspace's root; the package's where it has no workspace, the current folder where there is no package.
    pub(super) workspace_root: PathBuf,
}

impl WorkspacePaths {
    /// The places of a binary that was started in `cwd`.
    pub(super) fn find(cwd: PathBuf, hints: &TargetInfo) -> Self {
        let manifest = |folder: &Path| folder.join("Cargo.toml").is_file();
        let compiled = hints.manifest_dir.map(Path::new).filter(|folder| manifest(folder));
        let package = cwd.ancestors().find(|folder| manifest(folder)).or(compiled);
        let workspace = package.and_then(|folder| folder.ancestors().find(|folder| is_workspace(folder)));
        let workspace_root = workspace.or(package).unwrap_or(&cwd).to_path_buf();
        Self { cwd, workspace_root }
    }

    /// The nearest file of this name from the current folder up to the workspace's root.
    pub(super) fn nearest_file(&self, name: &str) -> Option<PathBuf> {
        let depth = match self.cwd.strip_prefix(&self.workspace_root) {
            Ok(below) => below.components().count() + 1,
            // Started from elsewhere: the current folder, then the root.
            Err(_) => 1,
        };
        let folders = self.cwd.ancestors().take(depth).chain([self.workspace_root.as_path()]);
        folders.map(|folder| folder.join(name)).find(|path| path.is_file())
    }
}

/// Whether the folder's `Cargo.toml` makes it the root of a workspace.
fn is_workspace(folder: &Path) -> bool {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("[workspace]") || line.starts_with("[workspace.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_for_from_the_package_up_to_the_workspace_and_no_further() {
        let top = std::env::temp_dir().join(format!("lem-bench-places-{}", std::process::id()));
        let package = top.join("work/crates/one");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(top.join("work/Cargo.toml"), "[workspace]\nmembers = [\"crates/one\"]\n").unwrap();
        std::fs::write(package.join("Cargo.toml"), "[package]\n").unwrap();
        std::fs::write(top.join("above.toml"), "").unwrap();
        std::fs::write(top.join("work/at-root.toml"), "").unwrap();
        let places = WorkspacePaths::find(package.clone(), &TargetInfo::default());
        assert_eq!(places.workspace_root, top.join("work"));
        assert_eq!(places.nearest_file("above.toml"), None);
        assert_eq!(places.nearest_file("at-root.toml"), Some(top.join("work/at-root.toml")));
        std::fs::write(package.join("at-root.toml"), "").unwrap();
        assert_eq!(places.nearest_file("at-root.toml"), Some(package.join("at-root.toml")));
        std::fs::remove_dir_all(top).unwrap();
    }
}
