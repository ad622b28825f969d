//! Configuration and results folder of the commands that read saved results.

use clap::ArgMatches;

use crate::harness::exit::HarnessError;
use crate::harness::invocation::Invocation;
use crate::harness::options::{LemCommand, of_command};
use crate::harness::workspace::TargetInfo;
use crate::harness::{command, console, saved};
use crate::store::Home;

/// Resolves the configuration of a `cargo lem` command and finds the results folder.
pub(super) fn ask(matches: &ArgMatches, lem_command: LemCommand) -> Result<(Invocation, Home), HarnessError> {
    let flags = command::from_matches(matches, of_command(lem_command));
    let (call, warnings) = Invocation::resolve(flags, TargetInfo::default())?;
    for warning in warnings {
        console::warn(&warning);
    }
    let home = saved::reading_home(call.config().output_dir.as_deref(), &call.paths);
    Ok((call, home))
}
