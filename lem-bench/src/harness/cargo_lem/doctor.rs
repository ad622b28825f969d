//! `cargo lem doctor`: the meters of this machine.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::{Subcommand, resolve};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, doctor};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "doctor", command: doctor_command, run: examine };

fn doctor_command() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON");
    Command::new("doctor")
        .about("List the meters of this machine, why others are not available, and which one a bench would use")
        .arg(json)
        .args(of_command(LemCommand::Doctor).map(command::arg))
}

fn examine(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let call = resolve(matches, LemCommand::Doctor)?;
    let json = matches.get_flag("json");
    let diagnosis = doctor::doctor(&call, json);
    let show = if json { console::out } else { console::out_wrapped };
    show(&diagnosis);
    Ok(ExitStatus::Done)
}
