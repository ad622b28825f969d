//! The figures of a protocol, as a function of the profile and of what probing the meter found.

use std::time::Duration;

use super::precision::PrecisionRule;
use super::sensor::Sensor;
use crate::model::{DomainId, MeterProbe, Origin};

#[cfg(test)]
mod tests;

/// How much care to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// A look: few short windows; the result says "indicative".
    Quick,
    /// Every day.
    #[default]
    Default,
    /// For figures that others will quote.
    Publish,
}

impl Profile {
    /// The profile of this name: `quick`, `default`, `publish`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "quick" => Some(Self::Quick),
            "default" => Some(Self::Default),
            "publish" => Some(Self::Publish),
            _ => None,
        }
    }
}

/// What the user set instead of the profile's figures.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overrides {
    /// Cycles.
    pub cycles: Option<u32>,
    /// Windows in each cycle.
    pub windows: Option<u32>,
    /// The whole gap between two cycles.
    pub gap: Option<Duration>,
    /// The least length of a window.
    pub min_window: Option<Duration>,
    /// The least time of warm-up.
    pub warm_up: Option<Duration>,
    /// The whole time in which an idle figure is measured.
    pub idle: Option<Duration>,
    /// Cycles go on until the interval's half width is this share of the value.
    pub target_precision: Option<f64>,
    /// They end when the bench has taken this long.
    pub time_budget: Option<Duration>,
    /// The level of the interval, where it is not 0.95.
    pub level: Option<f64>,
}

/// When a warm-up may end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUpRule {
    /// Not before so many probes.
    pub floor_probes: usize,
    /// Not before this time.
    pub floor: Duration,
    /// At the latest after so many probes,
    pub cap_probes: usize,
    /// or after this time.
    pub cap: Duration,
    /// The drift that is tolerated, as a share: 0.01 for 1 %.
    pub tolerance: f64,
    /// Requests are joined until a probe takes this long.
    pub probe: Duration,
    /// The temperature must have stood still for this long.
    pub calm: Duration,
}

/// The figures of a protocol. Every time is what the protocol plans; windows end at the first request that ends after
/// theirs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Rest after set-up, before idle is measured.
    pub settle: Duration,
    /// Blocks of the idle measurement; 0 for a meter that has no idle to measure.
    pub idle_blocks: u32,
    /// The length of each.
    pub idle_block: Duration,
    /// The warm-up.
    pub warm_up: WarmUpRule,
    /// Cycles; the fewest of them where `precision` is set.
    pub cycles: u32,
    /// Cycles go on until the interval is narrow enough, if so.
    pub precision: Option<PrecisionRule>,
    /// Windows in each cycle.
    pub windows: u32,
    /// Rest at the beginning of a gap, in which nothing is measured.
    pub gap_rest: Duration,
    /// Loaded idle measured in a gap; zero for none.
    pub gap_idle: Duration,
    /// Load before a window, at least.
    pub ramp_in: Duration,
    /// Load before a window, at most, while the temperature is not back.
    pub ramp_in_cap: Duration,
    /// The window.
    pub window: Duration,
    /// Iterations (output steps where requests mark tokens) that a window must hold.
    pub window_iterations: u64,
    /// Load after a window.
    pub ramp_out: Duration,
    /// Rest that is kept between an idle measurement and load, so that no tick covers both.
    pub guard: Duration,
    /// Edges are moved by a random share of this: the sensor's period.
    pub phase: Duration,
}

