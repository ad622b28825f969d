//! The energy of a counter at the edge of a window.
//!
//! A counter shows the energy at its last tick, not now. The last tick alone is never taken for the edge: its value and
//! the next tick's are found among the reads around the edge, and the edge lies between them. How the energy of that
//! one period is split depends on what is known about it:
//! - The same load runs on both sides: the straight line between the two ticks.
//! - The machine rests on one side (a piece of work begins or ends here): the power at rest, taken from the ticks beyond
//!   and carried on to the edge with their slope, fills the part at rest, and the other side takes what is left. That
//!   is exact for a counter that integrates all the time, whatever the load does on its side.
//!
//! The value of the last read before the edge and that of a tick that surely came after it are hard bounds for a
//! counter that integrates all the time.

use std::time::Duration;

use crate::units::Stamp;

/// Counters that tick more often than this are treated as continuous: half of it, at the power that runs, is less than
/// what the wake-up of a thread costs.
pub(super) const CONTINUOUS: Duration = Duration::from_millis(5);

/// What is taken for the period of a counter that showed too little to find one: the slowest that is common.
pub(super) const SLOW: Duration = Duration::from_millis(100);

/// One read of a counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CounterSample {
    /// The middle of the read.
    pub at: Stamp,
    /// Half the time that the read took: the value is of some moment within this of the middle.
    pub half: Duration,
    /// Joules since the first read.
    pub joules: f64,
}

impl CounterSample {
    fn begun(&self) -> Stamp {
        self.at.earlier(self.half)
    }

    fn ended(&self) -> Stamp {
        self.at + self.half
    }
}

/// On which side of an edge the machine is known to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdleSide {
    /// On neither, or on both: the same goes on before and after.
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
    /// The counter's value at the last tick that surely came before the edge.
    pub low: f64,
    /// The counter's value at the first tick that surely came after the edge.
    pub high: f64,
    /// How long the counter stood still around the edge, where that was far from one of its periods.
    pub stuck: Option<Duration>,
    /// What the counter gained by its next tick, in J, where nobody saw when the tick before came: it is taken to be
    /// one period earlier, and a counter that stood still until just then would have gained the energy of many.
    pub leap: Option<f64>,
    /// The value of the last tick that may lie before the edge, and for how long before the edge the counter surely
    /// held nothing newer: what was used since then is all that the value may be too much by. `None` where no tick was
    /// seen.
    pub shown: Option<(f64, Duration)>,
    /// The reads on which all this rests.
    pub rests_on: (Stamp, Stamp),
}

/// A tick: the counter came to show `joules` somewhere between `from` and `to`.
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

/// The energy at `edge`, from reads in time order around it, for a counter with this update period (zero where every
/// read sees a new value; `None` where it is not known).
///
/// `None` when there is no read on one of the two sides, or the counter did not tick after the edge.
pub fn value_at(samples: &[CounterSample], edge: Stamp, period: Option<Duration>, rest: IdleSide) -> Option<EdgeValue> {
    let after = samples.partition_point(|sample| sample.at <= edge);
    if after == 0 || after == samples.len() {
        return None;
    }
    match period.unwrap_or(SLOW) {
        period if period > CONTINUOUS => Reads { samples, after, edge, period }.split(rest),
        period => Some(continuous(samples, after, edge, period)),
    }
}

/// A continuous counter: the straight line between the two reads. A value may be as old as the period, so it is the
/// read after that which surely tells of a moment after the edge.
fn continuous(samples: &[CounterSample], after: usize, edge: Stamp, period: Duration) -> EdgeValue {
    let (before, next) = (samples[after - 1], samples[after]);
    let sure = |sample: &&CounterSample| sample.begun().earlier(period) >= edge;
    let bound = samples[after..].iter().find(sure).unwrap_or(&samples[samples.len() - 1]);
    EdgeValue {
        joules: interpolate(before.at, before.joules, next.at, next.joules, edge),
        low: before.joules,
        high: bound.joules,
        stuck: None,
        leap: None,
        shown: None,
        rests_on: (before.begun(), bound.ended()),
    }
}

