//! From the command line to the mode: what every call goes through.

use super::config::{Config, NoMatch};
use super::entry::Harness;
use super::exit::{ExitStatus, HarnessError};
use super::layers::{self, ResolvedConfig};
use super::mode::Mode;
use super::own_meters::OwnMeters;
use super::places::WorkspacePaths;
use super::{command, config_view, console, file, list, log, measure, no_match, test_mode, worker};
use crate::model::{Order, RunOrder};
use crate::registry::{Case, Selected};
use crate::workers::requested_protocol_version;

/// What a call has to work with.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) asked: ResolvedConfig,
    pub(super) places: WorkspacePaths,
    pub(super) hints: super::hints::TargetInfo,
    pub(super) meters: OwnMeters,
}

impl Invocation {
    pub(super) fn config(&self) -> &Config {
        &self.asked.config
    }
}

/// The cases of a call.
#[derive(Debug)]
pub(super) struct SelectedCases {
    pub(super) selected: Selected,
    /// All cases of the binary.
    pub(super) total: usize,
    /// The ids of those to run, of all shards.
    pub(super) plan: Vec<String>,
    /// The order that they are in.
    pub(super) order: RunOrder,
}

impl SelectedCases {
    /// Takes the order of an earlier run of the same benches, which may have been drawn.
    pub(super) fn follow(&mut self, plan: &[String], order: RunOrder) {
        let sorted = |plan: &[String]| {
            let mut plan = plan.to_vec();
            plan.sort_unstable();
            plan
        };
        if order.order == self.order.order && sorted(plan) == sorted(&self.plan) {
            self.selected.run.sort_by_key(|case| plan.iter().position(|id| *id == case.id));
            (self.plan, self.order) = (plan.to_vec(), order);
        }
    }

    /// How many cases were not asked for.
    pub(super) fn filtered_out(&self) -> usize {
        self.total - self.selected.run.len() - self.selected.ignored.len()
    }
}

/// Does what the command line says.
///
/// # Errors
/// What keeps it from being done.
pub(super) fn run(harness: Harness) -> Result<ExitStatus, HarnessError> {
    if let Some(version) = requested_protocol_version(std::env::args_os()) {
        return worker::run(&version, harness.registry, &harness.hints);
    }
    let said = match command::read(std::env::args_os(), harness.meters.names()) {
        Ok(said) => said,
        Err(error) => return Ok(command::end(&error)),
    };
    let (call, warnings) = ask(said, harness.hints)?;
    let call = Invocation { meters: harness.meters, ..call };
    log::listen(call.config().log.as_deref());
    for warning in warnings {
        console::warn(&warning);
    }
    call.meters.check(&call.asked)?;
    let mut registry = harness.registry;
    registry.override_axes(&call.config().axes).map_err(|error| HarnessError::usage(error.to_string()))?;
    let cases = registry.cases().map_err(|error| HarnessError::usage(error.to_string()))?;
    if call.config().settings_only {
        console::out(&config_view::show(&call, &cases));
        return Ok(ExitStatus::Done);
    }
    let mode = Mode::of(call.config(), harness.habit);
    match no_match::check(mode, call.config(), &cases) {
        Ok(()) => {}
        Err(stop) if call.config().no_match == NoMatch::Warn => {
            console::warn(&stop.message);
            if mode == Mode::Bench {
                return Ok(ExitStatus::Done);
            }
        }
        Err(stop) => return Err(stop),
    }
    match mode {
        Mode::List => {
            console::out(&list::list(call.config(), &cases));
            Ok(ExitStatus::Done)
        }
        Mode::Test => Ok(test_mode::run(call.config(), choose(call.config(), cases))),
        Mode::Bench => measure::run(&call, choose(call.config(), cases)),
    }
}

/// Reads the layers.
pub(super) fn ask(
    flags: Vec<layers::SettingValue>,
    hints: super::hints::TargetInfo,
) -> Result<(Invocation, Vec<String>), HarnessError> {
    let cwd = std::env::current_dir()
        .map_err(|error| HarnessError::machine(format!("the current folder can't be found: {error}")))?;
    let places = WorkspacePaths::find(cwd, &hints);
    let mut said = match places.nearest_file(file::NAME) {
        Some(path) => file::read(&path)?,
        None => Vec::new(),
    };
    let (variables, warnings) = layers::environment(std::env::vars_os())?;
    said.extend(variables);
    said.extend(flags);
    let mut asked = layers::join(said)?;
    let nvml = &mut asked.config.open.nvml;
    nvml.visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    nvml.device_order = std::env::var("CUDA_DEVICE_ORDER").ok();
    Ok((Invocation { asked, places, hints, meters: OwnMeters::default() }, warnings))
}

/// Sorts out the cases that are asked for, in the order that is asked for.
fn choose(config: &Config, cases: Vec<Case>) -> SelectedCases {
    let total = cases.len();
    let mut selected = config.selection().select(cases);
    let order = order(config);
    if let RunOrder { order: Order::Shuffled, seed: Some(seed) } = order {
        if !config.is_quiet() {
            console::note(&format!("benches are shuffled: --shuffle-seed {seed} repeats this order"));
        }
        shuffle(&mut selected.run, seed);
    }
    let plan = selected.run.iter().map(|case| case.id.clone()).collect();
    if let Some(shard) = config.shard {
        selected.run.retain(|case| shard.contains(&case.id));
    }
    SelectedCases { selected, total, plan, order }
}

/// The order that is asked for, with its seed: the one that is given, one that the clock gives for `--shuffle`, or that
/// of everything else.
fn order(config: &Config) -> RunOrder {
    let shuffled = config.shuffle || config.shuffle_seed.is_some();
    let order = if shuffled && config.order == Order::Grouped { Order::Shuffled } else { config.order };
    let drawn = || if config.shuffle { drawn_seed() } else { config.seed };
    RunOrder { order, seed: (order != Order::Grouped).then(|| config.shuffle_seed.unwrap_or_else(drawn)) }
}

fn shuffle(cases: &mut [Case], seed: u64) {
    use rand::SeedableRng as _;
    use rand::seq::SliceRandom as _;

    cases.shuffle(&mut rand::rngs::Xoshiro256PlusPlus::seed_from_u64(seed));
}

/// A seed that the clock gives; six digits are enough to tell two runs apart and short enough to type.
fn drawn_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (now.as_nanos() / 1000 % 1_000_000) as u64
}
