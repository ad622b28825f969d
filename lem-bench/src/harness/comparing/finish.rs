//! Comparison in bench mode: finds the base before the measurement; afterwards compares, and updates history and
//! baselines. Also the result of a duel.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::sides::{
    ComparisonContext, Loaded, baseline, compare_options, existing_baselines, exit_status, print_comparison,
    save_comparison,
};
use crate::analysis::Summary;
use crate::analysis::compare::{
    Comparison, NullTest, PairedBench, Prior, Results, Trend, compare, compare_pairs, is_same_series, session_results,
    trends,
};
use crate::clock::unix_s;
use crate::harness::config::{Comparing, Config, Format};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::Invocation;
use crate::harness::pages::{self, LinkedPages};
use crate::harness::{console, saved};
use crate::model::{Outcome, SessionResult, count_of};
use crate::store::{Baseline, BaselineRun, History, Home, write_atomic};

/// Maximum number of benches with a history in the report of a run; `cargo lem history` shows all.
const MAX_TRENDS: usize = 100;

/// The base of the comparison, loaded before the measurement.
#[derive(Debug)]
pub(in crate::harness) struct ComparisonBase {
    base: Option<Loaded>,
}

impl ComparisonBase {
    /// Loads the base for benches with these ids.
    ///
    /// # Errors
    /// The settings contradict each other, the base cannot be read, or without `--baseline-lenient` the base or a bench in
    /// it is missing.
    pub fn find(invocation: &Invocation, ids: &[&str]) -> Result<Self, HarnessError> {
        let settings = &invocation.config().comparing;
        check_settings(settings)?;
        let lenient = settings.lenient.as_ref().or(settings.save.as_ref().filter(|_| settings.baseline.is_none()));
        let home = saved::home_of(invocation);
        if let Some(name) = &settings.save {
            // Rejects an invalid name before the measurement.
            baseline(&home, name)?;
        }
        let base = match (&settings.baseline, lenient) {
            (Some(name), _) => Some(required_baseline(invocation, &home, name, ids)?),
            (None, Some(name)) => {
                let found = baseline(&home, name)?;
                let exists = found.is_some();
                let found = found.and_then(|found| comparable(found, invocation));
                if found.is_none() && settings.lenient.is_some() {
                    let missing = if exists {
                        format!("baseline `{name}` has no result of {}", invocation.bench_target())
                    } else {
                        format!("no baseline `{name}`{}", existing_baselines(&home, name))
                    };
                    console::warn(&format!("{missing}: the run is not compared"));
                }
                found
            }
            (None, None) => None,
        };
        Ok(Self { base })
    }

    /// With `--load-baseline`, compares a saved baseline instead of measuring, and returns the exit code.
    ///
    /// # Errors
    /// There is no such baseline.
    pub fn without_measuring(&self, invocation: &Invocation) -> Result<Option<ExitStatus>, HarnessError> {
        let Some(name) = &invocation.config().comparing.load else { return Ok(None) };
        let home = saved::home_of(invocation);
        let new = baseline(&home, name)?.ok_or_else(|| missing_baseline(&home, "--load-baseline", name))?;
        let new = comparable(new, invocation).ok_or_else(|| {
            let target = invocation.bench_target();
            HarnessError::usage(format!(
                "--load-baseline: baseline `{name}` has no result of {target}: save one with --save-baseline {name}"
            ))
        })?;
        let base = self.base.as_ref().ok_or_else(|| HarnessError::usage("--load-baseline needs --baseline"))?;
        let compared = compare_with_base(invocation, &home, base, new.results())?;
        print_comparison(invocation.config(), &compared)?;
        Ok(Some(exit_status(&compared)))
    }

    /// Compares the results of this run; `None` without a base.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn compare(
        &self,
        invocation: &Invocation,
        home: &Home,
        summary: &Summary,
    ) -> Result<Option<Comparison>, HarnessError> {
        let new = Results { name: &summary.run.run_id, summaries: std::slice::from_ref(summary) };
        self.base.as_ref().map(|base| compare_with_base(invocation, home, base, new)).transpose()
    }
}

