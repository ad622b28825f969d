//! Libraries and binaries of the workspace that `cargo bench -- OPTIONS` runs with libtest, which rejects the options.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use toml::{Table, Value};

/// The part of the output of `cargo metadata` that is read.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

/// A target, declared or found by cargo.
#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Returns `library of alpha` for each library and binary in the workspace at `root` without `bench = false`, and nothing
/// where cargo finds no workspace.
pub(super) fn libtest_targets(root: &Path) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    let Ok(output) = command.output() else { return Vec::new() };
    let metadata = serde_json::from_slice::<Metadata>(&output.stdout);
    metadata.map(|metadata| metadata.packages.iter().flat_map(targets_of_package).collect()).unwrap_or_default()
}

/// `cargo metadata` does not report the key `bench` of a target, so that it is read from the manifest.
fn targets_of_package(package: &Package) -> Vec<String> {
    let text = std::fs::read_to_string(&package.manifest_path).unwrap_or_default();
    let manifest: Table = text.parse().unwrap_or_default();
    let is_off = |target: &Value| target.get("bench").and_then(Value::as_bool) == Some(false);
    let bins: Vec<&Value> = manifest.get("bin").and_then(Value::as_array).into_iter().flatten().collect();
    let is_named = |bin: &Value, name: &str| bin.get("name").and_then(Value::as_str) == Some(name);
    let to_text = |target: &Target| match target.kind.first()?.as_str() {
        "bin" if !bins.iter().any(|bin| is_named(bin, &target.name) && is_off(bin)) => {
            Some(format!("binary {} of {}", target.name, package.name))
        }
        "lib" | "rlib" | "dylib" | "cdylib" | "staticlib" | "proc-macro"
            if !manifest.get("lib").is_some_and(is_off) =>
        {
            Some(format!("library of {}", package.name))
        }
        _ => None,
    };
    package.targets.iter().filter_map(to_text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_targets_without_bench_false() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let package = |folder: &str, more: &str, sources: &[&str]| {
            let name = folder.rsplit('/').next().unwrap();
            write(&format!("{folder}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\n{more}"));
            for source in sources {
                write(&format!("{folder}/src/{source}"), "fn main() {}");
            }
        };
        let members = "members = [\"crates/*\", \"deep/*/nested\", \"tool\"]\nexclude = [\"crates/old\"]\n";
        write("Cargo.toml", &format!("[workspace]\nresolver = \"2\"\n{members}"));
        package("crates/alpha", "[[bench]]\nname = \"energy\"\npath = \"src/lib.rs\"\n", &["lib.rs"]);
        package("crates/beta", "[lib]\nbench = false\n", &["lib.rs", "bin/extra.rs", "bin/folder/main.rs"]);
        package("crates/old", "", &["lib.rs"]);
        package("deep/down/nested", "[lib]\nproc-macro = true\npath = \"src/macros.rs\"\n", &["macros.rs"]);
        package("tool", "autobins = false\n[[bin]]\nname = \"tool\"\nbench = false\n", &["main.rs", "bin/unused.rs"]);
        // Not a pattern of `members`, but a path dependency inside the workspace: cargo makes it a member.
        package("crates/alpha/inner", "", &["lib.rs"]);
        let manifest = root.path().join("crates/alpha/Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap() + "[dependencies]\ninner = { path = \"inner\" }\n";
        std::fs::write(manifest, text).unwrap();
        let mut found = libtest_targets(root.path());
        found.sort();
        assert_eq!(
            found,
            [
                "binary extra of beta",
                "binary folder of beta",
                "library of alpha",
                "library of inner",
                "library of nested"
            ]
        );
        // From the folder of a member too.
        assert_eq!(libtest_targets(&root.path().join("tool")).len(), 5);
        assert!(libtest_targets(&root.path().join("missing")).is_empty());
    }
}
