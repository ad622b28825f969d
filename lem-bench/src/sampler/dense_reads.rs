//! Tests whether reading a counter densely changes its value, and decides when the sampler reads ([`SamplerConfig`]).
//!
//! Some counters report less energy when they are read often: an RTX 4090's lost three quarters of its energy when read
//! every 10 ms and 13 % when read every 100 ms (Dauner et al., HotCarbon 2026). On some cards the reads themselves take
//! power: 4 W of an H200's 78 W at idle, read every millisecond. The test therefore reads a counter densely, not at all,
//! and densely again, and compares its mean power from tick to tick.

use std::time::Duration;

use super::channel_observer::{Change, ChannelObserver, READ_SPACING};
use super::counter::CounterTrack;
use super::edge::ASSUMED_PERIOD;
use crate::clock::Clock;
use crate::meter::Meter;
use crate::model::{ChannelProbe, DenseReads, MeterProbe};
use crate::stats;
use crate::units::Stamp;

/// Read intervals to try, as shares of the period, from dense to sparse. A sampler uses one of them.
const INTERVALS: [f64; 3] = [0.05, 0.25, 1.05];

/// The interval, in periods, that is assumed safe where even reads a period apart change the value.
const FALLBACK_INTERVAL: f64 = 10.0;

/// Counters that are tested at the same time.
pub(super) struct DenseReadTest<'a> {
    pub counters: Vec<DenseReadResult<'a>>,
    pub meter: &'a mut dyn Meter,
    pub clock: &'a dyn Clock,
}

/// A counter under test, and the probe that receives the result.
pub(super) struct DenseReadResult<'a> {
    pub observer: &'a mut ChannelObserver,
    pub period: Duration,
    pub probe: &'a mut ChannelProbe,
}

/// What one counter counted in one stretch of the test, from tick to tick.
#[derive(Debug, Default)]
struct Stretch {
    from: Option<Stamp>,
    last: Option<Stamp>,
    joules: f64,
    /// Mean power between consecutive changes, in W.
    powers: Vec<f64>,
    has_ended: bool,
}

impl Stretch {
    fn add(&mut self, change: Change) {
        if let Some(last) = self.last {
            self.joules += change.step;
            self.powers.push(change.step / change.at.seconds_from(last).max(1e-9));
        }
        self.from.get_or_insert(change.at);
        self.last = Some(change.at);
    }

    /// Returns the mean power; `None` when the counter did not tick at both ends.
    fn watts(&self) -> Option<f64> {
        let seconds = self.last?.seconds_from(self.from?);
        (self.has_ended && seconds > 0.0).then(|| self.joules / seconds)
    }
}

/// Compares dense reads with sparse ones over about `time`. Stores the result in each counter's probe, and the shortest
/// safe interval where dense reads change the value.
pub(super) fn test_dense_reads(mut test: DenseReadTest<'_>, time: Duration) {
    // Dense, sparse, dense: a steady drift of the power does not look like a difference.
    let before = test.run_stretch(|_| READ_SPACING, time / 4);
    let sparse = test.run_stretch(|_| time / 2, time / 2);
    let after = test.run_stretch(|_| READ_SPACING, time / 4);
    for (((counter, before), sparse), after) in test.counters.iter_mut().zip(&before).zip(&sparse).zip(&after) {
        counter.probe.dense_reads = compare(before, sparse, after);
    }
    test.counters.retain(|counter| counter.probe.dense_reads.is_some_and(|result| result.disturb()));
    for share in INTERVALS {
        if test.counters.is_empty() {
            return;
        }
        let stretches = test.run_stretch(|counter| counter.period.mul_f64(share), time / 2);
        for (counter, stretch) in test.counters.iter_mut().zip(&stretches) {
            let result = counter.probe.dense_reads.zip(stretch.watts());
            if result.is_some_and(|(result, dense_w)| !DenseReads { dense_w, ..result }.disturb()) {
                counter.probe.safe_interval_s = Some(share * counter.period.as_secs_f64());
            }
        }
        test.counters.retain(|counter| counter.probe.safe_interval_s.is_none());
    }
    for counter in test.counters {
        counter.probe.safe_interval_s = Some(FALLBACK_INTERVAL * counter.period.as_secs_f64());
    }
}

