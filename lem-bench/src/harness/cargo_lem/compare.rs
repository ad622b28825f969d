//! `cargo lem compare` and `cargo lem duel`: two saved results, or two binaries in turns.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::{Subcommand, resolve, resolve_with_home};
use crate::analysis::compare::{Side, compare};
use crate::harness::comparing::{
    ComparisonContext, DuelResult, compare_options, exit_status, print_comparison, saved_or_baseline,
};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::measure::{self, Duel};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, notify, pages, parse, saved};
use crate::report::comparison::{COMPARISON_FORMATS, ComparisonFormat};

pub(super) const COMPARE: Subcommand = Subcommand { name: "compare", command: compare_command, run: compare_saved };

fn compare_command() -> Command {
    let side = |name: &'static str, what: &'static str| {
        Arg::new(name).value_name(name).required(true).help(format!(
            "{what}: run folder, summary.json, run id or its prefix, `latest`, \
                 `latest:PACKAGE/TARGET`, `latest:all`, or baseline name"
        ))
    };
    let format = Arg::new("as")
        .long("format")
        .value_name("FORMAT")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help("Output format, see the list below [default: terminal]");
    let output = Arg::new("output")
        .long("output")
        .short('o')
        .value_name("FOLDER")
        .help("Write files to this folder [default: standard output]");
    let mut list = String::from("Formats:\n  terminal      verdict, change and reasons per bench\n");
    list.push_str("  html          a self-contained HTML page\n");
    for ComparisonFormat { name, about, .. } in COMPARISON_FORMATS {
        // Writing to a `String` cannot fail.
        let _ = writeln!(list, "  {name:12}  {about}");
    }
    list.push_str(
        "\nExit codes: 0 success, 1 a file cannot be read or written, 2 invalid usage, 3 a verdict matches --fail-on, 4 a \
         bench cannot be compared (without --fail-on: none can), 5 no such results, or no bench in common.",
    );
    Command::new("compare")
        .about("Compare two saved results: change, interval and verdict per bench")
        .after_help(list)
        .args([side("BASE", "Base"), side("HEAD", "Head"), format, output])
        .args(of_command(LemCommand::Compare).map(command::arg))
}

/// A requested output.
#[derive(Debug, Clone, Copy)]
enum Output {
    /// Text on the terminal.
    Terminal,
    /// HTML page.
    Page,
    /// Export format.
    Export(&'static ComparisonFormat),
}

impl Output {
    fn parse(name: &str) -> Result<Self, HarnessError> {
        let known = || COMPARISON_FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
        match name {
            "terminal" | "pretty" => Ok(Self::Terminal),
            "html" => Ok(Self::Page),
            name => ComparisonFormat::named(name).map(Self::Export).ok_or_else(|| {
                HarnessError::usage(format!("unknown format `{name}`: expected terminal, html, {}", known()))
            }),
        }
    }
}

fn compare_saved(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (invocation, home) = resolve_with_home(matches, LemCommand::Compare)?;
    let config = invocation.config();
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let formats = matches.get_many::<String>("as").into_iter().flatten().map(String::as_str);
    let wanted: Vec<Output> = formats.map(Output::parse).collect::<Result<_, _>>()?;
    let folder = matches.get_one::<String>("output").map(|folder| invocation.paths.cwd.join(folder));
    check_outputs(&wanted, folder.is_some())?;
    let [base, new] = ["BASE", "HEAD"].map(|side| saved_or_baseline(&home, &invocation.paths.cwd, text(side)));
    let (base, new) = (base?, new?);
    let context = ComparisonContext::read(&home, &base)?;
    let options = compare_options(config, context.prior);
    let compared = compare(base.results(), new.results(), &context.history, &options, config.comparing.gate);
    if wanted.is_empty() {
        print_comparison(config, &compared)?;
    }
    for wanted in wanted {
        match (wanted, &folder) {
            (Output::Terminal, _) => print_comparison(config, &compared)?,
            (Output::Export(format), None) => console::out(&saved::comparison(format, &compared)?),
            (Output::Export(format), Some(folder)) => {
                let file = saved::write_comparison(format, &compared, folder)?;
                console::note(&format!("wrote {}", file.display()));
            }
            (Output::Page, folder) => {
                // `check` ensures a folder, and each side has a run.
                if let Some((folder, run)) = folder.as_ref().zip(new.run()) {
                    let file = pages::write_comparison(folder, &run, &compared)?;
                    console::note(&format!("wrote {}", file.display()));
                }
            }
        }
    }
    if compared.benches.is_empty() {
        let targets = |side: &Side| -> Vec<String> {
            let targets: BTreeSet<String> = side.runs.iter().map(|run| run.bench_target().to_string()).collect();
            targets.into_iter().collect()
        };
        let [base, new] = [&compared.base, &compared.new].map(targets);
        let (base_name, new_name) = (text("BASE"), text("HEAD"));
        return Err(HarnessError::no_match(if base == new {
            format!("{base_name} and {new_name} have no bench in common")
        } else {
            format!(
                "{base_name} ({}) and {new_name} ({}) have no bench in common; --compare-anyway compares benches of \
                 different targets by their ids",
                base.join(", "),
                new.join(", ")
            )
        }));
    }
    Ok(exit_status(&compared))
}

/// Checks that the requested files have a folder.
fn check_outputs(wanted: &[Output], has_folder: bool) -> Result<(), HarnessError> {
    let files = wanted.iter().filter(|wanted| !matches!(wanted, Output::Terminal)).count();
    if has_folder && files == 0 {
        return Err(HarnessError::usage("--output needs a format: add `--format html`, junit, markdown or json"));
    }
    if !has_folder && wanted.len() > 1 {
        return Err(HarnessError::usage("several formats need a folder: add `--output FOLDER`"));
    }
    if !has_folder && wanted.iter().any(|wanted| matches!(wanted, Output::Page)) {
        return Err(HarnessError::usage("the page needs a folder: add `--output FOLDER`"));
    }
    Ok(())
}

pub(super) const DUEL: Subcommand = Subcommand { name: "duel", command: duel_command, run: duel };

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
            "Also compare the base with itself, to show the rate of false alarms; --head is then optional",
        ))
        .arg(
            Arg::new("pairs").long("pairs").value_name("N").default_value("10").help("Number of pairs per bench, at least 2"),
        )
        .args(of_command(LemCommand::Duel).map(command::arg))
}

fn duel(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let invocation = resolve(matches, LemCommand::Duel)?;
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
    let url = invocation.config().notify.as_deref();
    notify::check(url.is_some())?;
    let (ended, sides) = measure::duel(&invocation, &options)?;
    if sides.is_empty() {
        return Ok(ended);
    }
    let result = DuelResult::judge(invocation.config(), &sides);
    result.save(invocation.config(), &sides)?;
    notify::send(url, || result.json());
    result.print(invocation.config())?;
    for side in &sides {
        console::note(&format!("the results of {} are in {}", side.name, side.page.display()));
    }
    Ok(ended.max(result.exit()))
}
