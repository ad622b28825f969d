//! Finds the folder of the model to measure: the user's, or that of the embedded model in cargo's target folder.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Error, embedded};
use crate::store::{Home, HomeOptions, workspace_root};

/// The environment variable with the Hugging Face model folder to measure instead of the embedded model.
pub const MODEL_VARIABLE: &str = "LEM_BENCH_MODEL";
/// The environment variable with the folder that contains the embedded model.
pub const HOME_VARIABLE: &str = "LEM_BENCH_HOME";

/// Returns the model folder to open: `LEM_BENCH_MODEL` if it is set, otherwise the embedded model, which is generated
/// on first use. It is in `LEM_BENCH_HOME`, an absolute `CARGO_TARGET_DIR`, or the target folder of the running
/// executable, in this order.
///
/// A relative `LEM_BENCH_HOME` is relative to the workspace root, as for results. A relative `LEM_BENCH_MODEL` is
/// relative to the current folder, which is that of the package if cargo starts the bench. Empty variables count as
/// unset.
///
/// # Errors
/// [`Error::NoSuchModel`] if `LEM_BENCH_MODEL` is not a folder, [`Error::NoHome`] if there is no folder for the
/// embedded model, and those of [`embedded`](embedded()).
pub fn model_dir() -> Result<PathBuf, Error> {
    let executable = env::current_exe().unwrap_or_default();
    let current_dir = env::current_dir().unwrap_or_default();
    match choose(|name| env::var_os(name), &executable, &current_dir)? {
        Choice::Model(dir) => Ok(dir),
        Choice::Embedded(home) => embedded(&home),
    }
}

#[derive(Debug, PartialEq)]
enum Choice {
    /// The user's model in this folder.
    Model(PathBuf),
    /// The embedded model with this home.
    Embedded(PathBuf),
}

fn choose(variable: impl Fn(&str) -> Option<OsString>, executable: &Path, current_dir: &Path) -> Result<Choice, Error> {
    let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = path(MODEL_VARIABLE) {
        if dir.is_dir() {
            return Ok(Choice::Model(dir));
        }
        let path = std::path::absolute(&dir).unwrap_or(dir);
        return Err(Error::NoSuchModel { variable: MODEL_VARIABLE, path });
    }
    if let Some(home) = path(HOME_VARIABLE) {
        // Results are stored in the same folder, so the same function resolves it.
        let home = Home::resolve(&HomeOptions {
            home: Some(home),
            cargo_target_dir: path("CARGO_TARGET_DIR"),
            target_tmpdir: None,
            executable: Some(executable.to_owned()),
            current_dir: workspace_root(current_dir, None),
        });
        return Ok(Choice::Embedded(home.path().to_owned()));
    }
    // A relative CARGO_TARGET_DIR is relative to the folder in which cargo was started, which is unknown here.
    path("CARGO_TARGET_DIR")
        .filter(|dir| dir.is_absolute())
        .or_else(|| executable.ancestors().skip(1).find(|dir| is_target(dir)).map(Path::to_owned))
        .map(Choice::Embedded)
        .ok_or_else(|| Error::NoHome { executable: executable.to_owned() })
}

/// Returns whether a folder is a target folder. Cargo writes a `CACHEDIR.TAG` into it, whatever its name is.
fn is_target(dir: &Path) -> bool {
    dir.ends_with("target") || dir.join("CACHEDIR.TAG").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose_with(variables: &[(&str, &Path)], executable: &str) -> Result<Choice, Error> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        choose(find, Path::new(executable), Path::new("/p/crates/a"))
    }

    #[test]
    fn order_is_model_home_cargo_executable() {
        let here = tempfile::tempdir().unwrap();
        let all: [(&str, &Path); 3] =
            [(MODEL_VARIABLE, here.path()), (HOME_VARIABLE, Path::new("/h")), ("CARGO_TARGET_DIR", Path::new("/t"))];
        let executable = "/p/target/release/deps/llm-1234";
        assert_eq!(choose_with(&all, executable).unwrap(), Choice::Model(here.path().into()));
        assert_eq!(choose_with(&all[1..], executable).unwrap(), Choice::Embedded("/h".into()));
        assert_eq!(choose_with(&all[2..], executable).unwrap(), Choice::Embedded("/t".into()));
        assert_eq!(choose_with(&[], executable).unwrap(), Choice::Embedded("/p/target".into()));
        let relative: [(&str, &Path); 2] = [("CARGO_TARGET_DIR", Path::new("t")), (MODEL_VARIABLE, Path::new(""))];
        assert_eq!(choose_with(&relative, executable).unwrap(), Choice::Embedded("/p/target".into()));
    }

    #[test]
    fn relative_home_is_below_workspace_root() {
        let relative: [(&str, &Path); 1] = [(HOME_VARIABLE, Path::new("results"))];
        let found = choose_with(&relative, "/p/target/release/deps/llm-1234").unwrap();
        assert_eq!(found, Choice::Embedded("/p/results".into()));

        let workspace = tempfile::tempdir().unwrap();
        let package = workspace.path().join("crates/a");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(workspace.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        std::fs::write(package.join("Cargo.toml"), "[package]\n").unwrap();
        let find = |name: &str| (name == HOME_VARIABLE).then(|| "results".into());
        let found = choose(find, Path::new("/usr/bin/x"), &package).unwrap();
        assert_eq!(found, Choice::Embedded(workspace.path().join("results")));
    }

    #[test]
    fn finds_renamed_target_folder() {
        let built = tempfile::tempdir().unwrap();
        std::fs::write(built.path().join("CACHEDIR.TAG"), b"").unwrap();
        let executable = built.path().join("release/deps/x");
        assert_eq!(choose_with(&[], executable.to_str().unwrap()).unwrap(), Choice::Embedded(built.path().to_owned()));
    }

    #[test]
    fn errors_name_the_variable() {
        let missing = choose_with(&[(MODEL_VARIABLE, Path::new("/no/such/model"))], "/x").unwrap_err().to_string();
        assert!(missing.contains("LEM_BENCH_MODEL names /no/such/model"), "{missing}");
        let no_home = choose_with(&[], "/usr/bin/x").unwrap_err().to_string();
        assert!(no_home.contains("LEM_BENCH_HOME") && no_home.contains("/usr/bin/x"), "{no_home}");
    }
}
