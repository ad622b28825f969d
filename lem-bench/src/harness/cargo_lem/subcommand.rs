//! The type of a `cargo lem` subcommand, and the arguments that several of them share.

use clap::{ArgMatches, Command};

use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::{Invocation, TargetInfo};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, saved};
use crate::store::Home;

/// A subcommand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subcommand {
    /// Name on the command line.
    pub name: &'static str,
    /// Arguments and help.
    pub command: fn() -> Command,
    /// Runs the subcommand.
    pub run: fn(&ArgMatches) -> Result<ExitStatus, HarnessError>,
}

/// Resolves the configuration from the command line, the environment and `lem-bench.toml`.
///
/// # Errors
/// An option has an invalid value.
pub(super) fn resolve(matches: &ArgMatches, lem_command: LemCommand) -> Result<Invocation, HarnessError> {
    let flags = command::from_matches(matches, of_command(lem_command));
    let (invocation, warnings) = Invocation::resolve(flags, TargetInfo::default())?;
    for warning in warnings {
        console::warn(&warning);
    }
    Ok(invocation)
}

/// Resolves the configuration, and finds the results folder.
///
/// # Errors
/// An option has an invalid value.
pub(super) fn resolve_with_home(
    matches: &ArgMatches,
    lem_command: LemCommand,
) -> Result<(Invocation, Home), HarnessError> {
    let invocation = resolve(matches, lem_command)?;
    let home = saved::reading_home(invocation.config().output_dir.as_deref(), &invocation.paths);
    Ok((invocation, home))
}
