//! Libraries and binaries of the workspace that `cargo bench -- OPTIONS` runs with libtest, which rejects the options.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Returns `library of alpha` for each library and binary in the workspace at `root` without `bench = false`.
pub(super) fn libtest_targets(root: &Path) -> Vec<String> {
    let Some(manifest) = read(root) else { return Vec::new() };
    let members = manifest.get("workspace").and_then(|workspace| workspace.get("members")).and_then(Value::as_array);
    let members = members.into_iter().flatten().filter_map(Value::as_str);
    let folders = std::iter::once(root.to_owned()).chain(members.flat_map(|member| expand(root, member)));
    folders.flat_map(|folder| targets_of_package(&folder)).collect()
}

fn read(folder: &Path) -> Option<Table> {
    std::fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()
}

/// Returns the folders of a member, whose last component may be `*`.
fn expand(root: &Path, member: &str) -> Vec<PathBuf> {
    let Some(parent) = member.strip_suffix('*') else { return vec![root.join(member)] };
    let entries = std::fs::read_dir(root.join(parent)).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    folders.sort();
    folders
}

fn targets_of_package(folder: &Path) -> Vec<String> {
    let Some(manifest) = read(folder) else { return Vec::new() };
    let text = |table: &Value, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let Some(package) = manifest.get("package") else { return Vec::new() };
    let name = text(package, "name").unwrap_or_default();
    let is_off = |target: &Value| target.get("bench").and_then(Value::as_bool) == Some(false);
    let mut targets = Vec::new();
    let lib = manifest.get("lib");
    if (lib.is_some() || folder.join("src/lib.rs").is_file()) && !lib.is_some_and(is_off) {
        targets.push(format!("library of {name}"));
    }
    let declared: Vec<&Value> = manifest.get("bin").and_then(Value::as_array).into_iter().flatten().collect();
    let named = |bins: &[&Value]| bins.iter().filter_map(|bin| text(bin, "name")).collect::<BTreeSet<String>>();
    let mut bins = named(&declared);
    if package.get("autobins").and_then(Value::as_bool) != Some(false) {
        let has_path = |path: &str| declared.iter().any(|bin| text(bin, "path").as_deref() == Some(path));
        if folder.join("src/main.rs").is_file() && !has_path("src/main.rs") {
            bins.insert(name.clone());
        }
        let sources = std::fs::read_dir(folder.join("src/bin")).into_iter().flatten().flatten();
        let stems = sources.map(|source| source.path()).filter(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            path.extension().is_some_and(|extension| extension == "rs") && !has_path(&format!("src/bin/{file}"))
        });
        bins.extend(stems.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())));
    }
    let off = named(&declared.into_iter().filter(|bin| is_off(bin)).collect::<Vec<_>>());
    targets.extend(bins.difference(&off).map(|bin| format!("binary {bin} of {name}")));
    targets
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
        write("Cargo.toml", "[workspace]\nmembers = [\"crates/*\", \"tool\"]\n");
        write("crates/alpha/Cargo.toml", "[package]\nname = \"alpha\"\n");
        write("crates/alpha/src/lib.rs", "");
        write("crates/beta/Cargo.toml", "[package]\nname = \"beta\"\n[lib]\nbench = false\n");
        write("crates/beta/src/lib.rs", "");
        write("crates/beta/src/bin/extra.rs", "");
        write("tool/Cargo.toml", "[package]\nname = \"tool\"\n[[bin]]\nname = \"tool\"\nbench = false\n");
        write("tool/src/main.rs", "");
        assert_eq!(libtest_targets(root.path()), ["library of alpha", "binary extra of beta"]);
        assert!(libtest_targets(&root.path().join("missing")).is_empty());
    }
}
