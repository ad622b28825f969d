//! `cargo lem baseline list|show|rm`: saved baselines.

use std::fmt::Write as _;

use clap::{Arg, ArgMatches, Command};

use super::subcommand::{Subcommand, resolve_with_home};
use crate::harness::comparing::baseline;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console};
use crate::model::count_of;
use crate::report::console::{TableOptions, table};
use crate::report::number_format::date;
use crate::report::terminal_text::clean;
use crate::store::{Baseline, Home};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "baseline", command: baseline_command, run: baselines };

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
    let (call, home) = resolve_with_home(matches, LemCommand::Baseline)?;
    let name = || matches.get_one::<String>("NAME").map_or("", String::as_str);
    match action {
        "list" => list(&home),
        "show" => {
            let color = console::Paint::of_stdout(call.config().color).is_on();
            show(&home, name(), TableOptions { width: console::stdout_width(), color })
        }
        _ => remove(&home, name()),
    }
}

fn list(home: &Home) -> Result<ExitStatus, HarnessError> {
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

fn show(home: &Home, name: &str, options: TableOptions) -> Result<ExitStatus, HarnessError> {
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
    HarnessError::no_match(format!(
        "no baseline `{name}` in {}; `cargo lem baseline list` lists all",
        home.path().display()
    ))
}
