//! Options of measuring: the protocol, the run and its processes. Options that mean the same as criterion's have the same
//! names.

use super::spec::{Arity, LemCommand, OptionGroup, OptionSpec, Resume, Set, mode, selection, single, switch};
use crate::analysis::IntervalChoice;
use crate::harness::config::{self, NoMatch};
use crate::harness::parse::{self, InvalidValue};
use crate::model::Order;
use crate::plan::Shard;
use crate::protocol::Profile;

const DUEL: &[LemCommand] = &[LemCommand::Duel];

const A_DURATION: &str = "a time such as 5s, 500ms or 1m (a bare number is seconds)";
const A_POSITIVE_DURATION: &str = "a time above zero such as 5s, 500ms or 1m (a bare number is seconds)";
const A_TIMEOUT: &str = "a time above zero such as 10m, 90s or 500ms (a bare number is seconds)";

const fn protocol(name: &'static str, value: &'static str, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Measurement, name, Arity::One(value), set)
}

const fn processes(name: &'static str, arity: Arity, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Processes, name, arity, set)
}

pub(super) const OPTIONS: &[OptionSpec] = &[
    mode("doctor", |c, v| switch(v, |on| c.doctor = on))
        .cli_only()
        .basic()
        .help("List the meters of this machine, why others are not available, and problems of the workspace, and exit"),
    mode("dry-run", |c, v| switch(v, |on| c.dry_run = on))
        .basic()
        .applies_to(DUEL)
        .help("Print what would be measured, with which meter and for how long, and exit"),
    mode("show-config", |c, v| switch(v, |on| c.print_settings = on)).help("Print each setting and its source, and exit"),
    selection("axis", Arity::Many("AXIS=VALUE,VALUE"), |c, v| {
        let axis = |text: &String| parse::pair(text).map(|(axis, values)| (axis, parse::comma_list(&values)));
        c.axes = v.iter().map(axis).collect::<Result<_, _>>()?;
        Ok(())
    })
    .applies_to(DUEL)
    .expects("an axis and its values, such as batch=1,4")
    .default("as in the bench's attribute")
    .help("Values of an axis, for every bench that has it; can be repeated"),
    selection("no-match", Arity::One("fail|warn"), |c, v| {
        c.no_match = match single(v) {
            "fail" => NoMatch::Fail,
            "warn" => NoMatch::Warn,
            _ => return Err(InvalidValue::default()),
        };
        Ok(())
    })
    .resume(Resume::MayDiffer)
    .expects("fail or warn")
    .default("fail")
    .help("What to do when no bench matches: exit with code 5, or print a warning and exit with 0"),
    protocol("profile", "PROFILE", |c, v| {
        c.profile = Profile::parse(single(v)).ok_or_else(InvalidValue::default)?;
        Ok(())
    })
    .applies_to(DUEL)
    .expects("quick, default or publish")
    .default("default")
    .help("Effort of the measurement: quick (a first look), default, or publish (results to be published)"),
    OptionSpec::new(OptionGroup::Measurement, "quick", Arity::Switch, |_, v| switch(v, |_| ()))
        .short_for("profile", "quick")
        .basic()
        .applies_to(DUEL)
        .help("Measure for a few seconds, for a first look; same as --profile quick"),
    protocol("cycles", "N", |c, v| {
        c.overrides.cycles = Some(parse::count(single(v), 2)?);
        Ok(())
    })
    .aliases(&["sample-size", "sample-count"])
    .basic()
    .expects("a whole number, at least 2")
    .default("5, 10 or 12 by profile")
    .help("Number of cycles per bench; with --target-precision the minimum, at least 8"),
    protocol("target-precision", "SHARE", |c, v| {
        c.overrides.target_precision = Some(parse::share(single(v))?);
        Ok(())
    })
    .expects("a share above 0 and below 1, such as 1% or 0.01")
    .default("none: a fixed number of cycles")
    .help("Measure 8 to 30 cycles, until half the width of the headline's interval is this share of its value"),
    protocol("time-budget", "TIME", |c, v| {
        c.overrides.time_budget = Some(parse::positive_duration(single(v))?);
        Ok(())
    })
    .expects(A_POSITIVE_DURATION)
    .default("none")
    .help("Time limit per bench with --target-precision; at least two cycles are measured"),
    protocol("windows", "N", |c, v| {
        c.overrides.windows = Some(parse::count(single(v), 1)?);
        Ok(())
    })
    .applies_to(DUEL)
    .expects("a whole number, at least 1")
    .default("1")
    .help("Number of windows per cycle"),
    protocol("min-window", "TIME", |c, v| {
        c.overrides.min_window = Some(parse::positive_duration(single(v))?);
        Ok(())
    })
    .applies_to(DUEL)
    .expects(A_POSITIVE_DURATION)
    .default("by profile and update period of the meter")
    .help("Minimum length of a window"),
    protocol("measurement-time", "TIME", |c, v| {
        c.measurement_time = Some(parse::positive_duration(single(v))?);
        Ok(())
    })
    .aliases(&["min-time"])
    .expects(A_POSITIVE_DURATION)
    .default("sum of the windows")
    .help("Total length of all windows of a bench, divided equally; --min-window still applies"),
    protocol("warm-up-time", "TIME", |c, v| {
        c.overrides.warm_up = Some(parse::positive_duration(single(v))?);
        Ok(())
    })
    .applies_to(DUEL)
    .expects(A_POSITIVE_DURATION)
    .default("by profile and meter, until steady")
    .help("Minimum length of the warm-up"),
    protocol("gap", "TIME", |c, v| {
        c.overrides.gap = Some(parse::duration(single(v))?);
        Ok(())
    })
    .applies_to(DUEL)
    .expects(A_DURATION)
    .default("by profile and meter")
    .help("Length of the gap before each cycle, in which idle power is measured"),
    protocol("idle-time", "TIME", |c, v| {
        c.overrides.idle = Some(parse::positive_duration(single(v))?);
        Ok(())
    })
    .applies_to(DUEL)
    .expects(A_POSITIVE_DURATION)
    .default("by profile and meter")
    .help("Length of each measurement of idle power"),
    protocol("seed", "SEED", |c, v| {
        c.seed = parse::seed(single(v))?;
        Ok(())
    })
    .applies_to(DUEL)
    .expects("a whole number from 0 to 18446744073709551615")
    .default("1")
    .help("Seed of all random choices: the order of inputs, the phases of windows"),
    protocol("confidence-level", "LEVEL", |c, v| {
        c.analysis.level = parse::share(single(v))?;
        Ok(())
    })
    .applies_to(&[LemCommand::Compare, LemCommand::Duel, LemCommand::Report])
    .expects("a share above 0 and below 1, such as 0.95 or 95%")
    .default("0.95")
    .help("Confidence level of all intervals"),
    protocol("interval", "t|bootstrap", |c, v| {
        c.analysis.shown = match single(v) {
            "t" => IntervalChoice::Student,
            "bootstrap" => IntervalChoice::Bootstrap,
            _ => return Err(InvalidValue::default()),
        };
        Ok(())
    })
    .expects("t or bootstrap")
    .default("t")
    .help("Interval that is shown for each metric; both are saved"),
    protocol("nresamples", "N", |c, v| {
        c.analysis.resamples = parse::count(single(v), 100)? as usize;
        Ok(())
    })
    .applies_to(&[LemCommand::Duel, LemCommand::Report])
    .expects("a whole number, at least 100")
    .default("10000")
    .help("Number of resamples of bootstrap intervals"),
    selection("order", Arity::One("ORDER"), |c, v| {
        c.order = match single(v) {
            "grouped" => Order::Grouped,
            "interleaved" => Order::Interleaved,
            "shuffled" => Order::Shuffled,
            _ => return Err(InvalidValue::default()),
        };
        Ok(())
    })
    .expects("grouped, interleaved or shuffled")
    .default("grouped")
    .help(
        "Order of measurement: grouped (one bench after another), shuffled (random, by --shuffle-seed or --seed), or interleaved \
         (one cycle of each bench in turn)",
    ),
    OptionSpec::new(OptionGroup::Runs, "resume", Arity::Optional("RUN"), |c, v| {
        let run = single(v);
        c.resume = Some(if run.is_empty() { config::Resume::Newest } else { config::Resume::Run(run.to_owned()) });
        Ok(())
    })
    .cli_only()
    .basic()
    .resume(Resume::MayDiffer)
    .help("Resume an interrupted run: the newest of this target, or the one with this id"),
    OptionSpec::new(OptionGroup::Runs, "shard", Arity::One("K/N"), |c, v| {
        c.shard = Some(Shard::parse(single(v)).ok_or_else(InvalidValue::default)?);
        Ok(())
    })
    .expects("two whole numbers such as 1/4, the first from 1 to the second")
    .default("all benches")
    .help("Measure one part of the benches; `cargo lem merge` joins the parts"),
    processes("isolate", Arity::Switch, |c, v| switch(v, |on| c.isolate = on))
        .help("Run each bench in its own process, so that a crash fails only that bench"),
    processes("processes", Arity::One("N"), |c, v| {
        let count = single(v).parse().ok().filter(|n| (1..=4096).contains(n));
        c.processes = Some(count.ok_or_else(InvalidValue::default)?);
        Ok(())
    })
    .expects("a whole number from 1 to 4096")
    .default("by the bench's attribute, else 1")
    .help(
        "Number of ranks per bench, with RANK, LOCAL_RANK, WORLD_SIZE and a GPU each where available; omit it under \
         mpirun, srun and torchrun",
    ),
    processes("rank-timeout", Arity::One("TIME"), |c, v| {
        c.rank_timeout = parse::positive_duration(single(v))?;
        Ok(())
    })
    .resume(Resume::MayDiffer)
    .expects(A_TIMEOUT)
    .default("10m")
    .help("Time limit for waiting for another rank, at the start and at barriers"),
    processes("bench-timeout", Arity::One("TIME"), |c, v| {
        c.bench_timeout = Some(parse::positive_duration(single(v))?);
        Ok(())
    })
    .applies_to(DUEL)
    .expects(A_TIMEOUT)
    .default("none")
    .help("Time limit per bench, including setup; a bench that exceeds it fails; implies --isolate"),
    processes("env", Arity::Many("KEY=VALUE"), |c, v| {
        c.env = v.iter().map(|text| parse::pair(text)).collect::<Result<_, _>>()?;
        Ok(())
    })
    .applies_to(DUEL)
    .expects("a key and a value, such as NCCL_DEBUG=INFO")
    .default("none")
    .help("Environment variable for the process of each bench; can be repeated; implies --isolate"),
];