/// Adds the results to the history, writes comparison and history pages, and saves the baseline.
///
/// `is_complete` is true if `summary` contains all benches of the run.
///
/// # Errors
/// The history cannot be read, or a file cannot be written.
pub(in crate::harness) fn finish(
    invocation: &Invocation,
    home: &Home,
    folder: &Path,
    (summary, is_complete): (&Summary, bool),
    compared: Option<&Comparison>,
) -> Result<ExitStatus, HarnessError> {
    let config = invocation.config();
    let mut status = ExitStatus::Done;
    if let Some(comparison) = compared {
        save_comparison(folder, comparison, &config.exports)?;
        if config.format != Format::Json {
            console::out("\n");
        }
        print_comparison(config, comparison)?;
        status = exit_status(comparison);
    } else if config.comparing.gate.fail_on.is_some() {
        console::warn("nothing to compare with: the gate neither passed nor failed");
    }
    let completed = Summary {
        benches: summary.benches.iter().filter(|bench| bench.ended == Some(Outcome::Completed)).cloned().collect(),
        ..summary.clone()
    };
    let results = session_results(&completed);
    let is_first = home.is_removed_by_clean() && is_first_saved(home, config.comparing.save.is_some());
    History::append(home, &results)?;
    // The index of a part of the run must not replace that of the complete run.
    if is_complete {
        let trends = sessions_of(home, &results)?;
        if compared.is_some() || !trends.is_empty() {
            pages::write_linked(folder, summary, LinkedPages { compared, trends: &trends })?;
        }
    }
    if let Some(name) = &config.comparing.save {
        save_baseline(home, name, config, &completed)?;
    }
    if is_first && !config.is_quiet() {
        console::note(&format!(
            "`cargo clean` removes baselines and history in {}: to keep them, set LEM_BENCH_HOME or `output-dir` in \
             lem-bench.toml",
            home.path().display()
        ));
    }
    Ok(status)
}

/// Returns whether the history, or with `saves_baseline` the first baseline, is still to be created.
fn is_first_saved(home: &Home, saves_baseline: bool) -> bool {
    let has_baselines = || Baseline::list(home).is_ok_and(|(found, _)| !found.is_empty());
    !History::file(home).exists() || (saves_baseline && !has_baselines())
}

/// Returns the history of the benches in these results that have more than one session.
fn sessions_of(home: &Home, results: &[SessionResult]) -> Result<Vec<Trend>, HarnessError> {
    let results = &results[..results.len().min(MAX_TRENDS)];
    let mut lines = History::read(home)?.lines;
    lines.retain(|line| results.iter().any(|result| is_same_series(result, line)));
    Ok(trends(&lines).into_iter().filter(|trend| trend.sessions.len() > 1).collect())
}

fn compare_with_base(
    invocation: &Invocation,
    home: &Home,
    base: &Loaded,
    new: Results<'_>,
) -> Result<Comparison, HarnessError> {
    let config = invocation.config();
    let context = ComparisonContext::read(home, base)?;
    let options = compare_options(config, context.prior);
    Ok(compare(base.results(), new, &context.history, &options, config.comparing.gate))
}

fn check_settings(settings: &Comparing) -> Result<(), HarnessError> {
    if settings.baseline.is_some() && settings.lenient.is_some() {
        return Err(HarnessError::usage("--baseline and --baseline-lenient exclude each other: use one of them"));
    }
    if settings.load.is_some() && settings.save.is_some() {
        return Err(HarnessError::usage("--load-baseline and --save-baseline exclude each other: nothing is measured"));
    }
    if settings.load.is_some() && settings.baseline.is_none() && settings.lenient.is_none() {
        return Err(HarnessError::usage("--load-baseline needs --baseline NAME"));
    }
    Ok(())
}

/// Returns the results that this bench target can be compared with: its own, or all with `--compare-anyway`.
fn comparable(found: Loaded, invocation: &Invocation) -> Option<Loaded> {
    if invocation.config().comparing.options.anyway { Some(found) } else { found.of_target(&invocation.bench_target()) }
}

/// Loads a baseline that must exist and contain all of these benches.
fn required_baseline(invocation: &Invocation, home: &Home, name: &str, ids: &[&str]) -> Result<Loaded, HarnessError> {
    let found = baseline(home, name)?.ok_or_else(|| missing_baseline(home, "--baseline", name))?;
    let found = comparable(found, invocation).ok_or_else(|| no_result(name, &invocation.bench_target().to_string()))?;
    let missing_ids: Vec<&str> = ids.iter().copied().filter(|id| !found.has(id)).collect();
    if missing_ids.is_empty() { Ok(found) } else { Err(no_result(name, &missing_ids.join(", "))) }
}

fn no_result(name: &str, of: &str) -> HarnessError {
    HarnessError::usage(format!(
        "baseline `{name}` has no result of {of}: save it again with --save-baseline {name}, or compare what it has with \
         --baseline-lenient {name}"
    ))
}

fn missing_baseline(home: &Home, option: &str, name: &str) -> HarnessError {
    let existing = existing_baselines(home, name);
    HarnessError::usage(format!(
        "{option}: no baseline `{name}`{existing} in {}; create it with --save-baseline {name}",
        home.path().display()
    ))
}

