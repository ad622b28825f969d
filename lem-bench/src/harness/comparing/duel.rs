//! The result of a duel: verdicts and null test, printed and saved.

use std::path::PathBuf;

use serde::Serialize;

use super::output::{exit_status, print, save};
use super::sides::options;
use crate::analysis::Summary;
use crate::analysis::compare::{Comparison, NullTest, PairedBench, Prior, Results, compare_pairs};
use crate::harness::config::{Config, Format};
use crate::harness::console;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::pages::{self, LinkedPages};
use crate::store::write_atomic;

/// A measured side of a duel.
#[derive(Debug)]
pub(in crate::harness) struct DuelBuild {
    /// `base`, `head` or `null`.
    pub(in crate::harness) name: &'static str,
    /// The summary of its run.
    pub(in crate::harness) summary: Summary,
    /// The file in the run's folder that a user should open.
    pub(in crate::harness) page: PathBuf,
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
    pub(in crate::harness) fn judge(config: &Config, sides: &[DuelBuild]) -> Self {
        let find_side = |name: &str| sides.iter().find(|side| side.name == name).map(|side| &side.summary);
        let pairs = |new: &Summary| -> Vec<PairedBench> {
            let Some(base) = find_side("base") else { return Vec::new() };
            let find_bench = |id: &str| base.benches.iter().find(|bench| bench.bench.id == id);
            new.benches.iter().filter_map(|bench| PairedBench::of(find_bench(&bench.bench.id)?, bench)).collect()
        };
        // Pairs are of one session, so the spread between sessions does not matter.
        let options = options(config, Prior::default());
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
    pub(in crate::harness) fn save(&self, config: &Config, sides: &[DuelBuild]) -> Result<(), HarnessError> {
        let Some(judged) = sides.iter().find(|side| side.name == "head").or(sides.last()) else { return Ok(()) };
        let Some(folder) = judged.page.parent() else { return Ok(()) };
        write_atomic(&folder.join("duel.json"), self.json()?.as_bytes())?;
        match &self.comparison {
            Some(comparison) => {
                save(folder, comparison, &config.exports)?;
                let linked = LinkedPages { compared: Some(comparison), trends: &[] };
                pages::write_linked(folder, &judged.summary, linked)
            }
            None => Ok(()),
        }
    }

    /// The exit code.
    pub(in crate::harness) fn exit(&self) -> ExitStatus {
        self.comparison.as_ref().map_or(ExitStatus::Done, exit_status)
    }

    /// Prints the result on stdout.
    ///
    /// # Errors
    /// The result cannot be serialized.
    pub(in crate::harness) fn print(&self, config: &Config) -> Result<(), HarnessError> {
        if config.format == Format::Json {
            console::out(&format!("{}\n", self.json()?));
            return Ok(());
        }
        self.comparison.as_ref().map_or(Ok(()), |comparison| print(config, comparison))?;
        if let Some(null) = &self.null {
            console::out(&null_text(null));
        }
        Ok(())
    }

    /// The result as JSON on one line.
    ///
    /// # Errors
    /// The result cannot be serialized.
    pub(in crate::harness) fn json(&self) -> Result<String, HarnessError> {
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
