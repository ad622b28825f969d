//! One invocation of a harness binary: its configuration, folders and meters, and the cases that it selects.

use super::config::Config;
use super::config_file;
use super::custom_meters::CustomMeters;
use super::exit::HarnessError;
use super::layers::{self, ResolvedConfig, SettingValue};
use super::workspace::{TargetInfo, WorkspacePaths};
use crate::model::{Order, RunOrder};
use crate::registry::{Case, Selected};

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
        let (variables, warnings) = layers::environment(std::env::vars_os())?;
        values.extend(variables);
        values.extend(flags);
        let mut resolved = layers::merge(values)?;
        let nvml = &mut resolved.config.open.nvml;
        nvml.visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        nvml.device_order = std::env::var("CUDA_DEVICE_ORDER").ok();
        Ok((Self { resolved, paths, target, meters: CustomMeters::default() }, warnings))
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
