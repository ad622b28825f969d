//! Loads the sides of a comparison, and the history and session spread that apply to them.

use std::path::Path;

use crate::analysis::compare::{CompareOptions, Comparison, GateOutcome, Prior, Results, Verdict, machine};
use crate::analysis::{RunInfo, Summary};
use crate::harness::config::{Config, Format};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::parse::suggest;
use crate::harness::{console, joint, saved};
use crate::model::{BenchTarget, SessionResult};
use crate::report::comparison::{COMPARISON_JSON, ComparisonFormat};
use crate::report::console::{TableOptions, comparison};
use crate::store::{Baseline, History, Home, MachineSpreads, StoreError};

/// A loaded side.
#[derive(Debug)]
pub(in crate::harness) struct Loaded {
    /// The name that the user gave.
    name: String,
    /// The runs, each with the benches that belong to the side.
    pub summaries: Vec<Summary>,
}

impl Loaded {
    /// Returns the input of the comparison.
    pub fn results(&self) -> Results<'_> {
        Results { name: &self.name, summaries: &self.summaries }
    }

    /// Returns the run that describes the side: its only one, or what several have in common; `None` without runs.
    pub fn run(&self) -> Option<RunInfo> {
        match self.summaries.as_slice() {
            [only] => Some(only.run.clone()),
            several => Summary::joint(several.to_vec()).map(|joint| joint.run),
        }
    }

    /// Returns only the results that can be of this bench target; `None` if there are none.
    pub fn of_target(mut self, target: &BenchTarget) -> Option<Self> {
        self.summaries.retain(|summary| summary.run.bench_target().may_be(target));
        (!self.summaries.is_empty()).then_some(self)
    }

    /// Returns whether the side has a bench with this id.
    pub fn has(&self, id: &str) -> bool {
        self.summaries.iter().flat_map(|summary| &summary.benches).any(|bench| bench.bench.id == id)
    }
}

/// Loads a baseline; `None` if no baseline has this name.
///
/// # Errors
/// The name is not valid, or the baseline cannot be read.
pub(in crate::harness) fn baseline(home: &Home, name: &str) -> Result<Option<Loaded>, HarnessError> {
    let found = Baseline::find(home, name).map_err(|error| match error {
        StoreError::BadBaselineName { .. } => HarnessError::usage(HarnessError::from(error).to_string()),
        _ => HarnessError::from(error),
    })?;
    let Some(found) = found else { return Ok(None) };
    let mut summaries = Vec::new();
    for run in found.runs() {
        let file = found.summary_file(run);
        let mut summary = saved::summary(&file)?;
        let ids = found.benches_of(run);
        summary.benches.retain(|bench| ids.contains(&bench.bench.id.as_str()));
        summaries.push(summary);
    }
    Ok(Some(Loaded { name: name.to_owned(), summaries }))
}

/// Loads the saved results or the baseline with this name.
///
/// # Errors
/// There are none, or they cannot be read.
pub(in crate::harness) fn saved_or_baseline(home: &Home, cwd: &Path, name: &str) -> Result<Loaded, HarnessError> {
    // Those of several bench targets stay apart: each is compared with its own target.
    let found = match name {
        joint::ALL => joint::load(home, &|_| ()),
        _ => saved::load(name, home, cwd, &|_| ()).map(|saved| vec![saved]),
    };
    match found {
        Ok(found) => {
            for damage in found.iter().flat_map(|saved| &saved.damage) {
                console::warn(damage);
            }
            let summaries = found.into_iter().map(|saved| saved.summary).collect();
            Ok(Loaded { name: name.to_owned(), summaries })
        }
        Err(not_found) if not_found.status() == ExitStatus::NoMatch => match baseline(home, name)? {
            Some(loaded) => Ok(loaded),
            None => Err(HarnessError::no_match(format!(
                "{not_found}; there is also no baseline with this name{}",
                existing_baselines(home, name)
            ))),
        },
        Err(other) => Err(other),
    }
}

