//! What a subcommand of `cargo lem` is, and the table of all of them.
//!
//! Must not know what any of them does.

use clap::{ArgMatches, Command};

use super::{baseline, calibrate, compare, doctor, duel, history, merge, report, schema};
use crate::harness::exit::{ExitStatus, HarnessError};

/// A subcommand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subcommand {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// Its arguments and its help.
    pub(super) command: fn() -> Command,
    /// Does it.
    pub(super) run: fn(&ArgMatches) -> Result<ExitStatus, HarnessError>,
}

/// All subcommands, in the order in which the help shows them.
pub(super) const ALL: &[Subcommand] = &[
    doctor::SUBCOMMAND,
    compare::SUBCOMMAND,
    duel::SUBCOMMAND,
    baseline::SUBCOMMAND,
    history::SUBCOMMAND,
    calibrate::SUBCOMMAND,
    merge::SUBCOMMAND,
    report::SUBCOMMAND,
    schema::SUBCOMMAND,
];
