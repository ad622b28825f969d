//! What subcommands that read saved results have in common: their settings, and where the results lie.

use clap::ArgMatches;

use crate::harness::exit::HarnessError;
use crate::harness::hints::TargetInfo;
use crate::harness::options::{self, OptionSpec};
use crate::harness::run::{self, Invocation};
use crate::harness::{command, console, saved};
use crate::store::Home;

/// The settings of these names.
pub(super) fn settings(names: &'static [&'static str]) -> impl Iterator<Item = &'static OptionSpec> {
    options::settings().filter(|option| names.contains(&option.name))
}

/// Reads the layers under what the command line says, and finds the results folder.
pub(super) fn ask(matches: &ArgMatches, names: &'static [&'static str]) -> Result<(Invocation, Home), HarnessError> {
    let said = settings(names).filter_map(|option| command::said(matches, option)).collect();
    let (call, warnings) = run::ask(said, TargetInfo::default())?;
    for warning in warnings {
        console::warn(&warning);
    }
    let home = saved::reading_home(call.config().output_dir.as_deref(), &call.places);
    Ok((call, home))
}
