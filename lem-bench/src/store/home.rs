//! Where results go: a pure choice among what the environment, the compiler and the running executable say, and a
//! check that it can be written to.
//!
//! Must not know what is kept there.

use std::fs::{File, create_dir_all, remove_file};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use super::error::StoreError;
use crate::fs::unique_suffix;

/// What the choice of a home is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HomeOptions {
    /// `--output-dir` or `LEM_BENCH_HOME`. Relative values count from the workspace root.
    pub home: Option<PathBuf>,
    /// `CARGO_TARGET_DIR`. Relative values count from the workspace root.
    pub cargo_target_dir: Option<PathBuf>,
    /// `option_env!("CARGO_TARGET_TMPDIR")` of the bench crate: `/ws/target/tmp`. Leave it out when the target folder
    /// is not on this machine.
    pub target_tmpdir: Option<PathBuf>,
    /// The running executable.
    pub executable: Option<PathBuf>,
    /// The current folder.
    pub current_dir: PathBuf,
}

impl HomeOptions {
    /// What this process knows: `CARGO_TARGET_DIR`, its executable, its current folder and whether the target folder
    /// that the compiler saw is on this machine. Empty values count as unset.
    pub fn from_process(home: Option<PathBuf>, target_tmpdir: Option<&str>) -> Self {
        let named = |path: &PathBuf| !path.as_os_str().is_empty();
        Self {
            home: home.filter(named),
            cargo_target_dir: std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).filter(named),
            target_tmpdir: target_tmpdir.map(PathBuf::from).filter(|tmp| tmp.parent().is_some_and(Path::is_dir)),
            executable: std::env::current_exe().ok(),
            current_dir: std::env::current_dir().unwrap_or_else(|_| std::env::temp_dir()),
        }
    }
}

/// The folder under which all results are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
    from: &'static str,
}

impl Home {
    /// Chooses the home: what the user said, else `lem-bench` in `CARGO_TARGET_DIR`, else in the target folder that
    /// the compiler saw, else in the one that the executable lies in, else in the current folder's `target`.
    ///
    /// Looks at nothing but `options`.
    pub fn resolve(options: &HomeOptions) -> Self {
        let built = options
            .target_tmpdir
            .as_deref()
            .and_then(Path::parent)
            .map(|target| (target.to_path_buf(), "the target folder of the build"))
            .or_else(|| {
                let target = target_of(options.executable.as_deref()?)?;
                Some((target, "the target folder of the executable"))
            });
        let root = workspace_root(options, built.as_ref().map(|(target, _)| target.as_path()));
        if let Some(home) = &options.home {
            return Self { path: normal(&root.join(home)), from: "LEM_BENCH_HOME" };
        }
        let (target, from) = match (&options.cargo_target_dir, built) {
            (Some(target), _) => (root.join(target), "CARGO_TARGET_DIR"),
            (None, Some(built)) => built,
            (None, None) => (root.join("target"), "the current folder"),
        };
        Self { path: normal(&target.join("lem-bench")), from }
    }

    /// A home at a path of one's own choice.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), from: "the caller" }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was chosen from: `LEM_BENCH_HOME`, `CARGO_TARGET_DIR`, `the target folder of the build`, …
    pub fn chosen_from(&self) -> &'static str {
        self.from
    }

    /// The folder of all runs.
    pub fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// Creates the home and shows that files can be written to it. To be called before anything is measured.
    ///
    /// # Errors
    /// [`StoreError::Io`] with the path and the reason: no permission, read-only, full, a file in the way.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        let runs = self.runs();
        create_dir_all(&runs).map_err(StoreError::io("create the results folder", &runs))?;
        let probe = runs.join(format!(".probe-{}", unique_suffix()));
        let written = File::create_new(&probe).and_then(|mut file| {
            // A whole block: a full disk often has room for less.
            file.write_all(&[0; 4096])?;
            file.sync_data()
        });
        let removed = remove_file(&probe);
        written.and(removed).map_err(StoreError::io("write to the results folder", &runs))
    }
}

/// The folder that relative values count from: the target folder's parent, where the target folder has not been moved
/// out of the workspace by an absolute `CARGO_TARGET_DIR`; else the current folder.
fn workspace_root(options: &HomeOptions, built: Option<&Path>) -> PathBuf {
    let Some(target) = built else { return options.current_dir.clone() };
    match &options.cargo_target_dir {
        // Cargo made it absolute when it compiled: take away again what the user said.
        Some(relative) if relative.is_relative() => {
            let said = normal(relative);
            let depth = if target.ends_with(&said) { said.components().count() } else { 1 };
            target.ancestors().nth(depth).unwrap_or(target).to_path_buf()
        }
        Some(moved) if normal(moved) == target => options.current_dir.clone(),
        _ => target.parent().unwrap_or(target).to_path_buf(),
    }
}

