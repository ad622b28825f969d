//! Runs a bench binary: from the command line to the mode, which lists, tests or measures.

use super::config::{DefaultMode, Mode, NoMatch};
use super::custom_meters::CustomMeters;
use super::exit::{ExitStatus, HarnessError};
use super::invocation::{Invocation, SelectedCases};
use super::workspace::TargetInfo;
use super::{command, console, list, log, measure, test_mode, worker};
use crate::model::{Order, RunOrder};
use crate::registry::{Case, Registry};
use crate::workers::requested_protocol_version;

/// Does what the command line asks for.
///
/// # Errors
/// The reason why it can't be done.
pub(super) fn run(
    mut registry: Registry,
    target: TargetInfo,
    default_mode: DefaultMode,
    meters: CustomMeters,
) -> Result<ExitStatus, HarnessError> {
    if let Some(version) = requested_protocol_version(std::env::args_os()) {
        return worker::run(&version, registry, &target);
    }
    let flags = match command::read(std::env::args_os(), meters.names()) {
        Ok(flags) => flags,
        Err(error) => return Ok(command::print_and_exit_status(&error)),
    };
    let (call, warnings) = Invocation::resolve(flags, target)?;
    let call = Invocation { meters, ..call };
    let config = call.config();
    log::init(config.log.as_deref());
    for warning in warnings {
        console::warn(&warning);
    }
    call.meters.check(&call.resolved)?;
    registry.override_axes(&config.axes).map_err(|error| HarnessError::usage(error.to_string()))?;
    let cases = registry.cases().map_err(|error| HarnessError::usage(error.to_string()))?;
    if config.print_settings {
        console::out(&list::settings(&call, &cases));
        return Ok(ExitStatus::Done);
    }
    let mode = config.mode(default_mode);
    match list::check_not_empty(mode, config, &cases) {
        Ok(()) => {}
        Err(error) if config.no_match == NoMatch::Warn => {
            console::warn(&error.to_string());
            if mode == Mode::Bench {
                return Ok(ExitStatus::Done);
            }
        }
        Err(error) => return Err(error),
    }
    match mode {
        Mode::List => {
            console::out(&list::benches(config, &cases));
            Ok(ExitStatus::Done)
        }
        Mode::Test => Ok(test_mode::run(config, select(&call, cases))),
        Mode::Bench => measure::run(&call, select(&call, cases)),
    }
}

/// Selects cases, and prints the seed of a random order.
fn select(call: &Invocation, cases: Vec<Case>) -> SelectedCases {
    let selected = SelectedCases::select(call.config(), cases);
    if let RunOrder { order: Order::Shuffled, seed: Some(seed) } = selected.order
        && !call.config().is_quiet()
    {
        console::note(&format!("benches are shuffled; repeat this order with --shuffle-seed {seed}"));
    }
    selected
}
