//! `cargo lem report`: saved results in any format, again, on any machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::subcommand::Subcommand;
use crate::analysis::Summary;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::Invocation;
use crate::harness::options::{LemCommand, of_command};
use crate::harness::saved::{self, Saved};
use crate::harness::workspace::TargetInfo;
use crate::harness::{command, console, pages};
use crate::report::console::{TableOptions, table};
use crate::report::export::{FORMATS, Format};
use crate::store::{RunId, slug};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "report", command: report_command, run: report };

/// What a person asks for.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// The report on the terminal.
    Terminal,
    /// The page.
    Page,
    /// A file for a program.
    Export(&'static Format),
}

impl Wanted {
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
        "Run folders, journals, summary.json files, run ids or their beginnings, or `latest`, which is what is taken \
         when nothing is named",
    );
    let format = Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help("What to make of them: terminal (the default), html, or a format of the list below");
    let output = Arg::new("output").long("output").short('o').value_name("FOLDER").help(
        "Write files into this folder, one folder a run where there are several; without it the text goes to standard \
         output, and the page into the run's own folder",
    );
    let mut list = String::from("Formats:\n  terminal      as at the end of a run\n  html          the page\n");
    for Format { name, about, .. } in FORMATS {
        // Writing to a `String` does not fail.
        let _ = writeln!(list, "  {name:12}  {about}");
    }
    list.push_str(
        "\nJournals are aggregated anew; no meter is opened. Exit codes: 0 done, 1 a file can't be read or \
                   written, 2 usage, 5 no such results.",
    );
    Command::new("report")
        .about("Makes any report of saved results again, on any machine")
        .after_help(list)
        .args([results, format, output])
        .args(of_command(LemCommand::Report).map(command::arg))
}

fn report(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let said = command::from_matches(matches, of_command(LemCommand::Report));
    let (call, warnings) = Invocation::resolve(said, TargetInfo::default())?;
    for warning in warnings {
        console::warn(&warning);
    }
    let all = |name: &str| matches.get_many::<String>(name).into_iter().flatten().map(String::as_str);
    let mut wanted: Vec<Wanted> = all("format").map(named).collect::<Result<_, _>>()?;
    if wanted.is_empty() {
        wanted.push(Wanted::Terminal);
    }
    let mut names: Vec<&str> = all("results").collect();
    if names.is_empty() {
        names.push("latest");
    }
    let results = read(&call, &names)?;
    match matches.get_one::<String>("output") {
        Some(folder) => write(&call, &wanted, &results, &call.paths.cwd.join(folder)),
        None => show(&call, &wanted, results),
    }
}

fn named(name: &str) -> Result<Wanted, HarnessError> {
    let known = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    Wanted::named(name).ok_or_else(|| {
        HarnessError::usage(format!("there is no format `{name}`; there are terminal, html, {}", known()))
    })
}

fn read(call: &Invocation, names: &[&str]) -> Result<Vec<Saved>, HarnessError> {
    let config = call.config();
    let home = saved::reading_home(config.output_dir.as_deref(), &call.paths);
    let change = |options: &mut crate::analysis::Options| {
        if call.resolved.sets("confidence-level") {
            options.level = config.analysis.level;
        }
        if call.resolved.sets("nresamples") {
            options.resamples = config.analysis.resamples;
        }
    };
    let read = |name: &&str| saved::load(name, &home, &call.paths.cwd, &change);
    let results: Vec<Saved> = names.iter().map(read).collect::<Result<_, _>>()?;
    for damage in results.iter().flat_map(|saved| &saved.damage) {
        console::warn(damage);
    }
    Ok(results)
}

/// Into files: those of each run in a folder of its own where there are several.
fn write(call: &Invocation, wanted: &[Wanted], results: &[Saved], folder: &Path) -> Result<ExitStatus, HarnessError> {
    for (at, saved) in results.iter().enumerate() {
        let folder = if results.len() == 1 { folder.to_owned() } else { folder.join(own_name(results, at)) };
        pages::make_folder(&folder)?;
        for wanted in wanted {
            let file = match wanted {
                Wanted::Terminal => {
                    console::out(&terminal(call, &saved.summary));
                    continue;
                }
                Wanted::Page => page(&saved.summary, &folder)?,
                Wanted::Export(format) => saved::write(format, std::slice::from_ref(&saved.summary), &folder)?,
            };
            console::note(&format!("wrote {}", file.display()));
        }
    }
    Ok(ExitStatus::Done)
}

/// The run's id as a folder's name, with a number where several are of one name or it could lead elsewhere.
fn own_name(results: &[Saved], at: usize) -> String {
    let id = |saved: &Saved| {
        let id = &saved.summary.run.run_id;
        RunId::parse(id).map_or_else(|_| slug(id), |id| id.to_string())
    };
    let name = id(&results[at]);
    let twins = results.iter().filter(|other| id(other) == name).count();
    if twins > 1 { format!("{name}-{}", at + 1) } else { name }
}

/// Onto standard output.
fn show(call: &Invocation, wanted: &[Wanted], results: Vec<Saved>) -> Result<ExitStatus, HarnessError> {
    if wanted.len() > 1 {
        return Err(HarnessError::usage("several formats need a folder: give `--output FOLDER`"));
    }
    for wanted in wanted {
        match wanted {
            Wanted::Terminal => results.iter().for_each(|saved| console::out(&terminal(call, &saved.summary))),
            Wanted::Page => {
                for saved in &results {
                    let nowhere =
                        || HarnessError::usage("the page of a single file needs a folder: give `--output FOLDER`");
                    let folder = saved.folder.as_deref().ok_or_else(nowhere)?;
                    console::note(&format!("wrote {}", page(&saved.summary, folder)?.display()));
                }
            }
            Wanted::Export(format) => {
                let runs: Vec<Summary> = results.iter().map(|saved| saved.summary.clone()).collect();
                console::out(&saved::text(format, &runs)?);
            }
        }
    }
    Ok(ExitStatus::Done)
}

fn terminal(call: &Invocation, summary: &Summary) -> String {
    let color = console::Paint::of_stdout(call.config().color).is_on();
    table(summary, None, &TableOptions { width: console::stdout_width(), color })
}

fn page(summary: &Summary, folder: &Path) -> Result<PathBuf, HarnessError> {
    pages::write(folder, summary)?.ok_or_else(pages::no_html)
}
