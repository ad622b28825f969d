//! Computes a counter's value at the edge of a window.
//!
//! A counter shows the energy at its last tick, not at the moment of the read. The edge lies between two ticks, which are
//! found among the reads around it. The energy of that one period is divided at the edge:
//! - If the same load runs on both sides: linearly between the two ticks.
//! - If the machine is idle on one side (work begins or ends here): the idle side gets the idle power, extrapolated from
//!   the ticks beyond with their slope, and the other side gets the remainder. This is exact for a counter that
//!   integrates all the time, whatever the load does on its side.
//!
//! For a counter that integrates all the time, the value of the last read before the edge and the value of a tick that
//! certainly came after it are hard bounds.

use std::time::Duration;

use crate::units::Stamp;

/// Counters with a period of at most this are treated as continuous: the energy of half of it is less than that of waking
/// a thread.
pub(super) const MAX_CONTINUOUS_PERIOD: Duration = Duration::from_millis(5);

/// The assumed period of a counter that ticked too rarely to measure it: the slowest common period.
pub(super) const ASSUMED_PERIOD: Duration = Duration::from_millis(100);

/// The most ticks at rest from which the noise of the idle power is determined.
const MAX_REST_TICKS: usize = 8;

/// One read of a counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CounterSample {
    /// The middle of the read.
    pub at: Stamp,
    /// Half the duration of the read: the value is that of some moment within this of the middle.
    pub half: Duration,
    /// Joules since the first read.
    pub joules: f64,
}

impl CounterSample {
    fn start(&self) -> Stamp {
        self.at.earlier(self.half)
    }

    fn end(&self) -> Stamp {
        self.at + self.half
    }
}

/// The side of an edge on which the machine is known to be idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdleSide {
    /// Neither, or both: the load is the same before and after.
    #[default]
    Neither,
    /// Work begins at the edge.
    Before,
    /// Work ends at the edge.
    After,
}

/// The energy at an edge, in joules since the counter was first read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EdgeValue {
    /// The estimate.
    pub joules: f64,
    /// The counter's value at the last tick that certainly came before the edge.
    pub low: f64,
    /// The counter's value at the first tick that certainly came after the edge.
    pub high: f64,
    /// How long the counter did not move around the edge, if that differs much from its period.
    pub stalled_for: Option<Duration>,
    /// The energy in J that the counter gained at the next tick, if the moment of the tick before is unknown. That one
    /// is assumed one period earlier; a counter that was stalled until then gains the energy of many periods.
    pub step: Option<f64>,
    /// The value in J of the last tick that may have come before the edge, and the time after the edge whose energy
    /// the value may include at most. `None` if there was no tick.
    pub displayed_at: Option<(f64, Duration)>,
    /// The start of the first and the end of the last read that were used.
    pub read_span: (Stamp, Stamp),
    /// How the energy of the period around the edge was divided.
    pub division: Division,
}

/// How the energy of the period around an edge was divided, for its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Division {
    /// The mean power of the period in W, or that of the idle side if it was used.
    pub watts: f64,
    /// The standard uncertainty of the moment of the tick from which that power was assumed, in s.
    pub moment_s: f64,
    /// The idle side, if its power was used. Otherwise the power is assumed to be the same on both sides.
    pub idle: Option<IdlePart>,
    /// The share of the period before the edge.
    pub share: f64,
}

/// The part of a period for which the idle power was assumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IdlePart {
    /// Length in s.
    pub seconds: f64,
    /// Root mean square of the changes of the idle power from one period to the next, in W; `None` if only one is known.
    pub change_w: Option<f64>,
}

/// A tick: the counter's value became `joules` at some moment between `from` and `to`.
#[derive(Debug, Clone, Copy)]
struct Tick {
    from: Stamp,
    to: Stamp,
    joules: f64,
}

impl Tick {
    fn middle(&self) -> Stamp {
        Stamp(self.from.nanos().midpoint(self.to.nanos()))
    }
}

/// Returns the energy at `edge` from reads around it in time order. `period` is the counter's update period: zero if every
/// read sees a new value, `None` if unknown.
///
/// Returns `None` if a read is missing on one of the two sides, or the counter did not tick after the edge.
pub fn value_at(samples: &[CounterSample], edge: Stamp, period: Option<Duration>, idle: IdleSide) -> Option<EdgeValue> {
    let after = samples.partition_point(|sample| sample.at <= edge);
    if after == 0 || after == samples.len() {
        return None;
    }
    match period.unwrap_or(ASSUMED_PERIOD) {
        period if period > MAX_CONTINUOUS_PERIOD => Reads { samples, after, edge, period }.split(idle),
        period => Some(continuous(samples, after, edge, period)),
    }
}

