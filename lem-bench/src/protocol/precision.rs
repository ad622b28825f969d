//! Cycles until the interval is narrow enough: the rule, what the cycles came to so far, and when to stop.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{CycleRecord, DomainId, Precision, StopReason, WorkCounts};
use crate::stats::{AdaptiveRule, RatioInput, adaptive_stop, ratio_ci};

/// Fewer cycles are no basis for stopping early: the coverage that looking costs comes back from here on.
const LEAST_CYCLES: u32 = 8;

/// Cycles at most, unless the user wants more at least.
const MOST_CYCLES: u32 = 30;

/// Cycles that a time budget leaves in any case: one has no interval.
const IN_ANY_CASE: u32 = 2;

/// When there are enough cycles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRule {
    /// The half width of the interval of the headline metric that is asked for, as a share of its value: 0.01 for ±1 %.
    pub target: f64,
    /// The level of that interval.
    pub level: f64,
    /// Cycles before the first look.
    pub least_cycles: u32,
    /// Cycles at most.
    pub most_cycles: u32,
    /// Time for the whole bench, from its first rest on; at least two cycles are measured in any case.
    pub budget: Option<Duration>,
}

impl PrecisionRule {
    /// The rule for ±`target` at `level`, from `least` cycles on where more than the usual 8 are wanted.
    pub fn new(target: f64, level: f64, least: Option<u32>, budget: Option<Duration>) -> Self {
        let least_cycles = least.unwrap_or(LEAST_CYCLES).max(LEAST_CYCLES);
        Self { target, level, least_cycles, most_cycles: MOST_CYCLES.max(least_cycles), budget }
    }

    /// Cycles, fewest and most, of which each takes `cycle` after a beginning of `begin`, in whole ones.
    pub(super) fn range(&self, begin: Duration, cycle: Duration) -> (u32, u32) {
        let most = self.budget.map_or(self.most_cycles, |budget| {
            let fitting = budget.saturating_sub(begin).as_secs_f64() / cycle.as_secs_f64().max(1e-9);
            (fitting.min(1e6) as u32).clamp(IN_ANY_CASE, self.most_cycles)
        });
        (self.least_cycles.min(most), most)
    }
}

/// What a cycle contributes to the headline metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CycleTotals {
    /// Energy of the headline domains over its windows, J; `None` when a domain is missing in one of them, and 0 where
    /// this process has none to measure.
    pub joules: Option<f64>,
    /// What was done in them, in the units of the headline metric.
    pub work: u64,
}

impl CycleTotals {
    /// The sums of a cycle.
    pub fn of(cycle: &CycleRecord, headline: &[DomainId]) -> Self {
        let joules = |domain: &DomainId| {
            let each = cycle.windows.iter().map(|window| window.energy.iter().find(|energy| energy.domain == *domain));
            each.map(|energy| energy.map(|energy| energy.joules.get())).sum::<Option<f64>>()
        };
        let joules = headline.iter().map(joules).sum();
        let mut work = WorkCounts::default();
        cycle.windows.iter().for_each(|window| work.add(&window.work));
        Self { joules, work: work.count(work.unit()) }
    }

    /// The sums of one cycle over several processes. What each has measured is its own, so that they add up.
    pub fn joined(each: impl Iterator<Item = Self> + Clone) -> Self {
        let work = each.clone().map(|sums| sums.work).fold(0, u64::saturating_add);
        Self { joules: each.map(|sums| sums.joules).sum(), work }
    }
}

/// The cycles so far.
#[derive(Debug, Clone, Default)]
pub(super) struct PrecisionSearch {
    joules: Vec<f64>,
    work: Vec<f64>,
    cycles: u32,
}

impl PrecisionSearch {
    pub(super) fn add(&mut self, sums: CycleTotals) {
        self.cycles += 1;
        if let Some(joules) = sums.joules.filter(|joules| *joules > 0.0) {
            self.joules.push(joules);
            self.work.push(sums.work as f64);
        }
    }

    /// The half width so far, widened for being looked at, as a share; `None` while there is none.
    fn half_width(&self, rule: &PrecisionRule) -> Option<f64> {
        let input = RatioInput { conf: rule.level, ..RatioInput::new(&self.joules, &self.work, &self.work) };
        let ci = ratio_ci(&input).ok()?;
        let counts = AdaptiveRule { n_min: IN_ANY_CASE as usize, conf: rule.level, ..AdaptiveRule::default() };
        adaptive_stop(ci.se / ci.theta.abs(), self.joules.len(), rule.target, &counts).ok()?.half_width
    }

