//! `cargo lem`: its commands and their arguments.
//!
//! Must not know what a command does.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::exit::{Exit, Stop};
use super::hints::HarnessHints;
use super::layers::Said;
use super::options::{self, OptionSpec};
use super::{command, console, doctor, run};

/// The settings that `doctor` looks at.
const DOCTOR: [&str; 4] = ["watts-per-core", "nvml-library", "sysfs-root", "lock-file"];

/// The `main` of `cargo-lem`: reads the command line, does what it says, and ends the process.
///
/// `cargo lem doctor [--json]` says which meters this machine has, which not and why, what their sensors do, and which
/// one a bench would take. Ends with 0 when it could be said, 1 when the machine did not let us, 2 for a mistake in
/// what was asked for.
pub fn cargo_lem() -> ! {
    let exit = go().unwrap_or_else(|stop| {
        console::error(&stop.message);
        stop.exit
    });
    std::process::exit(i32::from(exit.code()))
}

fn go() -> Result<Exit, Stop> {
    let mut args: Vec<_> = std::env::args_os().collect();
    // Cargo names the subcommand by which it was called.
    if args.get(1).is_some_and(|argument| argument == "lem") {
        args.remove(1);
    }
    let matches = match commands().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return Ok(command::end(&error)),
    };
    match matches.subcommand() {
        Some(("doctor", matches)) => {
            let (call, warnings) = run::ask(said(matches), HarnessHints::default())?;
            for warning in warnings {
                console::warn(&warning);
            }
            console::out(&doctor::doctor(&call, matches.get_flag("json")));
            Ok(Exit::Done)
        }
        // Clap asks for a subcommand and knows no other.
        _ => Ok(Exit::Usage),
    }
}

fn said(matches: &ArgMatches) -> Vec<Said> {
    settings().filter_map(|option| command::said(matches, option)).collect()
}

fn settings() -> impl Iterator<Item = &'static OptionSpec> {
    options::settings().filter(|option| DOCTOR.contains(&option.name))
}

fn commands() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Say it in JSON");
    let doctor = Command::new("doctor")
        .about("Says what can measure energy on this machine, what can't and why, and what a bench would take")
        .arg(json)
        .args(settings().map(command::arg));
    Command::new("cargo-lem")
        .bin_name("cargo lem")
        .about("Companion of lem-bench: `cargo bench` for energy")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(doctor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_sound_and_their_settings_exist() {
        commands().debug_assert();
        assert_eq!(settings().count(), DOCTOR.len());
    }
}
