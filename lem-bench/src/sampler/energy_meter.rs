//! Measures the energy of one piece of work, without a protocol.

use std::sync::Arc;
use std::time::Duration;

use super::dense_reads::SamplerConfig;
use super::edge::IdleSide;
use super::handle::Sampler;
use super::power_steps::{ProbeEffort, probe};
use crate::clock::{Clock, RealClock};
use crate::meter::{Meter, MeterChoice, OpenError, OpenOptions, open};
use crate::model::{DomainEnergy, DomainId, MeterProbe, Method, Source, Uncertainty};
use crate::units::{Joules, Stamp};

/// How long the sensors are probed when a meter is opened.
const PROBE_EFFORT: ProbeEffort = ProbeEffort { min: Duration::from_secs(1), max: Duration::from_secs(3) };

/// The step from one phase to the next. The golden ratio spreads any number of phases evenly, so that phase-dependent
/// errors of a sensor average out over repeated measurements.
const PHASE_STEP: f64 = 0.618_033_988_749_895;

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// No meter could be opened.
    #[error("cannot open a meter: {0}")]
    Open(#[from] OpenError),
    /// The sampler's thread could not be started.
    #[error("cannot start the sampler's thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The meter has no reading of a domain around the start or the end of the work.
    #[error(
        "no reading of {0} around the start or the end of the work; `cargo lem doctor` checks its sensors (install it with `cargo install --git https://github.com/lem-bench/lem-bench lem-bench`)"
    )]
    NoEnergy(DomainId),
    /// The device is lost.
    #[error("device lost: {0}")]
    Lost(String),
}

/// The result of a piece of work, and its energy.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Measured<T> {
    /// What the work returned.
    pub value: T,
    /// The gross energy of the headline domains: idle energy is not subtracted.
    pub energy: Joules,
    /// The standard uncertainty of the energy, by cause. It does not contain an error of the sensors' gain.
    pub uncertainty: Uncertainty,
    /// The lower bound that the sensors give in the worst case.
    pub low: Joules,
    /// The upper bound that the sensors give in the worst case.
    pub high: Joules,
    /// How long the work took.
    pub elapsed: Duration,
    /// Where the energy comes from: measured, estimated or simulated, and by which method.
    pub source: Source,
}

/// Measures single pieces of work. To compare or publish a result, write a bench: one window has no interval, and this type
/// neither warms up nor measures idle power.
///
/// ```no_run
/// use lem_bench::EnergyMeter;
///
/// let mut meter = EnergyMeter::auto()?;
/// let measured = meter.measure(|| (0..50_000_000_u64).sum::<u64>())?;
/// println!("{} in {:?}, {}", measured.energy, measured.elapsed, measured.source);
/// # Ok::<(), lem_bench::Error>(())
/// ```
#[derive(Debug)]
pub struct EnergyMeter {
    sampler: Sampler,
    probe: MeterProbe,
    headline: Vec<DomainId>,
    /// Where in the sensor's period the next piece of work begins, as a share of the period.
    phase: f64,
}

impl EnergyMeter {
    /// Opens the best meter of this machine, as `--meter auto` does, and probes its sensors for about a second.
    ///
    /// # Errors
    /// [`MeasureError::Open`] if no meter can be opened, [`MeasureError::Thread`] if the sampler's
    /// thread cannot be started.
    pub fn auto() -> Result<Self, MeasureError> {
        let opened = open(&MeterChoice::Auto, &OpenOptions::default())?;
        Self::with_meter(opened.meter, opened.headline)
    }

    /// Uses a given meter, and measures the sum of the `headline` domains. Probes its sensors for about a second.
    ///
    /// # Errors
    /// [`MeasureError::Thread`] if the sampler's thread cannot be started.
    pub fn with_meter(mut meter: Box<dyn Meter>, headline: Vec<DomainId>) -> Result<Self, MeasureError> {
        let clock = Arc::new(RealClock);
        let probe = probe(&mut *meter, &*clock, PROBE_EFFORT);
        let config = SamplerConfig::for_meter(&probe);
        let sampler = Sampler::start(meter, clock, &probe, config).map_err(MeasureError::Thread)?;
        Ok(Self::with_sampler(sampler, probe, headline))
    }

    /// Uses a running sampler, for example one on a simulated machine's clock, with the probe of its meter.
    #[doc(hidden)]
    pub fn with_sampler(sampler: Sampler, probe: MeterProbe, headline: Vec<DomainId>) -> Self {
        // The nanoseconds of the current time give a random first phase.
        let hash = sampler.clock().now().nanos().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        Self { sampler, probe, headline, phase: hash as f64 / f64::from(1u32 << 24) }
    }

