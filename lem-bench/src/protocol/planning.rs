//! Makes a schedule from the profile, the results of probing the meter and the user's overrides.

use std::time::Duration;

use super::precision::PrecisionRule;
use super::schedule::{Schedule, WarmUpRule};
use crate::model::{DomainId, MeterProbe, Origin};

#[cfg(test)]
mod tests;

/// Sensors with an update period up to this need no longer times: they are treated as continuous.
const MAX_CONTINUOUS_PERIOD: Duration = Duration::from_millis(5);

/// How thorough a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Few short windows; the result is marked "indicative".
    Quick,
    /// For everyday use.
    #[default]
    Default,
    /// For results that are published.
    Publish,
}

impl Profile {
    /// Returns the profile of this name: `quick`, `default` or `publish`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "quick" => Some(Self::Quick),
            "default" => Some(Self::Default),
            "publish" => Some(Self::Publish),
            _ => None,
        }
    }
}

/// Settings of the user that replace those of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overrides {
    /// Number of cycles.
    pub cycles: Option<u32>,
    /// Number of windows in each cycle.
    pub windows: Option<u32>,
    /// Length of the whole gap between two cycles.
    pub gap: Option<Duration>,
    /// Minimum length of a window.
    pub min_window: Option<Duration>,
    /// Minimum time of the warm-up.
    pub warm_up: Option<Duration>,
    /// Total time of an idle measurement.
    pub idle: Option<Duration>,
    /// Measure cycles until the interval's half width is this share of the value.
    pub target_precision: Option<f64>,
    /// Time limit of the bench for these cycles.
    pub time_budget: Option<Duration>,
    /// Confidence level of the interval; `None` for 0.95.
    pub level: Option<f64>,
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Schedule {
    /// Makes the schedule for measuring `headline` with the probed meter.
    pub fn plan(profile: Profile, probe: &MeterProbe, headline: &[DomainId], overrides: &Overrides) -> Self {
        let period = probe.update_period(headline);
        let mut schedule = if probe.origin == Origin::Estimated {
            estimated(profile)
        } else {
            let sensor = Sensor {
                period,
                counted: probe.all_have_counters(headline),
                whole_time: probe.all_cover_whole_time(headline),
                averaging: probe.averaging_time(headline),
                edge_spacing: probe.edge_spacing(),
            };
            sensed(profile, sensor)
        };
        schedule.apply(overrides);
        // Without a temperature it is not known when the machine has recovered, so the ramp-in is twice the gap.
        if !probe.temperature {
            let gap = schedule.gap_rest + schedule.gap_idle + schedule.guard;
            schedule.ramp_in = schedule.ramp_in.max(gap * 2);
        }
        if let Some(rule) = schedule.precision {
            schedule.cycles = rule.range(schedule.preparation(), schedule.cycle()).0;
        }
        schedule.ramp_in_cap = schedule.ramp_in.max(schedule.window * 3).max(max_ramp_in(profile));
        schedule
    }

    fn apply(&mut self, overrides: &Overrides) {
        self.cycles = overrides.cycles.unwrap_or(self.cycles).max(1);
        self.precision = overrides.target_precision.map(|target| {
            PrecisionRule::new(target, overrides.level.unwrap_or(0.95), overrides.cycles, overrides.time_budget)
        });
        self.windows = overrides.windows.unwrap_or(self.windows).max(1);
        self.window = overrides.min_window.unwrap_or(self.window);
        if let Some(gap) = overrides.gap {
            // The measured part of the gap keeps its share.
            let total = (self.gap_rest + self.gap_idle).as_secs_f64().max(1e-9);
            let share = self.gap_idle.as_secs_f64() / total;
            self.gap_idle = gap.mul_f64(share);
            self.gap_rest = gap.saturating_sub(self.gap_idle);
        }
        if let Some(idle) = overrides.idle.filter(|_| self.idle_blocks > 0) {
            self.idle_block = idle / self.idle_blocks;
        }
        if let Some(floor) = overrides.warm_up {
            self.warm_up.floor = floor;
            self.warm_up.cap = self.warm_up.cap.max(floor);
            self.warm_up.probe = floor / self.warm_up.floor_probes as u32;
        }
    }
}

/// Properties of the sensors that measure the headline energy.
#[derive(Debug, Clone, Copy)]
struct Sensor {
    /// The longest update period; `None` when not known.
    period: Option<Duration>,
    /// Whether they are counters, not gauges.
    counted: bool,
    /// Whether they are known to cover the whole time.
    whole_time: bool,
    /// The longest averaging time among those that average over more than their period; zero without one.
    averaging: Duration,
    /// Time between two reads of a counter around an edge.
    edge_spacing: Duration,
}

impl Sensor {
    /// Maximum error of a window's energy from its edges, as a share: a quarter of one percent at each. A tick is
    /// located to within half the spacing of the reads, in the worst case on both sides of both edges.
    const EDGE_ERROR: f64 = 0.005;

    /// Returns the minimum window that keeps [`Self::EDGE_ERROR`].
    fn min_window(&self) -> Duration {
        if self.counted { self.edge_spacing.div_f64(Self::EDGE_ERROR) } else { Duration::ZERO }
    }

    /// Returns the minimum window for `ticks` ticks. A sensor that covers only part of the time, or whose coverage is
    /// not known, needs twice as many. The extra time is limited, because slow sensors would need minutes per bench;
    /// the interval over cycles includes the remaining error.
    fn min_window_of_ticks(&self, tick: Duration, ticks: u32) -> Duration {
        let doubled = if self.whole_time { Duration::ZERO } else { (tick * ticks * 2).min(Duration::from_secs(20)) };
        (tick * ticks).max(doubled)
    }
}

