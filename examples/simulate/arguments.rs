//! The command line of `simulate`.

use std::path::PathBuf;
use std::time::Duration;

use lem_bench::harness::SimulationOptions;
use lem_bench::protocol::Profile;

const USAGE: &str = "usage: simulate SCENARIO.json [--runs N] [--quick | --profile quick|default|publish] [--cycles N] \
                     [--windows N] [--gap SECONDS] [--min-window SECONDS] [--warm-up-time SECONDS] \
                     [--idle-time SECONDS] [--seed N]";

/// What to simulate and how.
#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) scenario: PathBuf,
    pub(crate) runs: u64,
    pub(crate) options: SimulationOptions,
}

impl Arguments {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut scenario = None;
        let mut parsed = Self { scenario: PathBuf::new(), runs: 1, options: SimulationOptions::default() };
        while let Some(arg) = args.next() {
            let (flag, inline) = match arg.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag.to_owned(), Some(value.to_owned())),
                _ => (arg, None),
            };
            let mut value = || inline.clone().or_else(|| args.next()).ok_or(format!("{flag} needs a value\n{USAGE}"));
            let set = &mut parsed.options.overrides;
            match flag.as_str() {
                "--runs" => parsed.runs = number(&flag, &value()?)?,
                "--seed" => parsed.options.seed = number(&flag, &value()?)?,
                "--quick" => parsed.options.profile = Profile::Quick,
                "--profile" => {
                    let name = value()?;
                    parsed.options.profile =
                        Profile::parse(&name).ok_or(format!("--profile is quick, default or publish, not `{name}`"))?;
                }
                "--cycles" => set.cycles = Some(number(&flag, &value()?)?),
                "--windows" => set.windows = Some(number(&flag, &value()?)?),
                "--gap" => set.gap = Some(seconds(&flag, &value()?)?),
                "--min-window" => set.min_window = Some(seconds(&flag, &value()?)?),
                "--warm-up-time" => set.warm_up = Some(seconds(&flag, &value()?)?),
                "--idle-time" => set.idle = Some(seconds(&flag, &value()?)?),
                "-h" | "--help" => return Err(USAGE.to_owned()),
                other if other.starts_with('-') => return Err(format!("unknown option `{other}`\n{USAGE}")),
                _ if scenario.is_some() => return Err(format!("one scenario at a time, not also `{flag}`\n{USAGE}")),
                _ => scenario = Some(PathBuf::from(flag)),
            }
        }
        parsed.scenario = scenario.ok_or(format!("no scenario given\n{USAGE}"))?;
        Ok(parsed)
    }
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{flag} needs a whole number, not `{text}`"))
}

fn seconds(flag: &str, text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    number
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or(format!("{flag} needs a time in seconds, not `{text}`"))
}
