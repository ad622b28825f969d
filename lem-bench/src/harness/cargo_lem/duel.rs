//! `cargo lem duel`: alternates two builds in one session.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::{Subcommand, resolve};
use crate::harness::comparing::DuelResult;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::measure::Duel;
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, measure, notify, parse};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "duel", command: duel_command, run: duel };

fn duel_command() -> Command {
    let binary = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("BINARY").value_parser(clap::value_parser!(std::path::PathBuf)).help(help)
    };
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    Command::new("duel")
        .about("Alternate two builds of the same benches in one session, to detect changes of 1 %")
        .after_help(
            "`cargo bench --no-run` prints the paths of the binaries. Each pair starts both sides again, in random order; the \
             next pair has the opposite order (ABBA). Each side is saved as a run.\n\n\
             Exit codes: 0 success, 3 a verdict matches --fail-on, 4 a result is invalid, 5 no bench matched, \
             101 a bench failed, 130 interrupted.",
        )
        .arg(binary("base", "Base build").required(true))
        .arg(binary("head", "Head build").required_unless_present("null"))
        .arg(switch(
            "null",
            "Compare the base with itself too, to show the rate of false alarms; --head is then optional",
        ))
        .arg(
            Arg::new("pairs").long("pairs").value_name("N").default_value("10").help("Number of pairs per bench, at least 2"),
        )
        .args(of_command(LemCommand::Duel).map(command::arg))
}

fn duel(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let call = resolve(matches, LemCommand::Duel)?;
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let pairs = parse::count(text("pairs"), 2).map_err(|_| {
        HarnessError::usage(format!(
            "invalid value `{}` for `--pairs`: expected a whole number, at least 2",
            text("pairs")
        ))
    })?;
    let binary = |name: &str| matches.get_one::<std::path::PathBuf>(name).cloned();
    let options =
        Duel { base: binary("base").unwrap_or_default(), head: binary("head"), null: matches.get_flag("null"), pairs };
    let url = call.config().notify.as_deref();
    notify::check(url.is_some())?;
    let (ended, sides) = measure::duel(&call, &options)?;
    if sides.is_empty() {
        return Ok(ended);
    }
    let result = DuelResult::judge(call.config(), &sides);
    result.save(call.config(), &sides)?;
    notify::send(url, || result.json());
    result.print(call.config())?;
    for side in &sides {
        console::note(&format!("the results of {} are in {}", side.name, side.page.display()));
    }
    Ok(ended.max(result.exit()))
}
