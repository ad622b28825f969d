//! The meter of a run, opened, probed and put under a sampler: a real one on the machine's clock, or a simulated
//! machine with its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::config::Config;
use super::super::exit::Stop;
use super::super::places::Places;
use super::super::simulation::{Simulation, probe_effort};
use super::headline;
use crate::clock::{Clock, RealClock};
use crate::meter::{self, DeviceWatch, Meter, MeterChoice};
use crate::model::{Domain, DomainId, Fact, MeterProbe, Origin};
use crate::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use crate::sim::Seeds;

/// How long a model is looked at.
const MODEL_PROBE: Duration = Duration::from_millis(200);

/// A meter and what belongs to it.
pub(super) struct Instrument {
    pub(super) meter: Box<dyn Meter>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) domains: Vec<Domain>,
    pub(super) headline: Vec<DomainId>,
    pub(super) notes: Vec<String>,
    pub(super) facts: Vec<Fact>,
    /// Set when the machine is a simulated one.
    pub(super) simulation: Option<Simulation>,
    watch: Option<Arc<dyn DeviceWatch>>,
}

impl Instrument {
    /// Opens the meter that was asked for.
    ///
    /// # Errors
    /// There is none, or the domains that were asked for are not its.
    pub(super) fn open(config: &Config, places: &Places) -> Result<Self, Stop> {
        match &config.meter {
            MeterChoice::Sim(file) => Self::simulated(config, &find(file, places)),
            choice => {
                let opened = meter::open(choice, &config.open).map_err(|error| headline::refuse(choice, &error))?;
                let clock = Arc::new(RealClock);
                Self::new(opened.meter, clock, config, opened.headline, opened.notes, opened.watch, None)
            }
        }
    }

    fn simulated(config: &Config, file: &Path) -> Result<Self, Stop> {
        let simulation = Simulation::open(file, Seeds { run: config.seed, bench: 0 })
            .map_err(|error| Stop::invalid(format!("the meter `{}` can't be had: {error}", config.meter)))?;
        let meter = simulation.machine().meter();
        let clock = Arc::new(simulation.machine().clock());
        let proposed = meter::non_overlapping(meter.domains());
        let notes =
            vec![format!("everything is simulated: the workload of {} takes the place of every bench", file.display())];
        Self::new(meter, clock, config, proposed, notes, None, Some(simulation))
    }

    fn new(
        meter: Box<dyn Meter>,
        clock: Arc<dyn Clock>,
        config: &Config,
        proposed: Vec<DomainId>,
        notes: Vec<String>,
        watch: Option<Arc<dyn DeviceWatch>>,
        simulation: Option<Simulation>,
    ) -> Result<Self, Stop> {
        let domains = meter.domains().to_vec();
        let headline = headline::choose(&domains, &config.domains, proposed)?;
        let facts = meter.facts().into_iter().map(|(name, value)| Fact { name, value }).collect();
        Ok(Self { meter, clock, domains, headline, notes, facts, simulation, watch })
    }

    /// Whether it reads this machine, which others may use too.
    pub(super) fn is_real(&self) -> bool {
        self.simulation.is_none()
    }

    /// Finds out what its sensors do. A model has none: what it costs to ask it is soon known.
    pub(super) fn probe(&mut self, config: &Config) -> MeterProbe {
        let effort = match self.meter.origin() {
            Origin::Estimated => ProbeEffort { least: MODEL_PROBE, most: MODEL_PROBE },
            _ => probe_effort(config.profile),
        };
        probe(&mut *self.meter, &*self.clock, effort)
    }

    /// What else is going on on its devices, as facts and as warnings.
    pub(super) fn look_around(&self) -> (Vec<Fact>, Vec<String>) {
        let (mut facts, mut warnings) = (Vec::new(), Vec::new());
        let Some(watch) = &self.watch else { return (facts, warnings) };
        for limits in watch.power_limits().unwrap_or_default() {
            let watts = |w: Option<f64>| w.map_or("unknown".to_owned(), |w| format!("{w} W"));
            let value = format!("{} in force, {} by default", watts(limits.enforced_w), watts(limits.default_w));
            facts.push(Fact { name: format!("{} power limits", limits.domain), value });
        }
        let processes = watch.processes().unwrap_or_default();
        for other in meter::foreign(&processes, &[std::process::id()]) {
            let memory = other.memory_bytes.map(|n| format!(" and holds {} MiB", n >> 20)).unwrap_or_default();
            let value = format!("process {} uses it{memory}", other.pid);
            warnings.push(format!("{}: {value}: its energy is in every figure", other.domain));
            facts.push(Fact { name: format!("{} shared at the start", other.domain), value });
        }
        (facts, warnings)
    }

    /// A sampler around the meter, on the clock of the machine that it belongs to.
    ///
    /// # Errors
    /// When its thread can't be started.
    pub(super) fn sampler(self, probed: &MeterProbe, simulation: Option<&Simulation>) -> Result<Sampler, Stop> {
        let config = SamplerConfig::for_meter(probed);
        match simulation {
            Some(simulation) => Ok(Sampler::attach(self.meter, &simulation.machine().clock(), probed, config)),
            None => Sampler::start(self.meter, self.clock, probed, config)
                .map_err(|error| Stop::machine(format!("the sampler's thread can't be started: {error}"))),
        }
    }
}

/// A scenario's file: from the current folder, else from the workspace's root.
fn find(file: &Path, places: &Places) -> PathBuf {
    let here = places.cwd.join(file);
    let root = places.workspace_root.join(file);
    if !here.is_file() && root.is_file() { root } else { here }
}
