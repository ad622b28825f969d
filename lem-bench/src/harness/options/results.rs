//! Options for comparing results with saved ones, and for output. Options that mean the same as criterion's have the same
//! names.

use super::spec::{Arity, LemCommand, OptionGroup, OptionSpec, Set, output, single, switch};
use crate::analysis::compare::FailOn;
use crate::harness::config::OutputFormat;
use crate::harness::parse::{self, InvalidValue};
use crate::harness::{log, notify};
use crate::report::export::Format;

const DUEL: &[LemCommand] = &[LemCommand::Duel];
const COMPARE: &[LemCommand] = &[LemCommand::Compare];
const COMPARE_AND_DUEL: &[LemCommand] = &[LemCommand::Compare, LemCommand::Duel];

const fn baseline(name: &'static str, set: Set) -> OptionSpec {
    comparison(name, Arity::One("NAME"), set).expects("a name such as main or feature/x").default("none")
}

const fn comparison(name: &'static str, arity: Arity, set: Set) -> OptionSpec {
    OptionSpec::new(OptionGroup::Comparison, name, arity, set)
}

/// Parses a name that is not empty.
fn parse_name(values: &[String]) -> Result<Option<String>, InvalidValue> {
    match single(values).trim() {
        "" => Err(InvalidValue::default()),
        name => Ok(Some(name.to_owned())),
    }
}

