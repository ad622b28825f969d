//! How long a schedule takes, and its figures for the record.
//!
//! Must not know how a schedule is made.

use std::collections::BTreeMap;
use std::time::Duration;

use super::schedule::Schedule;
use crate::model::BenchRecord;

impl Schedule {
    /// The time that one bench is expected to take, without its set-up; the warm-up is taken at its floor, and the
    /// cycles as the fewest that there may be.
    pub fn expected(&self) -> Duration {
        self.beginning() + self.cycle() * self.cycles
    }

    /// The same with as many cycles as there may be.
    pub fn longest(&self) -> Duration {
        self.beginning() + self.cycle() * self.most_cycles()
    }

    /// Cycles that there may be at most.
    pub fn most_cycles(&self) -> u32 {
        self.precision.map_or(self.cycles, |rule| rule.range(self.beginning(), self.cycle()).1.max(self.cycles))
    }

    /// The planned length of a cycle.
    pub fn cycle(&self) -> Duration {
        let gap = self.gap_rest + self.gap_idle + self.guard;
        gap + self.ramp_in + self.window * self.windows + self.ramp_out + self.phase / 2
    }

    /// What comes before the first cycle.
    pub(super) fn beginning(&self) -> Duration {
        self.settle + (self.idle_block * self.idle_blocks) + self.guard + self.warm_up.floor
    }

    /// The figures by name, in seconds or counts, for the record.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let s = Duration::as_secs_f64;
        [
            ("settle_s", s(&self.settle)),
            ("idle_blocks", f64::from(self.idle_blocks)),
            ("idle_block_s", s(&self.idle_block)),
            ("warm_up_floor_s", s(&self.warm_up.floor)),
            ("warm_up_floor_probes", self.warm_up.floor_probes as f64),
            ("warm_up_cap_s", s(&self.warm_up.cap)),
            ("warm_up_tolerance", self.warm_up.tolerance),
            (BenchRecord::CYCLES, f64::from(self.cycles)),
            ("windows", f64::from(self.windows)),
            ("gap_rest_s", s(&self.gap_rest)),
            ("gap_idle_s", s(&self.gap_idle)),
            ("ramp_in_s", s(&self.ramp_in)),
            ("ramp_in_cap_s", s(&self.ramp_in_cap)),
            ("window_s", s(&self.window)),
            ("window_iterations", self.window_iterations as f64),
            ("ramp_out_s", s(&self.ramp_out)),
            ("guard_s", s(&self.guard)),
            ("expected_s", s(&self.expected())),
        ]
        .into_iter()
        .chain(self.precision.iter().flat_map(|rule| {
            let budget = rule.budget.map(|budget| ("time_budget_s", s(&budget)));
            [(BenchRecord::TARGET_PRECISION, rule.target), ("most_cycles", f64::from(rule.most_cycles))]
                .into_iter()
                .chain(budget)
        }))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}