/// Interpolates a continuous counter between the two reads. A value may be one period old, so the upper bound is the first
/// read that began at least a period after the edge.
fn continuous(samples: &[CounterSample], after: usize, edge: Stamp, period: Duration) -> EdgeValue {
    let (before, next) = (samples[after - 1], samples[after]);
    let seconds = next.at.seconds_from(before.at).max(1e-9);
    let is_after_edge = |sample: &&CounterSample| sample.start().earlier(period) >= edge;
    let bound = samples[after..].iter().find(is_after_edge).unwrap_or(&samples[samples.len() - 1]);
    EdgeValue {
        joules: interpolate(before.at, before.joules, next.at, next.joules, edge),
        low: before.joules,
        high: bound.joules,
        stalled_for: None,
        step: None,
        displayed_at: None,
        read_span: (before.start(), bound.end()),
        division: Division {
            watts: (next.joules - before.joules) / seconds,
            // A value may be a period old, and is that of some moment of the read.
            moment_s: sd_within((period + before.half * 2).as_secs_f64()),
            idle: None,
            share: edge.seconds_from(before.at) / seconds,
        },
    }
}

/// Returns the standard deviation of a value that may be anywhere in a span of this length.
fn sd_within(length: f64) -> f64 {
    length / 12.0_f64.sqrt()
}

/// The estimated moment of a tick, with its standard uncertainty in s.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Stamp,
    sd_s: f64,
}

impl Moment {
    fn worse_of(self, other: Self) -> Self {
        if other.sd_s > self.sd_s { other } else { self }
    }
}

/// The rest on one side of an edge, and the part of it in the period of the edge.
#[derive(Debug)]
struct Rest {
    /// Power in that part, in W.
    watts: f64,
    /// Length of that part in s.
    seconds: f64,
    /// Root mean square of the changes of the power from one period to the next, in W.
    change_w: Option<f64>,
    /// The start or end of the read farthest from the edge whose value was used.
    used: Stamp,
}

impl Rest {
    fn joules(&self) -> f64 {
        self.watts * self.seconds
    }
}

/// Reads around an edge; `after` is the index of the first read after it.
#[derive(Clone, Copy)]
struct Reads<'a> {
    samples: &'a [CounterSample],
    after: usize,
    edge: Stamp,
    period: Duration,
}