/// Ticks faster than this are no reason to lengthen anything.
const FAST: Duration = Duration::from_millis(5);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Schedule {
    /// The schedule for measuring `headline` with the meter that was probed.
    pub fn plan(profile: Profile, probe: &MeterProbe, headline: &[DomainId], set: &Overrides) -> Self {
        let period = probe.period_of(headline);
        let mut schedule = if probe.origin == Origin::Estimated {
            estimated(profile)
        } else {
            let sensor = Sensor {
                period,
                counted: probe.all_counted(headline),
                whole_time: probe.all_whole_time(headline),
                smear: probe.smear_of(headline),
                edge_spacing: probe.edge_spacing(),
            };
            sensed(profile, sensor)
        };
        schedule.apply(set);
        // Without a temperature nobody can say when the machine is back, so the ramp-in takes twice the gap.
        if !probe.temperature {
            let gap = schedule.gap_rest + schedule.gap_idle + schedule.guard;
            schedule.ramp_in = schedule.ramp_in.max(gap * 2);
        }
        if let Some(rule) = schedule.precision {
            schedule.cycles = rule.range(schedule.beginning(), schedule.cycle()).0;
        }
        schedule.ramp_in_cap = schedule.ramp_in.max(schedule.window * 3).max(patience(profile));
        schedule
    }

    fn apply(&mut self, set: &Overrides) {
        self.cycles = set.cycles.unwrap_or(self.cycles).max(1);
        self.precision = set
            .target_precision
            .map(|target| PrecisionRule::new(target, set.level.unwrap_or(0.95), set.cycles, set.time_budget));
        self.windows = set.windows.unwrap_or(self.windows).max(1);
        self.window = set.min_window.unwrap_or(self.window);
        if let Some(gap) = set.gap {
            // The measured part keeps its share of the gap.
            let total = (self.gap_rest + self.gap_idle).as_secs_f64().max(1e-9);
            let share = self.gap_idle.as_secs_f64() / total;
            self.gap_idle = gap.mul_f64(share);
            self.gap_rest = gap.saturating_sub(self.gap_idle);
        }
        if let Some(idle) = set.idle.filter(|_| self.idle_blocks > 0) {
            self.idle_block = idle / self.idle_blocks;
        }
        if let Some(floor) = set.warm_up {
            self.warm_up.floor = floor;
            self.warm_up.cap = self.warm_up.cap.max(floor);
            self.warm_up.probe = floor / self.warm_up.floor_probes as u32;
        }
    }

    /// The schedule of one turn of a duel: one cycle, whose window is three times as long unless the user set it. Each
    /// turn pays for a set-up and a warm-up, beside which a longer window costs little, and it averages what differs
    /// from request to request.
    pub fn turn(&self, set: &Overrides) -> Self {
        let longer = if set.min_window.is_some() { 1 } else { 3 };
        Self {
            cycles: 1,
            precision: None,
            window: self.window * longer,
            window_iterations: self.window_iterations * u64::from(longer),
            ..*self
        }
    }
}

/// A modelled figure has no idle and no inertia: windows can be short and gaps next to nothing.
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

fn sensed(profile: Profile, sensor: Sensor) -> Schedule {
    let Sensor { period, counted, whole_time, smear, .. } = sensor;
    let fast = counted && period.is_some_and(|period| period <= FAST);
    let tick = period.unwrap_or(ms(100));
    let guard = if fast { ms(10) } else { tick.mul_f64(1.2) + ms(10) };
    // A mean over more than a period still shows the load for so long after its end.
    let clear = guard.max(smear.mul_f64(1.2));
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
            // A sensor that sees part of the time (or of which that is not known) needs more of it.
            let least = if fast { ms(1000) } else { ms(if counted && whole_time { 5000 } else { 10_000 }) };
            least.max(sensor.least_ticks(tick, 50)).max(sensor.least_window())
        }
        Profile::Publish => ms(20_000).max(tick * 200).max(sensor.least_window()),
    };
    Schedule {
        settle: settle.max(clear),
        idle_blocks: blocks,
        // Fewer than three ticks in a block would make one reading of it.
        idle_block: block.max(tick * 3),
        warm_up: warm_up(profile),
        cycles,
        precision: None,
        windows: 1,
        gap_rest: rest.max(clear),
        gap_idle: idle.max(tick * 3),
        ramp_in: ramp_in.max(clear),
        ramp_in_cap: ramp_in,
        // Ten times what a value covers: what lags in at the beginning and out at the end is then under a tenth.
        window: window.max(smear * 10),
        window_iterations: 32,
        ramp_out: (tick * 2).max(guard).max(sensor.edge_spacing * 3),
        guard,
        phase: tick,
    }
}

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

/// How long a ramp-in may wait for the temperature where three windows are too short for it. A heat sink gives back in
/// tens of seconds what a gap took; where leakage makes a token dearer when hot, giving up after 15 s reads 0.4 % low on
/// a simulated card of 40 s, after 40 s less than 0.2 %.
fn patience(profile: Profile) -> Duration {
    if profile == Profile::Quick { Duration::ZERO } else { ms(40_000) }
}

fn tolerance(profile: Profile) -> f64 {
    if profile == Profile::Publish { 0.005 } else { 0.01 }
}
