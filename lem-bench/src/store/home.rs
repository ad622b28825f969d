//! The folder of all results and the workspace root: how they are found from the environment, the build and the running
//! executable, and a check that the folder is writable.

use std::fs::{File, create_dir_all, remove_file};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use super::error::StoreError;
use crate::fs::unique_suffix;

/// The inputs for [`Home::resolve`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HomeOptions {
    /// The user's choice: `--output-dir` or `LEM_BENCH_HOME`. Relative paths start at the workspace root.
    pub home: Option<PathBuf>,
    /// `CARGO_TARGET_DIR`. Relative paths start at the workspace root.
    pub cargo_target_dir: Option<PathBuf>,
    /// `option_env!("CARGO_TARGET_TMPDIR")` of the bench crate: `/ws/target/tmp`. `None` when the target folder is not
    /// on this machine.
    pub target_tmpdir: Option<PathBuf>,
    /// The running executable.
    pub executable: Option<PathBuf>,
    /// The current folder.
    pub current_dir: PathBuf,
}

impl HomeOptions {
    /// Fills in `CARGO_TARGET_DIR`, the executable and the current folder of this process. `target_tmpdir` is used only
    /// if its target folder is on this machine. Empty values count as unset.
    pub fn from_process(home: Option<PathBuf>, target_tmpdir: Option<&str>) -> Self {
        let is_set = |path: &PathBuf| !path.as_os_str().is_empty();
        Self {
            home: home.filter(is_set),
            cargo_target_dir: std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).filter(is_set),
            target_tmpdir: target_tmpdir.map(PathBuf::from).filter(|tmp| tmp.parent().is_some_and(Path::is_dir)),
            executable: std::env::current_exe().ok(),
            current_dir: std::env::current_dir().unwrap_or_else(|_| std::env::temp_dir()),
        }
    }
}

/// The folder of all results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
    chosen_from: &'static str,
    in_target: bool,
}

impl Home {
    /// Chooses the home: the user's choice, else `lem-bench` in `CARGO_TARGET_DIR`, else in the target folder of the
    /// build, else in the target folder that contains the executable, else in `target` of the current folder.
    ///
    /// Depends on `options` only.
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
        let root = find_root(options, built.as_ref().map(|(target, _)| target.as_path()));
        if let Some(home) = &options.home {
            return Self { path: normalize(&root.join(home)), chosen_from: "LEM_BENCH_HOME", in_target: false };
        }
        let (target, chosen_from) = match (&options.cargo_target_dir, built) {
            (Some(target), _) => (root.join(target), "CARGO_TARGET_DIR"),
            (None, Some(built)) => built,
            (None, None) => (root.join("target"), "the current folder"),
        };
        Self { path: normalize(&target.join("lem-bench")), chosen_from, in_target: true }
    }

    /// Returns the home at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), chosen_from: "the caller", in_target: false }
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the choice came from: `LEM_BENCH_HOME`, `CARGO_TARGET_DIR`, `the target folder of the build`, …
    pub fn chosen_from(&self) -> &'static str {
        self.chosen_from
    }

    /// Returns whether `cargo clean` removes it: it is in a target folder because nothing else was chosen.
    pub fn is_removed_by_clean(&self) -> bool {
        self.in_target
    }

    /// Returns the folder of all runs.
    pub fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// Creates the home and checks that files can be written to it. Call it before measuring.
    ///
    /// # Errors
    /// [`StoreError::Io`] with the path and the reason: no permission, read-only, disk full, or a file in the way.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        let runs = self.runs();
        create_dir_all(&runs).map_err(StoreError::io("create the results folder", &runs))?;
        let probe = runs.join(format!(".probe-{}", unique_suffix()));
        let written = File::create_new(&probe).and_then(|mut file| {
            // A whole block: a full disk often has room for a few bytes.
            file.write_all(&[0; 4096])?;
            file.sync_data()
        });
        let removed = remove_file(&probe);
        written.and(removed).map_err(StoreError::io("write to the results folder", &runs))
    }
}

/// Returns the folder that relative paths start at: the parent of the target folder, unless an absolute
/// `CARGO_TARGET_DIR` moved that out of the workspace; else the current folder.
fn find_root(options: &HomeOptions, built: Option<&Path>) -> PathBuf {
    let Some(target) = built else { return options.current_dir.clone() };
    match &options.cargo_target_dir {
        // Cargo appended the relative path to the workspace root: remove it again.
        Some(relative) if relative.is_relative() => {
            let relative = normalize(relative);
            let depth = if target.ends_with(&relative) { relative.components().count() } else { 1 };
            target.ancestors().nth(depth).unwrap_or(target).to_path_buf()
        }
        Some(moved) if normalize(moved) == target => options.current_dir.clone(),
        _ => target.parent().unwrap_or(target).to_path_buf(),
    }
}

/// Returns the target folder that contains an executable: the nearest folder above it that is named `target`, else
/// TARGET of the layout `TARGET/[TRIPLE/]PROFILE/deps/x`.
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

/// Removes `.` from a path, and each `..` together with the component before it, without looking at the file system.
fn normalize(path: &Path) -> PathBuf {
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
    fn resolves_by_priority() {
        let mut all = HomeOptions {
            home: Some("/data/energy".into()),
            cargo_target_dir: Some("/fast/target".into()),
            target_tmpdir: Some("/ws/target/tmp".into()),
            executable: Some("/else/target/release/deps/llm-0a1b".into()),
            ..options()
        };
        assert_eq!(resolve(&all), ("/data/energy".into(), "LEM_BENCH_HOME"));
        assert!(!Home::resolve(&all).is_removed_by_clean());
        all.home = None;
        assert!(Home::resolve(&all).is_removed_by_clean());
        assert_eq!(resolve(&all), ("/fast/target/lem-bench".into(), "CARGO_TARGET_DIR"));
        all.cargo_target_dir = None;
        assert_eq!(resolve(&all), ("/ws/target/lem-bench".into(), "the target folder of the build"));
        all.target_tmpdir = None;
        assert_eq!(resolve(&all), ("/else/target/lem-bench".into(), "the target folder of the executable"));
        all.executable = Some("/usr/bin/llm".into());
        assert_eq!(resolve(&all), ("/ws/crates/a/target/lem-bench".into(), "the current folder"));
    }

    #[test]
    fn relative_paths_start_at_workspace_root() {
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
        // A target folder that the user moved elsewhere does not show where the workspace is: cargo runs benches in the
        // package root.
        assert_eq!(with_home(moved("/fast/t", "/fast/t/tmp")), "/ws/crates/a/results");
        assert_eq!(with_home(moved("/fast/t", "/ws/target/tmp")), "/ws/results");
    }

    #[test]
    fn finds_target_in_every_cargo_layout() {
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

    /// Threads share a process id, as processes on two machines may.
    #[test]
    fn concurrent_checks_do_not_collide() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let check = || (0..50).for_each(|_| home.check_writable().unwrap());
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(check))));
        assert_eq!(std::fs::read_dir(home.runs()).unwrap().count(), 0, "the probe files are removed");
    }

    #[test]
    fn check_writable_reports_path_and_reason() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("deep/er"));
        home.check_writable().unwrap();
        assert_eq!(std::fs::read_dir(home.runs()).unwrap().count(), 0, "the probe file is removed");

        let file = folder.path().join("file");
        std::fs::write(&file, "in the way").unwrap();
        let error = Home::at(&file).check_writable().unwrap_err();
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
        assert!(error.to_string().contains("ot a directory"), "{error}");
        assert!(error.remedy().unwrap().contains("LEM_BENCH_HOME"));
    }
}