fn save_baseline(home: &Home, name: &str, config: &Config, summary: &Summary) -> Result<(), HarnessError> {
    let benches: Vec<String> = summary.benches.iter().map(|bench| bench.bench.id.clone()).collect();
    if benches.is_empty() {
        console::warn(&format!("baseline `{name}` was not saved: no bench completed"));
        return Ok(());
    }
    let json = serde_json::to_vec(summary)
        .map_err(|error| HarnessError::machine(format!("cannot serialize the summary: {error}")))?;
    let target = summary.run.bench_target();
    let run = BaselineRun { run_id: &summary.run.run_id, target: &target, benches: &benches, json: &json };
    Baseline::save(home, name, &run, unix_s())?;
    if !config.is_quiet() {
        console::note(&format!("saved {} as baseline `{name}`", count_of(benches.len(), "bench")));
    }
    Ok(())
}

// Duels.

/// A measured side of a duel.
#[derive(Debug)]
pub(in crate::harness) struct DuelBuild {
    /// `base`, `head` or `null`.
    pub name: &'static str,
    /// The summary of its run.
    pub summary: Summary,
    /// The file in the run's folder that a user should open.
    pub page: PathBuf,
}

/// The result of a duel.
#[derive(Debug, Serialize)]
pub(in crate::harness) struct DuelResult {
    /// Head against base; `None` when there was no head.
    comparison: Option<Comparison>,
    /// Base against itself; `None` when it was not requested.
    null: Option<NullTest>,
}

impl DuelResult {
    /// Judges the summaries of the sides.
    pub fn judge(config: &Config, sides: &[DuelBuild]) -> Self {
        let find_side = |name: &str| sides.iter().find(|side| side.name == name).map(|side| &side.summary);
        let pairs = |new: &Summary| -> Vec<PairedBench> {
            let Some(base) = find_side("base") else { return Vec::new() };
            let find_bench = |id: &str| base.benches.iter().find(|bench| bench.bench.id == id);
            new.benches.iter().filter_map(|bench| PairedBench::of(find_bench(&bench.bench.id)?, bench)).collect()
        };
        // Pairs are of one session, so the spread between sessions does not matter.
        let options = compare_options(config, Prior::default());
        let comparison = find_side("base").zip(find_side("head")).map(|(base, head)| {
            let side =
                |name: &str, summary: &Summary| Results { name, summaries: std::slice::from_ref(summary) }.side();
            compare_pairs(side("base", base), side("head", head), &pairs(head), &options, config.comparing.gate)
        });
        let null = find_side("null").map(|null| NullTest::of(&pairs(null), &options.criteria, config.seed));
        Self { comparison, null }
    }

    /// Writes the result to the folder of the judged side, and adds it to that side's pages.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn save(&self, config: &Config, sides: &[DuelBuild]) -> Result<(), HarnessError> {
        let Some(judged) = sides.iter().find(|side| side.name == "head").or(sides.last()) else { return Ok(()) };
        let Some(folder) = judged.page.parent() else { return Ok(()) };
        write_atomic(&folder.join("duel.json"), self.json()?.as_bytes())?;
        match &self.comparison {
            Some(comparison) => {
                save_comparison(folder, comparison, &config.exports)?;
                let linked = LinkedPages { compared: Some(comparison), trends: &[] };
                pages::write_linked(folder, &judged.summary, linked)
            }
            None => Ok(()),
        }
    }

    /// The exit code.
    pub fn exit(&self) -> ExitStatus {
        self.comparison.as_ref().map_or(ExitStatus::Done, exit_status)
    }

    /// Prints the result on stdout.
    ///
    /// # Errors
    /// The result cannot be serialized.
    pub fn print(&self, config: &Config) -> Result<(), HarnessError> {
        if config.format == Format::Json {
            console::out(&format!("{}\n", self.json()?));
            return Ok(());
        }
        self.comparison.as_ref().map_or(Ok(()), |comparison| print_comparison(config, comparison))?;
        if let Some(null) = &self.null {
            console::out(&null_text(null));
        }
        Ok(())
    }

    /// The result as JSON on one line.
    ///
    /// # Errors
    /// The result cannot be serialized.
    pub fn json(&self) -> Result<String, HarnessError> {
        serde_json::to_string(self)
            .map_err(|error| HarnessError::machine(format!("cannot serialize the duel: {error}")))
    }
}

fn null_text(null: &NullTest) -> String {
    let alarms = match null.alarms.as_slice() {
        [] => "no false alarms".to_owned(),
        some => format!("false alarms for {}", some.join(", ")),
    };
    let rate = null.alarm_rate.map(|rate| {
        let swaps = null.relabelled;
        format!("; false alarms in {:.1} % of the {swaps} ways to swap the sides of pairs", 100.0 * rate)
    });
    format!("\nNull test, base against itself: {} judged, {alarms}{}\n", null.benches, rate.unwrap_or_default())
}
