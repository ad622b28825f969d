//! Probing a meter: what its sensors really do, measured before anything depends on it.

use std::time::Duration;

use super::dense_reads::{DenseReadResult, DenseReadTest, try_out};
use super::edge::CONTINUOUS;
use super::watch::Watch;
use crate::clock::Clock;
use crate::meter::{Meter, Quantity};
use crate::model::{ChannelProbe, MeterProbe};

/// How long to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEffort {
    /// Always at least this long.
    pub least: Duration,
    /// Longer where a sensor has shown too few updates, up to this.
    pub most: Duration,
}

/// Reads between two looks at the sensors, at first.
pub(super) const SPACING: Duration = Duration::from_millis(1);

/// The slowest counter of which it is tried out what dense reads do to it: a slower one is read so seldom that it
/// cannot matter.
const SLOWEST: Duration = Duration::from_millis(500);

/// Reads every energy counter and power gauge of `meter` densely and says how often each updates, in which steps, and
/// what a read costs; then leaves the counters alone for a while, to see whether being read so often changed what they
/// say.
pub fn probe(meter: &mut dyn Meter, clock: &dyn Clock, effort: ProbeEffort) -> MeterProbe {
    let mut watches = watches(meter);
    let start = clock.now();
    let mut spacing = SPACING;
    loop {
        for watch in &mut watches {
            watch.look(meter, clock);
        }
        let passed = clock.now().since(start);
        if passed >= effort.least / 2 {
            // Sensors that have not shown themselves by now are slow; there is no need to look at them as often.
            spacing = SPACING * 10;
            if passed >= effort.most || watches.iter().all(Watch::is_known) {
                break;
            }
        }
        clock.sleep(spacing);
    }
    let channels = meter.channels().to_vec();
    let mut probes: Vec<ChannelProbe> = watches
        .iter()
        .map(|watch| {
            let channel = &channels[watch.channel];
            watch.result(channel.domain.clone(), channel.is_counter(), channel.averaging)
        })
        .collect();
    let left = effort.least.saturating_sub(clock.now().since(start)).max(effort.least / 4);
    let tried = |(watch, found)| tried(watch, found);
    let counters: Vec<DenseReadResult<'_>> = watches.iter_mut().zip(&mut probes).filter_map(tried).collect();
    if !counters.is_empty() {
        try_out(DenseReadTest { counters, meter: &mut *meter, clock }, left);
    }
    MeterProbe {
        meter: meter.name().to_owned(),
        origin: meter.origin(),
        temperature: channels.iter().any(|c| c.quantity == Quantity::Temperature),
        channels: probes,
    }
}

/// A counter that it can be tried out on: one whose ticks can be told apart, and waited for.
fn tried<'a>(watch: &'a mut Watch, found: &'a mut ChannelProbe) -> Option<DenseReadResult<'a>> {
    let period = Duration::from_secs_f64(found.update_period_s.filter(|_| found.counter)?);
    let readable = found.read_cost_s < period.as_secs_f64() / 4.0;
    (period > CONTINUOUS && period <= SLOWEST && readable).then_some(DenseReadResult { watch, period, found })
}

fn watches(meter: &dyn Meter) -> Vec<Watch> {
    meter.channels().iter().enumerate().filter_map(|(channel, c)| Watch::new(channel, c)).collect()
}