/// Returns the schedule for an estimating meter. A model has no idle power and no inertia, so windows and gaps can be
/// short.
fn estimated(profile: Profile) -> Schedule {
    let (cycles, window, ramp_in, floor, cap) = match profile {
        Profile::Quick => (5, ms(350), ms(100), ms(700), ms(1400)),
        Profile::Default => (10, ms(1000), ms(200), ms(2000), ms(6000)),
        Profile::Publish => (12, ms(5000), ms(200), ms(10_000), ms(50_000)),
    };
    let floor_probes = 12;
    Schedule {
        settle: Duration::ZERO,
        idle_blocks: 0,
        idle_block: Duration::ZERO,
        warm_up: WarmUpRule {
            floor_probes,
            floor,
            cap_probes: 240,
            cap,
            tolerance: tolerance(profile),
            probe: floor / floor_probes as u32,
            calm: Duration::ZERO,
        },
        cycles,
        precision: None,
        windows: 1,
        gap_rest: ramp_in / 2,
        gap_idle: Duration::ZERO,
        ramp_in,
        ramp_in_cap: ramp_in,
        window,
        window_iterations: 1,
        ramp_out: ms(10),
        guard: Duration::ZERO,
        phase: Duration::ZERO,
    }
}

/// Returns the schedule for a meter with sensors.
fn sensed(profile: Profile, sensor: Sensor) -> Schedule {
    let Sensor { period, counted, whole_time, averaging, .. } = sensor;
    let fast = counted && period.is_some_and(|period| period <= MAX_CONTINUOUS_PERIOD);
    let tick = period.unwrap_or(ms(100));
    let guard = if fast { ms(10) } else { tick.mul_f64(1.2) + ms(10) };
    // A sensor that averages over more than a period still shows the load for that long after its end.
    let decay = guard.max(averaging.mul_f64(1.2));
    let (cycles, settle, blocks, block) = match profile {
        Profile::Quick => (5, ms(2000), 3, ms(1000)),
        Profile::Default => (10, ms(5000), 5, if fast { ms(1000) } else { ms(3000) }),
        Profile::Publish => (12, ms(10_000), 5, if fast { ms(2000) } else { ms(6000) }),
    };
    let (rest, idle) = match (profile, fast) {
        (Profile::Quick, _) => (ms(300), ms(700)),
        (Profile::Default, true) => (ms(500), ms(1000)),
        (Profile::Default, false) => (ms(2000), ms(3000)),
        (Profile::Publish, true) => (ms(1000), ms(2000)),
        (Profile::Publish, false) => (ms(4000), ms(6000)),
    };
    let ramp_in = match profile {
        Profile::Quick => ms(500),
        Profile::Default => ms(2000),
        Profile::Publish => ms(5000),
    };
    let window = match profile {
        Profile::Quick => (if fast { ms(500) } else { ms(1000) }).max(tick * 20),
        Profile::Default => {
            // A sensor with partial or unknown coverage needs a longer window.
            let min = if fast { ms(1000) } else { ms(if counted && whole_time { 5000 } else { 10_000 }) };
            min.max(sensor.min_window_of_ticks(tick, 50)).max(sensor.min_window())
        }
        Profile::Publish => ms(20_000).max(tick * 200).max(sensor.min_window()),
    };
    Schedule {
        settle: settle.max(decay),
        idle_blocks: blocks,
        // A block with fewer than three ticks would have only one usable reading.
        idle_block: block.max(tick * 3),
        warm_up: warm_up(profile),
        cycles,
        precision: None,
        windows: 1,
        gap_rest: rest.max(decay),
        gap_idle: idle.max(tick * 3),
        ramp_in: ramp_in.max(decay),
        ramp_in_cap: ramp_in,
        // Ten times the averaging time, so that the lag at the start and end is under a tenth of the window.
        window: window.max(averaging * 10),
        window_iterations: 32,
        ramp_out: (tick * 2).max(guard).max(sensor.edge_spacing * 3),
        guard,
        phase: tick,
    }
}

/// Returns the warm-up rule for a meter with sensors.
fn warm_up(profile: Profile) -> WarmUpRule {
    let (floor_probes, floor, calm) = match profile {
        Profile::Quick => (12, ms(3000), Duration::ZERO),
        Profile::Default => (60, ms(30_000), ms(20_000)),
        Profile::Publish => (60, ms(60_000), ms(30_000)),
    };
    WarmUpRule {
        floor_probes,
        floor,
        cap_probes: 240,
        cap: ms(120_000).max(floor * 2).min(if profile == Profile::Quick { ms(12_000) } else { Duration::MAX }),
        tolerance: tolerance(profile),
        probe: floor / floor_probes as u32,
        calm,
    }
}

/// Returns how long a ramp-in may wait for the temperature when three windows are too short for it. A heat sink needs
/// tens of seconds to recover from a gap. Energies are corrected for the temperature, but the less there is to correct,
/// the better; and a device that throttles in continuous use must get as warm in its windows.
fn max_ramp_in(profile: Profile) -> Duration {
    if profile == Profile::Quick { Duration::ZERO } else { ms(40_000) }
}

/// Returns the tolerated drift of the warm-up, as a share.
fn tolerance(profile: Profile) -> f64 {
    if profile == Profile::Publish { 0.005 } else { 0.01 }
}