impl Reads<'_> {
    fn split(&self, idle: IdleSide) -> Option<EdgeValue> {
        let Self { samples, after, edge, period } = *self;
        // The first tick with an estimated moment after the edge. A tick between the two reads that enclose the edge
        // may have come on either side of it.
        let (next_read, next) = (after..samples.len())
            .filter_map(|i| Some((i, self.tick(i)?)))
            .find(|(_, tick)| self.moment(tick).at > edge)?;
        let earlier = (1..next_read).rev().filter_map(|i| Some((i, self.tick(i)?)));
        let (last_read, last) = earlier
            .filter(|(_, tick)| self.moment(tick).at <= edge)
            .map(|(read, tick)| (read, Some(tick)))
            .next()
            .unwrap_or((1, None));
        let low = last.map_or(samples[0].joules, |tick| tick.joules);
        let next_moment = self.moment(&next);
        let next_at = next_moment.at;
        let expected = Moment { at: next_at.earlier(period), ..next_moment };
        // Without dense reads before the edge, the tick before it is only known to be in a long span. The better
        // estimate is then one period before the next tick, if that is in the span.
        let last_moment = match &last {
            Some(last) if expected.at >= last.from && expected.at <= last.to => expected,
            Some(last) => self.moment(last),
            None => expected,
        };
        let last_at = last_moment.at;
        let rest = match idle {
            IdleSide::Neither => None,
            IdleSide::Before => self.rest_before(next_read, edge.seconds_from(last_at)),
            IdleSide::After => self.rest_after(next_read, next_at.seconds_from(edge), &next),
        };
        let (joules, moment) = match &rest {
            Some(rest) if idle == IdleSide::Before => (low + rest.joules(), last_moment),
            Some(rest) => (next.joules - rest.joules(), next_moment),
            None => (interpolate(last_at, low, next_at, next.joules, edge), next_moment.worse_of(last_moment)),
        };
        let seconds = next_at.seconds_from(last_at).max(1e-9);
        let division = Division {
            watts: rest.as_ref().map_or((next.joules - low) / seconds, |rest| rest.watts),
            moment_s: moment.sd_s,
            idle: rest.as_ref().map(|rest| IdlePart { seconds: rest.seconds, change_w: rest.change_w }),
            share: (edge.seconds_from(last_at) / seconds).clamp(0.0, 1.0),
        };
        let certain_low = samples[..after].iter().rev().find(|sample| sample.end() <= edge).unwrap_or(&samples[0]);
        // A value that changed between two reads after the edge is from after the edge.
        let is_after_edge = |i: &usize| samples[i - 1].start() >= edge && samples[*i].joules > samples[i - 1].joules;
        let certain_high = (after + 1..samples.len())
            .find(is_after_edge)
            .map_or(samples[samples.len() - 1].joules, |i| samples[i].joules);
        // Ticks that came much too late, or too soon after one that did.
        let (shortest, longest) =
            last.map_or((Duration::ZERO, period), |last| (next.from.since(last.to), next.to.since(last.from)));
        let is_uneven = shortest > period.mul_f64(1.4) || longest < period.mul_f64(0.7);
        let is_unseen = next_at.since(samples[last_read - 1].end()) > period * 3;
        let from = last.map_or(samples[0].start(), |tick| tick.from);
        let used = rest.map(|rest| rest.used);
        Some(EdgeValue {
            joules: joules.clamp(low, next.joules),
            division,
            low: certain_low.joules.min(low),
            high: certain_high.max(next.joules),
            stalled_for: is_uneven.then(|| next_at.since(last_at)),
            displayed_at: last.map(|last| {
                let beyond = last.to.since(edge);
                (low, if beyond.is_zero() { beyond } else { beyond + period })
            }),
            step: (is_unseen && !is_uneven).then_some(next.joules - low),
            read_span: (used.map_or(from, |used| used.min(from)), used.map_or(next.to, |used| used.max(next.to))),
        })
    }

    /// Returns the rest before an edge, of which the last `seconds` are in the period of the edge.
    fn rest_before(&self, next_read: usize, seconds: f64) -> Option<Rest> {
        let ticks: Vec<_> =
            (1..next_read).rev().filter_map(|i| Some((i, self.tick(i)?))).take(MAX_REST_TICKS).collect();
        let powers = self.powers(ticks.iter().map(|(_, tick)| *tick), |later, earlier| (earlier, later))?;
        let (read, _) = ticks[powers.len().min(2)];
        Some(self.rest(&powers, seconds, self.samples[read - 1].start()))
    }

    /// Returns the rest after an edge, of which the first `seconds` are in the period of the edge, which ends at `next`.
    fn rest_after(&self, next_read: usize, seconds: f64, next: &Tick) -> Option<Rest> {
        let later = (next_read + 1..self.samples.len()).filter_map(|i| Some((i, self.tick(i)?)));
        let ticks: Vec<_> = std::iter::once((next_read, *next)).chain(later).take(MAX_REST_TICKS).collect();
        let powers = self.powers(ticks.iter().map(|(_, tick)| *tick), |earlier, later| (earlier, later))?;
        let (read, _) = ticks[powers.len().min(2)];
        Some(self.rest(&powers, seconds, self.samples[read].end()))
    }

    /// Returns the mean powers between consecutive ticks, the nearest to the edge first, up to the first that is unknown;
    /// `None` without any. `in_order` puts two ticks in the order of time.
    fn powers(&self, ticks: impl Iterator<Item = Tick>, in_order: fn(Tick, Tick) -> (Tick, Tick)) -> Option<Vec<f64>> {
        let ticks: Vec<Tick> = ticks.collect();
        let power = |pair: &[Tick]| {
            let (earlier, later) = in_order(pair[0], pair[1]);
            self.mean_power(&earlier, &later)
        };
        let powers: Vec<f64> = ticks.windows(2).map_while(power).collect();
        (!powers.is_empty()).then_some(powers)
    }

    fn rest(&self, powers: &[f64], seconds: f64, used: Stamp) -> Rest {
        let changes = || powers.windows(2).map(|pair| (pair[0] - pair[1]).powi(2));
        let change_w = (powers.len() > 1).then(|| (changes().sum::<f64>() / changes().count() as f64).sqrt());
        Rest { watts: extrapolate(powers[0], powers.get(1).copied(), self.period, seconds), seconds, change_w, used }
    }

    /// Returns the mean power between two ticks; `None` if they are less than half a period apart. Their distance is
    /// rounded to whole periods where possible: the period is known better than the moment of each tick.
    fn mean_power(&self, earlier: &Tick, later: &Tick) -> Option<f64> {
        let apart = later.middle().seconds_from(earlier.middle());
        let period = self.period.as_secs_f64();
        let slack = f64::midpoint(later.to.seconds_from(later.from), earlier.to.seconds_from(earlier.from));
        let periods = (apart / period).round();
        let seconds = if (apart - periods * period).abs() <= slack + 0.01 * period { periods * period } else { apart };
        (periods >= 1.0).then(|| (later.joules - earlier.joules) / seconds)
    }

    /// Returns the tick that read `i` is the first to show, if its value is new.
    fn tick(&self, i: usize) -> Option<Tick> {
        let (before, now) = (self.samples[i - 1], self.samples[i]);
        // There may have been several ticks since the previous read; the last of them set this value.
        (now.joules != before.joules).then(|| Tick {
            from: before.start().max(now.start().earlier(self.period)),
            to: now.end(),
            joules: now.joules,
        })
    }

    /// Returns the moment of a tick, estimated as the middle of the span in which it can have come, narrowed by the ticks
    /// up to three periods away.
    fn moment(&self, tick: &Tick) -> Moment {
        let reach = self.period * 3 + self.period / 2;
        let (mut from, mut to) = (tick.from.nanos() as f64, tick.to.nanos() as f64);
        let period = self.period.as_nanos() as f64;
        let middle = tick.middle();
        let within = |i: &usize| {
            let at = self.samples[*i].at;
            at + reach >= middle && at <= middle + reach
        };
        let near = self.samples.partition_point(|sample| sample.at < middle).max(1);
        let around = (1..near).rev().take_while(within).chain((near..self.samples.len()).take_while(within));
        for other in around.filter_map(|i| self.tick(i)) {
            let periods = (other.middle().seconds_from(middle) * 1e9 / period).round();
            // The period is known to 0.5 %.
            let slack = periods.abs() * period / 200.0;
            let low = from.max(other.from.nanos() as f64 - periods * period - slack);
            let high = to.min(other.to.nanos() as f64 - periods * period + slack);
            // Uneven ticks give no information about each other.
            if low <= high {
                (from, to) = (low, high);
            }
        }
        // The ticks of real counters are not exactly periodic, so that the uncertainty is that of the tick's own span.
        Moment { at: Stamp(f64::midpoint(from, to) as u64), sd_s: sd_within(tick.to.seconds_from(tick.from)) }
    }
}

