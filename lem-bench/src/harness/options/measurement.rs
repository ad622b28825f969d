//! The options of the protocol: ours, and criterion's by the same names where they mean the same.

use super::libtest::{one, switch};
use super::spec::{Arity, OptionGroup, OptionSpec, Set};
use crate::analysis::IntervalChoice;
use crate::harness::config::NoMatch;
use crate::harness::parse;
use crate::protocol::Profile;

const fn protocol(name: &'static str, value: &'static str, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Protocol, name, Arity::One(value), set)
}

const A_TIME: &str = "a time such as 5s, 500ms or 1m (a bare number is seconds)";
const A_TIME_ABOVE_ZERO: &str = "a time above zero such as 5s, 500ms or 1m (a bare number is seconds)";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(OptionGroup::Mode, "dry-run", Arity::Switch, |c, v| switch(v, |on| c.dry_run = on))
        .help("Print what would be measured, by which meter and for how long, and stop"),
    OptionSpec::new(OptionGroup::Mode, "show-config", Arity::Switch, |c, v| switch(v, |on| c.settings_only = on))
        .help("Print each setting and where it came from, and stop"),
    OptionSpec::new(OptionGroup::Selection, "axis", Arity::Many("AXIS=VALUE,VALUE"), |c, v| {
        let read = |text: &String| parse::pair(text).map(|(axis, values)| (axis, parse::commas(&values)));
        c.axes = v.iter().map(read).collect::<Result<_, _>>()?;
        Ok(())
    })
    .expects("an axis and its values, such as batch=1,4")
    .default("as written in the bench")
    .help("Run every bench that has this axis over other values; may be given again"),
    OptionSpec::new(OptionGroup::Selection, "no-match", Arity::One("fail|warn"), |c, v| {
        c.no_match = match one(v) {
            "fail" => NoMatch::Fail,
            "warn" => NoMatch::Warn,
            _ => return Err(String::new()),
        };
        Ok(())
    })
    .expects("fail or warn")
    .default("fail")
    .help("What happens when no bench matches: exit code 5, or a warning and 0"),
    protocol("profile", "PROFILE", |c, v| {
        c.profile = Profile::parse(one(v)).ok_or_else(String::new)?;
        Ok(())
    })
    .expects("quick, default or publish")
    .default("default")
    .help("How much care to take: quick (a look), default, or publish (figures that others will quote)"),
    OptionSpec::new(OptionGroup::Protocol, "quick", Arity::Switch, |_, v| switch(v, |_| ()))
        .short_for("profile", "quick")
        .help("Short for --profile quick"),
    protocol("cycles", "N", |c, v| {
        c.overrides.cycles = Some(parse::count(one(v), 2)?);
        Ok(())
    })
    .aliases(&["sample-size"])
    .expects("a whole number, at least 2")
    .default("by profile: 5, 10 or 12")
    .help("Cycles of each bench; an interval comes from them. With --target-precision the fewest, and at least 8"),
    protocol("target-precision", "SHARE", |c, v| {
        c.overrides.target_precision = Some(parse::share(one(v))?);
        Ok(())
    })
    .expects("a share above 0 and below 1, such as 1% or 0.01")
    .default("a fixed number of cycles")
    .help("Go on, from 8 to 30 cycles, until the headline's interval is this narrow: half its width over its value"),
    protocol("time-budget", "TIME", |c, v| {
        c.overrides.time_budget = Some(parse::time_above_zero(one(v))?);
        Ok(())
    })
    .expects(A_TIME_ABOVE_ZERO)
    .default("none")
    .help("With --target-precision: time for each bench; two cycles are measured in any case"),
    protocol("windows", "N", |c, v| {
        c.overrides.windows = Some(parse::count(one(v), 1)?);
        Ok(())
    })
    .expects("a whole number, at least 1")
    .default("1")
    .help("Windows in each cycle"),
    protocol("min-window", "TIME", |c, v| {
        c.overrides.min_window = Some(parse::time_above_zero(one(v))?);
        Ok(())
    })
    .expects(A_TIME_ABOVE_ZERO)
    .default("by profile and by the meter's update period")
    .help("Least length of a window"),
    protocol("measurement-time", "TIME", |c, v| {
        c.measurement_time = Some(parse::time_above_zero(one(v))?);
        Ok(())
    })
    .expects(A_TIME_ABOVE_ZERO)
    .default("what the windows come to")
    .help("Total length of all windows of a bench: each window gets its share, and --min-window still holds"),
    protocol("warm-up-time", "TIME", |c, v| {
        c.overrides.warm_up = Some(parse::time_above_zero(one(v))?);
        Ok(())
    })
    .expects(A_TIME_ABOVE_ZERO)
    .default("by profile and meter; goes on until steady")
    .help("Least time of warm-up"),
    protocol("gap", "TIME", |c, v| {
        c.overrides.gap = Some(parse::time(one(v))?);
        Ok(())
    })
    .expects(A_TIME)
    .default("by profile and meter")
    .help("Rest between two cycles, in which idle power is measured again"),
    protocol("idle-time", "TIME", |c, v| {
        c.overrides.idle = Some(parse::time_above_zero(one(v))?);
        Ok(())
    })
    .expects(A_TIME_ABOVE_ZERO)
    .default("by profile and meter")
    .help("Time in which an idle figure is measured"),
    protocol("seed", "SEED", |c, v| {
        c.seed = parse::seed(one(v))?;
        Ok(())
    })
    .expects("a whole number from 0 to 18446744073709551615")
    .default("1")
    .help("Seed of everything drawn: the order of inputs, the phases of windows"),
    protocol("confidence-level", "LEVEL", |c, v| {
        c.analysis.level = parse::share(one(v))?;
        Ok(())
    })
    .expects("a share above 0 and below 1, such as 0.95 or 95%")
    .default("0.95")
    .help("Level of all intervals"),
    protocol("interval", "t|bootstrap", |c, v| {
        c.analysis.shown = match one(v) {
            "t" => IntervalChoice::Student,
            "bootstrap" => IntervalChoice::Bootstrap,
            _ => return Err(String::new()),
        };
        Ok(())
    })
    .expects("t or bootstrap")
    .default("t")
    .help("Which of each metric's two intervals is shown first; the record has both"),
    protocol("nresamples", "N", |c, v| {
        c.analysis.resamples = parse::count(one(v), 100)? as usize;
        Ok(())
    })
    .expects("a whole number, at least 100")
    .default("10000")
    .help("Resamples of bootstrap intervals"),
];
