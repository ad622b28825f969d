//! The command line of a bench binary: built from the table of options, and read back into setting values.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::console;
use super::exit::ExitStatus;
use super::layers::{Layer, SettingValue};
use super::options::{self, Arity, OptionSpec, Scope};

/// Text below the options of `-h`.
const AFTER_SHORT_HELP: &str = "--help lists all options, their environment variables and the exit codes.";

/// Text below the options of `--help`.
const AFTER_HELP: &str = "Options with an environment variable are also keys of lem-bench.toml in the folder of the package or \
             workspace.\nPrecedence: flag, environment, file, attribute of the bench, default. --show-config prints the source \
             of each value.\n\nIf a library or binary of the workspace lacks `bench = false`, pass options with cargo bench --bench NAME -- OPTIONS.\n\n\
             The comparing and joining commands of `cargo lem` are installed by cargo install --git \
             https://github.com/lem-bench/lem-bench lem-bench.\n\nExit codes: 0 success, 1 a file cannot be read or written, 2 invalid usage, 3 a bench has \
             the verdict of --fail-on, 4 a measurement is invalid or the meter is not available, 5 no bench matched, \
             101 a bench failed, 130 interrupted.";

/// Reads the arguments, of which the first is the name of the binary. The help lists `custom_meters`.
///
/// # Errors
/// Help, version, or a mistake: the text to print with [`print_and_exit_status`].
pub(super) fn read<'a>(
    args: impl IntoIterator<Item = OsString>,
    custom_meters: impl Iterator<Item = &'a str>,
) -> Result<Vec<SettingValue>, clap::Error> {
    let meters: Vec<String> = custom_meters.map(|name| format!("--meter {name}")).collect();
    let meters = match meters.as_slice() {
        [] => String::new(),
        meters => format!("\n\nMeters of this binary: {}", meters.join(", ")),
    };
    let command = command().after_help(AFTER_SHORT_HELP).after_long_help(format!("{AFTER_HELP}{meters}"));
    let matches = command.try_get_matches_from(args)?;
    Ok(from_matches(&matches, options::all()))
}

/// Prints help and version to stdout, mistakes to stderr, and returns the exit status.
pub(super) fn print_and_exit_status(error: &clap::Error) -> ExitStatus {
    let text = error.render().to_string();
    if error.use_stderr() {
        console::err(&text);
        ExitStatus::Usage
    } else {
        console::out_wrapped(&text);
        ExitStatus::Done
    }
}

/// Returns the values of those of `options` that the command line sets.
pub(super) fn from_matches(
    matches: &ArgMatches,
    options: impl Iterator<Item = &'static OptionSpec>,
) -> Vec<SettingValue> {
    let value = |option: &'static OptionSpec| {
        if matches.value_source(option.name) != Some(ValueSource::CommandLine) {
            return None;
        }
        let values = match option.arity {
            Arity::Switch => vec![matches.get_flag(option.name).to_string()],
            _ => matches.get_many::<String>(option.name)?.cloned().collect(),
        };
        Some(SettingValue { option, values, layer: Layer::Flag, place: flag(option) })
    };
    options.filter_map(value).collect()
}

/// Returns the option as written on the command line.
fn flag(option: &OptionSpec) -> String {
    match option.arity {
        Arity::Positional(name) => name.to_owned(),
        _ if option.name.len() == 1 => format!("-{}", option.name),
        _ => format!("--{}", option.name),
    }
}

fn command() -> Command {
    Command::new("lem-bench")
        .about("Measures the energy of the benches in this binary: joules per token, with confidence intervals")
        .version(env!("CARGO_PKG_VERSION"))
        .override_usage("cargo bench [--bench NAME] -- [FILTER]... [OPTIONS]")
        .args_override_self(true)
        .args(options::all().map(arg))
}

