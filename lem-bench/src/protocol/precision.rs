//! Measuring cycles until the interval is narrow enough: the rule, the totals of the cycles so far, and when to stop.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{CycleRecord, DomainId, Precision, StopReason, WorkCounts};
use crate::stats::{AdaptiveRule, RatioInput, adaptive_stop, ratio_ci};

/// Minimum number of cycles for stopping early; with fewer, testing after every cycle lowers the coverage.
const DEFAULT_MIN_CYCLES: u32 = 8;

/// Maximum number of cycles, unless the user sets a higher minimum.
const DEFAULT_MAX_CYCLES: u32 = 30;

/// Minimum number of cycles under any time budget; one cycle has no interval.
const MIN_CYCLES: u32 = 2;

/// When enough cycles have been measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRule {
    /// Requested half width of the interval of the headline metric, as a share of its value: 0.01 for ±1 %.
    pub target: f64,
    /// Confidence level of that interval.
    pub level: f64,
    /// Minimum number of cycles.
    pub min_cycles: u32,
    /// Maximum number of cycles.
    pub max_cycles: u32,
    /// Time limit of the whole bench, from its first rest on; at least two cycles are always measured.
    pub budget: Option<Duration>,
}

impl PrecisionRule {
    /// Creates the rule for ±`target` at `level`, with at least `min_cycles` cycles, but not fewer than 8.
    pub fn new(target: f64, level: f64, min_cycles: Option<u32>, budget: Option<Duration>) -> Self {
        let min_cycles = min_cycles.unwrap_or(DEFAULT_MIN_CYCLES).max(DEFAULT_MIN_CYCLES);
        Self { target, level, min_cycles, max_cycles: DEFAULT_MAX_CYCLES.max(min_cycles), budget }
    }

    /// Returns the minimum and maximum number of cycles when the preparation takes `preparation` and each cycle
    /// `cycle`.
    pub(super) fn range(&self, preparation: Duration, cycle: Duration) -> (u32, u32) {
        let max = self.budget.map_or(self.max_cycles, |budget| {
            let fitting = budget.saturating_sub(preparation).as_secs_f64() / cycle.as_secs_f64().max(1e-9);
            (fitting.min(1e6) as u32).clamp(MIN_CYCLES, self.max_cycles)
        });
        (self.min_cycles.min(max), max)
    }
}

/// The contribution of a cycle to the headline metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CycleTotals {
    /// Energy of the headline domains in its windows, J; `None` when a domain is missing in a window, 0 when this
    /// process measures no domain.
    pub joules: Option<f64>,
    /// Work in its windows, in the unit of the headline metric.
    pub work: u64,
}

impl CycleTotals {
    /// Returns the totals of a cycle.
    pub fn from_cycle(cycle: &CycleRecord, headline: &[DomainId]) -> Self {
        let joules = |domain: &DomainId| {
            let energies =
                cycle.windows.iter().map(|window| window.energy.iter().find(|energy| energy.domain == *domain));
            energies.map(|energy| energy.map(|energy| energy.joules.get())).sum::<Option<f64>>()
        };
        let joules = headline.iter().map(joules).sum();
        let mut work = WorkCounts::default();
        cycle.windows.iter().for_each(|window| work.add(&window.work));
        Self { joules, work: work.count(work.unit()) }
    }

    /// Returns the totals of one cycle over several processes. Each process measures domains of its own, so the totals
    /// add up.
    pub fn sum(totals: impl Iterator<Item = Self> + Clone) -> Self {
        let work = totals.clone().map(|totals| totals.work).fold(0, u64::saturating_add);
        Self { joules: totals.map(|totals| totals.joules).sum(), work }
    }
}

/// The totals of the cycles so far.
#[derive(Debug, Clone, Default)]
pub(super) struct PrecisionSearch {
    joules: Vec<f64>,
    work: Vec<f64>,
    cycles: u32,
}

impl PrecisionSearch {
    pub fn add(&mut self, totals: CycleTotals) {
        self.cycles += 1;
        if let Some(joules) = totals.joules.filter(|joules| *joules > 0.0) {
            self.joules.push(joules);
            self.work.push(totals.work as f64);
        }
    }

    /// Returns the half width so far as a share, widened for testing after every cycle; `None` when it can't be
    /// computed.
    fn half_width(&self, rule: &PrecisionRule) -> Option<f64> {
        let input = RatioInput { conf: rule.level, ..RatioInput::new(&self.joules, &self.work, &self.work) };
        let ci = ratio_ci(&input).ok()?;
        let adaptive = AdaptiveRule { n_min: MIN_CYCLES as usize, conf: rule.level, ..AdaptiveRule::default() };
        adaptive_stop(ci.se / ci.theta.abs(), self.joules.len(), rule.target, &adaptive).ok()?.half_width
    }

