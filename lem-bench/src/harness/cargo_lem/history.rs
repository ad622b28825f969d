//! `cargo lem history`: the sessions of each bench over time.

use clap::builder::ArgPredicate;
use clap::{Arg, ArgMatches, Command, value_parser};

use super::subcommand::{Subcommand, resolve_with_home};
use crate::analysis::compare::{Trend, trends};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, pages};
use crate::report::console::{TableOptions, history};
use crate::store::{History, Home};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "history", command: history_command, run: show };

fn history_command() -> Command {
    let bench = Arg::new("BENCH").help("Only benches whose id contains this text");
    let newest = Arg::new("newest")
        .long("newest")
        .value_name("N")
        .value_parser(value_parser!(u32).range(1..))
        .help("Maximum number of sessions per bench [default: 20 on the terminal, 50 on the page]");
    let format = Arg::new("as")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["terminal", "html"])
        .default_value("terminal")
        .default_value_if("output", ArgPredicate::IsPresent, "html")
        .help("Output format; html writes history.html, a self-contained page");
    let output = Arg::new("output")
        .long("output")
        .short('o')
        .value_name("FOLDER")
        .help("Write the page to this folder [default: the results folder]");
    Command::new("history")
        .about("Show the sessions of each bench over time, and level changes")
        .after_help("Exit codes: 0 success, 1 a file cannot be read or written, 2 invalid usage, 5 no such bench in the history.")
        .args([bench, newest, format, output])
        .args(of_command(LemCommand::History).map(command::arg))
}

fn show(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (call, home) = resolve_with_home(matches, LemCommand::History)?;
    let filter = matches.get_one::<String>("BENCH").map_or("", String::as_str);
    let newest = |default: usize| matches.get_one::<u32>("newest").map_or(default, |newest| *newest as usize);
    let lines = read(&home)?;
    let found: Vec<Trend> = trends(&lines.into_iter().filter(|line| line.bench.contains(filter)).collect::<Vec<_>>());
    if found.is_empty() {
        return Err(HarnessError::no_match(format!(
            "no bench in {} matches `{filter}`; each measured run adds to this file",
            History::file(&home).display()
        )));
    }
    if matches.get_one::<String>("as").is_some_and(|format| format == "html") {
        let folder = matches.get_one::<String>("output").map(|folder| call.paths.cwd.join(folder));
        let file = pages::write_history(folder.as_deref().unwrap_or(home.path()), &found, newest(50))?;
        console::note(&format!("wrote {}", file.display()));
        return Ok(ExitStatus::Done);
    }
    let color = console::Paint::of_stdout(call.config().color).is_on();
    console::out(&history(&found, newest(20), &TableOptions { width: console::stdout_width(), color }));
    Ok(ExitStatus::Done)
}

/// Reads the history of a results folder, and prints warnings for damaged lines.
pub(super) fn read(home: &Home) -> Result<Vec<crate::model::SessionResult>, HarnessError> {
    let history = History::read(home)?;
    for damage in &history.damage {
        console::warn(&format!("{}: {damage}", history.path.display()));
    }
    Ok(history.lines)
}
