//! `cargo lem runs` and `cargo lem prune`: the runs on disk, and the removal of old ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::subcommand::{Subcommand, resolve_with_home};
use crate::clock::unix_s;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::options::{LemCommand, of_command};
use crate::harness::{command, console};
use crate::model::count_of;
use crate::report::number_format::date;
use crate::report::terminal_text::clean;
use crate::store::{Home, StoredRun, StoredRuns};

const SECONDS_PER_DAY: f64 = 86_400.0;

pub(super) const RUNS: Subcommand = Subcommand { name: "runs", command: runs_command, run: list_runs };

fn runs_command() -> Command {
    Command::new("runs")
        .about("List the runs on disk with their sizes, oldest first; `cargo lem prune` removes old ones")
        .args(of_command(LemCommand::Runs).map(command::arg))
}

fn list_runs(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (_, home) = resolve_with_home(matches, LemCommand::Runs)?;
    let StoredRuns { runs, unreadable } = StoredRuns::list(&home)?;
    let runs: Vec<&StoredRun> = runs.iter().collect();
    console::out(&table(&runs));
    warn_unreadable(&unreadable);
    if runs.is_empty() {
        console::note(&format!("no runs in {}", home.path().display()));
    } else {
        console::note(&format!("{} in {}", total(&runs), home.runs().display()));
    }
    Ok(ExitStatus::Done)
}

fn warn_unreadable(unreadable: &[String]) {
    for reason in unreadable {
        console::warn(&format!("unreadable: {}", clean(reason)));
    }
}

pub(super) const PRUNE: Subcommand = Subcommand { name: "prune", command: prune_command, run: prune };

fn prune_command() -> Command {
    let keep = Arg::new("keep")
        .long("keep")
        .value_name("N")
        .value_parser(value_parser!(u32))
        .help("Keep the newest N runs of each bench target");
    let older_than = Arg::new("older-than")
        .long("older-than")
        .value_name("DAYS")
        .value_parser(parse_days)
        .help("Keep runs of the last DAYS days: 30 or 30d");
    let yes = Arg::new("yes")
        .long("yes")
        .short('y')
        .action(ArgAction::SetTrue)
        .help("Remove the runs instead of listing them");
    Command::new("prune")
        .about("Remove old runs; without --yes, only list what would be removed")
        .after_help(
            "With both --keep and --older-than, a run is removed only if neither keeps it. The latest run of each bench \
             target, runs that are being written, baselines and the history are never removed.\n\nExit codes: 0 success, 1 \
             a run cannot be removed, 2 invalid usage.",
        )
        .args([keep, older_than, yes])
        .args(of_command(LemCommand::Runs).map(command::arg))
}

fn parse_days(text: &str) -> Result<f64, String> {
    let days = text.strip_suffix('d').unwrap_or(text).parse::<f64>().ok();
    days.filter(|days| days.is_finite() && *days >= 0.0)
        .ok_or_else(|| "expected a number of days: 30 or 30d".to_owned())
}

/// Which runs are kept.
#[derive(Debug, Clone, Copy)]
struct KeepRules {
    /// The number of newest runs of each bench target.
    newest: Option<u32>,
    /// Runs that began after this time, in seconds since 1970.
    since_unix_s: Option<f64>,
}

impl KeepRules {
    /// Returns the runs that no rule keeps, oldest first. `runs` are sorted in this way.
    fn to_remove(self, runs: &[StoredRun]) -> Vec<&StoredRun> {
        let mut newer_of_target = BTreeMap::new();
        let mut found: Vec<&StoredRun> = Vec::new();
        for run in runs.iter().rev() {
            let newer = newer_of_target.entry(run.target.as_ref().map(ToString::to_string)).or_insert(0_u32);
            let is_newest = self.newest.is_some_and(|newest| *newer < newest);
            let is_recent = self.since_unix_s.is_some_and(|since| run.started_unix_s > since);
            *newer += 1;
            if !(is_newest || is_recent || run.is_latest) {
                found.push(run);
            }
        }
        found.reverse();
        found
    }
}

fn prune(matches: &ArgMatches) -> Result<ExitStatus, HarnessError> {
    let (_, home) = resolve_with_home(matches, LemCommand::Runs)?;
    let days = matches.get_one::<f64>("older-than");
    let rules = KeepRules {
        newest: matches.get_one::<u32>("keep").copied(),
        since_unix_s: days.map(|days| unix_s() - days * SECONDS_PER_DAY),
    };
    if rules.newest.is_none() && rules.since_unix_s.is_none() {
        return Err(HarnessError::usage("nothing says which runs to keep: add `--keep N` or `--older-than DAYS`"));
    }
    let StoredRuns { runs, unreadable } = StoredRuns::list(&home)?;
    warn_unreadable(&unreadable);
    let (in_use, to_remove): (Vec<_>, Vec<_>) = rules.to_remove(&runs).into_iter().partition(|run| run.is_in_use());
    for run in in_use {
        console::note(&format!("run {} is being written: it is kept", run.run.id()));
    }
    if to_remove.is_empty() {
        console::note(&format!("no runs to remove among {} in {}", runs.len(), home.runs().display()));
        return Ok(ExitStatus::Done);
    }
    console::out(&table(&to_remove));
    if matches.get_flag("yes") {
        return remove(&home, &to_remove);
    }
    console::note(&format!("would remove {}; add --yes to remove them", total(&to_remove)));
    Ok(ExitStatus::Done)
}