    /// How it ended, if it did, `elapsed` after the bench began, where another cycle would take about `next`.
    pub(super) fn verdict(&self, rule: &PrecisionRule, elapsed: Duration, next: Duration) -> Option<Precision> {
        let half_width = self.half_width(rule);
        let is_late = rule.budget.is_some_and(|budget| elapsed + next > budget);
        let ended = if self.cycles >= rule.least_cycles && half_width.is_some_and(|width| width < rule.target) {
            StopReason::Precision
        } else if self.cycles >= rule.least_cycles && half_width.is_none() {
            StopReason::NoPrecision
        } else if self.cycles >= rule.most_cycles {
            StopReason::MostCycles
        } else if self.cycles >= IN_ANY_CASE && is_late {
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
        PrecisionRule { target: 0.01, level: 0.95, least_cycles: 8, most_cycles: 30, budget: None };
    const CYCLE: Duration = Duration::from_secs(12);

    /// Cycles that alternate by ±`spread` around 2 J per unit of work.
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
    fn what_processes_measured_adds_up_and_what_one_lost_is_lost() {
        let sums = |joules, work| CycleTotals { joules, work };
        let joined = |each: &[CycleTotals]| CycleTotals::joined(each.iter().copied());
        assert_eq!(joined(&[sums(Some(5.0), 3), sums(Some(0.0), 4), sums(Some(7.0), 5)]), sums(Some(12.0), 12));
        assert_eq!(joined(&[sums(Some(5.0), 3), sums(None, 4)]), sums(None, 7));
    }

    #[test]
    fn it_ends_when_the_widened_half_width_is_there_and_not_before_eight_cycles() {
        assert_eq!(ended(&after(7, 1e-6), &RULE, 100), None);
        assert_eq!(ended(&after(8, 1e-6), &RULE, 100), Some(StopReason::Precision));
        // sd 1 %·√(n/(n−1)): 1.08·t·se is 0.00966 of the value at 8 cycles and 0.0106 with sd 1.1 %.
        let there = after(8, 0.01).verdict(&RULE, CYCLE, CYCLE).unwrap();
        let half = 1.08 * 2.364_624_251_592_784_4 * 0.01 / 7.0_f64.sqrt();
        assert!((there.half_width.unwrap() / half - 1.0).abs() < 1e-12, "{there:?} {half}");
        assert_eq!((there.ended, there.cycles, there.target), (StopReason::Precision, 8, 0.01));
        assert_eq!(ended(&after(8, 0.011), &RULE, 100), None);
        assert_eq!(ended(&after(10, 0.011), &RULE, 100), Some(StopReason::Precision));
    }

    #[test]
    fn it_ends_at_the_most_cycles_or_before_the_budget_is_overdrawn() {
        assert_eq!(ended(&after(29, 0.1), &RULE, 100), None);
        assert_eq!(ended(&after(30, 0.1), &RULE, 100), Some(StopReason::MostCycles));
        let budget = PrecisionRule { budget: Some(Duration::from_secs(200)), ..RULE };
        assert_eq!(ended(&after(12, 0.1), &budget, 188), None);
        assert_eq!(ended(&after(12, 0.1), &budget, 189), Some(StopReason::TimeBudget));
        // A budget is kept below eight cycles too, but leaves an interval.
        assert_eq!(ended(&after(2, 0.1), &budget, 300), Some(StopReason::TimeBudget));
        assert_eq!(ended(&after(1, 0.1), &budget, 300), None);
    }

    #[test]
    fn without_energy_it_does_not_go_on_for_ever() {
        let mut search = PrecisionSearch::default();
        (0..7).for_each(|_| search.add(CycleTotals { joules: None, work: 10 }));
        assert_eq!(ended(&search, &RULE, 100), None);
        search.add(CycleTotals { joules: None, work: 10 });
        assert_eq!(ended(&search, &RULE, 100), Some(StopReason::NoPrecision));
    }

    #[test]
    fn the_range_is_that_of_the_rule_or_of_the_budget() {
        let begin = Duration::from_secs(60);
        assert_eq!(RULE.range(begin, CYCLE), (8, 30));
        assert_eq!(PrecisionRule { budget: Some(begin + CYCLE * 12), ..RULE }.range(begin, CYCLE), (8, 12));
        assert_eq!(PrecisionRule { budget: Some(begin + CYCLE * 5), ..RULE }.range(begin, CYCLE), (5, 5));
        assert_eq!(PrecisionRule { budget: Some(CYCLE), ..RULE }.range(begin, CYCLE), (2, 2));
        let wanted = PrecisionRule::new(0.02, 0.9, Some(40), None);
        assert_eq!((wanted.least_cycles, wanted.most_cycles), (40, 40));
        assert_eq!(PrecisionRule::new(0.02, 0.9, Some(3), None).least_cycles, 8);
    }
}
