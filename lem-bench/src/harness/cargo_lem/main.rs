//! The entry point of `cargo lem` and the table of its subcommands.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::{Subcommand, resolve};
use super::{baseline, compare, merge, report, runs};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, doctor, log};
use crate::report::export::SCHEMAS;

/// All subcommands, in the order of the help.
const SUBCOMMANDS: &[Subcommand] = &[
    DOCTOR,
    compare::COMPARE,
    compare::DUEL,
    baseline::BASELINE,
    baseline::HISTORY,
    baseline::REPEATABILITY,
    merge::MERGE,
    runs::RUNS,
    runs::PRUNE,
    report::REPORT,
    SCHEMA,
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

const DOCTOR: Subcommand = Subcommand { name: "doctor", command: doctor_command, run: run_doctor };

fn doctor_command() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON");
    let pulses = Arg::new("pulses").long("pulses").value_name("COMMAND").help(
        "Test whether the energy counter sees the whole time: starts COMMAND once, writes the length of each pulse in ms \
         as a line to its stdin, and waits for a line on its stdout",
    );
    Command::new("doctor")
        .about("List the meters of this machine, why others are not available, and which one a bench would use")
        .arg(json)
        .arg(pulses)
        .args(of_command(LemCommand::Doctor).map(command::arg))
}

fn run_doctor(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let invocation = resolve(matches, LemCommand::Doctor)?;
    let json = matches.get_flag("json");
    let text = match matches.get_one::<String>("pulses") {
        Some(command) => doctor::pulses(&invocation, command, json)?,
        None => doctor::doctor(&invocation, json),
    };
    let show = if json { console::out } else { console::out_wrapped };
    show(&text);
    Ok(ExitStatus::Done)
}

const SCHEMA: Subcommand = Subcommand { name: "schema", command: schema_command, run: run_schema };

fn schema_command() -> Command {
    let format = Arg::new("of")
        .value_name("FORMAT")
        .default_value(SCHEMAS[0].0)
        .value_parser(PossibleValuesParser::new(SCHEMAS.iter().map(|(name, _)| *name)))
        .help("Format whose schema is printed");
    Command::new("schema").about("Print the JSON Schema of summary.json or another format").arg(format)
}

fn run_schema(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let requested = matches.get_one::<String>("of").map(String::as_str);
    let found = SCHEMAS.iter().find(|(name, _)| Some(*name) == requested);
    let (_, text) = found.ok_or_else(|| HarnessError::usage("unknown schema"))?;
    console::out(text);
    Ok(ExitStatus::Done)
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
