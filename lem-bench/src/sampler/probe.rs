//! Probes a meter: measures how often its sensors update, in which steps, and what a read costs.

use std::time::Duration;

use super::channel_observer::{ChannelObserver, READ_SPACING};
use super::dense_reads::{DenseReadResult, DenseReadTest, test_dense_reads};
use super::edge::CONTINUOUS;
use crate::clock::Clock;
use crate::meter::{Meter, Quantity};
use crate::model::{ChannelProbe, MeterProbe};

/// How long to probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEffort {
    /// The shortest time.
    pub min: Duration,
    /// The longest time, for sensors that update rarely.
    pub max: Duration,
}

/// The slowest counter for which dense reads are tested: a slower one is read so rarely that they do not matter.
const SLOWEST: Duration = Duration::from_millis(500);

/// Reads every energy counter and power gauge of `meter` densely, and returns how often each updates, in which steps, and
/// what a read costs. Then reads the counters rarely for a while, to find out whether dense reads change their values.
pub fn probe(meter: &mut dyn Meter, clock: &dyn Clock, effort: ProbeEffort) -> MeterProbe {
    let mut observers = observers(meter);
    let start = clock.now();
    let mut spacing = READ_SPACING;
    loop {
        for observer in &mut observers {
            observer.read(meter, clock);
        }
        let elapsed = clock.now().since(start);
        if elapsed >= effort.min / 2 {
            // Sensors that have not updated often enough by now are slow and need fewer reads.
            spacing = READ_SPACING * 10;
            if elapsed >= effort.max || observers.iter().all(ChannelObserver::has_period) {
                break;
            }
        }
        clock.sleep(spacing);
    }
    let channels = meter.channels().to_vec();
    let mut probes: Vec<ChannelProbe> = observers
        .iter()
        .map(|observer| {
            let channel = &channels[observer.channel];
            observer.result(channel.domain.clone(), channel.is_counter(), channel.averaging)
        })
        .collect();
    let time_left = effort.min.saturating_sub(clock.now().since(start)).max(effort.min / 4);
    let counters: Vec<DenseReadResult<'_>> = observers
        .iter_mut()
        .zip(&mut probes)
        .filter_map(|(observer, probe)| Some(DenseReadResult { period: testable_period(probe)?, observer, probe }))
        .collect();
    if !counters.is_empty() {
        test_dense_reads(DenseReadTest { counters, meter: &mut *meter, clock }, time_left);
    }
    MeterProbe {
        meter: meter.name().to_owned(),
        origin: meter.origin(),
        temperature: channels.iter().any(|c| c.quantity == Quantity::Temperature),
        channels: probes,
    }
}

/// Returns the period of a counter for which dense reads can be tested: its ticks can be distinguished, and are frequent
/// enough to wait for.
fn testable_period(probe: &ChannelProbe) -> Option<Duration> {
    let period = Duration::from_secs_f64(probe.update_period_s.filter(|_| probe.counter)?);
    let is_cheap = probe.read_cost_s < period.as_secs_f64() / 4.0;
    (period > CONTINUOUS && period <= SLOWEST && is_cheap).then_some(period)
}

fn observers(meter: &dyn Meter) -> Vec<ChannelObserver> {
    meter.channels().iter().enumerate().filter_map(|(index, channel)| ChannelObserver::new(index, channel)).collect()
}
