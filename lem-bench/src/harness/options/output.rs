//! The options of what comes out.

use super::libtest::one;
use super::spec::{Arity, OptionGroup, OptionSpec};
use crate::harness::config::OutputFormat;
use crate::harness::{log, notify, parse};
use crate::report::export::Format;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(OptionGroup::Output, "output-dir", Arity::One("FOLDER"), |c, v| {
        c.output_dir = Some(one(v).into());
        Ok(())
    })
    .aliases(&["home"])
    .expects("a folder")
    .default("lem-bench in cargo's target folder")
    .help("Where results go; a relative folder counts from the workspace's root"),
    OptionSpec::new(OptionGroup::Output, "output-format", Arity::One("FORMAT"), |c, v| {
        c.output_format = match one(v) {
            "criterion" => OutputFormat::Criterion,
            "bencher" => OutputFormat::Bencher,
            "json" => OutputFormat::Json,
            _ => return Err(String::new()),
        };
        Ok(())
    })
    .expects("criterion, bencher or json")
    .default("criterion")
    .help(
        "How results are printed: criterion is for people; bencher prints `test NAME ... bench: N ns/iter (+/- M)`, \
         the time of a request; json prints the summary",
    ),
    OptionSpec::new(OptionGroup::Output, "export", Arity::Many("FORMAT"), |c, v| {
        let named = |name: String| match Format::named(&name) {
            Some(format) => Ok(format.name),
            None => Err(format!("there is no format `{name}`")),
        };
        c.exports = v.iter().flat_map(|text| parse::commas(text)).map(named).collect::<Result<_, _>>()?;
        Ok(())
    })
    .expects("formats, such as csv,junit: json, cycles, csv, markdown, junit, bmf, github, openmetrics, bencher")
    .default("none")
    .help(
        "Formats to write beside the summary, separated by commas: cycles, csv, markdown, junit, bmf, github, \
         openmetrics, bencher; `cargo lem report` makes them later",
    ),
    OptionSpec::new(OptionGroup::Output, "log", Arity::One("LEVEL"), |c, v| {
        c.log = Some(one(v)).filter(|text| log::is_understood(text)).map(str::to_owned);
        if c.log.is_some() { Ok(()) } else { Err(String::new()) }
    })
    .expects("off, error, warn, info, debug or trace, or targets with levels such as lem_bench::store=trace,info")
    .default("what RUST_LOG says, else off")
    .help("Tell on stderr what takes time, and how long"),
    OptionSpec::new(OptionGroup::Output, "notify", Arity::One("URL"), |c, v| {
        c.notify = Some(notify::url(one(v))?);
        Ok(())
    })
    .secret()
    .expects("a URL that begins with http:// or https://")
    .default("nobody")
    .help(
        "Post the summary in JSON to this URL when the run has ended, and what `cargo lem duel` came to; a failure is a \
         warning (feature `notify`)",
    ),
    OptionSpec::new(OptionGroup::Output, "context", Arity::Many("KEY=VALUE"), |c, v| {
        c.context = v.iter().map(|text| parse::pair(text)).collect::<Result<_, _>>()?;
        Ok(())
    })
    .expects("a key and a value, such as room=22C")
    .default("none")
    .help("A fact to keep with the result; may be given again"),
];
