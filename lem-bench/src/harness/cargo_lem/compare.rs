//! `cargo lem compare`: two saved results against each other, on any machine.

use clap::{Arg, ArgMatches, Command};

use super::asked::{ask, settings};
use super::subcommand::Subcommand;
use crate::analysis::compare::compare;
use crate::harness::comparing::{Known, exit, options, saved_or_baseline, tell};
use crate::harness::config::Format;
use crate::harness::exit::{Exit, Stop};
use crate::harness::{command, console};
use crate::report::comparison::markdown;

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "compare", command: compare_command, run: compare_saved };

/// The settings that it looks at.
const SETTINGS: &[&str] = &[
    "output-dir",
    "color",
    "confidence-level",
    "threshold",
    "significance-level",
    "compare-metric",
    "compare-anyway",
    "fail-on",
    "fail-on-regression",
    "trust-single-baseline",
    "gate-estimates",
];

fn compare_command() -> Command {
    let side = |name: &'static str, what: &'static str| {
        Arg::new(name).value_name(name).required(true).help(format!(
            "{what}: a run's folder, a summary.json, a run's id or its beginning, `latest`, or a baseline's name"
        ))
    };
    let format = Arg::new("as")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["terminal", "markdown", "json"])
        .default_value("terminal")
        .help("How to say it");
    Command::new("compare")
        .about("Compares two saved results: change, interval and verdict for each bench; nothing is measured")
        .after_help(
            "Exit codes: 0 done, 1 a file can't be read, 2 usage, 3 a bench came to what --fail-on says, 4 a bench can't be \
             judged (without --fail-on: none can), 5 no such results, or no bench that both have.",
        )
        .args([side("BASE", "What to compare with"), side("NEW", "What to judge"), format])
        .args(settings(SETTINGS).map(command::arg))
}

fn compare_saved(matches: &ArgMatches) -> Result<Exit, Stop> {
    let (call, home) = ask(matches, SETTINGS)?;
    let config = call.config();
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let [base, new] = ["BASE", "NEW"].map(|side| saved_or_baseline(&home, &call.places.cwd, text(side)));
    let (base, new) = (base?, new?);
    let known = Known::read(&home, &base)?;
    let options = options(config, known.prior);
    let compared = compare(base.results(), new.results(), &known.history, &options, config.comparing.gate);
    match text("as") {
        "markdown" => console::out(&markdown(&compared)),
        "json" => tell(&crate::harness::config::Config { format: Format::Json, ..config.clone() }, &compared)?,
        _ => tell(config, &compared)?,
    }
    if compared.benches.is_empty() {
        return Err(Stop::no_match(format!("{} and {} have no bench in common", text("BASE"), text("NEW"))));
    }
    Ok(exit(&compared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_settings_exist() {
        assert_eq!(settings(SETTINGS).count(), SETTINGS.len());
    }
}
