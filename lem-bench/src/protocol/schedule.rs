//! The figures of a protocol, as a function of the profile and of what probing the meter found.

use std::time::Duration;

use super::precision::PrecisionRule;
use super::sensor::Sensor;
use crate::model::{DomainId, MeterProbe, Origin};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChannelProbe;

    fn probed(origin: Origin, counter: Option<f64>, gauge: Option<f64>, temperature: bool) -> MeterProbe {
        let channel = |counter: bool, period| ChannelProbe {
            domain: DomainId::new("gpu:0"),
            counter,
            update_period_s: Some(period),
            quantum: None,
            read_cost_s: 1e-5,
            updates: 20,
            averaging_s: Some(period),
            dense_reads: None,
            safe_interval_s: None,
        };
        let channels = counter.map(|p| channel(true, p)).into_iter().chain(gauge.map(|p| channel(false, p))).collect();
        MeterProbe { meter: "test".into(), origin, channels, temperature }
    }

    fn plan(profile: Profile, probe: &MeterProbe) -> Schedule {
        Schedule::plan(profile, probe, &[DomainId::new("gpu:0")], &Overrides::default())
    }

    #[test]
    fn a_gpu_takes_about_three_minutes() {
        let probe = probed(Origin::Measured, Some(0.1), Some(0.1), true);
        let schedule = plan(Profile::Default, &probe);
        assert_eq!(schedule.window, ms(5000));
        let minutes = schedule.expected().as_secs_f64() / 60.0;
        assert!((2.5..3.5).contains(&minutes), "{minutes}");
    }

    #[test]
    fn an_estimate_takes_about_fifteen_seconds() {
        let schedule = plan(Profile::Default, &probed(Origin::Estimated, Some(0.0), None, false));
        assert_eq!((schedule.idle_blocks, schedule.gap_idle), (0, Duration::ZERO));
        let seconds = schedule.expected().as_secs_f64();
        assert!((12.0..18.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn slow_counters_and_gauges_get_longer_windows() {
        let slow = plan(Profile::Default, &probed(Origin::Measured, Some(1.0), None, true));
        assert_eq!(slow.window, Duration::from_secs(50));
        assert!(slow.ramp_out >= Duration::from_secs(2) && slow.gap_rest >= ms(1200));
        let gauge = plan(Profile::Default, &probed(Origin::Measured, None, Some(0.1), true));
        assert_eq!(gauge.window, Duration::from_secs(10));
        let rapl = plan(Profile::Default, &probed(Origin::Measured, Some(0.001), None, false));
        assert_eq!((rapl.window, rapl.idle_block), (ms(1000), ms(1000)));
    }

    #[test]
    fn sensors_that_see_part_of_the_time_or_smear_it_get_longer_windows() {
        let mut probe = probed(Origin::Measured, Some(0.1), Some(0.1), true);
        let with = |probe: &mut MeterProbe, averaging| {
            probe.channels[0].averaging_s = averaging;
            plan(Profile::Default, probe)
        };
        assert_eq!(with(&mut probe, Some(0.025)).window, ms(10_000), "25 of every 100 ms");
        assert_eq!(with(&mut probe, None).window, ms(10_000), "unknown");
        assert_eq!(with(&mut probe, Some(0.1)).window, ms(5000), "the whole time");
        // A gauge that shows the mean of the last two seconds still shows the load two seconds into a gap.
        let mut smeared = probed(Origin::Measured, None, Some(0.1), true);
        let smeared = with(&mut smeared, Some(2.0));
        assert!(smeared.window >= ms(20_000) && smeared.gap_rest >= ms(2400) && smeared.ramp_in >= ms(2400));
    }

    #[test]
    fn reads_that_place_a_tick_badly_make_windows_longer() {
        let mut probe = probed(Origin::Measured, Some(0.1), None, true);
        probe.channels[0].read_cost_s = 0.003;
        assert_eq!(plan(Profile::Default, &probe).window, ms(5000), "an expensive counter, read four times a tick");
        probe.channels[0].safe_interval_s = Some(0.2);
        assert_eq!(plan(Profile::Default, &probe).window, ms(21_000), "one that bears one read a tick");
    }

    #[test]
    fn without_a_temperature_the_ramp_in_is_twice_the_gap() {
        let schedule = plan(Profile::Default, &probed(Origin::Measured, Some(0.1), None, false));
        assert_eq!(schedule.ramp_in, (schedule.gap_rest + schedule.gap_idle + schedule.guard) * 2);
    }

    #[test]
    fn the_users_figures_win() {
        let probe = probed(Origin::Measured, Some(0.1), None, true);
        let set = Overrides {
            cycles: Some(4),
            gap: Some(ms(1000)),
            min_window: Some(ms(300)),
            warm_up: Some(ms(1200)),
            idle: Some(ms(2500)),
            ..Overrides::default()
        };
        let schedule = Schedule::plan(Profile::Default, &probe, &[DomainId::new("gpu:0")], &set);
        assert_eq!((schedule.cycles, schedule.window, schedule.idle_block), (4, ms(300), ms(500)));
        assert_eq!(schedule.gap_rest + schedule.gap_idle, ms(1000));
        assert_eq!((schedule.warm_up.floor, schedule.warm_up.probe), (ms(1200), ms(20)));
    }
}
