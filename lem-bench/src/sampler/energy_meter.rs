//! One-off measurement: the energy of one piece of work, without a protocol around it.

use std::sync::Arc;
use std::time::Duration;

use super::core::SamplerConfig;
use super::edge::IdleSide;
use super::handle::Sampler;
use super::probe::{ProbeEffort, probe};
use crate::clock::{Clock, RealClock};
use crate::meter::{Meter, MeterChoice, OpenError, OpenOptions, open};
use crate::model::{DomainEnergy, DomainId, MeterProbe, Method, Source};
use crate::units::{Joules, Stamp};

/// How long the sensors are looked at when a meter is opened.
const EFFORT: ProbeEffort = ProbeEffort { least: Duration::from_secs(1), most: Duration::from_secs(3) };

/// Why a one-off measurement gave nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum MeasureError {
    /// No meter could be opened.
    Open(OpenError),
    /// The sampler's thread could not be started.
    Thread(std::io::Error),
    /// The meter told nothing about a domain around the edges of the work.
    NoEnergy(DomainId),
    /// The device is gone.
    Lost(String),
}

impl std::fmt::Display for MeasureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(error) => write!(f, "no meter could be opened: {error}"),
            Self::Thread(error) => write!(f, "the sampler's thread could not be started: {error}"),
            Self::NoEnergy(domain) => write!(
                f,
                "the meter told nothing about {domain} around the edges of the work; `cargo lem doctor` shows what it does"
            ),
            Self::Lost(why) => write!(f, "the device was lost: {why}"),
        }
    }
}

impl std::error::Error for MeasureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => Some(error),
            Self::Thread(error) => Some(error),
            Self::NoEnergy(_) | Self::Lost(_) => None,
        }
    }
}

impl From<OpenError> for MeasureError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// What a piece of work gave and cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured<T> {
    /// What the work returned.
    pub value: T,
    /// Its energy over the headline domains: gross, nothing is subtracted.
    pub energy: Joules,
    /// What the sensors alone allow: the true energy is not below this.
    pub low: Joules,
    /// What the sensors alone allow: the true energy is not above this.
    pub high: Joules,
    /// How long it took.
    pub elapsed: Duration,
    /// Where the energy comes from: an estimate says so here.
    pub source: Source,
}

/// Measures single pieces of work. For anything that is to be compared or quoted, write a bench: one window has no
/// interval, and nothing here warms up or measures idle.
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
    /// Where in the sensor's period the next piece of work begins, as a share of it.
    phase: f64,
}

/// The step from one phase to the next: the golden ratio's, which spreads any number of them evenly, so that what a
/// sensor sees at one phase and not at another averages out over repeated measurements.
const STEP: f64 = 0.618_033_988_749_895;

impl EnergyMeter {
    /// The best meter of this machine, as `--meter auto` chooses it. Looks at its sensors for about a second.
    ///
    /// # Errors
    /// When it cannot be opened; see [`open`].
    pub fn auto() -> Result<Self, MeasureError> {
        let opened = open(&MeterChoice::Auto, &OpenOptions::default())?;
        Self::around(opened.meter, opened.headline)
    }

    /// A meter of your own, and the domains whose energy is wanted.
    ///
    /// # Errors
    /// When the sampler's thread cannot be started.
    pub fn around(mut meter: Box<dyn Meter>, headline: Vec<DomainId>) -> Result<Self, MeasureError> {
        let clock = Arc::new(RealClock);
        let probe = probe(&mut *meter, &*clock, EFFORT);
        let config = SamplerConfig::for_meter(&probe);
        let sampler = Sampler::start(meter, clock, &probe, config).map_err(MeasureError::Thread)?;
        Ok(Self::with_sampler(sampler, probe, headline))
    }

    /// A sampler that runs already, such as one on a simulated machine's clock, with what probing its meter found and
    /// the domains whose energy is wanted.
    pub fn with_sampler(sampler: Sampler, probe: MeterProbe, headline: Vec<DomainId>) -> Self {
        // Random enough to place the first phase: when a meter is ready nobody decides to the nanosecond.
        let hash = sampler.clock().now().nanos().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        Self { sampler, probe, headline, phase: hash as f64 / f64::from(1u32 << 24) }
    }

