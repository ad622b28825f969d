//! Comparing as a part of bench mode: the base is found before anything is measured; afterwards the result is compared,
//! put into the history and saved.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::base::{Loaded, baseline, there_are};
use super::known::{Known, options};
use super::said::{exit, keep, tell};
use crate::analysis::Summary;
use crate::analysis::compare::{Comparison, Results, Trend, compare, session_results, trends};
use crate::harness::config::{Comparing, Config, Format};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::Invocation;
use crate::harness::pages::{self, LinkedPages};
use crate::harness::{console, results_home};
use crate::model::{Outcome, SessionResult};
use crate::store::{Baseline, BaselineRun, History, Home};

/// Benches of one run whose sessions its report shows; `cargo lem history` shows those of any.
const MOST_TRENDS: usize = 100;

/// What is compared with, found before anything is measured.
#[derive(Debug)]
pub(in crate::harness) struct Prepared {
    base: Option<Loaded>,
}

impl Prepared {
    /// Finds the base that benches of these ids are to be compared with.
    ///
    /// # Errors
    /// The settings contradict each other; the base, or a bench in it, is missing and was not asked for leniently; it
    /// can't be read.
    pub(in crate::harness) fn find(call: &Invocation, ids: &[&str]) -> Result<Self, HarnessError> {
        let asked = &call.config().comparing;
        check(asked)?;
        let lenient = asked.lenient.as_ref().or(asked.save.as_ref().filter(|_| asked.baseline.is_none()));
        let home = results_home::resolve(call);
        if let Some(name) = &asked.save {
            // A name that can't be one is found out now, not when everything is measured.
            baseline(&home, name)?;
        }
        let base = match (&asked.baseline, lenient) {
            (Some(name), _) => Some(strict(&home, name, ids)?),
            (None, Some(name)) => {
                let found = baseline(&home, name)?;
                if found.is_none() && asked.lenient.is_some() {
                    let saved = there_are(&home);
                    console::warn(&format!("there is no baseline `{name}`{saved}: nothing is compared"));
                }
                found
            }
            (None, None) => None,
        };
        Ok(Self { base })
    }

    /// With `--load-baseline` nothing is measured: compares it and says how that ended.
    ///
    /// # Errors
    /// There is no such baseline.
    pub(in crate::harness) fn without_measuring(&self, call: &Invocation) -> Result<Option<ExitStatus>, HarnessError> {
        let Some(name) = &call.config().comparing.load else { return Ok(None) };
        let home = results_home::resolve(call);
        let new = baseline(&home, name)?.ok_or_else(|| missing(&home, "--load-baseline", name))?;
        let base = self.base.as_ref().ok_or_else(|| HarnessError::usage("--load-baseline needs --baseline"))?;
        let compared = self::compared(call, &home, base, new.results())?;
        tell(call.config(), &compared)?;
        Ok(Some(exit(&compared)))
    }

    /// Compares what was measured; nothing where there is nothing to compare it with.
    ///
    /// # Errors
    /// What is known beside the two can't be read.
    pub(in crate::harness) fn compare(
        &self,
        call: &Invocation,
        home: &Home,
        summary: &Summary,
    ) -> Result<Option<Comparison>, HarnessError> {
        let new = Results { name: &summary.run.run_id, summaries: std::slice::from_ref(summary) };
        self.base.as_ref().map(|base| compared(call, home, base, new)).transpose()
    }
}

/// Adds what was measured to the history, writes what came of comparing it and how its benches went from session to
/// session, and keeps it under a name; `whole` where `summary` holds all benches of the run.
///
/// # Errors
/// The history can't be read, or something not be written.
pub(in crate::harness) fn conclude(
    call: &Invocation,
    home: &Home,
    folder: &Path,
    (summary, whole): (&Summary, bool),
    compared: Option<&Comparison>,
) -> Result<ExitStatus, HarnessError> {
    let config = call.config();
    let mut ended = ExitStatus::Done;
    if let Some(comparison) = compared {
        keep(folder, comparison, &config.exports)?;
        if config.format != Format::Json {
            console::out("\n");
        }
        tell(config, comparison)?;
        ended = exit(comparison);
    } else if config.comparing.gate.fail_on.is_some() {
        console::warn("there is nothing to compare with, so that the gate neither failed nor passed");
    }
    let complete = Summary {
        benches: summary.benches.iter().filter(|bench| bench.ended == Some(Outcome::Completed)).cloned().collect(),
        ..summary.clone()
    };
    let results = session_results(&complete);
    History::append(home, &results)?;
    // An index of a part of the run must not take the place of the whole one's.
    if whole {
        let trends = sessions_of(home, &results)?;
        if compared.is_some() || !trends.is_empty() {
            pages::write_linked(folder, summary, LinkedPages { compared, trends: &trends })?;
        }
    }
    if let Some(name) = &config.comparing.save {
        save(home, name, config, &complete)?;
    }
    Ok(ended)
}

