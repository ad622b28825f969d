//! Finds the root of the cargo workspace by looking for `Cargo.toml`, without starting cargo.

use std::path::{Path, PathBuf};

/// Returns the root of the workspace that contains `folder`, else the root of its package, else `folder`.
///
/// `manifest_dir` is the package's folder at compile time, used if `folder` is not in a package.
pub(crate) fn workspace_root(folder: &Path, manifest_dir: Option<&Path>) -> PathBuf {
    let has_manifest = |folder: &Path| folder.join("Cargo.toml").is_file();
    let compiled = manifest_dir.filter(|folder| has_manifest(folder));
    let package = folder.ancestors().find(|folder| has_manifest(folder)).or(compiled);
    let workspace = package.and_then(|folder| folder.ancestors().find(|folder| is_workspace(folder)));
    workspace.or(package).unwrap_or(folder).to_path_buf()
}

/// Returns whether the `Cargo.toml` in `folder` has a `[workspace]` section.
fn is_workspace(folder: &Path) -> bool {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("[workspace]") || line.starts_with("[workspace.")
    })
}