/// Returns the clap argument of an option.
pub(super) fn arg(option: &'static OptionSpec) -> Arg {
    let arg = Arg::new(option.name)
        .help(option.help)
        .long_help(long_help(option))
        .help_heading(option.group.heading())
        .hide_short_help(!option.is_basic);
    let arg = match option.arity {
        Arity::Positional(_) => arg,
        _ if option.name.len() == 1 => arg.short(option.name.chars().next()),
        _ => arg.long(option.name).visible_aliases(option.aliases.to_vec()).short(option.short),
    };
    let arg = match option.short_for {
        Some((long, _)) => arg.conflicts_with(long),
        None => arg,
    };
    match option.arity {
        Arity::Switch => arg.action(ArgAction::SetTrue),
        Arity::One(name) => arg.action(ArgAction::Set).value_name(name),
        Arity::Optional(name) => {
            arg.action(ArgAction::Set).value_name(name).num_args(0..=1).require_equals(true).default_missing_value("")
        }
        Arity::Many(name) => arg.action(ArgAction::Append).value_name(name),
        Arity::Positional(name) => arg.action(ArgAction::Append).value_name(name).num_args(0..),
    }
}

/// Returns the help with the default and the environment variables.
fn long_help(option: &OptionSpec) -> String {
    if option.scope != Scope::Everywhere {
        return option.help.to_owned();
    }
    let variables = option.variables().collect::<Vec<_>>().join(", ");
    match option.arity {
        Arity::Switch => format!("{} [env: {variables}]", option.help),
        _ => format!("{} [default: {}] [env: {variables}]", option.help, option.default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(args: &[&str]) -> Result<Vec<(&'static str, Vec<String>)>, String> {
        let args = std::iter::once("bin").chain(args.iter().copied()).map(OsString::from);
        let values = read(args, ["plug"].into_iter()).map_err(|error| error.render().to_string())?;
        Ok(values.into_iter().map(|value| (value.option.name, value.values)).collect())
    }

    #[test]
    fn command_is_valid() {
        command().debug_assert();
    }

    #[test]
    fn optional_value_never_takes_a_filter() {
        let values = read_all(&["--report-time", "decode", "--bench"]).unwrap();
        assert_eq!(values[0], ("filter", vec!["decode".to_owned()]));
        assert_eq!(values.last(), Some(&("report-time", vec![String::new()])));
    }

    #[test]
    fn flags_may_be_repeated() {
        let values = read_all(&["--bench", "a", "--cycles", "3", "b", "--cycles=4", "--bench"]).unwrap();
        assert_eq!(values[0].1, ["a", "b"]);
        assert_eq!(values[2], ("cycles", vec!["4".to_owned()]));
    }

    #[test]
    fn rejects_unknown_flag_and_suggests_one() {
        let text = read_all(&["--cylces", "3"]).unwrap_err();
        assert!(text.contains("--cycles"), "{text}");
        assert!(read_all(&["--quick", "--profile", "publish"]).is_err());
        assert!(read_all(&["--baseline"]).is_err());
    }

    #[test]
    fn short_help_has_a_dozen_options() {
        let text = read_all(&["-h"]).unwrap_err();
        let options = text.lines().filter(|line| line.trim_start().starts_with('-')).count();
        assert!((8..=14).contains(&options), "{text}");
        assert!(text.contains("--quick") && text.contains("--baseline") && !text.contains("LEM_BENCH_"), "{text}");
        assert!(!text.contains("--rank-timeout") && text.contains("--help lists all options"), "{text}");
    }

    #[test]
    fn flags_of_other_harnesses_are_accepted() {
        let values = read_all(&["-s", "main", "-v", "--sample-count", "7", "--min-time", "2", "-n", "-c", "never"]);
        let names: Vec<&str> = values.unwrap().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["color", "cycles", "measurement-time", "save-baseline", "verbose", "noplot"]);
        for flags in [
            &["-b", "main", "--discard-baseline", "--profile-time", "5", "--plotting-backend", "plotters"][..],
            &[
                "--sort",
                "name",
                "--sortr=kind",
                "--timer",
                "tsc",
                "--threads",
                "4",
                "--max-time",
                "3",
                "--skip-ext-time",
            ],
            &["--items-count", "3", "--bytes-count=1", "--chars-count=1", "--cycles-count=1", "--bytes-format=binary"],
        ] {
            assert!(read_all(flags).is_ok(), "{flags:?}");
        }
    }

    #[test]
    fn help_names_every_option_and_variable() {
        let text = read_all(&["--help"]).unwrap_err();
        assert!(text.contains("--meter plug"), "{text}");
        for option in options::all() {
            assert!(text.contains(option.name) || flag(option) == "FILTER", "{}", option.name);
            assert!(option.variables().all(|variable| text.contains(&variable)), "{}", option.name);
        }
    }
}