    /// Returns how the search ended, or `None` to continue: `elapsed` is the time since the start of the bench, `next`
    /// the expected time of another cycle.
    pub fn verdict(&self, rule: &PrecisionRule, elapsed: Duration, next: Duration) -> Option<Precision> {
        let half_width = self.half_width(rule);
        let is_late = rule.budget.is_some_and(|budget| elapsed + next > budget);
        let ended = if self.cycles >= rule.min_cycles && half_width.is_some_and(|width| width < rule.target) {
            StopReason::Precision
        } else if self.cycles >= rule.min_cycles && half_width.is_none() {
            StopReason::NoPrecision
        } else if self.cycles >= rule.max_cycles {
            StopReason::MostCycles
        } else if self.cycles >= MIN_CYCLES && is_late {
            StopReason::TimeBudget
        } else {
            return None;
        };
        Some(Precision { target: rule.target, half_width, cycles: self.cycles, ended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: PrecisionRule =
        PrecisionRule { target: 0.01, level: 0.95, min_cycles: 8, max_cycles: 30, budget: None };
    const CYCLE: Duration = Duration::from_secs(12);

    /// Returns a search after cycles that alternate by ±`spread` around 2 J per unit of work.
    fn after(cycles: u32, spread: f64) -> PrecisionSearch {
        let mut search = PrecisionSearch::default();
        for i in 0..cycles {
            let joules = Some(2000.0 * if i % 2 == 0 { 1.0 + spread } else { 1.0 - spread });
            search.add(CycleTotals { joules, work: 1000 });
        }
        search
    }

    fn ended(search: &PrecisionSearch, rule: &PrecisionRule, elapsed: u64) -> Option<StopReason> {
        search.verdict(rule, Duration::from_secs(elapsed), CYCLE).map(|p| p.ended)
    }

    #[test]
    fn sums_over_processes() {
        let totals = |joules, work| CycleTotals { joules, work };
        let sum = |processes: &[CycleTotals]| CycleTotals::sum(processes.iter().copied());
        assert_eq!(sum(&[totals(Some(5.0), 3), totals(Some(0.0), 4), totals(Some(7.0), 5)]), totals(Some(12.0), 12));
        assert_eq!(sum(&[totals(Some(5.0), 3), totals(None, 4)]), totals(None, 7));
    }

    #[test]
    fn stops_at_target_after_eight_cycles() {
        assert_eq!(ended(&after(7, 1e-6), &RULE, 100), None);
        assert_eq!(ended(&after(8, 1e-6), &RULE, 100), Some(StopReason::Precision));
        // sd 1 %·√(n/(n−1)): 1.08·t·se is 0.00966 of the value at 8 cycles and 0.0106 with sd 1.1 %.
        let end = after(8, 0.01).verdict(&RULE, CYCLE, CYCLE).unwrap();
        let half = 1.08 * 2.364_624_251_592_784_4 * 0.01 / 7.0_f64.sqrt();
        assert!((end.half_width.unwrap() / half - 1.0).abs() < 1e-12, "{end:?} {half}");
        assert_eq!((end.ended, end.cycles, end.target), (StopReason::Precision, 8, 0.01));
        assert_eq!(ended(&after(8, 0.011), &RULE, 100), None);
        assert_eq!(ended(&after(10, 0.011), &RULE, 100), Some(StopReason::Precision));
    }

    #[test]
    fn stops_at_max_cycles_or_budget() {
        assert_eq!(ended(&after(29, 0.1), &RULE, 100), None);
        assert_eq!(ended(&after(30, 0.1), &RULE, 100), Some(StopReason::MostCycles));
        let budget = PrecisionRule { budget: Some(Duration::from_secs(200)), ..RULE };
        assert_eq!(ended(&after(12, 0.1), &budget, 188), None);
        assert_eq!(ended(&after(12, 0.1), &budget, 189), Some(StopReason::TimeBudget));
        // The budget also applies below eight cycles, but two are always measured.
        assert_eq!(ended(&after(2, 0.1), &budget, 300), Some(StopReason::TimeBudget));
        assert_eq!(ended(&after(1, 0.1), &budget, 300), None);
    }

    #[test]
    fn stops_without_energy() {
        let mut search = PrecisionSearch::default();
        (0..7).for_each(|_| search.add(CycleTotals { joules: None, work: 10 }));
        assert_eq!(ended(&search, &RULE, 100), None);
        search.add(CycleTotals { joules: None, work: 10 });
        assert_eq!(ended(&search, &RULE, 100), Some(StopReason::NoPrecision));
    }

    #[test]
    fn range_of_rule_and_budget() {
        let begin = Duration::from_secs(60);
        assert_eq!(RULE.range(begin, CYCLE), (8, 30));
        assert_eq!(PrecisionRule { budget: Some(begin + CYCLE * 12), ..RULE }.range(begin, CYCLE), (8, 12));
        assert_eq!(PrecisionRule { budget: Some(begin + CYCLE * 5), ..RULE }.range(begin, CYCLE), (5, 5));
        assert_eq!(PrecisionRule { budget: Some(CYCLE), ..RULE }.range(begin, CYCLE), (2, 2));
        let rule = PrecisionRule::new(0.02, 0.9, Some(40), None);
        assert_eq!((rule.min_cycles, rule.max_cycles), (40, 40));
        assert_eq!(PrecisionRule::new(0.02, 0.9, Some(3), None).min_cycles, 8);
    }
}
