//! `cargo lem repeatability`: how much sessions of the same code differ on a machine.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgMatches, Command};

use super::history::read;
use super::subcommand::{Subcommand, resolve_with_home};
use crate::analysis::compare::{HISTORY_FROM, calibrate};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console};
use crate::model::count_of;
use crate::store::{History, MachineSpread, MachineSpreads};

pub(super) const SUBCOMMAND: Subcommand =
    Subcommand { name: "repeatability", command: repeatability_command, run: measure_repeatability };

fn repeatability_command() -> Command {
    let machine = Arg::new("machine")
        .long("machine")
        .value_name("ID")
        .help("Id of the machine, as printed by `cargo lem history` [default: that of the newest session]");
    Command::new("repeatability")
        .about("Compute how much sessions of the same code differ, from the history")
        .after_help(
            "Run the same benches at the same commit at least five times first, if possible on different days and after \
             reboots. Comparisons with a saved baseline then use the result instead of the assumed session spread of 1 %.\n\
             Exit codes: 0 success, 1 a file cannot be read or written, 2 invalid usage, 5 not enough sessions.",
        )
        .arg(machine)
        .args(of_command(LemCommand::Repeatability).map(command::arg))
}

fn measure_repeatability(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (_, home) = resolve_with_home(matches, LemCommand::Repeatability)?;
    let history = read(&home)?;
    let newest = history.iter().max_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
    let given = matches.get_one::<String>("machine").cloned();
    let machine = given.or_else(|| newest.map(|session| session.machine.clone())).ok_or_else(|| {
        HarnessError::no_match(format!(
            "{} contains no sessions; each measured run adds one",
            History::file(&home).display()
        ))
    })?;
    let found = calibrate(&history, &machine).map_err(|sessions| {
        HarnessError::no_match(format!(
            "machine {machine} has {} of a bench at one commit, and {HISTORY_FROM} are needed: run the same benches again",
            count_of(sessions, "session")
        ))
    })?;
    let mut spreads = MachineSpreads::read(&home)?;
    let at_unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let spread = MachineSpread {
        s0: found.prior.s0,
        d0: found.prior.d0,
        sessions: found.sessions,
        benches: found.benches,
        at_unix_s,
    };
    spreads.machines.insert(machine.clone(), spread);
    spreads.write(&home)?;
    console::out(&format!(
        "machine {machine}: sessions of the same code differ by {:.2} % in addition to the noise within a session ({}, \
         {}); wrote {}\n",
        100.0 * found.prior.s0,
        count_of(found.sessions, "session"),
        count_of(found.benches, "bench"),
        MachineSpreads::file(&home).display()
    ));
    Ok(ExitStatus::Done)
}
