//! `cargo lem doctor`: its arguments.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::Subcommand;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::Invocation;
use crate::harness::options::{LemCommand, of_command};
use crate::harness::workspace::TargetInfo;
use crate::harness::{command, console, doctor};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "doctor", command: doctor_command, run: examine };

fn doctor_command() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Say it in JSON");
    Command::new("doctor")
        .about("Says what can measure energy on this machine, what can't and why, and what a bench would take")
        .arg(json)
        .args(of_command(LemCommand::Doctor).map(command::arg))
}

fn examine(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let said = command::from_matches(matches, of_command(LemCommand::Doctor));
    let (call, warnings) = Invocation::resolve(said, TargetInfo::default())?;
    for warning in warnings {
        console::warn(&warning);
    }
    let json = matches.get_flag("json");
    let diagnosis = doctor::doctor(&call, json);
    let show = if json { console::out } else { console::out_wrapped };
    show(&diagnosis);
    Ok(ExitStatus::Done)
}
