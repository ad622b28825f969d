//! The `main` of `cargo-lem`: reads the command line, lets the subcommand do its work, and ends the process.

use clap::Command;

use super::subcommand;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::{command, console, log};

/// The `main` of `cargo-lem`: reads the command line, does what it says, and ends the process.
///
/// `cargo lem doctor [--json]` says which meters this machine has, which not and why, what their sensors do, and which
/// one a bench would take; `cargo lem report` makes any report of saved results again; `cargo lem merge` joins the parts of a run; `cargo lem schema` prints the
/// JSON Schemas of what is written. Ends with 0 when it could be said, 1 when the machine did not let us, 2 for a mistake in
/// what was asked for.
pub fn cargo_lem() -> ! {
    let exit = go().unwrap_or_else(|error| {
        console::error(&error.to_string());
        error.status()
    });
    std::process::exit(i32::from(exit.code()))
}

fn go() -> Result<ExitStatus, HarnessError> {
    let mut args: Vec<_> = std::env::args_os().collect();
    // Cargo names the subcommand by which it was called.
    if args.get(1).is_some_and(|argument| argument == "lem") {
        args.remove(1);
    }
    let matches = match commands().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return Ok(command::print_and_exit_status(&error)),
    };
    // Clap asks for a subcommand and knows no other.
    let Some((name, matches)) = matches.subcommand() else { return Ok(ExitStatus::Usage) };
    log::init(std::env::var("LEM_BENCH_LOG").ok().as_deref());
    match subcommand::ALL.iter().find(|known| known.name == name) {
        Some(known) => log::timed(known.name, || (known.run)(matches)),
        None => Ok(ExitStatus::Usage),
    }
}

fn commands() -> Command {
    Command::new("cargo-lem")
        .bin_name("cargo lem")
        .about("Companion of lem-bench: `cargo bench` for energy")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(subcommand::ALL.iter().map(|known| (known.command)()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_sound() {
        commands().debug_assert();
        assert!(commands().get_subcommands().map(Command::get_name).eq(subcommand::ALL.iter().map(|known| known.name)));
    }
}
