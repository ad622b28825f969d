//! `cargo lem calibrate`: how much sessions of the same code differ on a machine.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgMatches, Command};

use super::asked::ask;
use super::history::read;
use super::subcommand::Subcommand;
use crate::analysis::compare::{HISTORY_FROM, calibrate};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console};
use crate::model::count_of;
use crate::store::{History, MachineSpread, MachineSpreads};

pub(super) const SUBCOMMAND: Subcommand =
    Subcommand { name: "calibrate", command: calibrate_command, run: calibrate_machine };

fn calibrate_command() -> Command {
    let machine = Arg::new("machine")
        .long("machine")
        .value_name("ID")
        .help("The machine, as `cargo lem history` names it; without it that of the newest session");
    Command::new("calibrate")
        .about("Measures how much sessions of the same code differ, from the history")
        .after_help(
            "Run the same benches at the same commit at least five times (better on different days, and after a reboot), \
             then this. Comparisons with a saved baseline go by what it finds, instead of the 1 % that they assume.\n\
             Exit codes: 0 done, 1 a file can't be read or written, 2 usage, 5 there are too few sessions.",
        )
        .arg(machine)
        .args(of_command(LemCommand::Calibrate).map(command::arg))
}

fn calibrate_machine(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (_, home) = ask(matches, LemCommand::Calibrate)?;
    let history = read(&home)?;
    let newest = history.iter().max_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
    let said = matches.get_one::<String>("machine").cloned();
    let machine = said.or_else(|| newest.map(|session| session.machine.clone())).ok_or_else(|| {
        HarnessError::no_match(format!(
            "{} holds no session: every measured run adds to it",
            History::file(&home).display()
        ))
    })?;
    let found = calibrate(&history, &machine).map_err(|most| {
        HarnessError::no_match(format!(
            "machine {machine} needs {HISTORY_FROM} sessions of one bench at one commit, and has {most}: run the same \
             benches again"
        ))
    })?;
    let mut all = MachineSpreads::read(&home)?;
    let at_unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let calibration = MachineSpread {
        s0: found.prior.s0,
        d0: found.prior.d0,
        sessions: found.sessions,
        benches: found.benches,
        at_unix_s,
    };
    all.machines.insert(machine.clone(), calibration);
    all.write(&home)?;
    console::out(&format!(
        "machine {machine}: sessions of the same code differ by {:.2} % beyond their own noise ({} sessions, {}); \
         written to {}\n",
        100.0 * found.prior.s0,
        found.sessions,
        count_of(found.benches, "bench"),
        MachineSpreads::file(&home).display()
    ));
    Ok(ExitStatus::Done)
}
