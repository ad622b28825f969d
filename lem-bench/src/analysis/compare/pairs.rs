//! Two builds that took turns in one session: the change pair by pair.
//!
//! Must not know how the turns were taken.

use super::comparison::{BenchComparison, Comparison, Design, Measured, Side, Verdict};
use super::judge::{change, judge};
use super::options::{CompareOptions, Criteria, GateRules};
use super::reasons::explain;
use super::sides::{ComparisonDraft, finish};
use crate::analysis::finding::Status;
use crate::analysis::summary::{BenchSummary, CycleSummary};
use crate::model::Source;
use crate::stats::{mean_ci, paired_log};

/// A bench whose two builds took turns.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedBench {
    /// The bench's id.
    pub id: String,
    /// The metric of the pairs: `j_per_output_token`.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// One pair a cycle: the base's value and the new build's, in the order in which they were measured.
    pub pairs: Vec<(f64, f64)>,
    /// How far each side can be trusted: base, new.
    pub status: (Status, Status),
    /// Where the energy comes from.
    pub source: Option<Source>,
}

impl PairedBench {
    /// The pairs of two summaries of one bench whose cycles with one index were measured in turns, over the new side's
    /// headline. Cycles that only one side has are left out; `None` without a headline.
    pub fn of(base: &BenchSummary, new: &BenchSummary) -> Option<Self> {
        let metric = new.headline_metric.clone()?;
        let unit = metric.strip_prefix("j_per_")?;
        let value = |cycle: &CycleSummary| {
            let count = match unit {
                "output_token" => cycle.output_tokens,
                "input_token" => cycle.input_tokens,
                "request" => cycle.requests,
                other => cycle.units.get(other).copied().unwrap_or(0),
            };
            Some(cycle.energy_j?.get() / count as f64)
        };
        let other = |index: u32| base.cycles.iter().find(|cycle| cycle.index == index);
        let pair = |cycle: &CycleSummary| Some((value(other(cycle.index)?)?, value(cycle)?));
        Some(Self {
            id: new.bench.id.clone(),
            unit: new.headline()?.unit.clone(),
            pairs: new.cycles.iter().filter_map(pair).collect(),
            status: (base.status, new.status),
            source: new.source.clone(),
            metric,
        })
    }
}

/// Judges one bench by its pairs, as if it were the only one: a paired t on the logarithms. For several,
/// [`compare_pairs`] judges them together.
pub fn paired(input: &PairedBench, criteria: &Criteria) -> BenchComparison {
    let mut bench = unjudged(input, criteria);
    judge(std::slice::from_mut(&mut bench), criteria);
    explain(&mut bench, criteria);
    bench
}

/// Judges all benches of a duel together.
pub fn compare_pairs(
    base: Side,
    new: Side,
    inputs: &[PairedBench],
    options: &CompareOptions,
    gate: GateRules,
) -> Comparison {
    let mut benches: Vec<BenchComparison> = inputs.iter().map(|input| unjudged(input, &options.criteria)).collect();
    judge(&mut benches, &options.criteria);
    let (only_in_base, only_in_new) = (Vec::new(), Vec::new());
    finish(ComparisonDraft { base, new, benches, only_in_base, only_in_new }, options, gate)
}

fn unjudged(input: &PairedBench, criteria: &Criteria) -> BenchComparison {
    let (base, new): (Vec<f64>, Vec<f64>) = input.pairs.iter().copied().unzip();
    let mut bench = BenchComparison {
        id: input.id.clone(),
        metric: input.metric.clone(),
        unit: input.unit.clone(),
        lower_is_better: true,
        base: measured(&base, input.status.0, input, criteria.level),
        new: measured(&new, input.status.1, input, criteria.level),
        design: Some(Design::Paired { pairs: input.pairs.len() }),
        change: None,
        verdict: Verdict::Invalid,
        suspected: None,
        detectable_pct: None,
        session: None,
        differences: Vec::new(),
        reasons: Vec::new(),
        gate: None,
    };
    for (side, status) in [("base", input.status.0), ("new", input.status.1)] {
        if status == Status::Invalid {
            bench.reasons.push(format!("the {side} result is invalid"));
        }
    }
    if bench.reasons.is_empty() {
        match paired_log(&base, &new, criteria.level) {
            Ok(found) => bench.change = Some(change(&found)),
            Err(error) => bench.reasons.push(format!("the pairs can't be compared: {error}")),
        }
    }
    bench
}

/// The geometric mean of a side with its interval over cycles.
fn measured(values: &[f64], status: Status, input: &PairedBench, level: f64) -> Measured {
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let ci = mean_ci(&logs, level).ok();
    Measured {
        run_id: String::new(),
        value: ci.map(|ci| ci.mean.exp()),
        low: ci.map(|ci| ci.low.exp()),
        high: ci.map(|ci| ci.high.exp()),
        cycles: values.len(),
        status,
        source: input.source.clone(),
    }
}
