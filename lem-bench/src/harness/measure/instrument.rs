//! The meter of a run, opened, probed and put under a sampler: a real one on the machine's clock, or a simulated
//! machine with its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::calibration;
use super::super::config::Config;
use super::super::exit::HarnessError;
use super::super::places::WorkspacePaths;
use super::super::run::Invocation;
use super::super::simulation::{Simulation, probe_effort};
use super::headline;
use crate::clock::{Clock, RealClock};
use crate::meter::{self, DeviceMonitor, Meter, MeterChoice, NullMeter};
use crate::model::{
    Calibration, DeviceLimits, DeviceUser, Domain, DomainId, DomainKind, Fact, MeterProbe, Origin, RunEvidence,
    RunHeader, fact_names,
};
use crate::runner::HostMonitor;
use crate::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use crate::sim::Seeds;

/// How long a model is looked at.
const MODEL_PROBE: Duration = Duration::from_millis(200);

/// Waits before each try to open a meter again.
const REOPENINGS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(8)];

/// A meter and what belongs to it.
pub(super) struct MeterSetup {
    pub(super) meter: Box<dyn Meter>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) domains: Vec<Domain>,
    pub(super) headline: Vec<DomainId>,
    pub(super) notes: Vec<String>,
    pub(super) facts: Vec<Fact>,
    /// Set when the machine is a simulated one.
    pub(super) simulation: Option<Simulation>,
    watch: Option<Arc<dyn DeviceMonitor>>,
    calibration: Option<Calibration>,
}

impl MeterSetup {
    /// Opens the meter that was asked for.
    ///
    /// # Errors
    /// There is none, or the domains that were asked for are not its.
    pub(super) fn open(call: &Invocation) -> Result<Self, HarnessError> {
        Self::opened(call, false)
    }

    /// Opens what this process has of it, which is one of several that have a GPU each.
    ///
    /// # Errors
    /// As [`MeterSetup::open`].
    pub(super) fn open_own_gpu(call: &Invocation) -> Result<Self, HarnessError> {
        Self::opened(call, true)
    }

    fn opened(call: &Invocation, has_a_part: bool) -> Result<Self, HarnessError> {
        let config = call.config();
        match &config.meter {
            MeterChoice::Sim(file) => Self::simulated(config, &find(file, &call.places)),
            choice => {
                let opened = match choice {
                    MeterChoice::Own { name, argument } => call.meters.open(name, argument),
                    _ => meter::open(choice, &config.open),
                };
                let opened = opened.map_err(|error| headline::refuse(choice, &error))?;
                let clock = Arc::new(RealClock);
                let instrument = Self::new(opened.meter, clock, config, (opened.headline, has_a_part), opened.notes)?;
                Ok(Self { watch: opened.watch, ..instrument })
            }
        }
    }

    fn simulated(config: &Config, file: &Path) -> Result<Self, HarnessError> {
        let simulation = Simulation::open(file, Seeds { run: config.seed, bench: 0 })
            .map_err(|error| HarnessError::invalid(format!("the meter `{}` can't be had: {error}", config.meter)))?;
        let notes =
            vec![format!("everything is simulated: the workload of {} takes the place of every bench", file.display())];
        Ok(Self { simulation: Some(simulation.clone()), ..Self::on(&simulation, config, notes)? })
    }

    fn on(simulation: &Simulation, config: &Config, notes: Vec<String>) -> Result<Self, HarnessError> {
        let meter = simulation.machine().meter();
        let clock = Arc::new(simulation.machine().clock());
        let proposed = meter::non_overlapping(meter.domains());
        Self::new(meter, clock, config, (proposed, false), notes)
    }

    fn new(
        meter: Box<dyn Meter>,
        clock: Arc<dyn Clock>,
        config: &Config,
        (proposed, has_a_part): (Vec<DomainId>, bool),
        notes: Vec<String>,
    ) -> Result<Self, HarnessError> {
        let domains = meter.domains().to_vec();
        let headline = headline::choose(&domains, &config.domains, proposed, has_a_part)?;
        let facts: Vec<Fact> = meter.facts().into_iter().map(|(name, value)| Fact { name, value }).collect();
        let file = config.calibration.as_deref();
        let calibration = file.map(|file| calibration::read(file, &domains, &facts, has_a_part)).transpose()?;
        Ok(Self { meter, clock, domains, headline, notes, facts, simulation: None, watch: None, calibration })
    }

    /// Whether it reads this machine, which others may use too.
    pub(super) fn is_real(&self) -> bool {
        self.meter.origin() != Origin::Simulated
    }

    /// The GPUs that it measures, by what `CUDA_VISIBLE_DEVICES` calls them, or their instances that this process was given.
    pub(super) fn gpus(&self) -> Vec<String> {
        let says = |id: &DomainId, what| self.facts.iter().find(|fact| fact.name == fact_names::of_device(id, what));
        let gpus = self.domains.iter().filter(|domain| domain.kind == DomainKind::Gpu);
        let called = |gpu: &Domain| {
            says(&gpu.id, fact_names::DEVICE_MIG_INSTANCES).or_else(|| says(&gpu.id, fact_names::DEVICE_UUID))
        };
        gpus.filter_map(called).map(|fact| fact.value.clone()).collect()
    }

