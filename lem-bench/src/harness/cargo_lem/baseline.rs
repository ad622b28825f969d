//! `cargo lem baseline`, `history` and `repeatability`: what earlier sessions left.

use std::fmt::Write as _;

use clap::builder::ArgPredicate;
use clap::{Arg, ArgMatches, Command, value_parser};

use super::subcommand::{Subcommand, resolve_with_home};
use crate::analysis::compare::{HISTORY_FROM, Trend, calibrate, trends};
use crate::clock::unix_s;
use crate::harness::comparing::{baseline, existing_baselines};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, pages};
use crate::model::{SessionResult, count_of};
use crate::report::console::{TableOptions, history, table};
use crate::report::number_format::date;
use crate::report::terminal_text::clean;
use crate::store::{Baseline, History, Home, MachineSpread, MachineSpreads};

pub(super) const BASELINE: Subcommand = Subcommand { name: "baseline", command: baseline_command, run: baselines };

fn baseline_command() -> Command {
    let name = || Arg::new("NAME").required(true).help("Name of the baseline");
    Command::new("baseline")
        .about("List, show or remove saved baselines; `cargo bench -- --save-baseline NAME` creates one")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("list").about("List all baselines").args(of_command(LemCommand::Baseline).map(command::arg)),
            Command::new("show")
                .about("Print the results of a baseline")
                .arg(name())
                .args(of_command(LemCommand::Baseline).map(command::arg)),
            Command::new("rm")
                .about("Remove a baseline")
                .arg(name())
                .args(of_command(LemCommand::Baseline).map(command::arg)),
        ])
}

fn baselines(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    // Clap requires a known subcommand.
    let Some((action, matches)) = matches.subcommand() else { return Ok(ExitStatus::Usage) };
    let (invocation, home) = resolve_with_home(matches, LemCommand::Baseline)?;
    let name = || matches.get_one::<String>("NAME").map_or("", String::as_str);
    match action {
        "list" => list_baselines(&home),
        "show" => {
            let color = console::Paint::of_stdout(invocation.config().color).is_on();
            show_baseline(&home, name(), TableOptions { width: console::stdout_width(), color })
        }
        _ => remove(&home, name()),
    }
}

fn list_baselines(home: &Home) -> Result<ExitStatus, HarnessError> {
    let (found, damage) = Baseline::list(home)?;
    for damage in damage {
        console::warn(&damage);
    }
    let mut text = String::new();
    for baseline in &found {
        let manifest = baseline.manifest();
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{}  {} of {}, saved {}",
            clean(&manifest.name),
            count_of(manifest.benches.len(), "bench"),
            count_of(baseline.runs().len(), "run"),
            date(manifest.saved_unix_s),
        );
    }
    if found.is_empty() {
        console::note(&format!("no saved baselines in {}", home.path().display()));
    }
    console::out(&text);
    Ok(ExitStatus::Done)
}

fn show_baseline(home: &Home, name: &str, options: TableOptions) -> Result<ExitStatus, HarnessError> {
    let found = baseline(home, name)?.ok_or_else(|| missing(home, name))?;
    for summary in &found.summaries {
        console::out(&table(summary, None, &options));
    }
    Ok(ExitStatus::Done)
}

fn remove(home: &Home, name: &str) -> Result<ExitStatus, HarnessError> {
    let found = Baseline::find(home, name)?;
    found.ok_or_else(|| missing(home, name))?.remove()?;
    console::note(&format!("removed baseline `{name}`"));
    Ok(ExitStatus::Done)
}

fn missing(home: &Home, name: &str) -> HarnessError {
    let existing = existing_baselines(home, name);
    HarnessError::no_match(format!("no baseline `{name}`{existing} in {}", home.path().display()))
}

pub(super) const HISTORY: Subcommand = Subcommand { name: "history", command: history_command, run: show_history };

fn history_command() -> Command {
    let bench = Arg::new("BENCH").help("Only benches whose `package/target/id` contains this text");
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
        .about("Show the sessions of each bench over time, with level changes")
        .after_help("Exit codes: 0 success, 1 a file cannot be read or written, 2 invalid usage, 5 no such bench in the history.")
        .args([bench, newest, format, output])
        .args(of_command(LemCommand::History).map(command::arg))
}

fn show_history(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (invocation, home) = resolve_with_home(matches, LemCommand::History)?;
    let filter = matches.get_one::<String>("BENCH").map_or("", String::as_str);
    let newest = |default: usize| matches.get_one::<u32>("newest").map_or(default, |newest| *newest as usize);
    let lines = read_history(&home)?;
    let is_selected = |line: &SessionResult| line.bench_target().full_id(&line.bench).contains(filter);
    let found: Vec<Trend> = trends(&lines.into_iter().filter(is_selected).collect::<Vec<_>>());
    if found.is_empty() {
        return Err(HarnessError::no_match(format!(
            "no bench in {} matches `{filter}`; each measured run adds to this file",
            History::file(&home).display()
        )));
    }
    if matches.get_one::<String>("as").is_some_and(|format| format == "html") {
        let folder = matches.get_one::<String>("output").map(|folder| invocation.paths.cwd.join(folder));
        let file = pages::write_history(folder.as_deref().unwrap_or(home.path()), &found, newest(50))?;
        console::note(&format!("wrote {}", file.display()));
        return Ok(ExitStatus::Done);
    }
    let color = console::Paint::of_stdout(invocation.config().color).is_on();
    console::out(&history(&found, newest(20), &TableOptions { width: console::stdout_width(), color }));
    Ok(ExitStatus::Done)
}

/// Reads the history of a results folder, and prints warnings for damaged lines.
fn read_history(home: &Home) -> Result<Vec<SessionResult>, HarnessError> {
    let history = History::read(home)?;
    for damage in &history.damage {
        console::warn(&format!("{}: {damage}", history.path.display()));
    }
    Ok(history.lines)
}

pub(super) const REPEATABILITY: Subcommand =
    Subcommand { name: "repeatability", command: repeatability_command, run: measure_repeatability };

fn repeatability_command() -> Command {
    let machine = Arg::new("machine")
        .long("machine")
        .value_name("ID")
        .help("Id of the machine, as printed by `cargo lem history` [default: that of the newest session]");
    Command::new("repeatability")
        .about("Compute the session spread of this machine from the history")
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
    let history = read_history(&home)?;
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
    let at_unix_s = unix_s();
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
