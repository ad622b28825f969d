//! What a duel came to: the verdicts, the null test, and how they are shown and kept.
//!
//! Must not know how anything was measured.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::super::config::{Config, Format};
use super::super::exit::{Exit, Stop};
use super::super::pages;
use super::duel::Duel;
use crate::analysis::Summary;
use crate::analysis::compare::{
    BenchComparison, CompareOptions, Comparison, Direction, FailOn, GateOutcome, GateRules, NullTest, PairedBench,
    Results, compare_pairs,
};
use crate::report::figures::bare;
use crate::store::write_atomic;

/// A side's name, its summary and what a person should open.
type Done = (&'static str, (Summary, PathBuf));

/// What a duel came to.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    /// Head against base; `None` when there was no head.
    pub(super) comparison: Option<Comparison>,
    /// Base against itself; `None` when it was not asked for.
    pub(super) null: Option<NullTest>,
}

impl Judged {
    /// Judges the summaries of the sides.
    pub(super) fn of(duel: &Duel, sides: &[Done], seed: u64) -> Self {
        let find = |wanted: &str| sides.iter().find(|(name, _)| *name == wanted).map(|(_, (summary, _))| summary);
        let pairs = |new: &Summary| -> Vec<PairedBench> {
            let Some(base) = find("base") else { return Vec::new() };
            let of = |id: &str| base.benches.iter().find(|bench| bench.bench.id == id);
            new.benches.iter().filter_map(|bench| PairedBench::of(of(&bench.bench.id)?, bench)).collect()
        };
        let comparison = find("base").zip(find("head")).map(|(base, head)| {
            let side =
                |name: &str, summary: &Summary| Results { name, summaries: std::slice::from_ref(summary) }.side();
            let options = CompareOptions { criteria: duel.criteria, ..CompareOptions::default() };
            let fail_on = duel.fail_on_regression.then_some(FailOn::Regressed);
            let gate = GateRules { fail_on, trust_single_baseline: false, trust_estimates: duel.trust_estimates };
            compare_pairs(side("base", base), side("head", head), &pairs(head), &options, gate)
        });
        let null = find("null").map(|null| NullTest::of(&pairs(null), &duel.criteria, seed));
        Self { comparison, null }
    }

    /// Writes it into the folder of the side that was judged.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn keep(&self, sides: &[Done]) -> Result<(), Stop> {
        let judged = sides.iter().find(|(name, _)| *name == "head").or(sides.last());
        let Some(folder) = judged.and_then(|(_, (_, page))| page.parent()) else { return Ok(()) };
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| Stop::machine(format!("the duel can't be put into JSON: {error}")))?;
        write_atomic(&folder.join("duel.json"), &json).map_err(|error| pages::stop(&error))
    }

    /// The exit code that the gate calls for.
    pub(super) fn exit(&self) -> Exit {
        match self.comparison.as_ref().map(|comparison| comparison.gate.outcome) {
            Some(GateOutcome::Failed) => Exit::Regressed,
            Some(GateOutcome::Unusable) => Exit::Invalid,
            _ => Exit::Done,
        }
    }

    /// What is shown on stdout.
    pub(super) fn text(&self, config: &Config) -> String {
        if config.format == Format::Json {
            // What was just written to a file can be written here.
            return format!("{}\n", serde_json::to_string(self).unwrap_or_default());
        }
        let mut text = String::new();
        // Writing to a `String` does not fail.
        if let Some(comparison) = &self.comparison {
            let _ = writeln!(text, "head against base, threshold {} %", comparison.threshold_pct);
            comparison.benches.iter().for_each(|bench| bench_text(&mut text, bench));
            for note in comparison.notes.iter().chain(&comparison.gate.reasons) {
                let _ = writeln!(text, "  {note}");
            }
        }
        if let Some(null) = &self.null {
            let alarms = match null.alarms.as_slice() {
                [] => "none of them called changed".to_owned(),
                some => format!("false alarms for {}", some.join(", ")),
            };
            let rate = null.alarm_rate.map(|rate| {
                let ways = null.relabelled;
                format!("; false alarms in {:.1} % of {ways} ways of swapping the sides of pairs", 100.0 * rate)
            });
            let n = null.benches;
            let _ = writeln!(text, "null test, base against itself: {n} judged, {alarms}{}", rate.unwrap_or_default());
        }
        text
    }
}

fn bench_text(text: &mut String, bench: &BenchComparison) {
    let value = |value: Option<f64>| bare(value, &bench.unit);
    let estimated = match (bench.is_estimate(), bench.is_simulated()) {
        (true, _) => " (estimated)",
        (_, true) => " (simulated)",
        _ => "",
    };
    let _ = writeln!(text, "{}{estimated}: {}", bench.id, bench.verdict.name());
    let _ = write!(text, "  {}: base {}, head {}", bench.metric, value(bench.base.value), value(bench.new.value));
    if let Some(change) = &bench.change {
        let _ = write!(text, ", {:+.2} % [{:+.2}, {:+.2}]", change.percent, change.low, change.high);
    }
    text.push('\n');
    if let Some(suspected) = bench.suspected {
        let what = match suspected {
            Direction::Regression => "a regression",
            Direction::Improvement => "an improvement",
        };
        let _ = writeln!(text, "  suspected: {what}; more --pairs would tell");
    }
    if let Some(detectable) = bench.detectable_pct {
        let _ =
            writeln!(text, "  with this noise, a worsening of {detectable:.1} % is called so four times out of five");
    }
    for reason in &bench.reasons {
        let _ = writeln!(text, "  {reason}");
    }
}
