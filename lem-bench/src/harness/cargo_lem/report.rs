//! `cargo lem report`: reports of saved results in all formats.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::{Subcommand, resolve};
use crate::analysis::Summary;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::Invocation;
use crate::harness::options::{LemCommand, of_command};
use crate::harness::saved::{self, Saved};
use crate::harness::{command, console, pages};
use crate::report::console::{TableOptions, table};
use crate::report::export::{FORMATS, Format};
use crate::store::{RunId, slug};

pub(super) const REPORT: Subcommand = Subcommand { name: "report", command: report_command, run: report };

/// A requested output.
#[derive(Debug, Clone, Copy)]
enum Output {
    /// Text on the terminal.
    Terminal,
    /// HTML pages.
    Page,
    /// Export format.
    Export(&'static Format),
}

impl Output {
    fn named(name: &str) -> Option<Self> {
        match name {
            "terminal" | "pretty" => Some(Self::Terminal),
            "html" => Some(Self::Page),
            name => Format::named(name).map(Self::Export),
        }
    }
}

fn report_command() -> Command {
    let results = Arg::new("results").value_name("RESULTS").num_args(0..).action(ArgAction::Append).help(
        "Run folders, journals, summary.json files, run ids or their prefixes, `latest`, \
             `latest:PACKAGE/TARGET`, or `latest:all` for all targets of the last `cargo bench` [default: latest]",
    );
    let format = Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help("Output format, see the list below [default: terminal]");
    let output = Arg::new("output").long("output").short('o').value_name("FOLDER").help(
        "Write files to this folder, or to a folder per run in it [default: standard output; for html, the folder of the \
         run]",
    );
    let mut list =
        String::from("Formats:\n  terminal      the tables that a run prints at its end\n  html          HTML pages\n");
    for Format { name, about, .. } in FORMATS {
        // Writing to a `String` cannot fail.
        let _ = writeln!(list, "  {name:12}  {about}");
    }
    list.push_str(
        "\nJournals are aggregated again. Exit codes: 0 success, 1 a file cannot be read or written, 2 invalid usage, 5 no \
         such results.",
    );
    Command::new("report")
        .about("Create reports of saved results")
        .after_help(list)
        .args([results, format, output])
        .args(of_command(LemCommand::Report).map(command::arg))
}

fn report(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let invocation = resolve(matches, LemCommand::Report)?;
    let all = |name: &str| matches.get_many::<String>(name).into_iter().flatten().map(String::as_str);
    let mut wanted: Vec<Output> = all("format").map(parse_output).collect::<Result<_, _>>()?;
    if wanted.is_empty() {
        wanted.push(Output::Terminal);
    }
    let mut names: Vec<&str> = all("results").collect();
    if names.is_empty() {
        names.push("latest");
    }
    let results = read_results(&invocation, &names)?;
    match matches.get_one::<String>("output") {
        Some(folder) => write_outputs(&invocation, &wanted, &results, &invocation.paths.cwd.join(folder)),
        None => print_outputs(&invocation, &wanted, results),
    }
}

fn parse_output(name: &str) -> Result<Output, HarnessError> {
    let known = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    Output::named(name)
        .ok_or_else(|| HarnessError::usage(format!("unknown format `{name}`: expected terminal, html, {}", known())))
}

fn read_results(invocation: &Invocation, names: &[&str]) -> Result<Vec<Saved>, HarnessError> {
    let config = invocation.config();
    let home = saved::reading_home(config.output_dir.as_deref(), &invocation.paths);
    let change = |options: &mut crate::analysis::Options| {
        if invocation.resolved.sets("confidence-level") {
            options.level = config.analysis.level;
        }
        if invocation.resolved.sets("nresamples") {
            options.resamples = config.analysis.resamples;
        }
    };
    let read = |name: &&str| saved::load(name, &home, &invocation.paths.cwd, &change);
    let results: Vec<Saved> = names.iter().map(read).collect::<Result<_, _>>()?;
    for damage in results.iter().flat_map(|saved| &saved.damage) {
        console::warn(damage);
    }
    Ok(results)
}

/// Writes files, with several runs to a folder per run.
fn write_outputs(
    invocation: &Invocation,
    wanted: &[Output],
    results: &[Saved],
    folder: &Path,
) -> Result<ExitStatus, HarnessError> {
    for (index, saved) in results.iter().enumerate() {
        let folder = if results.len() == 1 { folder.to_owned() } else { folder.join(folder_name(results, index)) };
        pages::make_folder(&folder)?;
        for wanted in wanted {
            let file = match wanted {
                Output::Terminal => {
                    console::out(&terminal(invocation, &saved.summary));
                    continue;
                }
                Output::Page => page(saved, &folder)?,
                Output::Export(format) => saved::write(format, std::slice::from_ref(&saved.summary), &folder)?,
            };
            console::note(&format!("wrote {}", file.display()));
        }
    }
    Ok(ExitStatus::Done)
}

/// Returns the run id as a folder name, with a number if it is not unique.
fn folder_name(results: &[Saved], index: usize) -> String {
    let id = |saved: &Saved| {
        let id = &saved.summary.run.run_id;
        RunId::parse(id).map_or_else(|_| slug(id), |id| id.to_string())
    };
    let name = id(&results[index]);
    let duplicates = results.iter().filter(|other| id(other) == name).count();
    if duplicates > 1 { format!("{name}-{}", index + 1) } else { name }
}

/// Prints to standard output.
fn print_outputs(invocation: &Invocation, wanted: &[Output], results: Vec<Saved>) -> Result<ExitStatus, HarnessError> {
    if wanted.len() > 1 {
        return Err(HarnessError::usage("several formats need a folder: add `--output FOLDER`"));
    }
    for wanted in wanted {
        match wanted {
            Output::Terminal => results.iter().for_each(|saved| console::out(&terminal(invocation, &saved.summary))),
            Output::Page => {
                for saved in &results {
                    let no_folder =
                        || HarnessError::usage("the page of a single file needs a folder: add `--output FOLDER`");
                    let folder = saved.folder.as_deref().ok_or_else(no_folder)?;
                    console::note(&format!("wrote {}", page(saved, folder)?.display()));
                }
            }
            Output::Export(format) => {
                let runs: Vec<Summary> = results.iter().map(|saved| saved.summary.clone()).collect();
                console::out(&saved::text(format, &runs)?);
            }
        }
    }
    Ok(ExitStatus::Done)
}

fn terminal(invocation: &Invocation, summary: &Summary) -> String {
    let color = console::Paint::of_stdout(invocation.config().color).is_on();
    table(summary, None, &TableOptions { width: console::stdout_width(), color })
}

fn page(saved: &Saved, folder: &Path) -> Result<PathBuf, HarnessError> {
    pages::write(folder, &saved.summary, &saved.traces)?.ok_or_else(pages::no_html)
}