    /// Returns the sampler's clock.
    #[doc(hidden)]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.sampler.clock()
    }

    /// Returns the probe of the meter's sensors.
    #[doc(hidden)]
    pub fn probe(&self) -> &MeterProbe {
        &self.probe
    }

    /// Runs `work` and returns its energy.
    ///
    /// Waits a few sensor periods before and after the work, together less than a second for a sensor that updates every
    /// 100 ms. The idle power in that time gives the share of the work in the first and the last period. `work` must wait
    /// for everything it starts in the background, such as kernels on a device.
    ///
    /// # Errors
    /// [`MeasureError::NoEnergy`] if readings are missing around the work, [`MeasureError::Lost`] if the device is lost.
    pub fn measure<T>(&mut self, work: impl FnOnce() -> T) -> Result<Measured<T>, MeasureError> {
        let clock = Arc::clone(self.sampler.clock());
        let rest = self.sampler.config().rest_time();
        self.sampler.discard_before(clock.now());
        // The energy at the start is computed from a read and a few ticks before it.
        self.sampler.wait_until_sampled(clock.now());
        let earliest = clock.now() + rest + self.sampler.config().dense_interval * 2;
        self.sampler.expect_start(earliest);
        clock.sleep_until(earliest);
        clock.sleep_until(self.next_phase(earliest));
        let start = self.edge(&*clock, IdleSide::Before);
        let value = work();
        let stop = self.edge(&*clock, IdleSide::After);
        clock.sleep(rest + self.sampler.config().dense_interval * 3);
        self.sampler.wait_until_sampled(stop);
        let (energies, elapsed) = (self.sampler.energy(start, stop, &self.headline), stop.since(start));
        let is_headline = |(domain, _): &(DomainId, String)| self.headline.contains(domain);
        if let Some((_, why)) = self.sampler.lost().into_iter().find(is_headline) {
            return Err(MeasureError::Lost(why));
        }
        let method = self.method(&energies)?;
        let source = Source { meter: self.probe.meter.clone(), origin: self.probe.origin, method };
        let sum = |value: fn(&DomainEnergy) -> Joules| energies.iter().map(value).sum::<Joules>();
        let uncertainties = energies.iter().filter_map(|energy| energy.uncertainty);
        Ok(Measured {
            value,
            energy: sum(|energy| energy.joules),
            uncertainty: uncertainties.fold(Uncertainty::default(), |sum, own| sum.plus(&own, 1.0)),
            low: sum(|energy| energy.low),
            high: sum(|energy| energy.high),
            elapsed,
            source,
        })
    }

    /// Returns when the next piece of work begins: at or after `earliest`, in a phase of the sensor's period that was not
    /// used yet.
    fn next_phase(&mut self, earliest: Stamp) -> Stamp {
        let period = self.sampler.config().tick;
        let share = self.phase;
        self.phase = (share + PHASE_STEP).fract();
        let at = self.sampler.last_tick().unwrap_or(earliest) + period.mul_f64(share);
        let behind = earliest.since(at).as_secs_f64() / period.as_secs_f64().max(1e-9);
        at + period.mul_f64(behind.ceil())
    }

    fn edge(&self, clock: &dyn Clock, idle: IdleSide) -> Stamp {
        let at = clock.now();
        self.sampler.edge_at_idle(at, idle);
        at
    }

    /// Returns the method of the total: that of its weakest domain.
    fn method(&self, energies: &[DomainEnergy]) -> Result<Method, MeasureError> {
        let has_no_energy = |domain: &&DomainId| energies.iter().all(|energy| energy.domain != **domain);
        if let Some(domain) = self.headline.iter().find(has_no_energy) {
            return Err(MeasureError::NoEnergy(domain.clone()));
        }
        let is_integrated = energies.iter().any(|energy| energy.method == Method::IntegratedPower);
        Ok(if is_integrated { Method::IntegratedPower } else { Method::Counter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Estimate;
    use crate::model::Origin;
    use crate::units::Watts;

    #[test]
    fn measures_estimate_of_busy_work() {
        let meter = Estimate::new(Watts(10.0)).unwrap();
        let headline = meter.domains().iter().map(|domain| domain.id.clone()).collect();
        let mut meter = EnergyMeter::with_meter(Box::new(meter), headline).unwrap();
        let measured = meter.measure(|| {
            let start = std::time::Instant::now();
            let mut n = 0_u64;
            while start.elapsed() < Duration::from_millis(300) {
                n = std::hint::black_box(n + 1);
            }
            n
        });
        let measured = measured.unwrap();
        assert!(measured.value > 0 && measured.elapsed >= Duration::from_millis(300));
        assert_eq!(measured.source.origin, Origin::Estimated);
        // One busy core at 10 W for 0.3 s takes 3 J. Other tests add CPU time to the process, a loaded machine reduces it.
        assert!(measured.energy.get() > 0.5, "{}", measured.energy);
        assert!(measured.low <= measured.energy && measured.energy <= measured.high);
        let uncertainty = measured.uncertainty.total();
        assert!(uncertainty > Joules(0.0) && uncertainty < measured.energy, "{:?}", measured.uncertainty);
    }
}