    /// Whether it tells about this process alone, and not about a machine that others use too.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.domains.iter().all(|domain| domain.kind == DomainKind::Process)
    }

    /// Reads nothing, as another process measures the machine.
    pub(super) fn unread(self) -> Self {
        let meter: Box<dyn Meter> = Box::new(NullMeter::of(&*self.meter));
        Self { meter, domains: Vec::new(), headline: Vec::new(), watch: None, calibration: None, ..self }
    }

    /// Takes for its headline only what a process has for itself that has a GPU of its own.
    pub(super) fn of_own_gpu(mut self) -> Self {
        let is_gpu = |id: &DomainId| self.domains.iter().any(|of| of.id == *id && of.kind == DomainKind::Gpu);
        self.headline.retain(is_gpu);
        self
    }

    /// Finds out what its sensors do. A model has none: what it costs to ask it is soon known.
    pub(super) fn probe(&mut self, config: &Config) -> MeterProbe {
        let effort = match self.meter.origin() {
            Origin::Estimated => ProbeEffort { least: MODEL_PROBE, most: MODEL_PROBE },
            _ => probe_effort(config.profile),
        };
        probe(&mut *self.meter, &*self.clock, effort)
    }

    /// What goes on around what it measures.
    pub(super) fn surroundings(&self) -> HostMonitor {
        if self.is_real() { HostMonitor::real(self.watch.clone()) } else { HostMonitor::default() }
    }

    /// What is known about its devices before anything is measured.
    pub(super) fn evidence(&self, surroundings: &HostMonitor) -> RunEvidence {
        let limits = self.watch.as_ref().and_then(|watch| watch.power_limits().ok()).unwrap_or_default();
        let limits = limits.into_iter().map(|limits| DeviceLimits {
            max_sm_clock_mhz: self.fact(&format!("{} max sm clock MHz", limits.domain)),
            domain: limits.domain,
            enforced_w: limits.enforced_w,
            default_w: limits.default_w,
        });
        let pid = if self.is_real() { std::process::id() } else { 0 };
        RunEvidence {
            pid,
            limits: limits.collect(),
            users: surroundings.users(),
            calibration: self.calibration.clone().map(Box::new),
        }
    }

    /// The number that a fact of this name tells.
    fn fact(&self, name: &str) -> Option<f64> {
        self.facts.iter().find(|fact| fact.name == name)?.value.parse().ok()
    }

    /// A sampler around the same meter, opened again after it had lost its device. A driver that recovers takes its
    /// time, so it is tried for some seconds.
    ///
    /// # Errors
    /// Why there is none: it can't be opened, or its headline still can't be read.
    pub(super) fn reopen(
        call: &Invocation,
        head: &RunHeader,
        simulation: Option<&Simulation>,
    ) -> Result<Sampler, String> {
        let mut opened = Err(String::new());
        for wait in REOPENINGS {
            match simulation {
                Some(simulation) => simulation.machine().clock().sleep(wait),
                None => RealClock.sleep(wait),
            }
            opened = Self::open_again(call, head, simulation);
            if opened.is_ok() {
                break;
            }
        }
        opened
    }

    fn open_again(call: &Invocation, head: &RunHeader, simulation: Option<&Simulation>) -> Result<Sampler, String> {
        let mut again = match simulation {
            Some(simulation) => Self::on(simulation, call.config(), Vec::new()),
            None => Self::open(call),
        }
        .map_err(|stop| stop.message)?;
        if again.domains != head.domains {
            return Err("it tells about other domains than before".to_owned());
        }
        let channels = again.meter.channels().to_vec();
        for (index, channel) in channels.iter().enumerate() {
            if channel.is_counter() && head.headline.contains(&channel.domain) {
                again.meter.read(index).map_err(|error| error.to_string())?;
            }
        }
        again.sampler(&head.probe, simulation).map_err(|stop| stop.message)
    }

    /// A sampler around the meter, on the clock of the machine that it belongs to.
    ///
    /// # Errors
    /// When its thread can't be started.
    pub(super) fn sampler(self, probed: &MeterProbe, simulation: Option<&Simulation>) -> Result<Sampler, HarnessError> {
        let config = SamplerConfig::for_meter(probed);
        match simulation {
            Some(simulation) => Ok(Sampler::attach(self.meter, &simulation.machine().clock(), probed, config)),
            None => Sampler::start(self.meter, self.clock, probed, config)
                .map_err(|error| HarnessError::machine(format!("the sampler's thread can't be started: {error}"))),
        }
    }
}

/// What a person should know before the run begins.
pub(super) fn warnings(evidence: &RunEvidence) -> Vec<String> {
    let others = evidence.users.iter().flatten().filter(|user| !user.own);
    let warning = |user: &DeviceUser| {
        let memory = user.memory_bytes.map(|n| format!(" and holds {} MiB", n >> 20)).unwrap_or_default();
        format!("{}: process {} uses it{memory}: its energy is in every figure", user.domain, user.pid)
    };
    others.map(warning).collect()
}

/// A scenario's file: from the current folder, else from the workspace's root.
fn find(file: &Path, places: &WorkspacePaths) -> PathBuf {
    let here = places.cwd.join(file);
    let root = places.workspace_root.join(file);
    if !here.is_file() && root.is_file() { root } else { here }
}
