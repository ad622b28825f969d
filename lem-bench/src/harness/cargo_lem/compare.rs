//! `cargo lem compare`: two saved results against each other, on any machine.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::asked::ask;
use super::subcommand::Subcommand;
use crate::analysis::compare::compare;
use crate::harness::comparing::{Known, exit, options, saved_or_baseline, tell};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, pages, saved};
use crate::report::comparison::{COMPARISON_FORMATS, ComparisonFormat};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "compare", command: compare_command, run: compare_saved };

fn compare_command() -> Command {
    let side = |name: &'static str, what: &'static str| {
        Arg::new(name).value_name(name).required(true).help(format!(
            "{what}: a run's folder, a summary.json, a run's id or its beginning, `latest`, or a baseline's name"
        ))
    };
    let format = Arg::new("as")
        .long("format")
        .value_name("FORMAT")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help("How to say it: terminal (the default), html, or a format of the list below");
    let output = Arg::new("output")
        .long("output")
        .short('o')
        .value_name("FOLDER")
        .help("Write files into this folder; without it the text goes to standard output");
    let mut list = String::from("Formats:\n  terminal      verdict, change and reasons of each bench\n");
    list.push_str("  html          a page that needs nothing else\n");
    for ComparisonFormat { name, about, .. } in COMPARISON_FORMATS {
        // Writing to a `String` does not fail.
        let _ = writeln!(list, "  {name:12}  {about}");
    }
    list.push_str(
        "\nExit codes: 0 done, 1 a file can't be read or written, 2 usage, 3 a bench came to what --fail-on says, 4 a bench \
         can't be judged (without --fail-on: none can), 5 no such results, or no bench that both have.",
    );
    Command::new("compare")
        .about("Compares two saved results: change, interval and verdict for each bench; nothing is measured")
        .after_help(list)
        .args([side("BASE", "What to compare with"), side("NEW", "What to judge"), format, output])
        .args(of_command(LemCommand::Compare).map(command::arg))
}

/// What a person asks for.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// Words on the terminal.
    Terminal,
    /// The page.
    Page,
    /// A file for a program or a pull request.
    Export(&'static ComparisonFormat),
}

impl Wanted {
    fn named(name: &str) -> Result<Self, HarnessError> {
        let known = || COMPARISON_FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
        match name {
            "terminal" | "pretty" => Ok(Self::Terminal),
            "html" => Ok(Self::Page),
            name => ComparisonFormat::named(name).map(Self::Export).ok_or_else(|| {
                HarnessError::usage(format!(
                    "there is no format `{name}` of a comparison; there are terminal, html, {}",
                    known()
                ))
            }),
        }
    }
}

fn compare_saved(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (call, home) = ask(matches, LemCommand::Compare)?;
    let config = call.config();
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let asked = matches.get_many::<String>("as").into_iter().flatten().map(String::as_str);
    let wanted: Vec<Wanted> = asked.map(Wanted::named).collect::<Result<_, _>>()?;
    let folder = matches.get_one::<String>("output").map(|folder| call.paths.cwd.join(folder));
    check(&wanted, folder.is_some())?;
    let [base, new] = ["BASE", "NEW"].map(|side| saved_or_baseline(&home, &call.paths.cwd, text(side)));
    let (base, new) = (base?, new?);
    let known = Known::read(&home, &base)?;
    let options = options(config, known.prior);
    let compared = compare(base.results(), new.results(), &known.history, &options, config.comparing.gate);
    if wanted.is_empty() {
        tell(config, &compared)?;
    }
    for wanted in wanted {
        match (wanted, &folder) {
            (Wanted::Terminal, _) => tell(config, &compared)?,
            (Wanted::Export(format), None) => console::out(&saved::comparison(format, &compared)?),
            (Wanted::Export(format), Some(folder)) => {
                let file = saved::write_comparison(format, &compared, folder)?;
                console::note(&format!("wrote {}", file.display()));
            }
            (Wanted::Page, folder) => {
                // `check` has seen that there is a folder; a side that was read holds a run.
                if let Some((folder, run)) = folder.as_ref().zip(new.summaries.last()) {
                    let file = pages::write_comparison(folder, &run.run, &compared)?;
                    console::note(&format!("wrote {}", file.display()));
                }
            }
        }
    }
    if compared.benches.is_empty() {
        return Err(HarnessError::no_match(format!("{} and {} have no bench in common", text("BASE"), text("NEW"))));
    }
    Ok(exit(&compared))
}

/// Whether what is asked for has a place to go.
fn check(wanted: &[Wanted], has_folder: bool) -> Result<(), HarnessError> {
    let files = wanted.iter().filter(|wanted| !matches!(wanted, Wanted::Terminal)).count();
    if has_folder && files == 0 {
        return Err(HarnessError::usage(
            "--output needs to know what to write: give `--format html`, junit, markdown or json",
        ));
    }
    if !has_folder && wanted.len() > 1 {
        return Err(HarnessError::usage("several formats need a folder: give `--output FOLDER`"));
    }
    if !has_folder && wanted.iter().any(|wanted| matches!(wanted, Wanted::Page)) {
        return Err(HarnessError::usage("the page needs a folder: give `--output FOLDER`"));
    }
    Ok(())
}