/// The target folder that an executable lies in: the nearest folder above it that is called `target`, else what the
/// layout `TARGET/[TRIPLE/]PROFILE/deps/x` says.
fn target_of(executable: &Path) -> Option<PathBuf> {
    let folder = executable.parent()?;
    if let Some(target) = folder.ancestors().find(|folder| folder.ends_with("target")) {
        return Some(target.to_path_buf());
    }
    if !(folder.ends_with("deps") || folder.ends_with("examples")) {
        return None;
    }
    let target = folder.parent()?.parent()?;
    let is_triple = target.file_name()?.to_str()?.matches('-').count() >= 2;
    Some(if is_triple { target.parent()?.to_path_buf() } else { target.to_path_buf() })
}

/// The path without `.` and with `..` taken away together with what it follows, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> HomeOptions {
        HomeOptions { current_dir: "/ws/crates/a".into(), ..HomeOptions::default() }
    }

    fn resolve(options: &HomeOptions) -> (String, &'static str) {
        let home = Home::resolve(options);
        (home.path().to_str().unwrap().to_owned(), home.chosen_from())
    }

    #[test]
    fn the_first_that_is_there_decides() {
        let mut all = HomeOptions {
            home: Some("/data/energy".into()),
            cargo_target_dir: Some("/fast/target".into()),
            target_tmpdir: Some("/ws/target/tmp".into()),
            executable: Some("/else/target/release/deps/llm-0a1b".into()),
            ..options()
        };
        assert_eq!(resolve(&all), ("/data/energy".into(), "LEM_BENCH_HOME"));
        all.home = None;
        assert_eq!(resolve(&all), ("/fast/target/lem-bench".into(), "CARGO_TARGET_DIR"));
        all.cargo_target_dir = None;
        assert_eq!(resolve(&all), ("/ws/target/lem-bench".into(), "the target folder of the build"));
        all.target_tmpdir = None;
        assert_eq!(resolve(&all), ("/else/target/lem-bench".into(), "the target folder of the executable"));
        all.executable = Some("/usr/bin/llm".into());
        assert_eq!(resolve(&all), ("/ws/crates/a/target/lem-bench".into(), "the current folder"));
    }

    #[test]
    fn relative_values_count_from_the_workspace_root() {
        let built = HomeOptions { target_tmpdir: Some("/ws/target/tmp".into()), ..options() };
        let home = |home: &str| resolve(&HomeOptions { home: Some(home.into()), ..built.clone() }).0;
        assert_eq!(home("results"), "/ws/results");
        assert_eq!(home("./a/../results"), "/ws/results");
        assert_eq!(home("../results"), "/results");
        let moved = |target: &str, tmpdir: &str| HomeOptions {
            cargo_target_dir: Some(target.into()),
            target_tmpdir: Some(tmpdir.into()),
            ..options()
        };
        assert_eq!(resolve(&moved("out/t", "/ws/out/t/tmp")).0, "/ws/out/t/lem-bench");
        let with_home = |moved| resolve(&HomeOptions { home: Some("results".into()), ..moved }).0;
        assert_eq!(with_home(moved("./out/t", "/ws/out/t/tmp")), "/ws/results");
        // The target folder tells nothing about the workspace when the user put it elsewhere: cargo starts benches in
        // the package root.
        assert_eq!(with_home(moved("/fast/t", "/fast/t/tmp")), "/ws/crates/a/results");
        assert_eq!(with_home(moved("/fast/t", "/ws/target/tmp")), "/ws/results");
    }

    #[test]
    fn executables_are_found_in_every_layout_of_cargo() {
        for (executable, target) in [
            ("/ws/target/debug/deps/x-1", Some("/ws/target")),
            ("/ws/target/x86_64-unknown-linux-gnu/release/deps/x-1", Some("/ws/target")),
            ("/ws/target/release/examples/x", Some("/ws/target")),
            ("/ws/target/release/x", Some("/ws/target")),
            ("/fast/t/release/deps/x-1", Some("/fast/t")),
            ("/fast/t/aarch64-apple-darwin/bench/deps/x-1", Some("/fast/t")),
            ("/home/me/.cargo/bin/x", None),
            ("/x", None),
        ] {
            assert_eq!(target_of(Path::new(executable)), target.map(PathBuf::from), "{executable}");
        }
    }

    /// Processes of two machines may have one number, as threads have.
    #[test]
    fn nobody_who_looks_at_once_is_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let look = || (0..50).for_each(|_| home.check_writable().unwrap());
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(look))));
        assert_eq!(std::fs::read_dir(home.runs()).unwrap().count(), 0, "the probes are gone");
    }

    #[test]
    fn a_home_that_cannot_be_is_found_out_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("deep/er"));
        home.check_writable().unwrap();
        assert_eq!(std::fs::read_dir(home.runs()).unwrap().count(), 0, "the probe is gone");

        let file = folder.path().join("file");
        std::fs::write(&file, "in the way").unwrap();
        let error = Home::at(&file).check_writable().unwrap_err();
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
        assert!(error.to_string().contains("ot a directory"), "{error}");
        assert!(error.remedy().unwrap().contains("LEM_BENCH_HOME"));
    }
}
