//! One invocation of a harness binary: its configuration, folders, workspace and meters, and the cases that it selects.

use std::path::{Path, PathBuf};

use super::config::Config;
use super::config_file;
use super::exit::HarnessError;
use super::layers::{self, CustomMeters, ResolvedConfig, SettingValue};
use crate::model::{BenchTarget, Order, RunOrder};
use crate::registry::{Case, Selected};
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

/// What an invocation works with.
#[derive(Debug)]
pub(super) struct Invocation {
    pub resolved: ResolvedConfig,
    pub paths: WorkspacePaths,
    pub target: TargetInfo,
    pub meters: CustomMeters,
}

impl Invocation {
    /// Merges `flags` with the environment and `lem-bench.toml`. Returns warnings too.
    ///
    /// # Errors
    /// A layer has a mistake, or the current folder is not known.
    pub fn resolve(flags: Vec<SettingValue>, target: TargetInfo) -> Result<(Self, Vec<String>), HarnessError> {
        let cwd = std::env::current_dir()
            .map_err(|error| HarnessError::machine(format!("failed to find the current folder: {error}")))?;
        let paths = WorkspacePaths::find(cwd, &target);
        let mut values = match paths.nearest_file(config_file::NAME) {
            Some(path) => config_file::read(&path)?,
            None => Vec::new(),
        };
        let (variables, warnings) = layers::from_environment(std::env::vars_os())?;
        values.extend(variables);
        values.extend(flags);
        let mut resolved = layers::merge(values)?;
        let nvml = &mut resolved.config.open.nvml;
        nvml.visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        nvml.device_order = std::env::var("CUDA_DEVICE_ORDER").ok();
        Ok((Self { resolved, paths, target, meters: CustomMeters::default() }, warnings))
    }

    /// Returns the bench target. Without cargo, its name is that of the executable.
    pub fn bench_target(&self) -> BenchTarget {
        let executable = std::env::current_exe().ok();
        let stem = || executable.as_deref()?.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = self.target.target.map(str::to_owned).or_else(stem).unwrap_or_default();
        BenchTarget { package: self.target.package.map(str::to_owned), name }
    }

    /// Returns the values of all options.
    pub fn config(&self) -> &Config {
        &self.resolved.config
    }
}

/// The selected cases, in the order in which they run.
#[derive(Debug)]
pub(super) struct SelectedCases {
    pub selected: Selected,
    /// Number of cases in the binary.
    pub total: usize,
    /// Ids of the cases to run, of all shards.
    pub plan: Vec<String>,
    /// How the cases are ordered.
    pub order: RunOrder,
}

impl SelectedCases {
    /// Selects cases and puts them in order.
    pub fn select(config: &Config, cases: Vec<Case>) -> Self {
        let total = cases.len();
        let mut selected = config.selection().select(cases);
        let order = run_order(config);
        if let RunOrder { order: Order::Shuffled, seed: Some(seed) } = order {
            shuffle(&mut selected.run, seed);
        }
        let plan = selected.run.iter().map(|case| case.id.clone()).collect();
        if let Some(shard) = config.shard {
            selected.run.retain(|case| shard.contains(&case.id));
        }
        Self { selected, total, plan, order }
    }

    /// Takes over the order of an earlier run of the same benches, which may be random.
    pub fn follow(&mut self, plan: &[String], order: RunOrder) {
        fn sorted(plan: &[String]) -> Vec<&String> {
            let mut plan: Vec<&String> = plan.iter().collect();
            plan.sort_unstable();
            plan
        }
        if order.order == self.order.order && sorted(plan) == sorted(&self.plan) {
            self.selected.run.sort_by_key(|case| plan.iter().position(|id| *id == case.id));
            (self.plan, self.order) = (plan.to_vec(), order);
        }
    }

    /// Returns the number of cases that are not selected.
    pub fn filtered_out(&self) -> usize {
        self.total - self.selected.run.len() - self.selected.ignored.len()
    }
}

/// Returns the order with its seed: `--shuffle-seed`, else the clock's for `--shuffle`, else `--seed`.
fn run_order(config: &Config) -> RunOrder {
    let is_shuffled = config.shuffle || config.shuffle_seed.is_some();
    let order = if is_shuffled && config.order == Order::Grouped { Order::Shuffled } else { config.order };
    let default_seed = || if config.shuffle { clock_seed() } else { config.seed };
    RunOrder { order, seed: (order != Order::Grouped).then(|| config.shuffle_seed.unwrap_or_else(default_seed)) }
}

fn shuffle(cases: &mut [Case], seed: u64) {
    use rand::SeedableRng as _;
    use rand::seq::SliceRandom as _;

    cases.shuffle(&mut rand::rngs::Xoshiro256PlusPlus::seed_from_u64(seed));
}

/// Returns a seed from the clock. Six digits are enough to tell runs apart and short enough to type.
fn clock_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (now.as_nanos() / 1000 % 1_000_000) as u64
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
