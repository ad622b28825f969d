//! The command line: made from the table of options, and read back as what was said.
//!
//! Must not know what any option means.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::console;
use super::exit::ExitStatus;
use super::layers::{Layer, SettingValue};
use super::options::{self, Arity, OptionSpec, Scope};

/// Reads the arguments, the first of which is the name of the binary; the help names the meters that it brings along.
///
/// # Errors
/// Help, version or a mistake: a text to show instead of going on.
pub(super) fn read<'a>(
    args: impl IntoIterator<Item = OsString>,
    meters: impl Iterator<Item = &'a str>,
) -> Result<Vec<SettingValue>, clap::Error> {
    let own: Vec<_> = meters.collect();
    let own = if own.is_empty() {
        String::new()
    } else {
        format!("\n\nMeters that this binary brings along: --meter {}.", own.join(", --meter "))
    };
    let matches = command().after_help(format!("{AFTER}{own}")).try_get_matches_from(args)?;
    Ok(options::all().filter_map(|option| said(&matches, option)).collect())
}

/// Shows what stands in for going on: help and version on stdout, for which all is well; mistakes on stderr.
pub(super) fn end(error: &clap::Error) -> ExitStatus {
    let text = error.render().to_string();
    if error.use_stderr() {
        console::err(&text);
        ExitStatus::Usage
    } else {
        console::out(&text);
        ExitStatus::Done
    }
}

/// What the command line says about an option, if anything.
pub(super) fn said(matches: &ArgMatches, option: &'static OptionSpec) -> Option<SettingValue> {
    if matches.value_source(option.name) != Some(ValueSource::CommandLine) {
        return None;
    }
    let values = match option.arity {
        Arity::Switch => vec![matches.get_flag(option.name).to_string()],
        _ => matches.get_many::<String>(option.name)?.cloned().collect(),
    };
    Some(SettingValue { option, values, layer: Layer::Flag, place: flag(option) })
}

/// The option as it is written on the command line.
fn flag(option: &OptionSpec) -> String {
    match option.arity {
        Arity::Positional(name) => name.to_owned(),
        _ if option.name.len() == 1 => format!("-{}", option.name),
        _ => format!("--{}", option.name),
    }
}

/// What stands below the options.
const AFTER: &str = "Every option with an environment variable is also a key of lem-bench.toml, in the package's or the \
             workspace's folder.\nOrder: flag, environment, file, the bench's attribute, default. --show-config tells \
             where each value came from.\n\nExit codes: 0 done, 1 results can't be kept, 2 usage, 3 a bench \
             regressed (only with --fail-on-regression), 4 a measurement is \
             invalid or the meter can't be had, 5 no bench matched, 101 a bench failed.";

fn command() -> Command {
    Command::new("bench")
        .about("Measures the energy of the benches in this binary: joules per token, with confidence intervals.")
        .version(env!("CARGO_PKG_VERSION"))
        .override_usage("cargo bench [--bench NAME] -- [FILTER]... [OPTIONS]")
        .args_override_self(true)
        .args(options::all().map(arg))
}

/// An option as clap knows it.
pub(super) fn arg(option: &'static OptionSpec) -> Arg {
    let arg = Arg::new(option.name).help(help(option)).help_heading(option.topic.heading());
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

fn help(option: &OptionSpec) -> String {
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
        let said = read(args, ["plug"].into_iter()).map_err(|error| error.render().to_string())?;
        Ok(said.into_iter().map(|said| (said.option.name, said.values)).collect())
    }

    #[test]
    fn the_table_makes_a_sound_command() {
        command().debug_assert();
    }

    #[test]
    fn an_optional_value_never_swallows_a_filter() {
        let said = read_all(&["--report-time", "decode", "--bench"]).unwrap();
        assert_eq!(said[0], ("filter", vec!["decode".to_owned()]));
        assert_eq!(said.last(), Some(&("report-time", vec![String::new()])));
    }

    #[test]
    fn what_cargo_adds_at_the_end_may_have_been_there_before() {
        let said = read_all(&["--bench", "a", "--cycles", "3", "b", "--cycles=4", "--bench"]).unwrap();
        assert_eq!(said[0].1, ["a", "b"]);
        assert_eq!(said[2], ("cycles", vec!["4".to_owned()]));
    }

    #[test]
    fn an_unknown_flag_is_refused_and_its_neighbour_named() {
        let text = read_all(&["--cylces", "3"]).unwrap_err();
        assert!(text.contains("--cycles"), "{text}");
        assert!(read_all(&["--quick", "--profile", "publish"]).is_err());
        assert!(read_all(&["--baseline"]).is_err());
    }

    #[test]
    fn help_names_every_option_and_its_twin() {
        let text = read_all(&["--help"]).unwrap_err();
        assert!(text.contains("--meter plug"), "{text}");
        for option in options::all() {
            assert!(text.contains(option.name) || flag(option) == "FILTER", "{}", option.name);
            assert!(option.variables().all(|variable| text.contains(&variable)), "{}", option.name);
        }
    }
}
