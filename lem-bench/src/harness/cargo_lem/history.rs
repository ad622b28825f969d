//! `cargo lem history`: how benches went from session to session.

use clap::builder::ArgPredicate;
use clap::{Arg, ArgMatches, Command, value_parser};

use super::asked::ask;
use super::subcommand::Subcommand;
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
        .help("At most so many sessions of each bench [default: 20 on the terminal, 50 on the page]");
    let format = Arg::new("as")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["terminal", "html"])
        .default_value("terminal")
        .default_value_if("output", ArgPredicate::IsPresent, "html")
        .help("How to show them: html writes history.html, a page that needs nothing else");
    let output = Arg::new("output")
        .long("output")
        .short('o')
        .value_name("FOLDER")
        .help("Write the page into this folder; without it into the results folder");
    Command::new("history")
        .about("Shows each bench's sessions over time, and where its level changed")
        .after_help("Exit codes: 0 done, 1 the history can't be read or the page not be written, 2 usage, 5 it says nothing of such a bench.")
        .args([bench, newest, format, output])
        .args(of_command(LemCommand::History).map(command::arg))
}

fn show(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (call, home) = ask(matches, LemCommand::History)?;
    let wanted = matches.get_one::<String>("BENCH").map_or("", String::as_str);
    let newest = |otherwise: usize| matches.get_one::<u32>("newest").map_or(otherwise, |newest| *newest as usize);
    let lines = read(&home)?;
    let found: Vec<Trend> = trends(&lines.into_iter().filter(|line| line.bench.contains(wanted)).collect::<Vec<_>>());
    if found.is_empty() {
        return Err(HarnessError::no_match(format!(
            "{} says nothing of a bench like `{wanted}`: every measured run adds to it",
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

/// The lines of a home's history; what is damaged is warned of.
pub(super) fn read(home: &Home) -> Result<Vec<crate::model::SessionResult>, HarnessError> {
    let history = History::read(home)?;
    for damage in &history.damage {
        console::warn(&format!("{}: {damage}", history.path.display()));
    }
    Ok(history.lines)
}
