//! The energy of a counter at the edge of a window.
//!
//! A counter shows the energy at its last tick, not now. The last tick alone is never taken for the edge: its value and
//! the next tick's are found among the reads around the edge, and the edge lies between them. The two values are hard
//! bounds for a counter that integrates all the time; the estimate is the straight line between them, which is exact
//! when the load runs evenly on both sides.

use std::time::Duration;

use crate::units::Stamp;

/// Counters that tick more often than this are treated as continuous: half of it, at the power that runs, is less than
/// what the wake-up of a thread costs.
const CONTINUOUS: Duration = Duration::from_millis(5);

/// One read of a counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CounterSample {
    /// The middle of the read.
    pub at: Stamp,
    /// Joules since the first read.
    pub joules: f64,
}

/// The energy at an edge, in joules since the counter was first read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EdgeValue {
    /// The estimate.
    pub joules: f64,
    /// The counter's value at the last tick before the edge.
    pub low: f64,
    /// The counter's value at the first tick after the edge.
    pub high: f64,
    /// How long the counter stood still around the edge, where that was longer than three of its periods.
    pub stuck: Option<Duration>,
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
/// `None` when there is no read on one of the two sides.
pub fn value_at(samples: &[CounterSample], edge: Stamp, period: Option<Duration>) -> Option<EdgeValue> {
    let after = samples.partition_point(|sample| sample.at <= edge);
    if after == 0 || after == samples.len() {
        return None;
    }
    match period {
        Some(period) if period > CONTINUOUS => ticked(samples, after, edge, period),
        _ => Some(between(samples[after - 1], samples[after], edge)),
    }
}

/// A continuous counter: the straight line between the two reads.
fn between(before: CounterSample, after: CounterSample, edge: Stamp) -> EdgeValue {
    let joules = interpolate(before.at, before.joules, after.at, after.joules, edge);
    EdgeValue { joules, low: before.joules, high: after.joules, stuck: None }
}

fn ticked(samples: &[CounterSample], after: usize, edge: Stamp, period: Duration) -> Option<EdgeValue> {
    // The first tick whose best guess lies after the edge. A tick between the two reads that enclose the edge may lie
    // on either side of it.
    let next = (after..samples.len()).filter_map(|i| tick(samples, i, period)).find(|tick| tick.middle() > edge);
    let Some(next) = next else {
        return stood_still(samples, after, edge, period);
    };
    let last = (1..samples.len()).rev().filter_map(|i| tick(samples, i, period)).find(|tick| tick.middle() <= edge);
    let low = last.map_or(samples[0].joules, |tick| tick.joules);
    let expected = next.middle().earlier(period);
    // Where no reads were dense before the edge, the tick before it is only known to lie in a long stretch: one period
    // before the next is then the better guess, if it lies there.
    let last_at = match last {
        Some(last) if expected >= last.from && expected <= last.to => expected,
        Some(last) => last.middle(),
        None => expected,
    };
    let between_ticks = next.middle().since(last_at);
    Some(EdgeValue {
        joules: interpolate(last_at, low, next.middle(), next.joules, edge),
        low,
        high: next.joules,
        stuck: (between_ticks > period * 3).then_some(between_ticks),
    })
}

/// No tick after the edge was seen: the counter stands still, or the reads ended too early to say.
fn stood_still(samples: &[CounterSample], after: usize, edge: Stamp, period: Duration) -> Option<EdgeValue> {
    let last = samples[samples.len() - 1];
    let still = last.at.since(edge);
    let joules = samples[after - 1].joules;
    (still > period * 3).then_some(EdgeValue { joules, low: joules, high: joules, stuck: Some(still) })
}

/// The tick that the read `i` is the first to show, if it shows a new value.
fn tick(samples: &[CounterSample], i: usize, period: Duration) -> Option<Tick> {
    let (before, now) = (samples[i - 1], samples[i]);
    // Several ticks may have passed since the read before; the one that set this value is the last of them.
    (now.joules != before.joules).then(|| Tick {
        from: before.at.max(now.at.earlier(period)),
        to: now.at,
        joules: now.joules,
    })
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

    /// Reads every 5 ms of a counter that ticks at 30, 130, 230 … ms under 200 W.
    fn reads(from: u64, to: u64) -> Vec<CounterSample> {
        (from..=to)
            .step_by(5)
            .map(|ms| CounterSample { at: at(ms), joules: f64::from(ms.saturating_sub(30) as u32 / 100) * 20.0 })
            .collect()
    }

    #[test]
    fn an_edge_between_two_ticks_lies_on_the_line_between_them() {
        // Energy at 380 ms is 200 W x 0.35 s = 70 J after the tick at 30 ms; the counter shows 60.
        let edge = value_at(&reads(200, 500), at(380), Some(TICK)).unwrap();
        assert!((edge.joules - 70.0).abs() <= 200.0 * 0.0026, "{edge:?}");
        assert_eq!((edge.low, edge.high, edge.stuck), (60.0, 80.0, None));
    }

    #[test]
    fn without_reads_before_the_edge_the_period_places_the_tick() {
        let mut samples = vec![CounterSample { at: at(5), joules: 0.0 }];
        samples.extend(reads(380, 500));
        let edge = value_at(&samples, at(381), Some(TICK)).unwrap();
        assert!((edge.joules - 70.2).abs() <= 200.0 * 0.0036, "{edge:?}");
    }

    #[test]
    fn the_last_tick_alone_is_never_the_edge() {
        assert_eq!(value_at(&reads(200, 380), at(380), Some(TICK)), None);
        assert_eq!(value_at(&reads(200, 420), at(380), Some(TICK)), None);
    }

    #[test]
    fn a_counter_that_stands_still_says_so() {
        let mut samples = reads(200, 380);
        samples.extend((385..900).step_by(5).map(|ms| CounterSample { at: at(ms), joules: 60.0 }));
        let edge = value_at(&samples, at(380), Some(TICK)).unwrap();
        assert_eq!((edge.low, edge.high), (60.0, 60.0));
        assert!(edge.stuck.unwrap() > TICK * 3);
    }

    #[test]
    fn a_continuous_counter_is_a_line_between_two_reads() {
        let samples = [CounterSample { at: at(0), joules: 1.0 }, CounterSample { at: at(10), joules: 3.0 }];
        let edge = value_at(&samples, at(5), Some(Duration::ZERO)).unwrap();
        assert_eq!((edge.joules, edge.low, edge.high), (2.0, 1.0, 3.0));
    }
}
