//! Values that other threads may read at any time without waiting for a read of the meter.
//!
//! They are for display and for stopping early, not for results: each is a sensor's latest value, not a mean over a window.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::counter::GaugeTrack;
use super::readings::Readings;
use crate::meter::Quantity;
use crate::model::{Domain, DomainId};
use crate::units::Watts;

/// A counter's power is averaged over at least this time, so that single ticks don't show.
const MIN_AVERAGING: Duration = Duration::from_millis(500);

/// The hottest temperature and the number of lost domains.
#[derive(Debug)]
pub(super) struct LiveStatus {
    hottest_bits: AtomicU64,
    lost_domains: AtomicUsize,
}

impl LiveStatus {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { hottest_bits: AtomicU64::new(f64::NAN.to_bits()), lost_domains: AtomicUsize::new(0) })
    }

    pub fn publish(&self, readings: &Readings, lost_domains: usize) {
        let hottest = readings.temperatures().map(|(_, celsius)| celsius).fold(f64::NAN, f64::max);
        self.hottest_bits.store(hottest.to_bits(), Ordering::Relaxed);
        self.lost_domains.store(lost_domains, Ordering::Relaxed);
    }

    /// Returns the highest of the latest temperatures, in °C.
    pub fn hottest(&self) -> Option<f64> {
        Some(f64::from_bits(self.hottest_bits.load(Ordering::Relaxed))).filter(|t| !t.is_nan())
    }

    /// Returns the number of domains whose device is lost.
    pub fn lost_domains(&self) -> usize {
        self.lost_domains.load(Ordering::Relaxed)
    }
}

/// The latest power of each domain; NaN until it is known.
#[derive(Debug)]
pub(super) struct LivePower {
    domains: Vec<(DomainId, AtomicU64)>,
}

impl LivePower {
    pub fn new(domains: &[Domain]) -> Arc<Self> {
        let unknown = || AtomicU64::new(f64::NAN.to_bits());
        Arc::new(Self { domains: domains.iter().map(|domain| (domain.id.clone(), unknown())).collect() })
    }

    pub fn publish(&self, readings: &Readings) {
        for (domain, bits) in &self.domains {
            bits.store(latest_power(readings, domain).unwrap_or(f64::NAN).to_bits(), Ordering::Relaxed);
        }
    }

    fn watts(&self, domain: &DomainId) -> Option<f64> {
        let (_, bits) = self.domains.iter().find(|(id, _)| id == domain)?;
        Some(f64::from_bits(bits.load(Ordering::Relaxed))).filter(|watts| watts.is_finite())
    }
}

/// Returns the gauge's latest value, or the counter's mean power over its latest [`MIN_AVERAGING`].
fn latest_power(readings: &Readings, domain: &DomainId) -> Option<f64> {
    let gauge = GaugeTrack::find(&readings.gauges, Quantity::Power, domain);
    if let Some(point) = gauge.and_then(|track| track.points.last()) {
        return Some(point.1);
    }
    let track = readings.counters.iter().find(|track| track.domain == *domain && track.provides_trace)?;
    let last = track.samples.last()?;
    let averaging = track.period.unwrap_or_default().max(MIN_AVERAGING);
    let before = track.samples.partition_point(|sample| last.at.since(sample.at) >= averaging);
    let from = track.samples.get(before.checked_sub(1)?)?;
    Some((last.joules - from.joules) / last.at.seconds_from(from.at))
}

/// The latest power of some domains, for display.
#[derive(Debug, Clone)]
pub struct LivePowerReading {
    power: Arc<LivePower>,
    domains: Vec<DomainId>,
}

impl LivePowerReading {
    pub(super) fn new(power: &Arc<LivePower>, domains: &[DomainId]) -> Self {
        Self { power: Arc::clone(power), domains: domains.to_vec() }
    }

    /// Returns the sum of the domains' latest power; `None` while one of them has not been read. Never waits.
    pub fn watts(&self) -> Option<Watts> {
        self.domains.iter().map(|domain| self.power.watts(domain)).sum::<Option<f64>>().map(Watts)
    }
}