/// How the benches of these results went from session to session, of those that have more than this one.
fn sessions_of(home: &Home, results: &[SessionResult]) -> Result<Vec<Trend>, HarnessError> {
    let history = History::read(home)?;
    let key = |s: &SessionResult| (s.target.clone(), s.bench.clone(), s.machine.clone(), s.branch.clone());
    let wanted: BTreeSet<_> = results.iter().take(MOST_TRENDS).map(key).collect();
    let lines: Vec<SessionResult> = history.lines.into_iter().filter(|line| wanted.contains(&key(line))).collect();
    Ok(trends(&lines).into_iter().filter(|trend| trend.sessions.len() > 1).collect())
}

fn compared(call: &Invocation, home: &Home, base: &Loaded, new: Results<'_>) -> Result<Comparison, HarnessError> {
    let config = call.config();
    let known = Known::read(home, base)?;
    let options = options(config, known.prior);
    Ok(compare(base.results(), new, &known.history, &options, config.comparing.gate))
}

fn check(asked: &Comparing) -> Result<(), HarnessError> {
    if asked.baseline.is_some() && asked.lenient.is_some() {
        return Err(HarnessError::usage(
            "--baseline and --baseline-lenient both name what to compare with: give one of them",
        ));
    }
    if asked.load.is_some() && asked.save.is_some() {
        return Err(HarnessError::usage("--load-baseline measures nothing that --save-baseline could save"));
    }
    if asked.load.is_some() && asked.baseline.is_none() && asked.lenient.is_none() {
        return Err(HarnessError::usage("--load-baseline needs --baseline NAME, to compare it with"));
    }
    Ok(())
}

/// The base that must be there, with all of these benches.
fn strict(home: &Home, name: &str, ids: &[&str]) -> Result<Loaded, HarnessError> {
    let found = baseline(home, name)?.ok_or_else(|| missing(home, "--baseline", name))?;
    let lacking: Vec<&str> = ids.iter().copied().filter(|id| !found.has(id)).collect();
    if lacking.is_empty() {
        return Ok(found);
    }
    Err(HarnessError::usage(format!(
        "baseline `{name}` has no result of {}: save it again with --save-baseline {name}, or compare what there is with \
         --baseline-lenient {name}",
        lacking.join(", ")
    )))
}

fn missing(home: &Home, option: &str, name: &str) -> HarnessError {
    let saved = there_are(home);
    HarnessError::usage(format!(
        "{option}: there is no baseline `{name}`{saved} in {}; --save-baseline {name} makes it",
        home.path().display()
    ))
}

fn save(home: &Home, name: &str, config: &Config, summary: &Summary) -> Result<(), HarnessError> {
    let benches: Vec<String> = summary.benches.iter().map(|bench| bench.bench.id.clone()).collect();
    if benches.is_empty() {
        console::warn(&format!("nothing is saved as `{name}`: no bench ran to its end"));
        return Ok(());
    }
    let json = serde_json::to_vec(summary)
        .map_err(|error| HarnessError::machine(format!("the summary can't be put into JSON: {error}")))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let run = BaselineRun { run_id: &summary.run.run_id, benches: &benches, json: &json };
    Baseline::save(home, name, &run, now)?;
    if !config.is_quiet() {
        let n = benches.len();
        console::note(&format!("saved {n} bench{} as baseline `{name}`", if n == 1 { "" } else { "es" }));
    }
    Ok(())
}
