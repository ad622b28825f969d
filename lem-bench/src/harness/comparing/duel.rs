//! What a duel came to: the verdicts, the null test, and how they are shown and kept.
//!
//! Must not know how anything was measured.

use serde::Serialize;

use super::known::options;
use super::said::{exit, keep, tell};
use crate::analysis::Summary;
use crate::analysis::compare::{Comparison, NullTest, PairedBench, Prior, Results, compare_pairs};
use crate::harness::config::{Config, Format};
use crate::harness::console;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::measure::DuelBuild;
use crate::harness::pages::{self, LinkedPages};
use crate::store::write_atomic;

/// What a duel came to.
#[derive(Debug, Serialize)]
pub(in crate::harness) struct Judged {
    /// Head against base; `None` when there was no head.
    comparison: Option<Comparison>,
    /// Base against itself; `None` when it was not asked for.
    null: Option<NullTest>,
}

impl Judged {
    /// Judges the summaries of the sides.
    pub(in crate::harness) fn of(config: &Config, sides: &[DuelBuild]) -> Self {
        let find = |wanted: &str| sides.iter().find(|side| side.name == wanted).map(|side| &side.summary);
        let pairs = |new: &Summary| -> Vec<PairedBench> {
            let Some(base) = find("base") else { return Vec::new() };
            let of = |id: &str| base.benches.iter().find(|bench| bench.bench.id == id);
            new.benches.iter().filter_map(|bench| PairedBench::of(of(&bench.bench.id)?, bench)).collect()
        };
        // Pairs are of one session: what is known of others plays no part.
        let options = options(config, Prior::default());
        let comparison = find("base").zip(find("head")).map(|(base, head)| {
            let side =
                |name: &str, summary: &Summary| Results { name, summaries: std::slice::from_ref(summary) }.side();
            compare_pairs(side("base", base), side("head", head), &pairs(head), &options, config.comparing.gate)
        });
        let null = find("null").map(|null| NullTest::of(&pairs(null), &options.criteria, config.seed));
        Self { comparison, null }
    }

    /// Writes it into the folder of the side that was judged, whose index and page of the comparison then say it too.
    ///
    /// # Errors
    /// It can't be written.
    pub(in crate::harness) fn keep(&self, config: &Config, sides: &[DuelBuild]) -> Result<(), HarnessError> {
        let Some(judged) = sides.iter().find(|side| side.name == "head").or(sides.last()) else { return Ok(()) };
        let Some(folder) = judged.page.parent() else { return Ok(()) };
        write_atomic(&folder.join("duel.json"), self.json()?.as_bytes())?;
        match &self.comparison {
            Some(comparison) => {
                keep(folder, comparison, &config.exports)?;
                let beside = LinkedPages { compared: Some(comparison), trends: &[] };
                pages::write_linked(folder, &judged.summary, beside)
            }
            None => Ok(()),
        }
    }

    /// The exit code that it calls for.
    pub(in crate::harness) fn exit(&self) -> ExitStatus {
        self.comparison.as_ref().map_or(ExitStatus::Done, exit)
    }

    /// Says it on stdout.
    ///
    /// # Errors
    /// It can't be put into JSON.
    pub(in crate::harness) fn tell(&self, config: &Config) -> Result<(), HarnessError> {
        if config.format == Format::Json {
            console::out(&format!("{}\n", self.json()?));
            return Ok(());
        }
        self.comparison.as_ref().map_or(Ok(()), |comparison| tell(config, comparison))?;
        if let Some(null) = &self.null {
            console::out(&null_text(null));
        }
        Ok(())
    }

    /// It in JSON, on one line.
    ///
    /// # Errors
    /// It can't be put into JSON.
    pub(in crate::harness) fn json(&self) -> Result<String, HarnessError> {
        serde_json::to_string(self)
            .map_err(|error| HarnessError::machine(format!("the duel can't be put into JSON: {error}")))
    }
}

fn null_text(null: &NullTest) -> String {
    let alarms = match null.alarms.as_slice() {
        [] => "none of them called changed".to_owned(),
        some => format!("false alarms for {}", some.join(", ")),
    };
    let rate = null.alarm_rate.map(|rate| {
        let ways = null.relabelled;
        format!("; false alarms in {:.1} % of {ways} ways of swapping the sides of pairs", 100.0 * rate)
    });
    format!("\nNull test, base against itself: {} judged, {alarms}{}\n", null.benches, rate.unwrap_or_default())
}
