//! `cargo lem duel`: its arguments.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::Subcommand;
use crate::harness::comparing::DuelResult;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::Invocation;
use crate::harness::measure::Duel;
use crate::harness::options::{LemCommand, of_command};
use crate::harness::workspace::TargetInfo;
use crate::harness::{command, console, measure, notify, parse};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "duel", command: duel_command, run: duel };

fn duel_command() -> Command {
    let binary = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("BINARY").value_parser(clap::value_parser!(std::path::PathBuf)).help(help)
    };
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    Command::new("duel")
        .about("Compares two builds of the same benches, which take turns in one session: the way to see 1 %")
        .after_help(
            "The binaries are those that `cargo bench --no-run` names. In each pair every side is launched anew; the \
             order of a pair is drawn, and the next pair mirrors it (ABBA). Each side is kept as a run of its own.\n\n\
             Exit codes: 0 done, 3 a bench came to what --fail-on says, 4 a result is invalid, 5 no bench matched, \
             101 a bench failed, 130 interrupted.",
        )
        .arg(binary("base", "The build that is compared with").required(true))
        .arg(binary("head", "The build that is judged").required_unless_present("null"))
        .arg(switch(
            "null",
            "Let the base take turns against itself too: the rate of false alarms; --head may be left out",
        ))
        .arg(
            Arg::new("pairs").long("pairs").value_name("N").default_value("10").help("Pairs of each bench, at least 2"),
        )
        .args(of_command(LemCommand::Duel).map(command::arg))
}

fn duel(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let said = command::from_matches(matches, of_command(LemCommand::Duel));
    let (call, warnings) = Invocation::resolve(said, TargetInfo::default())?;
    for warning in warnings {
        console::warn(&warning);
    }
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let pairs = parse::count(text("pairs"), 2).map_err(|_| {
        HarnessError::usage(format!(
            "invalid value `{}` for `--pairs`: expected a whole number, at least 2",
            text("pairs")
        ))
    })?;
    let binary = |name: &str| matches.get_one::<std::path::PathBuf>(name).cloned();
    let asked =
        Duel { base: binary("base").unwrap_or_default(), head: binary("head"), null: matches.get_flag("null"), pairs };
    let url = call.config().notify.as_deref();
    notify::check(url.is_some())?;
    let (ended, sides) = measure::duel(&call, &asked)?;
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
