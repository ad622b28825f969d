//! `cargo lem merge`: the parts of a run, measured apart, joined into what one run would have given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};

use super::asked::ask;
use super::subcommand::Subcommand;
use crate::analysis::{Check, Finding, Summary};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console, pages, saved};
use crate::model::RunHeader;
use crate::report::console::{TableOptions, table};
use crate::report::export::JSON;
use crate::store::{Home, RunDir, copy_journals, read_run, slug};

pub(super) const SUBCOMMAND: Subcommand = Subcommand { name: "merge", command: merge_command, run: merge };

/// A journal of a part.
#[derive(Debug)]
struct Piece {
    path: PathBuf,
    head: RunHeader,
}

fn merge_command() -> Command {
    let parts = Arg::new("parts").value_name("RUN").num_args(1..).required(true).help(
        "Run folders, run ids or their beginnings; of a whole results folder, all runs in it that are parts of one",
    );
    let output = Arg::new("output").long("output").short('o').value_name("FOLDER").help(
        "Make the merged run's folder here (where there are several bench targets, one for each in it); without it a \
         new run is made among the others",
    );
    Command::new("merge")
        .about("Joins what --shard or the processes of a launcher measured apart into what one run would have given")
        .after_help(
            "Journals are copied as they are and aggregated anew; each bench target becomes a run. What never came is \
             said in the report.\n\nExit codes: 0 done, 1 a file can't be read or written, 2 the parts don't belong \
             together or one came twice, 4 a part or a process is missing, 5 no such runs.",
        )
        .args([parts, output])
        .args(of_command(LemCommand::Merge).map(command::arg))
}

fn merge(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (call, home) = ask(matches, LemCommand::Merge)?;
    let cwd = &call.paths.cwd;
    let mut folders = Vec::new();
    for name in matches.get_many::<String>("parts").into_iter().flatten() {
        folders.extend(saved::folders(name, &home, cwd)?);
    }
    // Named twice is not measured twice.
    let mut seen = BTreeSet::new();
    folders.retain(|folder| seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())));
    let targets = targets(&folders)?;
    targets.iter().try_for_each(|(target, pieces)| check(target, pieces))?;
    let output = matches.get_one::<String>("output").map(|folder| cwd.join(folder));
    let color = console::Paint::of_stdout(call.config().color).is_on();
    let options = TableOptions { width: console::stdout_width(), color };
    let mut exit = ExitStatus::Done;
    for (target, pieces) in &targets {
        let (summary, folder) = if let Some(output) = &output {
            let folder = if targets.len() > 1 { output.join(slug(target)) } else { output.clone() };
            (join(pieces, &folder, &home, cwd)?, folder)
        } else {
            let run = RunDir::create(&home)?;
            let summary = join(pieces, run.path(), &home, cwd)?;
            run.mark_latest(&home)?;
            (summary, run.path().to_owned())
        };
        console::out(&table(&summary, None, &options));
        console::note(&format!("{} journals are merged in {}", pieces.len(), folder.display()));
        exit = exit.max(complete(&summary));
    }
    Ok(exit)
}

/// The parts in these folders, by target. Runs that are whole are left out, as a results folder may hold such ones too.
///
/// # Errors
/// A journal can't be read, or none is a part.
fn targets(folders: &[PathBuf]) -> Result<BTreeMap<String, Vec<Piece>>, HarnessError> {
    let mut targets: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
    for folder in folders {
        for journal in read_run(folder)? {
            let Some(head) = journal.head().cloned() else {
                console::warn(&format!("{} has no head and is left out", journal.path.display()));
                continue;
            };
            if head.shard.is_some() || head.world > 1 {
                targets.entry(head.target.clone()).or_default().push(Piece { path: journal.path, head });
            } else {
                console::note(&format!("run {} is a whole run and is left out", head.run_id));
            }
        }
    }
    let what = "nothing to merge: none of these runs is a part of one (measured with --shard, or by several processes)";
    if targets.is_empty() { Err(HarnessError::no_match(what)) } else { Ok(targets) }
}

/// Refuses what does not belong together.
fn check(target: &str, pieces: &[Piece]) -> Result<(), HarnessError> {
    let first = &pieces[0];
    let mut parts = BTreeMap::new();
    for Piece { path, head } in pieces {
        let refused = |why: &str| {
            let (one, other) = (first.path.display(), path.display());
            Err(HarnessError::usage(format!("{target}: {one} and {other} are no parts of one run: {why}")))
        };
        let counts = |head: &RunHeader| [(head.shard.map_or(1, |(_, of)| of), "shards"), (head.world, "processes")];
        for ((was, what), (is, _)) in counts(&first.head).into_iter().zip(counts(head)) {
            if was != is {
                return refused(&format!("one is of {was} {what}, the other of {is}"));
            }
        }
        if head.plan != first.head.plan {
            return refused(
                "their plans name other benches, or in another order: measure all with one build and one filter",
            );
        }
        if let Some(twice) = parts.insert((head.shard, head.rank), path) {
            let which = head.shard.map_or_else(|| format!("rank {}", head.rank), |(k, n)| format!("shard {k}/{n}"));
            return Err(HarnessError::usage(format!(
                "{target}: {which} came twice, as {} and {}: name the folders of the runs that count",
                twice.display(),
                path.display()
            )));
        }
    }
    match first.head.shard {
        Some((k, n)) if n > 1 && pieces.iter().all(|piece| piece.head.shard == first.head.shard) => {
            Err(HarnessError::usage(format!("{target}: there is shard {k}/{n} alone: name the runs of the others too")))
        }
        _ => Ok(()),
    }
}

/// Joins the parts in `folder`, and writes there what a run leaves.
fn join(pieces: &[Piece], folder: &Path, home: &Home, cwd: &Path) -> Result<Summary, HarnessError> {
    // By shard, so that names tell nothing of the order in which the parts were given.
    let mut sorted: Vec<&Piece> = pieces.iter().collect();
    sorted.sort_by_key(|piece| (piece.head.rank, piece.head.shard));
    let journals: Vec<&Path> = sorted.iter().map(|piece| piece.path.as_path()).collect();
    copy_journals(&journals, folder)?;
    let saved = saved::load(&folder.to_string_lossy(), home, cwd, &|_| ())?;
    for damage in &saved.damage {
        console::warn(damage);
    }
    saved::write(&JSON, std::slice::from_ref(&saved.summary), folder)?;
    pages::write(folder, &saved.summary)?;
    Ok(saved.summary)
}

/// Whether everything came that one run would have had.
fn complete(summary: &Summary) -> ExitStatus {
    let lacks = |finding: &Finding| matches!(finding.check, Check::ShardMissing | Check::ProcessMissing);
    let mut all = summary.findings.iter().chain(summary.benches.iter().flat_map(|bench| &bench.findings));
    if all.any(lacks) { ExitStatus::Invalid } else { ExitStatus::Done }
}
