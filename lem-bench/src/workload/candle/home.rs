//! Finds the folder of the model to measure: the user's, else the embedded model below cargo's target folder.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Error, embedded};
use crate::store::{Home, HomeOptions, workspace_root};

/// Names a Hugging Face model folder to measure in place of the embedded model.
pub const MODEL_VARIABLE: &str = "LEM_BENCH_MODEL";
/// Names the folder below which the embedded model is kept.
pub const HOME_VARIABLE: &str = "LEM_BENCH_HOME";

/// The model folder to open: `LEM_BENCH_MODEL` where it is set, else the embedded model, made on first use below
/// `LEM_BENCH_HOME`, else an absolute `CARGO_TARGET_DIR`, else the target folder that the running executable lies in.
///
/// A relative `LEM_BENCH_HOME` counts from the workspace root, as for results; a relative `LEM_BENCH_MODEL` counts from the
/// current folder (cargo starts benches in their package's). Empty variables count as unset.
///
/// # Errors
/// [`Error::NoSuchModel`] where `LEM_BENCH_MODEL` names no folder, [`Error::NoHome`] where there is no place to keep
/// the embedded model, and those of [`embedded`](embedded()).
pub fn model_dir() -> Result<PathBuf, Error> {
    let executable = env::current_exe().unwrap_or_default();
    let current_dir = env::current_dir().unwrap_or_default();
    match chosen(|name| env::var_os(name), &executable, &current_dir)? {
        ModelsDir::Model(dir) => Ok(dir),
        ModelsDir::Embedded(home) => embedded(&home),
    }
}

#[derive(Debug, PartialEq)]
enum ModelsDir {
    Model(PathBuf),
    Embedded(PathBuf),
}

fn chosen(
    variable: impl Fn(&str) -> Option<OsString>,
    executable: &Path,
    current_dir: &Path,
) -> Result<ModelsDir, Error> {
    let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = path(MODEL_VARIABLE) {
        if dir.is_dir() {
            return Ok(ModelsDir::Model(dir));
        }
        let path = std::path::absolute(&dir).unwrap_or(dir);
        return Err(Error::NoSuchModel { variable: MODEL_VARIABLE, path });
    }
    if let Some(home) = path(HOME_VARIABLE) {
        // Results are stored below the same folder: the same function resolves it.
        let home = Home::resolve(&HomeOptions {
            home: Some(home),
            cargo_target_dir: path("CARGO_TARGET_DIR"),
            target_tmpdir: None,
            executable: Some(executable.to_owned()),
            current_dir: workspace_root(current_dir, None),
        });
        return Ok(ModelsDir::Embedded(home.path().to_owned()));
    }
    // A relative CARGO_TARGET_DIR counts from the folder in which cargo was started, which is not known here.
    path("CARGO_TARGET_DIR")
        .filter(|dir| dir.is_absolute())
        .or_else(|| executable.ancestors().skip(1).find(|dir| is_target(dir)).map(Path::to_owned))
        .map(ModelsDir::Embedded)
        .ok_or_else(|| Error::NoHome { executable: executable.to_owned() })
}

/// Cargo marks its target folder as a cache, whatever it is called.
fn is_target(dir: &Path) -> bool {
    dir.ends_with("target") || dir.join("CACHEDIR.TAG").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen_with(variables: &[(&str, &Path)], executable: &str) -> Result<ModelsDir, Error> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        chosen(find, Path::new(executable), Path::new("/p/crates/a"))
    }

    #[test]
    fn the_order_is_model_home_cargo_executable() {
        let here = tempfile::tempdir().unwrap();
        let all: [(&str, &Path); 3] =
            [(MODEL_VARIABLE, here.path()), (HOME_VARIABLE, Path::new("/h")), ("CARGO_TARGET_DIR", Path::new("/t"))];
        let executable = "/p/target/release/deps/llm-1234";
        assert_eq!(chosen_with(&all, executable).unwrap(), ModelsDir::Model(here.path().into()));
        assert_eq!(chosen_with(&all[1..], executable).unwrap(), ModelsDir::Embedded("/h".into()));
        assert_eq!(chosen_with(&all[2..], executable).unwrap(), ModelsDir::Embedded("/t".into()));
        assert_eq!(chosen_with(&[], executable).unwrap(), ModelsDir::Embedded("/p/target".into()));
        let relative: [(&str, &Path); 2] = [("CARGO_TARGET_DIR", Path::new("t")), (MODEL_VARIABLE, Path::new(""))];
        assert_eq!(chosen_with(&relative, executable).unwrap(), ModelsDir::Embedded("/p/target".into()));
    }

    #[test]
    fn relative_home_counts_from_the_workspace_root() {
        let relative: [(&str, &Path); 1] = [(HOME_VARIABLE, Path::new("results"))];
        let found = chosen_with(&relative, "/p/target/release/deps/llm-1234").unwrap();
        assert_eq!(found, ModelsDir::Embedded("/p/results".into()));

        let workspace = tempfile::tempdir().unwrap();
        let package = workspace.path().join("crates/a");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(workspace.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        std::fs::write(package.join("Cargo.toml"), "[package]\n").unwrap();
        let find = |name: &str| (name == HOME_VARIABLE).then(|| "results".into());
        let found = chosen(find, Path::new("/usr/bin/x"), &package).unwrap();
        assert_eq!(found, ModelsDir::Embedded(workspace.path().join("results")));
    }

    #[test]
    fn a_target_folder_of_another_name_is_known_by_its_tag() {
        let built = tempfile::tempdir().unwrap();
        std::fs::write(built.path().join("CACHEDIR.TAG"), b"").unwrap();
        let executable = built.path().join("release/deps/x");
        assert_eq!(
            chosen_with(&[], executable.to_str().unwrap()).unwrap(),
            ModelsDir::Embedded(built.path().to_owned())
        );
    }

    #[test]
    fn errors_name_the_variable() {
        let missing = chosen_with(&[(MODEL_VARIABLE, Path::new("/no/such/model"))], "/x").unwrap_err().to_string();
        assert!(missing.contains("LEM_BENCH_MODEL names /no/such/model"), "{missing}");
        let homeless = chosen_with(&[], "/usr/bin/x").unwrap_err().to_string();
        assert!(homeless.contains("LEM_BENCH_HOME") && homeless.contains("/usr/bin/x"), "{homeless}");
    }
}