/// Returns the baseline whose name is similar, else all, for a message about a missing one.
pub(in crate::harness) fn existing_baselines(home: &Home, name: &str) -> String {
    let names: Vec<String> = match Baseline::list(home) {
        Ok((found, _)) => found.iter().map(|baseline| baseline.manifest().name.clone()).collect(),
        Err(_) => Vec::new(),
    };
    if let Some(meant) = suggest(name, names.iter().map(String::as_str)) {
        return format!(" (did you mean `{meant}`?)");
    }
    let listed: Vec<String> = names.iter().take(10).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        " (there are no baselines)".to_owned()
    } else {
        format!(" (existing: {})", listed.join(", "))
    }
}

/// History and session spread for a comparison.
#[derive(Debug, Default)]
pub(in crate::harness) struct ComparisonContext {
    /// Sessions of the history.
    pub history: Vec<SessionResult>,
    /// Assumed session spread.
    pub prior: Prior,
}

impl ComparisonContext {
    /// Reads history and session spread for the machine of the base. Prints warnings for damaged lines.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(home: &Home, base: &Loaded) -> Result<Self, HarnessError> {
        let history = History::read(home)?;
        for damage in &history.damage {
            console::warn(&format!("{}: {damage}", history.path.display()));
        }
        let spreads = MachineSpreads::read(home)?;
        let run = base.summaries.last().map(|summary| machine(&summary.run));
        let spread = run.and_then(|machine| spreads.machines.get(&machine).cloned());
        let prior =
            spread.map_or_else(Prior::default, |spread| Prior { s0: spread.s0, d0: spread.d0, calibrated: true });
        Ok(Self { history: history.lines, prior })
    }
}

/// Returns the options of a comparison, with the session spread of the machine.
pub(in crate::harness) fn compare_options(config: &Config, prior: Prior) -> CompareOptions {
    let mut options = config.comparing.options.clone();
    options.criteria.level = config.analysis.level;
    options.prior = prior;
    options
}

/// Prints a comparison on stdout.
///
/// # Errors
/// It cannot be serialized.
pub(in crate::harness) fn print_comparison(config: &Config, compared: &Comparison) -> Result<(), HarnessError> {
    if config.format == Format::Json {
        console::out(&format!("{}\n", json(compared)?));
        return Ok(());
    }
    let color = console::Paint::of_stdout(config.color).is_on();
    console::out(&comparison(compared, &TableOptions { width: console::stdout_width(), color }));
    Ok(())
}

/// Serializes a comparison as one line of JSON.
///
/// # Errors
/// It cannot be serialized.
fn json(compared: &Comparison) -> Result<String, HarnessError> {
    serde_json::to_string(compared)
        .map_err(|error| HarnessError::machine(format!("cannot serialize the comparison: {error}")))
}

/// Writes a comparison to the folder of the head's run: as JSON, and in the requested formats that exist for comparisons.
///
/// # Errors
/// A file cannot be written.
pub(super) fn save_comparison(folder: &Path, compared: &Comparison, exports: &[&str]) -> Result<(), HarnessError> {
    saved::write_comparison(&COMPARISON_JSON, compared, folder)?;
    for format in exports.iter().filter_map(|name| ComparisonFormat::named(name)) {
        saved::write_comparison(format, compared, folder)?;
    }
    Ok(())
}

/// Returns the exit code of a comparison. Without a gate, it is a failure only if no bench could be compared.
pub(in crate::harness) fn exit_status(compared: &Comparison) -> ExitStatus {
    match compared.gate.outcome {
        GateOutcome::Passed | GateOutcome::Withheld => ExitStatus::Done,
        GateOutcome::Failed => ExitStatus::Regressed,
        GateOutcome::Unusable => ExitStatus::Invalid,
        GateOutcome::NotAsked => {
            let nothing = compared.benches.iter().all(|bench| bench.verdict == Verdict::Invalid);
            if nothing && !compared.benches.is_empty() { ExitStatus::Invalid } else { ExitStatus::Done }
        }
    }
}