    /// The clock of its stamps.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.sampler.clock()
    }

    /// What probing found about its sensors.
    pub fn probe(&self) -> &MeterProbe {
        &self.probe
    }

    /// Runs `work` and says what it cost. Before and after it, the machine is left at rest for a few periods of the
    /// sensors (together under a second for one that updates every 100 ms): from the power at rest follows which part
    /// of the first and of the last period belongs to the work. Work that goes on in the background after `work`
    /// returned, as kernels on a device do, must be waited for inside it.
    ///
    /// # Errors
    /// When the meter tells nothing about the time of the work, or the device is gone.
    pub fn measure<T>(&mut self, work: impl FnOnce() -> T) -> Result<Measured<T>, MeasureError> {
        let clock = Arc::clone(self.sampler.clock());
        let rest = self.sampler.config().rest_time();
        self.sampler.forget(clock.now());
        // A read and a few ticks before the work must have been seen, or its beginning has nothing to lean on.
        self.sampler.wait_until_sampled(clock.now());
        let seen = clock.now() + rest + self.sampler.config().dense_interval * 2;
        self.sampler.expect_start(seen);
        clock.sleep_until(seen);
        clock.sleep_until(self.next_phase(seen));
        let start = self.edge(&*clock, IdleSide::Before);
        let value = work();
        let stop = self.edge(&*clock, IdleSide::After);
        clock.sleep(rest + self.sampler.config().dense_interval * 3);
        self.sampler.wait_until_sampled(stop);
        let (energies, elapsed) = (self.sampler.energy(start, stop, &self.headline), stop.since(start));
        let ours = |(domain, _): &(DomainId, String)| self.headline.contains(domain);
        if let Some((_, why)) = self.sampler.lost().into_iter().find(ours) {
            return Err(MeasureError::Lost(why));
        }
        let (energy, low, high, method) = self.total(&energies)?;
        let source = Source { meter: self.probe.meter.clone(), origin: self.probe.origin, method };
        Ok(Measured { value, energy, low, high, elapsed, source })
    }

    /// When the next piece of work begins: at or after `seen`, at another place in the sensor's period than the last
    /// ones.
    fn next_phase(&mut self, seen: Stamp) -> Stamp {
        let period = self.sampler.config().tick;
        let share = self.phase;
        self.phase = (share + STEP).fract();
        let at = self.sampler.last_tick().unwrap_or(seen) + period.mul_f64(share);
        let behind = seen.since(at).as_secs_f64() / period.as_secs_f64().max(1e-9);
        at + period.mul_f64(behind.ceil())
    }

    fn edge(&self, clock: &dyn Clock, rest: IdleSide) -> Stamp {
        let at = clock.now();
        self.sampler.edge_of(at, rest);
        at
    }

    fn total(&self, energies: &[DomainEnergy]) -> Result<(Joules, Joules, Joules, Method), MeasureError> {
        let missing = |domain: &&DomainId| energies.iter().all(|energy| energy.domain != **domain);
        if let Some(domain) = self.headline.iter().find(missing) {
            return Err(MeasureError::NoEnergy(domain.clone()));
        }
        let sum = |of: fn(&DomainEnergy) -> Joules| energies.iter().map(of).sum::<Joules>();
        let integrated = energies.iter().any(|energy| energy.method == Method::IntegratedPower);
        let method = if integrated { Method::IntegratedPower } else { Method::Counter };
        Ok((sum(|e| e.joules), sum(|e| e.low), sum(|e| e.high), method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Estimate;
    use crate::model::Origin;
    use crate::units::Watts;

    #[test]
    fn busy_work_costs_what_the_estimate_says_of_it() {
        let meter = Estimate::new(Watts(10.0)).unwrap();
        let headline = meter.domains().iter().map(|domain| domain.id.clone()).collect();
        let mut meter = EnergyMeter::around(Box::new(meter), headline).unwrap();
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
        // One busy core at 10 W for 0.3 s is 3 J; other tests share the process' CPU time, a loaded machine takes some.
        assert!(measured.energy.get() > 0.5, "{}", measured.energy);
        assert!(measured.low <= measured.energy && measured.energy <= measured.high);
    }
}
