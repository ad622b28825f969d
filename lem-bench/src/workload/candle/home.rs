//! Which model folder to measure: the user's, else the embedded one, kept under cargo's target folder.
//!
//! Must not know what is in a model folder.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Error, embedded};

/// Names a Hugging Face model folder to measure in place of the embedded model.
pub const MODEL_VARIABLE: &str = "LEM_BENCH_MODEL";
/// Names the folder below which the embedded model is kept.
pub const HOME_VARIABLE: &str = "LEM_BENCH_HOME";

/// The model folder to open: `LEM_BENCH_MODEL` where it is set, else the embedded model, made on first use below
/// `LEM_BENCH_HOME`, else an absolute `CARGO_TARGET_DIR`, else the target folder that the running executable lies in.
///
/// Relative paths count from the current folder (cargo starts benches in their package's). An empty variable is one
/// that is not set.
///
/// # Errors
/// [`Error::NoSuchModel`] where `LEM_BENCH_MODEL` names no folder, [`Error::NoHome`] where there is no place to keep
/// the embedded model, and those of [`embedded`](embedded()).
pub fn model_dir() -> Result<PathBuf, Error> {
    let executable = env::current_exe().unwrap_or_default();
    match chosen(|name| env::var_os(name), &executable)? {
        ModelsDir::Model(dir) => Ok(dir),
        ModelsDir::Embedded(home) => embedded(&home),
    }
}

#[derive(Debug, PartialEq)]
enum ModelsDir {
    Model(PathBuf),
    Embedded(PathBuf),
}

fn chosen(variable: impl Fn(&str) -> Option<OsString>, executable: &Path) -> Result<ModelsDir, Error> {
    let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = path(MODEL_VARIABLE) {
        if dir.is_dir() {
            return Ok(ModelsDir::Model(dir));
        }
        let path = std::path::absolute(&dir).unwrap_or(dir);
        return Err(Error::NoSuchModel { variable: MODEL_VARIABLE, path });
    }
    // A relative CARGO_TARGET_DIR counts from wherever cargo was started, which is not known here.
    path(HOME_VARIABLE)
        .or_else(|| path("CARGO_TARGET_DIR").filter(|dir| dir.is_absolute()))
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
        chosen(find, Path::new(executable))
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