/// Returns the mean idle power between a tick and an edge `slack` seconds from it. `watts` is the mean power of the period
/// on the far side of that tick, `far` that of the period beyond; their slope is extrapolated, and the result is not
/// negative.
fn extrapolate(watts: f64, far: Option<f64>, period: Duration, slack: f64) -> f64 {
    let period = period.as_secs_f64();
    let slope = far.map_or(0.0, |far| (watts - far) / period);
    // Power that rises by more than half within a period is neither idle nor linear.
    (watts + slope * f64::midpoint(period, slack)).clamp(0.0, 1.5 * watts)
}

fn interpolate(from: Stamp, from_j: f64, to: Stamp, to_j: f64, edge: Stamp) -> f64 {
    let span = to.since(from).as_secs_f64();
    if span <= 0.0 {
        return to_j;
    }
    from_j + (to_j - from_j) * (edge.seconds_from(from) / span).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    fn at(millis: u64) -> Stamp {
        Stamp(millis * 1_000_000)
    }

    fn sample(ms: u64, joules: f64) -> CounterSample {
        CounterSample { at: at(ms), half: Duration::ZERO, joules }
    }

    /// Returns reads every 5 ms of a counter that ticks at 30, 130, 230 … ms and integrates `power` W.
    fn reads_of(from: u64, to: u64, power: impl Fn(u64) -> f64) -> Vec<CounterSample> {
        let energy = |ms: u64| (0..ms).map(|ms| power(ms) * 1e-3).sum::<f64>();
        (from..=to).step_by(5).map(|ms| sample(ms, energy((ms.max(30) - 30) / 100 * 100 + 30))).collect()
    }

    fn reads(from: u64, to: u64) -> Vec<CounterSample> {
        reads_of(from, to, |_| 200.0)
    }

    #[test]
    fn interpolates_between_ticks() {
        // 200 W x 0.38 s; the counter shows 66 J.
        let edge = value_at(&reads(200, 540), at(380), Some(TICK), IdleSide::Neither).unwrap();
        assert!((edge.joules - 76.0).abs() <= 200.0 * 0.0026, "{edge:?}");
        assert!((edge.low - 66.0).abs() < 1e-9 && (edge.high - 86.0).abs() < 1e-9, "{edge:?}");
        assert_eq!(edge.stalled_for, None);
    }

    #[test]
    fn extrapolates_idle_power() {
        // 70 W until 380 ms, then 400 W: linear interpolation would be wrong by 6.6 J.
        let begins = |ms: u64| if ms < 380 { 70.0 } else { 400.0 };
        let edge = value_at(&reads_of(100, 500, begins), at(380), Some(TICK), IdleSide::Before).unwrap();
        assert!((edge.joules - 26.6).abs() < 0.2, "{edge:?}");
        let linear = value_at(&reads_of(100, 500, begins), at(380), Some(TICK), IdleSide::Neither).unwrap();
        assert!((linear.joules - 26.6).abs() > 5.0, "{linear:?}");
        // Bursts until 360 ms, then a tail from 120 W that falls by 100 W a second.
        let ends = |ms: u64| match ms {
            ..360 => f64::from(u8::from(ms % 50 < 20)) * 800.0,
            _ => 120.0 - (ms - 360) as f64 * 0.1,
        };
        let truth = (0..360).map(|ms| ends(ms) * 1e-3).sum::<f64>();
        let edge = value_at(&reads_of(100, 700, ends), at(360), Some(TICK), IdleSide::After).unwrap();
        assert!((edge.joules - truth).abs() < 0.3, "{edge:?} {truth}");
        assert!(edge.low < truth && truth < edge.high);
    }

    #[test]
    fn infers_unseen_tick_from_period() {
        let mut samples = vec![sample(5, 0.0)];
        samples.extend(reads(380, 500));
        let edge = value_at(&samples, at(381), Some(TICK), IdleSide::Neither).unwrap();
        assert!((edge.joules - 76.2).abs() <= 200.0 * 0.0036, "{edge:?}");
    }

    #[test]
    fn takes_bounds_from_certain_reads() {
        // A read that takes 40 ms and shows the tick at 430: the edge at 428 may be on either side of it.
        let slow = |ms: u64, joules| CounterSample { half: Duration::from_millis(20), ..sample(ms, joules) };
        let samples = [slow(300, 46.0), slow(340, 66.0), slow(420, 66.0), slow(440, 86.0), slow(540, 106.0)];
        let edge = value_at(&samples, at(428), Some(TICK), IdleSide::Neither).unwrap();
        assert_eq!((edge.low, edge.high), (66.0, 106.0), "{edge:?}");
        assert!((edge.joules - 85.6).abs() < 200.0 * 0.021, "{edge:?}");
    }

    #[test]
    fn needs_a_tick_after_the_edge() {
        for end in [380, 420] {
            assert_eq!(value_at(&reads(200, end), at(380), Some(TICK), IdleSide::Neither), None);
        }
    }

    #[test]
    fn reports_stalled_counter() {
        let mut samples = reads(200, 380);
        let still = samples.last().unwrap().joules;
        samples.extend((385..900).step_by(5).map(|ms| sample(ms, still)));
        assert_eq!(value_at(&samples, at(380), Some(TICK), IdleSide::Neither), None);
        samples.push(sample(905, 176.0));
        let edge = value_at(&samples, at(380), Some(TICK), IdleSide::Neither).unwrap();
        assert_eq!((edge.low, edge.high), (still, 176.0));
        assert!(edge.stalled_for.unwrap() > TICK * 3);
    }

    #[test]
    fn interpolates_continuous_counter() {
        let samples = [sample(0, 1.0), sample(10, 3.0), sample(12, 4.0)];
        let edge = value_at(&samples, at(5), Some(Duration::ZERO), IdleSide::Neither).unwrap();
        assert_eq!((edge.joules, edge.low, edge.high), (2.0, 1.0, 3.0));
        // A counter that updates every 3 ms may show at 7 ms its value of 4 ms.
        let edge = value_at(&samples, at(8), Some(Duration::from_millis(3)), IdleSide::Neither).unwrap();
        assert_eq!((edge.low, edge.high), (1.0, 4.0));
    }
}