/// Removes runs, also those after one that cannot be removed.
///
/// # Errors
/// The error of the first run that cannot be removed.
fn remove(home: &Home, runs: &[&StoredRun]) -> Result<ExitStatus, HarnessError> {
    let mut first_error = None;
    let mut removed = Vec::new();
    for run in runs {
        match run.remove() {
            Ok(()) => removed.push(*run),
            Err(error) if first_error.is_none() => first_error = Some(error),
            Err(error) => console::warn(&error.to_string()),
        }
    }
    console::note(&format!("removed {} from {}", total(&removed), home.runs().display()));
    first_error.map_or(Ok(ExitStatus::Done), |error| Err(error.into()))
}

/// One line per run: id, start, size, benches and target.
fn table(runs: &[&StoredRun]) -> String {
    let width = runs.iter().map(|run| run.run.id().as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for run in runs {
        let target = run.target.as_ref().map(|target| clean(&target.to_string()));
        let content = target.map_or_else(
            || "no readable journal".to_owned(),
            |target| format!("{} of {target}", count_of(run.benches, "bench")),
        );
        let latest = if run.is_latest { ", latest" } else { "" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{:width$}  {}  {:>8}  {content}{latest}",
            run.run.id(),
            date(run.started_unix_s),
            size(run.bytes),
        );
    }
    text
}

/// `3 runs, 1.2 GB`.
fn total(runs: &[&StoredRun]) -> String {
    let bytes = runs.iter().map(|run| run.bytes).sum();
    format!("{}, {}", count_of(runs.len(), "run"), size(bytes))
}

/// A size with two or three digits: `0.9 kB`, `120 MB`.
fn size(bytes: u64) -> String {
    let (value, unit) = match bytes as f64 {
        bytes if bytes < 999_500.0 => (bytes / 1e3, "kB"),
        bytes if bytes < 999.5e6 => (bytes / 1e6, "MB"),
        bytes => (bytes / 1e9, "GB"),
    };
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BenchTarget;
    use crate::store::{RunDir, RunId};

    /// Runs of two targets, one a day, and one without a header.
    fn runs() -> (tempfile::TempDir, Vec<StoredRun>) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let stored = |day: u16, target: Option<&str>, is_latest| StoredRun {
            run: RunDir::create_new(&home, RunId::at(u64::from(day) * 86_400, day)).unwrap(),
            started_unix_s: f64::from(day) * SECONDS_PER_DAY,
            target: target.map(|name| BenchTarget { package: None, name: name.to_owned() }),
            benches: usize::from(day),
            bytes: 1_234_567 * u64::from(day),
            is_latest,
        };
        let runs = vec![
            stored(1, Some("llm"), false),
            stored(2, Some("kernels"), true),
            stored(3, None, false),
            stored(4, Some("llm"), false),
            stored(5, Some("llm"), true),
        ];
        (folder, runs)
    }

    fn removed(newest: Option<u32>, since_day: Option<f64>) -> Vec<usize> {
        let (_folder, runs) = runs();
        let rules = KeepRules { newest, since_unix_s: since_day.map(|day| day * SECONDS_PER_DAY) };
        rules.to_remove(&runs).iter().map(|run| run.benches).collect()
    }

    #[test]
    fn keeps_newest_of_each_target_and_latest() {
        assert_eq!(removed(Some(1), None), [1, 4]);
        assert_eq!(removed(Some(2), None), [1]);
        assert_eq!(removed(Some(0), None), [1, 3, 4], "never the latest");
    }

    #[test]
    fn removes_only_what_no_rule_keeps() {
        assert_eq!(removed(None, Some(3.5)), [1, 3]);
        assert_eq!(removed(Some(1), Some(3.5)), [1]);
        assert_eq!(removed(Some(3), Some(9.0)), [0; 0]);
    }

    #[test]
    fn lines_name_size_and_target() {
        let (_folder, runs) = runs();
        insta::assert_snapshot!(table(&[&runs[0], &runs[2], &runs[4]]), @"
        1970-01-02T00-00-00Z-0001  1970-01-02 00:00:00 UTC    1.2 MB  1 bench of llm
        1970-01-04T00-00-00Z-0003  1970-01-04 00:00:00 UTC    3.7 MB  no readable journal
        1970-01-06T00-00-00Z-0005  1970-01-06 00:00:00 UTC    6.2 MB  5 benches of llm, latest
        ");
        assert_eq!(total(&runs.iter().collect::<Vec<_>>()), "5 runs, 19 MB");
        assert_eq!(
            [0, 999_499, 999_500, 9_949_999, 2_500_000_000].map(size),
            ["0.0 kB", "999 kB", "1.0 MB", "9.9 MB", "2.5 GB"]
        );
    }

    #[test]
    fn parses_days() {
        assert_eq!((parse_days("30"), parse_days("0.5d")), (Ok(30.0), Ok(0.5)));
        assert!(parse_days("-1").is_err() && parse_days("2w").is_err() && parse_days("inf").is_err());
    }
}
