//! The power of each domain now, for people who watch: a number that is there without waiting for a read.
//!
//! Must not be used for results: it is the last word of a sensor, not the mean over anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::readings::Readings;
use crate::meter::Quantity;
use crate::model::{Domain, DomainId};
use crate::units::Watts;

/// A counter's power is a mean over at least so long, so that single ticks don't show.
const LEAST: Duration = Duration::from_millis(500);

/// What was last seen of each domain's power; a NaN where nothing was.
#[derive(Debug)]
pub(super) struct LivePower {
    domains: Vec<(DomainId, AtomicU64)>,
}

impl LivePower {
    pub(super) fn new(domains: &[Domain]) -> Arc<Self> {
        let of = |domain: &Domain| (domain.id.clone(), AtomicU64::new(f64::NAN.to_bits()));
        Arc::new(Self { domains: domains.iter().map(of).collect() })
    }

    pub(super) fn publish(&self, readings: &Readings) {
        for (domain, bits) in &self.domains {
            bits.store(power(readings, domain).unwrap_or(f64::NAN).to_bits(), Ordering::Relaxed);
        }
    }
}

/// The gauge's last word, else the counter's mean since its last sample that is long enough ago.
fn power(readings: &Readings, domain: &DomainId) -> Option<f64> {
    let gauge = readings.gauges.iter().find(|track| track.quantity == Quantity::Power && track.domain == *domain);
    if let Some(point) = gauge.and_then(|track| track.points.last()) {
        return Some(point.1);
    }
    let track = readings.counters.iter().find(|track| track.domain == *domain && track.traced)?;
    let last = track.samples.last()?;
    let long = track.period.unwrap_or_default().max(LEAST);
    let before = track.samples.partition_point(|sample| last.at.since(sample.at) >= long);
    let from = track.samples.get(before.checked_sub(1)?)?;
    Some((last.joules - from.joules) / last.at.seconds_from(from.at))
}

/// The power of some domains now, for people who watch.
#[derive(Debug, Clone)]
pub struct LivePowerReading {
    board: Arc<LivePower>,
    domains: Vec<DomainId>,
}

impl LivePowerReading {
    pub(super) fn new(board: &Arc<LivePower>, domains: &[DomainId]) -> Self {
        Self { board: Arc::clone(board), domains: domains.to_vec() }
    }

    /// The sum over the domains, as last read; `None` while one of them has not been read. Never waits.
    pub fn watts(&self) -> Option<Watts> {
        let of = |domain: &DomainId| {
            let (_, bits) = self.board.domains.iter().find(|(id, _)| id == domain)?;
            Some(f64::from_bits(bits.load(Ordering::Relaxed))).filter(|watts| watts.is_finite())
        };
        self.domains.iter().map(of).sum::<Option<f64>>().map(Watts)
    }
}
