//! Where the bench target, its package and its workspace are.

use std::path::{Path, PathBuf};

use crate::store::workspace_root;

/// Facts about the bench target that are known when it is compiled. [`main!`](crate::main) fills it in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetInfo {
    /// The target's crate name.
    pub target: Option<&'static str>,
    /// The name of its package.
    pub package: Option<&'static str>,
    /// The package's folder.
    pub manifest_dir: Option<&'static str>,
    /// `tmp` in the target folder. Cargo sets it for benches and tests only.
    pub target_tmpdir: Option<&'static str>,
}

impl TargetInfo {
    /// Creates the facts from variables that cargo sets for the compiler: `CARGO_CRATE_NAME`, `CARGO_PKG_NAME`,
    /// `CARGO_MANIFEST_DIR` and `CARGO_TARGET_TMPDIR`.
    ///
    /// ```
    /// use lem_bench::TargetInfo;
    ///
    /// let target = TargetInfo::new(
    ///     option_env!("CARGO_CRATE_NAME"),
    ///     option_env!("CARGO_PKG_NAME"),
    ///     option_env!("CARGO_MANIFEST_DIR"),
    ///     option_env!("CARGO_TARGET_TMPDIR"),
    /// );
    /// assert_eq!(target.package, option_env!("CARGO_PKG_NAME"));
    /// ```
    pub const fn new(
        target: Option<&'static str>,
        package: Option<&'static str>,
        manifest_dir: Option<&'static str>,
        target_tmpdir: Option<&'static str>,
    ) -> Self {
        Self { target, package, manifest_dir, target_tmpdir }
    }
}

/// The folders that relative paths count from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorkspacePaths {
    /// The current folder. Cargo and nextest start a bench target in its package's folder.
    pub cwd: PathBuf,
    /// The root of the workspace, else of the package, else the current folder.
    pub workspace_root: PathBuf,
}

impl WorkspacePaths {
    /// Returns the folders of a binary that is started in `cwd`, found by looking for `Cargo.toml`.
    pub fn find(cwd: PathBuf, target: &TargetInfo) -> Self {
        let workspace_root = workspace_root(&cwd, target.manifest_dir.map(Path::new));
        Self { cwd, workspace_root }
    }

    /// Returns the nearest file of this name, from the current folder up to the workspace root.
    pub fn nearest_file(&self, name: &str) -> Option<PathBuf> {
        let depth = match self.cwd.strip_prefix(&self.workspace_root) {
            Ok(below) => below.components().count() + 1,
            // Started outside the workspace: the current folder, then the root.
            Err(_) => 1,
        };
        let folders = self.cwd.ancestors().take(depth).chain([self.workspace_root.as_path()]);
        folders.map(|folder| folder.join(name)).find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_file_is_searched_up_to_the_workspace_root() {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("work");
        let package = root.join("crates/one");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(root.join("Cargo.toml"), "[workspace]\nmembers = [\"crates/one\"]\n").unwrap();
        std::fs::write(package.join("Cargo.toml"), "[package]\n").unwrap();
        std::fs::write(top.path().join("above.toml"), "").unwrap();
        std::fs::write(root.join("at-root.toml"), "").unwrap();
        let paths = WorkspacePaths::find(package.clone(), &TargetInfo::default());
        assert_eq!(paths.workspace_root, root);
        assert_eq!(paths.nearest_file("above.toml"), None);
        assert_eq!(paths.nearest_file("at-root.toml"), Some(root.join("at-root.toml")));
        std::fs::write(package.join("at-root.toml"), "").unwrap();
        assert_eq!(paths.nearest_file("at-root.toml"), Some(package.join("at-root.toml")));
    }
}
