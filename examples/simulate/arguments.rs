//! The command line of `simulate`.

use std::path::PathBuf;
use std::time::Duration;

use lem_bench::__private::harness::SimulationOptions;
use lem_bench::__private::protocol::Profile;

use super::compare::Against;

const USAGE: &str = "usage: simulate SCENARIO.json [--runs N] [--quick | --profile quick|default|publish] [--cycles N] \
                     [--windows N] [--gap SECONDS] [--min-window SECONDS] [--warm-up-time SECONDS] \
                     [--idle-time SECONDS] [--target-precision SHARE] [--time-budget SECONDS] [--seed N] \
                     [--compare OTHER.json [--paired | --history K]]";

/// The arguments.
#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) scenario: PathBuf,
    pub(crate) runs: u64,
    /// The scenario that is compared with the first one.
    pub(crate) compare: Option<PathBuf>,
    pub(crate) against: Against,
    pub(crate) options: SimulationOptions,
}

impl Arguments {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut scenario = None;
        let mut parsed = Self {
            scenario: PathBuf::new(),
            runs: 1,
            compare: None,
            against: Against::Baseline { history: 0 },
            options: SimulationOptions::default(),
        };
        let (mut paired, mut history) = (false, None);
        while let Some(arg) = args.next() {
            let (flag, inline) = match arg.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag.to_owned(), Some(value.to_owned())),
                _ => (arg, None),
            };
            let mut value = || inline.clone().or_else(|| args.next()).ok_or(format!("{flag} needs a value\n{USAGE}"));
            let set = &mut parsed.options.overrides;
            match flag.as_str() {
                "--runs" => parsed.runs = number(&flag, &value()?)?,
                "--target-precision" => set.target_precision = Some(share(&flag, &value()?)?),
                "--time-budget" => set.time_budget = Some(seconds(&flag, &value()?)?),
                "--seed" => parsed.options.seed = number(&flag, &value()?)?,
                "--compare" => parsed.compare = Some(value()?.into()),
                "--paired" => paired = true,
                "--history" => history = Some(number(&flag, &value()?)?),
                "--quick" => parsed.options.profile = Profile::Quick,
                "--profile" => {
                    let name = value()?;
                    parsed.options.profile = Profile::parse(&name)
                        .ok_or(format!("invalid value `{name}` for --profile: use quick, default or publish"))?;
                }
                "--cycles" => set.cycles = Some(number(&flag, &value()?)?),
                "--windows" => set.windows = Some(number(&flag, &value()?)?),
                "--gap" => set.gap = Some(seconds(&flag, &value()?)?),
                "--min-window" => set.min_window = Some(seconds(&flag, &value()?)?),
                "--warm-up-time" => set.warm_up = Some(seconds(&flag, &value()?)?),
                "--idle-time" => set.idle = Some(seconds(&flag, &value()?)?),
                "-h" | "--help" => return Err(USAGE.to_owned()),
                other if other.starts_with('-') => return Err(format!("unknown option `{other}`\n{USAGE}")),
                _ if scenario.is_some() => {
                    return Err(format!("unexpected argument `{flag}`: set one scenario\n{USAGE}"));
                }
                _ => scenario = Some(PathBuf::from(flag)),
            }
        }
        if (paired || history.is_some()) && parsed.compare.is_none() {
            return Err(format!("--paired and --history need --compare with the scenario to compare with\n{USAGE}"));
        }
        parsed.against = match (paired, history) {
            (true, Some(_)) => {
                return Err(format!("--paired and --history exclude each other: a duel is one session\n{USAGE}"));
            }
            (true, None) => Against::Paired,
            (false, history) => Against::Baseline { history: history.unwrap_or(0) },
        };
        parsed.scenario = scenario.ok_or(format!("no scenario\n{USAGE}"))?;
        Ok(parsed)
    }
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{flag} needs a whole number, not `{text}`"))
}

fn share(flag: &str, text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 0.01));
    let share = number.parse().ok().map(|number: f64| number * unit).filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or(format!("{flag} needs a share such as 1% or 0.01, not `{text}`"))
}

fn seconds(flag: &str, text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    number
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or(format!("{flag} needs a time in seconds, not `{text}`"))
}
