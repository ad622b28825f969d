//! When channels are read: at the trace's rate, densely around edges, and often enough that no wrap is missed.

use std::time::Duration;

use super::edge::SLOW_PERIOD;
use super::tracks::CounterTrack;
use crate::model::{ChannelProbe, MeterProbe};
use crate::units::Stamp;

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
            p.update_period_s.and_then(|s| Duration::try_from_secs_f64(s).ok()).unwrap_or(SLOW_PERIOD)
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
    let period = track.period.unwrap_or(SLOW_PERIOD).as_secs_f64();
    track.unwrapper.max_read_interval_s(period).map_or(KEEP_ALIVE, |s| KEEP_ALIVE.min(Duration::from_secs_f64(s)))
}