fn compare(before: &Stretch, sparse: &Stretch, after: &Stretch) -> Option<DenseReads> {
    let dense_w = f64::midpoint(before.watts()?, after.watts()?);
    let powers: Vec<f64> = before.powers.iter().chain(&after.powers).copied().collect();
    let half = stats::mean_ci(&powers, 0.99).map_or(f64::INFINITY, |ci| (ci.high - ci.low) / 2.0);
    // The sparse stretch is about as long as the two dense ones together, so its mean has the same noise.
    let noise_w = half * std::f64::consts::SQRT_2;
    Some(DenseReads { interval_s: READ_SPACING.as_secs_f64(), dense_w, sparse_w: sparse.watts()?, noise_w })
}

impl DenseReadTest<'_> {
    /// Reads each counter every `spacing` for at least `time`, from a tick of each counter to a later tick.
    fn run_stretch(&mut self, spacing: impl Fn(&DenseReadResult<'_>) -> Duration, time: Duration) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = self.counters.iter().map(|_| Stretch::default()).collect();
        let slowest = self.counters.iter().map(|counter| counter.period).max().unwrap_or_default();
        // Discards what happened since the last read.
        for counter in &mut self.counters {
            counter.observer.read(self.meter, self.clock);
        }
        self.wait_for_first_ticks(&mut stretches, slowest * 5);
        let start = self.clock.now();
        self.read_every(spacing, &mut stretches, start, start + time.max(slowest * 3));
        self.wait_for_last_ticks(&mut stretches, slowest * 5);
        stretches
    }

    fn wait_for_first_ticks(&mut self, stretches: &mut [Stretch], timeout: Duration) {
        let give_up = self.clock.now() + timeout;
        while stretches.iter().any(|stretch| stretch.from.is_none()) && self.clock.now() < give_up {
            self.clock.sleep(READ_SPACING);
            let waiting = self.counters.iter_mut().zip(&mut *stretches).filter(|(_, stretch)| stretch.from.is_none());
            for (counter, stretch) in waiting {
                counter.read_into(stretch, self.meter, self.clock);
            }
        }
    }

    fn read_every(
        &mut self,
        spacing: impl Fn(&DenseReadResult<'_>) -> Duration,
        stretches: &mut [Stretch],
        start: Stamp,
        until: Stamp,
    ) {
        let mut due: Vec<Stamp> = self.counters.iter().map(|counter| start + spacing(counter)).collect();
        while let Some(next) = due.iter().copied().min().filter(|next| *next < until) {
            self.clock.sleep_until(next);
            for ((counter, stretch), due) in self.counters.iter_mut().zip(&mut *stretches).zip(&mut due) {
                if *due <= next {
                    counter.read_into(stretch, self.meter, self.clock);
                    *due = self.clock.now() + spacing(counter);
                }
            }
        }
        self.clock.sleep_until(until);
        for (counter, stretch) in self.counters.iter_mut().zip(stretches) {
            counter.read_into(stretch, self.meter, self.clock);
        }
    }

    fn wait_for_last_ticks(&mut self, stretches: &mut [Stretch], timeout: Duration) {
        let give_up = self.clock.now() + timeout;
        while stretches.iter().any(|stretch| !stretch.has_ended) && self.clock.now() < give_up {
            self.clock.sleep(READ_SPACING);
            let running = self.counters.iter_mut().zip(&mut *stretches).filter(|(_, stretch)| !stretch.has_ended);
            for (counter, stretch) in running {
                stretch.has_ended = counter.read_into(stretch, self.meter, self.clock);
            }
        }
    }
}

impl DenseReadResult<'_> {
    /// Reads the counter once and adds its change to `stretch`; returns whether it changed.
    fn read_into(&mut self, stretch: &mut Stretch, meter: &mut dyn Meter, clock: &dyn Clock) -> bool {
        let change = self.observer.read(meter, clock);
        if let Some(change) = change {
            stretch.add(change);
        }
        change.is_some()
    }
}

