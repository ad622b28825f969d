//! Options of every test binary, with libtest's names and meanings, and options of other harnesses without effect.

use super::spec::{Arity, LemCommand, OptionSpec, Resume, mode, output, selection, single, switch};
use crate::harness::config::{Color, Format};
use crate::harness::parse::{self, InvalidValue};

/// Options of libtest that have an effect here.
pub(super) const OPTIONS: &[OptionSpec] = &[
    selection("filter", Arity::Positional("FILTER"), |c, v| {
        c.filters = v.to_vec();
        Ok(())
    })
    .cli_only()
    .basic()
    .applies_to(&[LemCommand::Duel])
    .help("Run only benches whose id contains one of these texts"),
    mode("bench", |c, v| switch(v, |on| c.bench = on))
        .cli_only()
        .resume(Resume::MayDiffer)
        .help("Measure the benches; cargo bench passes this"),
    mode("test", |c, v| switch(v, |on| c.test = on)).cli_only().help("Run each bench once without measuring"),
    mode("list", |c, v| switch(v, |on| c.list = on)).cli_only().basic().help("List the benches and exit"),
    selection("exact", Arity::Switch, |c, v| switch(v, |on| c.exact = on))
        .cli_only()
        .applies_to(&[LemCommand::Duel])
        .help("Match filters and --skip against the whole id"),
    selection("skip", Arity::Many("FILTER"), |c, v| {
        c.skip = v.to_vec();
        Ok(())
    })
    .applies_to(&[LemCommand::Duel])
    .expects("texts that ids must not contain")
    .default("none")
    .help("Skip benches whose id contains this text; can be repeated"),
    selection("ignored", Arity::Switch, |c, v| switch(v, |on| c.ignored = on))
        .cli_only()
        .help("Run only benches marked `ignore`"),
    selection("include-ignored", Arity::Switch, |c, v| switch(v, |on| c.include_ignored = on))
        .applies_to(&[LemCommand::Duel])
        .help("Run benches marked `ignore` too"),
    selection("shuffle", Arity::Switch, |c, v| switch(v, |on| c.shuffle = on)).help("Run the benches in random order"),
    selection("shuffle-seed", Arity::One("SEED"), |c, v| {
        c.shuffle_seed = Some(parse::seed(single(v))?);
        Ok(())
    })
    .expects("a whole number from 0 to 18446744073709551615")
    .default("random, printed")
    .help("Seed of the random order; implies --shuffle"),
    selection("fail-fast", Arity::Switch, |c, v| switch(v, |on| c.fail_fast = on))
        .resume(Resume::MayDiffer)
        .help("Stop after the first bench that fails"),
    output("quiet", Arity::Switch, |c, v| switch(v, |on| c.quiet = on))
        .short('q')
        .basic()
        .applies_to(&[LemCommand::Duel])
        .help("Print no plan and no progress; in test mode, one character per bench"),
    output("color", Arity::One("WHEN"), |c, v| {
        c.color = match single(v) {
            "auto" => Color::Auto,
            "always" => Color::Always,
            "never" => Color::Never,
            _ => return Err(InvalidValue::default()),
        };
        Ok(())
    })
    .short('c')
    .aliases(&["colour"])
    .applies_to(&[
        LemCommand::Baseline,
        LemCommand::Compare,
        LemCommand::Duel,
        LemCommand::History,
        LemCommand::Merge,
        LemCommand::Report,
    ])
    .expects("auto, always or never")
    .default("auto")
    .help("When to use colors: auto, always or never; auto respects NO_COLOR"),
    output("format", Arity::One("FORMAT"), |c, v| {
        c.format = match single(v) {
            "pretty" => Format::Pretty,
            "terse" => Format::Terse,
            "json" => Format::Json,
            _ => return Err(InvalidValue::default()),
        };
        Ok(())
    })
    .cli_only()
    .applies_to(&[LemCommand::Duel])
    .expects("pretty, terse or json")
    .default("pretty")
    .help("Format of lists and results: pretty, terse or json (libtest's lines; the summary when measuring)"),
];

/// Options of libtest, criterion and divan that have no effect here.
pub(super) const ACCEPTED: &[OptionSpec] = &[
    OptionSpec::accepted("nocapture", Arity::Switch, "Output of benches is never captured"),
    OptionSpec::accepted("no-capture", Arity::Switch, "Same as --nocapture"),
    OptionSpec::accepted("show-output", Arity::Switch, "Output of benches is always shown"),
    OptionSpec::accepted("test-threads", Arity::One("N"), "Benches run one at a time"),
    OptionSpec::accepted("Z", Arity::Many("OPTION"), "There are no unstable options"),
    OptionSpec::accepted("report-time", Arity::Optional("FORMAT"), "Times are always reported"),
    OptionSpec::accepted("logfile", Arity::One("FILE"), "Results are written to --output-dir"),
    OptionSpec::ignored("noplot", Arity::Switch, "Plots are part of the HTML report").short('n'),
    OptionSpec::ignored("plotting-backend", Arity::One("BACKEND"), "Plots are part of the HTML report"),
    OptionSpec::ignored("discard-baseline", Arity::Switch, "A baseline is saved only by --save-baseline"),
    OptionSpec::ignored(
        "profile-time",
        Arity::One("TIME"),
        "Benches are measured as usual; --measurement-time limits it",
    ),
    OptionSpec::ignored("max-time", Arity::One("TIME"), "--measurement-time and --time-budget limit the time"),
    OptionSpec::ignored("sort", Arity::One("ATTRIBUTE"), "Results are in the order of measurement; see --order"),
    OptionSpec::ignored("sortr", Arity::One("ATTRIBUTE"), "Results are in the order of measurement; see --order"),
    OptionSpec::ignored("timer", Arity::One("TIMER"), "Times are those of the monotonic clock"),
    OptionSpec::ignored("threads", Arity::One("N"), "The bench starts its own threads"),
    OptionSpec::ignored("skip-ext-time", Arity::Optional("BOOL"), "Setup and inputs are never measured"),
    OptionSpec::ignored("items-count", Arity::One("N"), "The bench returns its amount of work"),
    OptionSpec::ignored("bytes-count", Arity::One("N"), "The bench returns its amount of work"),
    OptionSpec::ignored("chars-count", Arity::One("N"), "The bench returns its amount of work"),
    OptionSpec::ignored("cycles-count", Arity::One("N"), "The bench returns its amount of work"),
    OptionSpec::ignored("bytes-format", Arity::One("FORMAT"), "Units have decimal prefixes"),
];
