//! The entry point of `cargo lem` and the table of its subcommands.

use clap::Command;

use super::subcommand::Subcommand;
use super::{baseline, compare, doctor, duel, history, merge, repeatability, report, schema};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::{command, console, log};

/// All subcommands, in the order of the help.
const SUBCOMMANDS: &[Subcommand] = &[
    doctor::SUBCOMMAND,
    compare::SUBCOMMAND,
    duel::SUBCOMMAND,
    baseline::SUBCOMMAND,
    history::SUBCOMMAND,
    repeatability::SUBCOMMAND,
    merge::SUBCOMMAND,
    report::SUBCOMMAND,
    schema::SUBCOMMAND,
];

/// Runs `cargo lem` and exits the process.
pub fn cargo_lem() -> ! {
    let status = run().unwrap_or_else(|error| {
        console::error(&error.to_string());
        error.status()
    });
    std::process::exit(i32::from(status.code()))
}

fn run() -> Result<ExitStatus, HarnessError> {
    let mut args: Vec<_> = std::env::args_os().collect();
    // Cargo passes the name of the subcommand as the first argument.
    if args.get(1).is_some_and(|argument| argument == "lem") {
        args.remove(1);
    }
    let matches = match commands().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return Ok(command::print_and_exit_status(&error)),
    };
    // Clap requires a known subcommand.
    let Some((name, matches)) = matches.subcommand() else { return Ok(ExitStatus::Usage) };
    log::init(std::env::var("LEM_BENCH_LOG").ok().as_deref());
    match SUBCOMMANDS.iter().find(|subcommand| subcommand.name == name) {
        Some(subcommand) => log::timed(subcommand.name, || (subcommand.run)(matches)),
        None => Ok(ExitStatus::Usage),
    }
}

fn commands() -> Command {
    Command::new("cargo-lem")
        .bin_name("cargo lem")
        .about("Tools for lem-bench, `cargo bench` for energy")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(SUBCOMMANDS.iter().map(|subcommand| (subcommand.command)()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_valid() {
        commands().debug_assert();
        assert!(
            commands()
                .get_subcommands()
                .map(Command::get_name)
                .eq(SUBCOMMANDS.iter().map(|subcommand| subcommand.name))
        );
    }
}