/// Reads around an edge; `after` is the first one after it.
#[derive(Clone, Copy)]
struct Reads<'a> {
    samples: &'a [CounterSample],
    after: usize,
    edge: Stamp,
    period: Duration,
}

impl Reads<'_> {
    fn split(&self, rest: IdleSide) -> Option<EdgeValue> {
        let Self { samples, after, edge, period } = *self;
        // The first tick whose best guess lies after the edge. A tick between the two reads that enclose the edge may
        // lie on either side of it.
        let (next_read, next) = (after..samples.len())
            .filter_map(|i| Some((i, self.tick(i)?)))
            .find(|(_, tick)| self.placed(tick) > edge)?;
        let seen = (1..next_read).rev().filter_map(|i| Some((i, self.tick(i)?)));
        let (last_read, last) = seen
            .filter(|(_, tick)| self.placed(tick) <= edge)
            .map(|(read, tick)| (read, Some(tick)))
            .next()
            .unwrap_or((1, None));
        let low = last.map_or(samples[0].joules, |tick| tick.joules);
        let next_at = self.placed(&next);
        let expected = next_at.earlier(period);
        // Where no reads were dense before the edge, the tick before it is only known to lie in a long stretch: one
        // period before the next is then the better guess, if it lies there.
        let last_at = match &last {
            Some(last) if expected >= last.from && expected <= last.to => expected,
            Some(last) => self.placed(last),
            None => expected,
        };
        let on_line = interpolate(last_at, low, next_at, next.joules, edge);
        let (joules, used) = match rest {
            IdleSide::Neither => None,
            IdleSide::Before => self.rest_before(next_read, last_at, low),
            IdleSide::After => self.rest_after(next_read, next_at, &next),
        }
        .map_or((on_line, None), |(joules, used)| (joules.clamp(low, next.joules), Some(used)));
        let sure_low = samples[..after].iter().rev().find(|sample| sample.ended() <= edge).unwrap_or(&samples[0]);
        // A value that changed between two reads after the edge was set after it.
        let sure = |i: &usize| samples[i - 1].begun() >= edge && samples[*i].joules > samples[i - 1].joules;
        let sure_high =
            (after + 1..samples.len()).find(sure).map_or(samples[samples.len() - 1].joules, |i| samples[i].joules);
        // Ticks that came far too late, or too soon after one that came too late.
        let (shortest, longest) =
            last.map_or((Duration::ZERO, period), |last| (next.from.since(last.to), next.to.since(last.from)));
        let uneven = shortest > period.mul_f64(1.4) || longest < period.mul_f64(0.7);
        let unseen = next_at.since(samples[last_read - 1].ended()) > period * 3;
        let from = last.map_or(samples[0].begun(), |tick| tick.from);
        Some(EdgeValue {
            joules,
            low: sure_low.joules.min(low),
            high: sure_high.max(next.joules),
            stuck: uneven.then(|| next_at.since(last_at)),
            shown: last.map(|last| {
                let over = last.to.since(edge);
                (low, if over.is_zero() { over } else { over + period })
            }),
            leap: (unseen && !uneven).then_some(next.joules - low),
            rests_on: (used.map_or(from, |used| used.min(from)), used.map_or(next.to, |used| used.max(next.to))),
        })
    }

    /// The energy at an edge before which the machine rested, and the earliest moment it rests on.
    fn rest_before(&self, next_read: usize, last_at: Stamp, low: f64) -> Option<(f64, Stamp)> {
        let mut ticks = (1..next_read).rev().filter_map(|i| Some((i, self.tick(i)?))).filter(|(_, t)| t.joules <= low);
        let (_, near) = ticks.next()?;
        let (read, middle) = ticks.next()?;
        let watts = self.mean_power(&middle, &near)?;
        let far = ticks.next().and_then(|(read, far)| Some((read, self.mean_power(&far, &middle)?)));
        let slack = self.edge.seconds_from(last_at);
        let used = far.map_or(read, |(read, _)| read);
        let joules = low + carried_on(watts, far.map(|(_, watts)| watts), self.period, slack) * slack;
        Some((joules, self.samples[used - 1].begun()))
    }

    /// The energy at an edge after which the machine rested, and the latest moment it rests on.
    fn rest_after(&self, next_read: usize, next_at: Stamp, next: &Tick) -> Option<(f64, Stamp)> {
        let mut ticks = (next_read + 1..self.samples.len()).filter_map(|i| Some((i, self.tick(i)?)));
        let (read, middle) = ticks.next()?;
        let watts = self.mean_power(next, &middle)?;
        let far = ticks.next().and_then(|(read, far)| Some((read, self.mean_power(&middle, &far)?)));
        let slack = next_at.seconds_from(self.edge);
        let used = far.map_or(read, |(read, _)| read);
        let joules = next.joules - carried_on(watts, far.map(|(_, watts)| watts), self.period, slack) * slack;
        Some((joules, self.samples[used].ended()))
    }

    /// The mean power between two ticks; `None` when they are too far from one period apart to be neighbours. The
    /// period is better known than where each of them lies between two reads.
    fn mean_power(&self, earlier: &Tick, later: &Tick) -> Option<f64> {
        let apart = later.middle().seconds_from(earlier.middle());
        let period = self.period.as_secs_f64();
        let slack = f64::midpoint(later.to.seconds_from(later.from), earlier.to.seconds_from(earlier.from));
        let periods = (apart / period).round();
        let seconds = if (apart - periods * period).abs() <= slack + 0.01 * period { periods * period } else { apart };
        (periods >= 1.0).then(|| (later.joules - earlier.joules) / seconds)
    }

    /// The tick that the read `i` is the first to show, if it shows a new value.
    fn tick(&self, i: usize) -> Option<Tick> {
        let (before, now) = (self.samples[i - 1], self.samples[i]);
        // Several ticks may have passed since the read before; the one that set this value is the last of them.
        (now.joules != before.joules).then(|| Tick {
            from: before.begun().max(now.begun().earlier(self.period)),
            to: now.ended(),
            joules: now.joules,
        })
    }

    /// The best guess for the moment of a tick: the middle of where it may lie, narrowed by the ticks up to three
    /// periods around it.
    fn placed(&self, tick: &Tick) -> Stamp {
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
            // What a period that is known to a part in two hundred leaves open.
            let slack = periods.abs() * period / 200.0;
            let low = from.max(other.from.nanos() as f64 - periods * period - slack);
            let high = to.min(other.to.nanos() as f64 - periods * period + slack);
            // A sensor whose ticks are not even has nothing to say about its other ticks.
            if low <= high {
                (from, to) = (low, high);
            }
        }
        Stamp(f64::midpoint(from, to) as u64)
    }
}