// The schedule of reads.

/// The longest time between two reads of a counter that does not wrap.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How often the sampler reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplerConfig {
    /// Time between two points of the trace.
    pub trace_interval: Duration,
    /// Time between two reads of the slow gauges: all gauges except power, which is read at the trace's rate.
    pub slow_interval: Duration,
    /// Time between two reads of a counter around an edge.
    pub dense_interval: Duration,
    /// The longest update period of the counters; zero when all are continuous.
    pub tick: Duration,
    /// Number of updates to wait for on the side of an edge on which the machine is idle.
    pub rest_ticks: u32,
    /// Whether counters are also read densely before an edge. This shows the tick before the edge directly; otherwise it
    /// is inferred from the next tick and the period. Used only where reads are cheap.
    pub before_edges: bool,
}

impl SamplerConfig {
    /// Returns the rates for a meter: the trace at 10 Hz, reads around edges as [`MeterProbe::edge_spacing`] returns
    /// them. Reading an H200's counter takes 3 ms (its power field 6 µs) and it ticks every 100 ms: read at a twentieth
    /// of the period, it cost 1.8 % of a core. A counter without a known period is treated as a slow one.
    pub fn for_meter(probe: &MeterProbe) -> Self {
        let period = |p: &ChannelProbe| {
            p.update_period_s.and_then(|s| Duration::try_from_secs_f64(s).ok()).unwrap_or(ASSUMED_PERIOD)
        };
        let tick = probe.channels.iter().filter(|p| p.counter).map(period).max().unwrap_or_default();
        let dense_interval = probe.edge_spacing();
        Self {
            trace_interval: Duration::from_millis(100),
            // One reading of the throttle reasons covers a twentieth of a window of ten seconds.
            slow_interval: Duration::from_millis(500),
            dense_interval,
            tick,
            // After a load, power takes up to a second to fall. A third tick gives its slope where ticks are that short.
            rest_ticks: if tick <= Duration::from_millis(200) { 3 } else { 2 },
            before_edges: dense_interval * 4 < tick,
        }
    }

    /// Returns the time before or after an edge that is needed to see the ticks of the idle side.
    pub fn rest_time(&self) -> Duration {
        self.tick.mul_f64(f64::from(self.rest_ticks) + 0.2) + self.dense_interval * 2
    }
}

/// Why counters are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadReason {
    /// An edge is near.
    NearEdge,
    /// This many ticks after this edge are expected. A counter that has shown them gives no more information about the
    /// edge, and reading it may take milliseconds.
    AwaitTicks(Stamp, usize),
    /// A point of the trace is due.
    Trace,
}

/// Returns whether a counter is read at `now`. Between edges, a counter that does not provide the trace is read only
/// often enough that no wrap or reset is missed.
pub(super) fn is_due(track: &CounterTrack, reason: ReadReason, now: Stamp) -> bool {
    let Some(last) = track.samples.last() else { return true };
    let elapsed = now.since(last.at);
    match reason {
        ReadReason::NearEdge => true,
        ReadReason::AwaitTicks(edge, ticks) => !track.has_ticked(edge, ticks),
        ReadReason::Trace => {
            elapsed >= track.min_interval && (track.provides_trace || elapsed >= max_read_interval(track))
        }
    }
}

/// Returns the longest time between two reads of a counter.
pub(super) fn max_read_interval(track: &CounterTrack) -> Duration {
    let period = track.period.unwrap_or(ASSUMED_PERIOD).as_secs_f64();
    track.unwrapper.max_read_interval_s(period).map_or(KEEP_ALIVE, |s| KEEP_ALIVE.min(Duration::from_secs_f64(s)))
}
