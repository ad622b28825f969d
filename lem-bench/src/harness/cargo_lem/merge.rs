//! `cargo lem merge`: the parts of a run, measured apart, joined into what one run would have given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};

use super::subcommand::{Subcommand, resolve_with_home};
use crate::analysis::{Check, Finding, Summary};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, pages, saved};
use crate::model::{BenchTarget, RunHeader, count_of};
use crate::report::console::{TableOptions, table};
use crate::report::export::JSON;
use crate::store::{Home, RunDir, copy_journals, read_run, slug};

pub(super) const MERGE: Subcommand = Subcommand { name: "merge", command: merge_command, run: merge };

/// The journal of a shard or rank.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    header: RunHeader,
}

fn merge_command() -> Command {
    let parts = Arg::new("parts")
        .value_name("RUN")
        .num_args(1..)
        .required(true)
        .help("Run folders, run ids or their prefixes; a results folder means all its partial runs");
    let output = Arg::new("output").long("output").short('o').value_name("FOLDER").help(
        "Folder of the merged run; with several bench targets, it contains a folder per target [default: a new run in the \
         results folder]",
    );
    Command::new("merge")
        .about("Merge the runs of shards or ranks into one run")
        .after_help(
            "Copies the journals and aggregates them into one run per bench target. The report lists missing parts.\n\n\
             Exit codes: 0 success, 1 a file cannot be read or written, 2 the parts belong to different runs or contain \
             a duplicate, 4 a shard or rank is missing, 5 no such runs.",
        )
        .args([parts, output])
        .args(of_command(LemCommand::Merge).map(command::arg))
}

fn merge(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (invocation, home) = resolve_with_home(matches, LemCommand::Merge)?;
    let cwd = &invocation.paths.cwd;
    let mut folders = Vec::new();
    for name in matches.get_many::<String>("parts").into_iter().flatten() {
        folders.extend(saved::folders(name, &home, cwd)?);
    }
    // A folder may be named twice.
    let mut seen = BTreeSet::new();
    folders.retain(|folder| seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())));
    let targets = parts_by_target(&folders)?;
    targets.iter().try_for_each(|(target, parts)| check_parts(target, parts))?;
    let output = matches.get_one::<String>("output").map(|folder| cwd.join(folder));
    let color = console::Paint::of_stdout(invocation.config().color).is_on();
    let options = TableOptions { width: console::stdout_width(), color };
    let mut exit = ExitStatus::Done;
    for (target, parts) in &targets {
        let (summary, folder) = if let Some(output) = &output {
            let folder = if targets.len() > 1 { output.join(slug(&target.to_string())) } else { output.clone() };
            (join(parts, &folder, &home, cwd)?, folder)
        } else {
            let run = RunDir::create(&home)?;
            let summary = join(parts, run.path(), &home, cwd)?;
            run.mark_latest(&home, target, None)?;
            (summary, run.path().to_owned())
        };
        console::out(&table(&summary, None, &options));
        console::note(&format!("{} merged to {}", count_of(parts.len(), "journal"), folder.display()));
        exit = exit.max(exit_status(&summary));
    }
    Ok(exit)
}

/// Returns the parts in these folders by target. Complete runs are skipped.
///
/// # Errors
/// A journal cannot be read, or there are no parts.
fn parts_by_target(folders: &[PathBuf]) -> Result<BTreeMap<BenchTarget, Vec<Part>>, HarnessError> {
    let mut targets: BTreeMap<BenchTarget, Vec<Part>> = BTreeMap::new();
    for folder in folders {
        for journal in read_run(folder)? {
            let Some(header) = journal.header().cloned() else {
                console::warn(&format!("skipped {}: it has no header", journal.path.display()));
                continue;
            };
            if header.shard.is_some() || header.world > 1 {
                targets.entry(header.bench_target()).or_default().push(Part { path: journal.path, header });
            } else {
                console::note(&format!("skipped run {}: it is a complete run", header.run_id));
            }
        }
    }
    let message = "nothing to merge: none of these runs was measured with --shard or by several processes";
    if targets.is_empty() { Err(HarnessError::no_match(message)) } else { Ok(targets) }
}

/// Checks that all parts belong to one run.
fn check_parts(target: &BenchTarget, parts: &[Part]) -> Result<(), HarnessError> {
    let first = &parts[0];
    let mut paths = BTreeMap::new();
    for Part { path, header } in parts {
        let mismatch = |reason: &str| {
            let (one, other) = (first.path.display(), path.display());
            Err(HarnessError::usage(format!("{target}: {one} and {other} are parts of different runs: {reason}")))
        };
        let counts = |header: &RunHeader| [(header.shard.map_or(1, |(_, of)| of), "shard"), (header.world, "process")];
        for ((expected, noun), (actual, _)) in counts(&first.header).into_iter().zip(counts(header)) {
            if expected != actual {
                return mismatch(&format!("{} and {}", count_of(expected, noun), count_of(actual, noun)));
            }
        }
        if header.plan != first.header.plan {
            return mismatch(
                "their benches or the order of benches differ; use the same build and filter for all parts",
            );
        }
        if let Some(twice) = paths.insert((header.shard, header.rank), path) {
            let which = header.shard.map_or_else(|| format!("rank {}", header.rank), |(k, n)| format!("shard {k}/{n}"));
            return Err(HarnessError::usage(format!(
                "{target}: {which} is duplicate: {} and {}; pass the folders of the runs to merge",
                twice.display(),
                path.display()
            )));
        }
    }
    match first.header.shard {
        Some((k, n)) if n > 1 && parts.iter().all(|part| part.header.shard == first.header.shard) => {
            Err(HarnessError::usage(format!(
                "{target}: only shard {k}/{n} was given; pass the runs of the other shards too"
            )))
        }
        _ => Ok(()),
    }
}

/// Joins the parts in `folder`, and writes summary and pages.
fn join(parts: &[Part], folder: &Path, home: &Home, cwd: &Path) -> Result<Summary, HarnessError> {
    // Sorted, so that the order of the arguments has no influence.
    let mut sorted: Vec<&Part> = parts.iter().collect();
    sorted.sort_by_key(|part| (part.header.rank, part.header.shard));
    let journals: Vec<&Path> = sorted.iter().map(|part| part.path.as_path()).collect();
    copy_journals(&journals, folder)?;
    let saved = saved::load(&folder.to_string_lossy(), home, cwd, &|_| ())?;
    for damage in &saved.damage {
        console::warn(damage);
    }
    saved::write(&JSON, std::slice::from_ref(&saved.summary), folder)?;
    pages::write(folder, &saved.summary, &saved.traces)?;
    Ok(saved.summary)
}

/// Returns `Invalid` if a shard or rank is missing.
fn exit_status(summary: &Summary) -> ExitStatus {
    let is_missing = |finding: &Finding| matches!(finding.check, Check::ShardMissing | Check::ProcessMissing);
    let mut all = summary.findings.iter().chain(summary.benches.iter().flat_map(|bench| &bench.findings));
    if all.any(is_missing) { ExitStatus::Invalid } else { ExitStatus::Done }
}
