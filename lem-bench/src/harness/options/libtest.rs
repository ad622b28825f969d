//! The options that every test binary has, by libtest's names and meanings.

use super::spec::{Arity, OptionGroup, OptionSpec};
use crate::harness::config::{Color, Config, Format};
use crate::harness::parse;

/// The value of an option that takes one.
pub(super) fn one(values: &[String]) -> &str {
    values.first().map_or("", String::as_str)
}

/// Puts a switch where it belongs.
pub(super) fn switch(values: &[String], put: impl FnOnce(bool)) -> Result<(), String> {
    parse::switch(one(values)).map(put)
}

const fn mode(name: &'static str, set: super::spec::Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Mode, name, Arity::Switch, set)
}

const fn select(name: &'static str, arity: Arity, set: super::spec::Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Selection, name, arity, set)
}

/// What libtest acts on, and so do we.
pub(super) const OPTIONS: &[OptionSpec] = &[
    select("filter", Arity::Positional("FILTER"), |c: &mut Config, v| {
        c.filters = v.to_vec();
        Ok(())
    })
    .cli_only()
    .help("Only benches whose id contains one of these texts"),
    mode("bench", |c, v| switch(v, |on| c.bench = on)).cli_only().help("Measure; cargo bench says this"),
    mode("test", |c, v| switch(v, |on| c.test = on)).cli_only().help("Run each bench once and measure nothing"),
    mode("list", |c, v| switch(v, |on| c.list = on)).cli_only().help("List the benches and stop"),
    select("exact", Arity::Switch, |c, v| switch(v, |on| c.exact = on))
        .cli_only()
        .help("Filters and --skip have to equal the whole id"),
    select("skip", Arity::Many("FILTER"), |c, v| {
        c.skip = v.to_vec();
        Ok(())
    })
    .expects("texts of which no id may contain one")
    .default("none")
    .help("Leave out benches whose id contains this text; may be given again"),
    select("ignored", Arity::Switch, |c, v| switch(v, |on| c.ignored = on))
        .cli_only()
        .help("Run only the benches marked `ignore`"),
    select("include-ignored", Arity::Switch, |c, v| switch(v, |on| c.include_ignored = on))
        .help("Run the benches marked `ignore` too"),
    select("shuffle", Arity::Switch, |c, v| switch(v, |on| c.shuffle = on)).help("Run the benches in random order"),
    select("shuffle-seed", Arity::One("SEED"), |c, v| {
        c.shuffle_seed = Some(parse::seed(one(v))?);
        Ok(())
    })
    .expects("a whole number from 0 to 18446744073709551615")
    .default("drawn, and told")
    .help("Run the benches in the random order of this seed"),
    select("fail-fast", Arity::Switch, |c, v| switch(v, |on| c.fail_fast = on))
        .help("Stop after the first bench that fails"),
    OptionSpec::new(OptionGroup::Output, "quiet", Arity::Switch, |c, v| switch(v, |on| c.quiet = on))
        .short('q')
        .help("No progress and no plan; in test mode one character a bench"),
    OptionSpec::new(OptionGroup::Output, "color", Arity::One("WHEN"), |c, v| {
        c.color = match one(v) {
            "auto" => Color::Auto,
            "always" => Color::Always,
            "never" => Color::Never,
            _ => return Err(String::new()),
        };
        Ok(())
    })
    .aliases(&["colour"])
    .expects("auto, always or never")
    .default("auto")
    .help("When to use colours: auto, always or never; auto honours NO_COLOR"),
    OptionSpec::new(OptionGroup::Output, "format", Arity::One("FORMAT"), |c, v| {
        c.format = match one(v) {
            "pretty" => Format::Pretty,
            "terse" => Format::Terse,
            "json" => Format::Json,
            _ => return Err(String::new()),
        };
        Ok(())
    })
    .cli_only()
    .expects("pretty, terse or json")
    .default("pretty")
    .help("How lists and results are printed: pretty, terse or json (libtest's lines; the summary when measuring)"),
];

/// What libtest, or criterion, knows and means nothing here.
pub(super) const ACCEPTED: &[OptionSpec] = &[
    OptionSpec::accepted("nocapture", Arity::Switch, "Nothing is captured: what a bench prints is shown"),
    OptionSpec::accepted("no-capture", Arity::Switch, "As --nocapture"),
    OptionSpec::accepted("show-output", Arity::Switch, "What a bench prints is shown"),
    OptionSpec::accepted("test-threads", Arity::One("N"), "One bench runs at a time"),
    OptionSpec::accepted("Z", Arity::Many("OPTION"), "Nothing here is unstable"),
    OptionSpec::accepted("report-time", Arity::Optional("FORMAT"), "Times are always reported"),
    OptionSpec::accepted("logfile", Arity::One("FILE"), "Results go to the output folder"),
    OptionSpec::accepted("noplot", Arity::Switch, "Plots are part of the page and cost no measuring time"),
];