pub(super) const OPTIONS: &[OptionSpec] = &[
    baseline("save-baseline", |c, v| {
        c.comparing.save = parse_name(v)?;
        Ok(())
    })
    .short('s')
    .basic()
    .help("Save the result as this baseline, after comparing it with the one saved before"),
    baseline("baseline", |c, v| {
        c.comparing.baseline = parse_name(v)?;
        Ok(())
    })
    .short('b')
    .basic()
    .help("Compare with this baseline; it is an error if it or a bench in it is missing"),
    baseline("baseline-lenient", |c, v| {
        c.comparing.lenient = parse_name(v)?;
        Ok(())
    })
    .help("Like --baseline, but a missing baseline or bench is not an error"),
    baseline("load-baseline", |c, v| {
        c.comparing.load = parse_name(v)?;
        Ok(())
    })
    .help("Use this baseline as the head instead of measuring, and compare it with --baseline"),
    comparison("threshold", Arity::One("CHANGE"), |c, v| {
        c.comparing.options.criteria.threshold_pct = 100.0 * parse::share(single(v))?;
        Ok(())
    })
    .aliases(&["noise-threshold"])
    .applies_to(COMPARE_AND_DUEL)
    .expects("a share such as 1% or 0.01")
    .default("1%")
    .help("Largest change that counts as unchanged"),
    comparison("significance-level", Arity::One("LEVEL"), |c, v| {
        c.comparing.options.criteria.significance = parse::share(single(v))?;
        Ok(())
    })
    .applies_to(COMPARE_AND_DUEL)
    .expects("a share such as 0.05 or 5%")
    .default("0.05")
    .help("Accepted share of false alarms among all alarms, over all benches"),
    comparison("compare-metric", Arity::One("METRIC"), |c, v| {
        c.comparing.options.metric = parse_name(v)?;
        Ok(())
    })
    .applies_to(COMPARE)
    .expects("a metric's name, such as net_j_per_output_token or ttft_ms_p50")
    .default("the headline, joules per unit of work")
    .help("Metric to compare"),
    comparison("compare-anyway", Arity::Switch, |c, v| switch(v, |on| c.comparing.options.anyway = on))
        .applies_to(COMPARE)
        .help("Compare results even if hardware, meter or model differ"),
    comparison("fail-on", Arity::One("VERDICT"), |c, v| {
        c.comparing.gate.fail_on = match single(v) {
            "nothing" => None,
            verdict => Some(FailOn::parse(verdict).ok_or_else(InvalidValue::default)?),
        };
        Ok(())
    })
    .applies_to(COMPARE_AND_DUEL)
    .expects("regressed, inconclusive (which includes regressed) or nothing")
    .default("nothing")
    .help("Gate: exit with code 3 if a bench has this verdict"),
    comparison("fail-on-regression", Arity::Switch, |_, v| switch(v, |_| ()))
        .short_for("fail-on", "regressed")
        .applies_to(COMPARE_AND_DUEL)
        .help("Same as --fail-on regressed"),
    comparison("trust-single-baseline", Arity::Switch, |c, v| {
        switch(v, |on| c.comparing.gate.trust_single_baseline = on)
    })
    .applies_to(COMPARE)
    .help("Let the gate fail even if the base has fewer than five sessions, too few to separate a change from session spread"),
    comparison("gate-estimates", Arity::Switch, |c, v| switch(v, |on| c.comparing.gate.trust_estimates = on))
        .applies_to(COMPARE_AND_DUEL)
        .help("Let the gate decide on estimated energy"),
    output("output-dir", Arity::One("FOLDER"), |c, v| {
        c.output_dir = Some(single(v).into());
        Ok(())
    })
    .aliases(&["home"])
    .applies_to(&[
        LemCommand::Baseline,
        LemCommand::Repeatability,
        LemCommand::Compare,
        LemCommand::Duel,
        LemCommand::History,
        LemCommand::Merge,
        LemCommand::Report,
        LemCommand::Runs,
    ])
    .expects("a folder")
    .default("lem-bench in cargo's target folder")
    .help("Path to the results folder; a relative path starts at the workspace root"),
    output("sample-budget", Arity::One("MIB"), |c, v| {
        c.sample_mib = parse::count(single(v), 1)?;
        Ok(())
    })
    .expects("a whole number of MiB, at least 1")
    .default("32")
    .help("Request times and phases that are kept of each bench, in MiB; of more, one of 2, 4, 8, … is kept, with exact sums of all"),
    output("output-format", Arity::One("FORMAT"), |c, v| {
        c.output_format = match single(v) {
            "criterion" => OutputFormat::Criterion,
            "bencher" => OutputFormat::Bencher,
            "json" => OutputFormat::Json,
            _ => return Err(InvalidValue::default()),
        };
        Ok(())
    })
    .expects("criterion, bencher or json")
    .default("criterion")
    .help("Format of results: criterion (tables), bencher (libtest's bench lines, time per request) or json (summary)"),
    output("export", Arity::Many("FORMAT"), |c, v| {
        let format_name = |name: String| match Format::named(&name) {
            Some(format) => Ok(format.name),
            None => Err(format!("unknown format `{name}`")),
        };
        c.exports = v.iter().flat_map(|text| parse::comma_list(text)).map(format_name).collect::<Result<_, _>>()?;
        Ok(())
    })
    .applies_to(DUEL)
    .expects("formats, such as csv,junit: json, cycles, csv, markdown, junit, bmf, github, openmetrics, bencher")
    .default("none")
    .help(
        "Formats to write in addition to the summary, separated by commas: cycles, csv, markdown, junit, bmf, github, \
         openmetrics, bencher",
    ),
    output("open", Arity::Switch, |c, v| switch(v, |on| c.open_page = on))
        .cli_only()
        .basic()
        .help("Open the HTML report in a browser after the run: `$BROWSER`, else the default one"),
    output("verbose", Arity::Switch, |_, v| switch(v, |_| ()))
        .short('v')
        .short_for("log", "info")
        .help("Same as --log info"),
    output("log", Arity::One("LEVEL"), |c, v| {
        let filter = single(v);
        if !log::is_valid_filter(filter) {
            return Err(InvalidValue::default());
        }
        c.log = Some(filter.to_owned());
        Ok(())
    })
    .applies_to(DUEL)
    .expects("off, error, warn, info, debug or trace, or targets with levels such as lem_bench::store=trace,info")
    .default("RUST_LOG, else off")
    .help("Print log events with durations to stderr"),
    output("notify", Arity::One("URL"), |c, v| {
        c.notify = Some(notify::url(single(v))?);
        Ok(())
    })
    .secret()
    .applies_to(DUEL)
    .expects("a URL that begins with http:// or https://, such as https://example.org/hook")
    .default("none")
    .help("Post the summary as JSON to this URL when the run ends; a failure is a warning (feature `notify`)"),
    output("context", Arity::Many("KEY=VALUE"), |c, v| {
        c.context = v.iter().map(|text| parse::pair(text)).collect::<Result<_, _>>()?;
        Ok(())
    })
    .applies_to(DUEL)
    .expects("a key and a value, such as room=22C")
    .default("none")
    .help("Key and value to save with the result; can be repeated"),
];
