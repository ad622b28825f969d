//! Compares two scenarios repeatedly: with a saved baseline, with a history, or in a duel.

use lem_bench::__private::analysis::compare::{
    BenchComparison, CompareOptions, GateRules, PairedBench, Results, Verdict, compare, paired, session_results,
};
use lem_bench::__private::analysis::{Options, summarise};
use lem_bench::__private::harness::{SimulationOptions, simulate, simulate_duel};
use lem_bench::__private::model::{Record, SessionResult};
use lem_bench::__private::sim::{Scenario, Seeds, Truth};
use lem_bench::summary::Summary;

use super::measure::windows;
use super::report::RunReport;

/// What the second scenario is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// A saved baseline, and earlier sessions of the first scenario.
    Baseline {
        /// The number of earlier sessions.
        history: u64,
    },
    /// The other side of a duel.
    Paired,
}

/// Two scenarios to compare.
#[derive(Debug, Clone)]
pub(crate) struct ComparedScenarios<'a> {
    pub(crate) base: &'a Scenario,
    pub(crate) new: &'a Scenario,
    /// The truth of the base.
    pub(crate) truth: &'a Truth,
    pub(crate) against: Against,
    pub(crate) options: &'a SimulationOptions,
}

/// One run: the report of the base, and its comparison with the new result.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) base: RunReport,
    pub(crate) bench: BenchComparison,
}

impl ComparedScenarios<'_> {
    /// Makes run number `run`. Each of its sessions has a different number.
    pub(crate) fn run(&self, run: u64) -> Result<Compared, String> {
        match self.against {
            Against::Paired => self.duel(run),
            Against::Baseline { history } => self.sessions(run, history),
        }
    }

    fn duel(&self, run: u64) -> Result<Compared, String> {
        let options = seeded(self.options, run);
        let duel = simulate_duel(self.base, self.new, Seeds { run, bench: 0 }, &options).map_err(|e| e.to_string())?;
        let summaries = [summary(duel.base)?, summary(duel.new)?];
        let [Some(base), Some(new)] = summaries.each_ref().map(|summary| summary.benches.first()) else {
            return Err("the duel measured nothing".to_owned());
        };
        let pairs = PairedBench::of(base, new).ok_or("the duel has no energy per unit of work")?;
        let bench = paired(&pairs, &CompareOptions::default().criteria);
        Ok(Compared { base: RunReport::new(run, base, &[], duel.virtual_s, self.truth), bench })
    }

    fn sessions(&self, run: u64, history: u64) -> Result<Compared, String> {
        let first = run * (history + 2);
        let mut past: Vec<SessionResult> = Vec::new();
        for session in first..first + history {
            past.extend(session_results(&self.session(self.base, session)?));
        }
        let options = seeded(self.options, first + history);
        let seeds = Seeds { run: first + history, bench: 0 };
        let measured = simulate(self.base, seeds, &options).map_err(|e| e.to_string())?;
        let windows = windows(&measured.records, &measured.machine);
        let virtual_s = measured.virtual_s;
        let base = dated(summary(measured.records)?, first + history);
        let new = self.session(self.new, first + history + 1)?;
        let side = |name, summary| Results { name, summaries: std::slice::from_ref(summary) };
        let options = CompareOptions::default();
        let comparison = compare(side("base", &base), side("new", &new), &past, &options, GateRules::default());
        let bench = comparison.benches.into_iter().next().ok_or("there is nothing to compare")?;
        let report = RunReport::new(run, &base.benches[0], &windows, virtual_s, self.truth);
        Ok(Compared { base: report, bench })
    }

    fn session(&self, scenario: &Scenario, session: u64) -> Result<Summary, String> {
        let options = seeded(self.options, session);
        let measured = simulate(scenario, Seeds { run: session, bench: 0 }, &options).map_err(|e| e.to_string())?;
        Ok(dated(summary(measured.records)?, session))
    }
}

fn seeded(options: &SimulationOptions, session: u64) -> SimulationOptions {
    SimulationOptions { seed: options.seed.wrapping_add(session), ..*options }
}

/// A comparison uses default intervals only, so a few resamples are enough for the others.
fn summary(records: Vec<Record>) -> Result<Summary, String> {
    let analysis = Options { resamples: 20, threads: Some(1), ..Options::default() };
    summarise(&[records], &analysis).map_err(|e| e.to_string())
}

/// Gives a session's result a name and a date: one session per day.
fn dated(mut summary: Summary, session: u64) -> Summary {
    summary.run.run_id = format!("simulated-{session}");
    summary.run.started_unix_s = 86_400.0 * session as f64;
    summary
}

/// Verdicts, changes and intervals of all runs.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Each verdict, and whether a change was suspected.
    judged: Vec<(Verdict, bool)>,
    covers: Vec<bool>,
    changes_pct: Vec<f64>,
    detectable_pct: Vec<f64>,
}

impl Verdicts {
    /// Adds a run whose true change is `true_change_pct`.
    pub(crate) fn add(&mut self, bench: &BenchComparison, true_change_pct: f64) {
        self.judged.push((bench.verdict, bench.suspected.is_some()));
        if let Some(change) = bench.change {
            self.covers.push(change.low <= true_change_pct && true_change_pct <= change.high);
            self.changes_pct.push(change.percent);
        }
        self.detectable_pct.extend(bench.detectable_pct);
    }

    /// The share of runs with this verdict.
    pub(crate) fn share(&self, verdict: Verdict) -> f64 {
        let count = self.judged.iter().filter(|(other, _)| *other == verdict).count();
        count as f64 / self.judged.len().max(1) as f64
    }

    /// The share of runs with a suspected change.
    pub(crate) fn suspected(&self) -> f64 {
        self.judged.iter().filter(|(_, suspected)| *suspected).count() as f64 / self.judged.len().max(1) as f64
    }

    /// The share of intervals that cover the true change.
    pub(crate) fn coverage(&self) -> f64 {
        self.covers.iter().filter(|covers| **covers).count() as f64 / self.covers.len().max(1) as f64
    }

    /// The mean change, percent.
    pub(crate) fn mean_change_pct(&self) -> Option<f64> {
        mean(&self.changes_pct)
    }

    /// The median of the stated detectable changes, percent.
    pub(crate) fn detectable_pct(&self) -> Option<f64> {
        let mut sorted = self.detectable_pct.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The change of the truth from one scenario to the other, percent.
pub(crate) fn true_change_pct(base: &Truth, new: &Truth) -> f64 {
    100.0 * (new.j_per_output_token / base.j_per_output_token - 1.0)
}
