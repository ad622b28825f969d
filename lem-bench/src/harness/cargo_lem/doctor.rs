//! `cargo lem doctor`: its arguments.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::Subcommand;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::hints::TargetInfo;
use crate::harness::options::{self, OptionSpec};
use crate::harness::{command, console, doctor, run};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "doctor", command: doctor_command, run: examine };

/// The settings that it looks at.
const SETTINGS: [&str; 4] = ["watts-per-core", "nvml-library", "sysfs-root", "lock-file"];

fn settings() -> impl Iterator<Item = &'static OptionSpec> {
    options::settings().filter(|option| SETTINGS.contains(&option.name))
}

fn doctor_command() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Say it in JSON");
    Command::new("doctor")
        .about("Says what can measure energy on this machine, what can't and why, and what a bench would take")
        .arg(json)
        .args(settings().map(command::arg))
}

fn examine(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let said = settings().filter_map(|option| command::said(matches, option)).collect();
    let (call, warnings) = run::ask(said, TargetInfo::default())?;
    for warning in warnings {
        console::warn(&warning);
    }
    let json = matches.get_flag("json");
    let diagnosis = doctor::doctor(&call, json);
    let show = if json { console::out } else { console::out_wrapped };
    show(&diagnosis);
    Ok(ExitStatus::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_settings_exist() {
        assert_eq!(settings().count(), SETTINGS.len());
    }
}
