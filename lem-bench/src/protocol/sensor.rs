//! What a schedule must know of the sensors, and how long a window they ask for.

use std::time::Duration;

/// What is known of the sensors that give the headline energy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sensor {
    /// The longest update period; `None` when it could not be found.
    pub(super) period: Option<Duration>,
    /// They are counters, not gauges.
    pub(super) counted: bool,
    /// They are known to see all the time.
    pub(super) whole_time: bool,
    /// The longest time over which one of them averages beyond its period.
    pub(super) smear: Duration,
    /// Between two reads of a counter around an edge.
    pub(super) edge_spacing: Duration,
}

impl Sensor {
    /// The share of a window's energy by which its edges may miss it: a quarter of one percent at each. A tick is found
    /// within half the spacing of the reads, at the worst on both sides of both edges.
    const EDGES: f64 = 0.005;

    /// The least window for that.
    pub(super) fn least_window(&self) -> Duration {
        if self.counted { self.edge_spacing.div_f64(Self::EDGES) } else { Duration::ZERO }
    }

    /// A sensor that sees part of the time, or of which that is not known, needs more ticks to have seen enough; where
    /// it is slow they would take minutes a bench, and the interval over cycles tells what was missed.
    pub(super) fn least_ticks(&self, tick: Duration, ticks: u32) -> Duration {
        let twice = if self.whole_time { Duration::ZERO } else { (tick * ticks * 2).min(Duration::from_secs(20)) };
        (tick * ticks).max(twice)
    }
}
