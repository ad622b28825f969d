//! The schedule of a protocol: its lengths and counts, and how long a bench takes with it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::precision::PrecisionRule;
use crate::model::BenchRecord;

/// The conditions under which a warm-up ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUpRule {
    /// Minimum number of probes.
    pub floor_probes: usize,
    /// Minimum time.
    pub floor: Duration,
    /// Maximum number of probes.
    pub cap_probes: usize,
    /// Maximum time.
    pub cap: Duration,
    /// Tolerated drift, as a share: 0.01 for 1 %.
    pub tolerance: f64,
    /// Minimum length of a probe; shorter requests are combined.
    pub probe: Duration,
    /// Time for which the temperature must have been constant.
    pub calm: Duration,
}

/// The lengths and counts of a protocol. All times are planned times; a window ends at the end of the first request
/// that ends after the planned time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Rest after set-up, before idle is measured.
    pub settle: Duration,
    /// Number of blocks of the idle measurement; 0 for a meter without idle power.
    pub idle_blocks: u32,
    /// Length of each block.
    pub idle_block: Duration,
    /// When the warm-up ends.
    pub warm_up: WarmUpRule,
    /// Number of cycles; the minimum where `precision` is set.
    pub cycles: u32,
    /// The rule for measuring until the interval is narrow enough; `None` for a fixed number of cycles.
    pub precision: Option<PrecisionRule>,
    /// Windows in each cycle.
    pub windows: u32,
    /// Rest at the start of a gap, in which nothing is measured.
    pub gap_rest: Duration,
    /// Length of the loaded idle measurement in a gap; zero for none.
    pub gap_idle: Duration,
    /// Minimum load before a window.
    pub ramp_in: Duration,
    /// Maximum load before a window, used while the temperature has not recovered.
    pub ramp_in_cap: Duration,
    /// Length of a window.
    pub window: Duration,
    /// Minimum number of iterations in a window (output steps where requests mark tokens).
    pub window_iterations: u64,
    /// Load after a window.
    pub ramp_out: Duration,
    /// Rest between an idle measurement and load, so that no tick covers both.
    pub guard: Duration,
    /// The sensor's update period; edges are shifted by a random share of it.
    pub phase: Duration,
}

/// The speed of a body, by which planned times are corrected: load ends with a complete call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The time of a call; zero where it is not known yet.
    pub call: Duration,
    /// How many of the iterations that a window needs a call counts for, at least 1.
    pub iterations: u64,
}

impl Pace {
    /// The pace of a body that has not been called yet.
    pub const UNKNOWN: Self = Self { call: Duration::ZERO, iterations: 1 };

    /// Returns the time of the calls that `time` of load consists of.
    fn whole_calls(self, time: Duration) -> Duration {
        if self.call.is_zero() {
            return time;
        }
        let calls = time.as_nanos().div_ceil(self.call.as_nanos());
        self.call * u32::try_from(calls).unwrap_or(u32::MAX)
    }
}

impl Schedule {
    /// Returns the expected time of one bench without its set-up, with the shortest warm-up and the minimum number of
    /// cycles.
    pub fn expected(&self) -> Duration {
        self.preparation() + self.cycle() * self.cycles
    }

    /// Returns the expected time with the maximum number of cycles.
    pub fn expected_max(&self) -> Duration {
        self.preparation() + self.cycle() * self.max_cycles()
    }

    /// Returns the maximum number of cycles.
    pub fn max_cycles(&self) -> u32 {
        self.precision.map_or(self.cycles, |rule| rule.range(self.preparation(), self.cycle()).1.max(self.cycles))
    }

    /// Returns the planned length of a cycle.
    pub fn cycle(&self) -> Duration {
        self.cycle_at(Pace::UNKNOWN)
    }

    /// Returns the time before the first cycle: settling, idle and warm-up.
    pub(super) fn preparation(&self) -> Duration {
        self.preparation_at(Pace::UNKNOWN)
    }

    /// Returns the time before the first cycle at this pace, with the shortest warm-up.
    pub fn preparation_at(&self, pace: Pace) -> Duration {
        let rule = &self.warm_up;
        let probes = pace.whole_calls(rule.probe) * rule.floor_probes as u32;
        let warm_up = if pace.call.is_zero() { rule.floor } else { rule.floor.max(probes.min(rule.cap)) };
        self.settle + (self.idle_block * self.idle_blocks) + self.guard + pace.whole_calls(warm_up)
    }

    /// Returns the length of a cycle at this pace.
    pub fn cycle_at(&self, pace: Pace) -> Duration {
        let gap = self.gap_rest + self.gap_idle + self.guard;
        let calls = self.window_iterations.div_ceil(pace.iterations.max(1));
        let window = self.window.max(pace.call * u32::try_from(calls).unwrap_or(u32::MAX));
        let load = [self.ramp_in + self.phase / 2, self.ramp_out].map(|time| pace.whole_calls(time));
        gap + load.into_iter().sum::<Duration>() + pace.whole_calls(window) * self.windows
    }

    /// Returns the values by name, in seconds or counts, for the record.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let seconds = Duration::as_secs_f64;
        [
            ("settle_s", seconds(&self.settle)),
            ("idle_blocks", f64::from(self.idle_blocks)),
            ("idle_block_s", seconds(&self.idle_block)),
            ("warm_up_floor_s", seconds(&self.warm_up.floor)),
            ("warm_up_floor_probes", self.warm_up.floor_probes as f64),
            ("warm_up_cap_s", seconds(&self.warm_up.cap)),
            ("warm_up_tolerance", self.warm_up.tolerance),
            (BenchRecord::CYCLES, f64::from(self.cycles)),
            ("windows", f64::from(self.windows)),
            ("gap_rest_s", seconds(&self.gap_rest)),
            ("gap_idle_s", seconds(&self.gap_idle)),
            ("ramp_in_s", seconds(&self.ramp_in)),
            ("ramp_in_cap_s", seconds(&self.ramp_in_cap)),
            ("window_s", seconds(&self.window)),
            ("window_iterations", self.window_iterations as f64),
            ("ramp_out_s", seconds(&self.ramp_out)),
            ("guard_s", seconds(&self.guard)),
            ("expected_s", seconds(&self.expected())),
        ]
        .into_iter()
        .chain(self.precision.iter().flat_map(|rule| {
            let budget = rule.budget.map(|budget| ("time_budget_s", seconds(&budget)));
            [(BenchRecord::TARGET_PRECISION, rule.target), (BenchRecord::MOST_CYCLES, f64::from(rule.max_cycles))]
                .into_iter()
                .chain(budget)
        }))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// Returns the schedule of one turn of a duel: one cycle, with a window three times as long unless the user set its
    /// length. Each turn needs a set-up and a warm-up, so a longer window adds little time, and it averages differences
    /// between requests.
    pub fn duel_turn(&self, window_is_set: bool) -> Self {
        let factor = if window_is_set { 1 } else { 3 };
        Self {
            cycles: 1,
            precision: None,
            window: self.window * factor,
            window_iterations: self.window_iterations * u64::from(factor),
            ..*self
        }
    }
}