/// The mean power at rest between a tick and an edge `slack` seconds from it, from the mean power of the period on the
/// far side of that tick and that of the period beyond: their slope is carried on, and never below nothing.
fn carried_on(watts: f64, far: Option<f64>, period: Duration, slack: f64) -> f64 {
    let period = period.as_secs_f64();
    let slope = far.map_or(0.0, |far| (watts - far) / period);
    // Power that rises by more than half within a period is no longer rest, and no line.
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

    /// Reads every 5 ms of a counter that ticks at 30, 130, 230 … ms and tells the energy of `power` W.
    fn reads_of(from: u64, to: u64, power: impl Fn(u64) -> f64) -> Vec<CounterSample> {
        let energy = |ms: u64| (0..ms).map(|ms| power(ms) * 1e-3).sum::<f64>();
        (from..=to).step_by(5).map(|ms| sample(ms, energy((ms.max(30) - 30) / 100 * 100 + 30))).collect()
    }

    fn reads(from: u64, to: u64) -> Vec<CounterSample> {
        reads_of(from, to, |_| 200.0)
    }

    #[test]
    fn an_edge_between_two_ticks_lies_on_the_line_between_them() {
        // 200 W x 0.38 s; the counter shows 66 J.
        let edge = value_at(&reads(200, 540), at(380), Some(TICK), IdleSide::Neither).unwrap();
        assert!((edge.joules - 76.0).abs() <= 200.0 * 0.0026, "{edge:?}");
        assert!((edge.low - 66.0).abs() < 1e-9 && (edge.high - 86.0).abs() < 1e-9, "{edge:?}");
        assert_eq!(edge.stuck, None);
    }

    #[test]
    fn work_that_begins_or_ends_at_the_edge_takes_what_rest_leaves() {
        // 70 W until 380 ms, then 400 W: on the line between the ticks 6.6 J would be missing or too much.
        let begins = |ms: u64| if ms < 380 { 70.0 } else { 400.0 };
        let edge = value_at(&reads_of(100, 500, begins), at(380), Some(TICK), IdleSide::Before).unwrap();
        assert!((edge.joules - 26.6).abs() < 0.2, "{edge:?}");
        let line = value_at(&reads_of(100, 500, begins), at(380), Some(TICK), IdleSide::Neither).unwrap();
        assert!((line.joules - 26.6).abs() > 5.0, "{line:?}");
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
    fn without_reads_before_the_edge_the_period_places_the_tick() {
        let mut samples = vec![sample(5, 0.0)];
        samples.extend(reads(380, 500));
        let edge = value_at(&samples, at(381), Some(TICK), IdleSide::Neither).unwrap();
        assert!((edge.joules - 76.2).abs() <= 200.0 * 0.0036, "{edge:?}");
    }

    #[test]
    fn bounds_are_only_taken_from_reads_that_surely_lie_on_their_side() {
        // A read that takes 40 ms and shows the tick at 430: the edge at 428 may lie on either side of it.
        let slow = |ms: u64, joules| CounterSample { half: Duration::from_millis(20), ..sample(ms, joules) };
        let samples = [slow(300, 46.0), slow(340, 66.0), slow(420, 66.0), slow(440, 86.0), slow(540, 106.0)];
        let edge = value_at(&samples, at(428), Some(TICK), IdleSide::Neither).unwrap();
        assert_eq!((edge.low, edge.high), (66.0, 106.0), "{edge:?}");
        assert!((edge.joules - 85.6).abs() < 200.0 * 0.021, "{edge:?}");
    }

    #[test]
    fn the_last_tick_alone_is_never_the_edge() {
        for end in [380, 420] {
            assert_eq!(value_at(&reads(200, end), at(380), Some(TICK), IdleSide::Neither), None);
        }
    }

    #[test]
    fn a_counter_that_stands_still_tells_nothing_and_one_that_stood_says_so() {
        let mut samples = reads(200, 380);
        let still = samples.last().unwrap().joules;
        samples.extend((385..900).step_by(5).map(|ms| sample(ms, still)));
        assert_eq!(value_at(&samples, at(380), Some(TICK), IdleSide::Neither), None);
        samples.push(sample(905, 176.0));
        let edge = value_at(&samples, at(380), Some(TICK), IdleSide::Neither).unwrap();
        assert_eq!((edge.low, edge.high), (still, 176.0));
        assert!(edge.stuck.unwrap() > TICK * 3);
    }

    #[test]
    fn a_continuous_counter_is_a_line_between_two_reads() {
        let samples = [sample(0, 1.0), sample(10, 3.0), sample(12, 4.0)];
        let edge = value_at(&samples, at(5), Some(Duration::ZERO), IdleSide::Neither).unwrap();
        assert_eq!((edge.joules, edge.low, edge.high), (2.0, 1.0, 3.0));
        // One that updates every 3 ms may show at 7 ms what it was at 4.
        let edge = value_at(&samples, at(8), Some(Duration::from_millis(3)), IdleSide::Neither).unwrap();
        assert_eq!((edge.low, edge.high), (1.0, 4.0));
    }
}
