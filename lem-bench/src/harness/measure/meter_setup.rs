//! The meter of a run: opens, probes and reopens it, and starts its sampler. It is a real meter on the machine's clock, or
//! that of a simulated machine with a clock of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, CpuQuota, RealClock};
use crate::harness::calibration;
use crate::harness::config::Config;
use crate::harness::exit::HarnessError;
use crate::harness::invocation::{Invocation, WorkspacePaths};
use crate::harness::simulation::{Simulation, probe_effort};
use crate::meter::{self, DeviceMonitor, Meter, MeterChoice, NullMeter, OpenError};
use crate::model::{
    Calibration, DeviceLimits, Domain, DomainId, DomainKind, Fact, MeterProbe, Origin, RunEvidence, RunHeader,
    fact_names,
};
use crate::runner::HostMonitor;
use crate::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use crate::sim::Seeds;

/// Probe time of a meter that estimates: it has no sensors, only the cost of a read is unknown.
const ESTIMATE_PROBE: Duration = Duration::from_millis(200);

/// Waits before each attempt to open a meter again: a driver takes some seconds to recover.
const REOPEN_DELAYS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(8)];

/// An open meter with its clock and its selected domains.
pub(in crate::harness) struct MeterSetup {
    pub meter: Box<dyn Meter>,
    pub clock: Arc<dyn Clock>,
    pub domains: Vec<Domain>,
    pub headline: Vec<DomainId>,
    pub notes: Vec<String>,
    /// Those of the notes that are about devices that cannot be measured.
    pub unmeasured: Vec<String>,
    pub facts: Vec<Fact>,
    /// The simulated machine, if it is one.
    pub simulation: Option<Simulation>,
    monitor: Option<Arc<dyn DeviceMonitor>>,
    quota: Option<CpuQuota>,
    calibration: Option<Calibration>,
}

/// Which part of the machine a process measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All of it. Every name of a domain or device must match.
    Machine,
    /// The GPU of this rank. Names that match nothing belong to other ranks.
    OwnGpu,
}

impl MeterSetup {
    /// Opens the meter that the settings choose.
    ///
    /// # Errors
    /// The meter is not available, or it lacks a selected domain.
    pub fn open(invocation: &Invocation) -> Result<Self, HarnessError> {
        Self::open_scope(invocation, Scope::Machine)
    }

    /// Opens the meter for a rank that has a GPU of its own.
    ///
    /// # Errors
    /// As [`MeterSetup::open`].
    pub fn open_own_gpu(invocation: &Invocation) -> Result<Self, HarnessError> {
        Self::open_scope(invocation, Scope::OwnGpu)
    }

    fn open_scope(invocation: &Invocation, scope: Scope) -> Result<Self, HarnessError> {
        let config = invocation.config();
        let choice = &config.meter;
        let opened = match choice {
            MeterChoice::Sim(file) => return Self::open_simulated(config, &find_scenario(file, &invocation.paths)),
            MeterChoice::Custom { name, argument } => invocation.meters.open(name, argument),
            _ => meter::open(choice, &config.open),
        };
        let opened = opened.map_err(|error| open_error(choice, &error))?;
        let setup = Self {
            notes: [opened.notes, opened.unmeasured.clone()].concat(),
            unmeasured: opened.unmeasured,
            monitor: opened.monitor,
            quota: CpuQuota::of_this_process(&config.open.sysfs_root),
            ..Self::new(opened.meter, Arc::new(RealClock))
        };
        setup.select(config, opened.headline, scope)
    }

    fn open_simulated(config: &Config, file: &Path) -> Result<Self, HarnessError> {
        let simulation = Simulation::open(file, Seeds { run: config.seed, bench: 0 }).map_err(|error| {
            HarnessError::invalid(format!("the meter `{}` is not available: {error}", config.meter))
        })?;
        let note = format!("everything is simulated: the workload of {} replaces all benches", file.display());
        Ok(Self { notes: vec![note], ..Self::simulated(simulation, config)? })
    }

    /// The meter of a simulated machine, with the domains that the settings select.
    fn simulated(simulation: Simulation, config: &Config) -> Result<Self, HarnessError> {
        let mut setup = Self::of_simulation(simulation);
        let proposed = std::mem::take(&mut setup.headline);
        setup.select(config, proposed, Scope::Machine)
    }

    /// The meter of a simulated machine, with all domains that do not overlap as its headline.
    pub fn of_simulation(simulation: Simulation) -> Self {
        let machine = simulation.machine();
        let setup = Self::new(machine.meter(), Arc::new(machine.clock()));
        Self { headline: meter::non_overlapping(&setup.domains), simulation: Some(simulation), ..setup }
    }

    fn new(meter: Box<dyn Meter>, clock: Arc<dyn Clock>) -> Self {
        let domains = meter.domains().to_vec();
        let facts = meter.facts().into_iter().map(|(name, value)| Fact { name, value }).collect();
        Self {
            meter,
            clock,
            domains,
            headline: Vec::new(),
            notes: Vec::new(),
            unmeasured: Vec::new(),
            facts,
            simulation: None,
            monitor: None,
            quota: None,
            calibration: None,
        }
    }

    /// Selects the headline and reads the calibration.
    ///
    /// # Errors
    /// `--domain` or the calibration names something that the meter does not have, the calibration is not valid, or the meter
    /// proposes no domain and `--domain` is not set.
    fn select(self, config: &Config, proposed: Vec<DomainId>, scope: Scope) -> Result<Self, HarnessError> {
        if proposed.is_empty() && config.domains.is_empty() {
            let ids: Vec<&str> = self.domains.iter().map(|domain| domain.id.as_str()).collect();
            return Err(HarnessError::usage(format!(
                "it is not known whether any domain of the meter `{}` is a whole device, a board or the machine: choose with \
                 --domain among {}",
                self.meter.name(),
                ids.join(", ")
            )));
        }
        let headline = select_headline(&self.domains, &config.domains, proposed, scope)?;
        let file = config.calibration.as_deref();
        let calibration =
            file.map(|file| calibration::read(file, &self.domains, &self.facts, scope == Scope::OwnGpu)).transpose()?;
        Ok(Self { headline, calibration, ..self })
    }

    /// Whether the machine is a real one, which other processes use too.
    pub fn is_real(&self) -> bool {
        self.meter.origin() != Origin::Simulated
    }

    /// The measured GPUs, or the MIG instances that this process was given, by their names in `CUDA_VISIBLE_DEVICES`.
    pub fn gpus(&self) -> Vec<String> {
        let find = |id: &DomainId, name| self.facts.iter().find(|fact| fact.name == fact_names::of_device(id, name));
        let gpus = self.domains.iter().filter(|domain| domain.kind == DomainKind::Gpu);
        gpus.filter_map(|gpu| {
            find(&gpu.id, fact_names::DEVICE_MIG_INSTANCES).or_else(|| find(&gpu.id, fact_names::DEVICE_UUID))
        })
        .map(|fact| fact.value.clone())
        .collect()
    }

    /// Whether all domains are of this process and none of the machine.
    pub fn is_of_this_process(&self) -> bool {
        self.domains.iter().all(|domain| domain.kind == DomainKind::Process)
    }

    /// Replaces the meter by one that reads nothing, because another rank measures the machine.
    pub fn without_meter(self) -> Self {
        let meter: Box<dyn Meter> = Box::new(NullMeter::of(&*self.meter));
        Self { meter, domains: Vec::new(), headline: Vec::new(), monitor: None, calibration: None, ..self }
    }

    /// Limits the headline to the GPUs, for a rank that has one of its own.
    pub fn with_gpu_headline(mut self) -> Self {
        let is_gpu =
            |id: &DomainId| self.domains.iter().any(|domain| domain.id == *id && domain.kind == DomainKind::Gpu);
        self.headline.retain(is_gpu);
        self
    }

    /// Probes the meter's channels.
    pub fn probe(&mut self, config: &Config) -> MeterProbe {
        let mut probe = self.probe_for(match self.meter.origin() {
            Origin::Estimated => ProbeEffort { min: ESTIMATE_PROBE, max: ESTIMATE_PROBE },
            _ => probe_effort(config.profile),
        });
        if config.full_time_counters {
            for counter in probe.channels.iter_mut().filter(|channel| channel.counter) {
                counter.averaging_s = counter.update_period_s;
            }
        }
        probe
    }

    /// Probes the meter's channels with this effort.
    pub fn probe_for(&mut self, effort: ProbeEffort) -> MeterProbe {
        probe(&mut *self.meter, &*self.clock, effort)
    }

    /// The monitor of the host and its devices.
    pub fn host_monitor(&self) -> HostMonitor {
        if self.is_real() {
            HostMonitor::real(self.monitor.clone(), self.quota.clone())
        } else {
            HostMonitor::default()
        }
    }

    /// What is known about the devices before the measurement.
    pub fn evidence(&self) -> RunEvidence {
        let limits = self.monitor.as_ref().and_then(|monitor| monitor.power_limits().ok()).unwrap_or_default();
        let limits = limits.into_iter().map(|limits| DeviceLimits {
            max_sm_clock_mhz: self.number_fact(&fact_names::of_device(&limits.domain, fact_names::DEVICE_MAX_SM_CLOCK)),
            domain: limits.domain,
            enforced_w: limits.enforced_w,
            default_w: limits.default_w,
        });
        RunEvidence {
            pid: if self.is_real() { std::process::id() } else { 0 },
            limits: limits.collect(),
            users: self.host_monitor().users(),
            calibration: self.calibration.clone().map(Box::new),
            loop_ns: None,
        }
    }

    fn number_fact(&self, name: &str) -> Option<f64> {
        self.facts.iter().find(|fact| fact.name == name)?.value.parse().ok()
    }

    /// Opens the meter again after it has lost its device and starts a sampler. Makes several attempts within some
    /// seconds.
    ///
    /// # Errors
    /// The meter cannot be opened, has other domains, or its headline still cannot be read.
    pub fn reopen(
        invocation: &Invocation,
        header: &RunHeader,
        simulation: Option<&Simulation>,
    ) -> Result<Sampler, String> {
        let mut reopened = Err(String::new());
        for delay in REOPEN_DELAYS {
            match simulation {
                Some(simulation) => simulation.machine().clock().sleep(delay),
                None => RealClock.sleep(delay),
            }
            reopened = Self::try_reopen(invocation, header, simulation);
            if reopened.is_ok() {
                break;
            }
        }
        reopened
    }

    fn try_reopen(
        invocation: &Invocation,
        header: &RunHeader,
        simulation: Option<&Simulation>,
    ) -> Result<Sampler, String> {
        let mut setup = match simulation {
            Some(simulation) => Self::simulated(simulation.clone(), invocation.config()),
            None => Self::open(invocation),
        }
        .map_err(|error| error.to_string())?;
        if setup.domains != header.domains {
            return Err("the meter has different domains than before".to_owned());
        }
        let channels = setup.meter.channels().to_vec();
        for (index, channel) in channels.iter().enumerate() {
            if channel.is_counter() && header.headline.contains(&channel.domain) {
                setup.meter.read(index).map_err(|error| error.to_string())?;
            }
        }
        setup.sampler(&header.probe).map_err(|error| error.to_string())
    }

    /// Starts a sampler of the meter, on the clock of its machine.
    ///
    /// # Errors
    /// The sampler's thread cannot be started.
    pub fn sampler(self, probe: &MeterProbe) -> Result<Sampler, HarnessError> {
        let config = SamplerConfig::for_meter(probe);
        match &self.simulation {
            Some(simulation) => Ok(Sampler::attach(self.meter, &simulation.machine().clock(), probe, config)),
            None => Sampler::start(self.meter, self.clock, probe, config)
                .map_err(|error| HarnessError::machine(format!("cannot start the sampler's thread: {error}"))),
        }
    }
}

/// A scenario's file: relative to the current folder, else to the workspace root.
fn find_scenario(file: &Path, paths: &WorkspacePaths) -> PathBuf {
    let in_current_dir = paths.cwd.join(file);
    let in_workspace = paths.workspace_root.join(file);
    if !in_current_dir.is_file() && in_workspace.is_file() { in_workspace } else { in_current_dir }
}

/// The domains that `--domain` names, or those that the meter proposes.
///
/// # Errors
/// A name matches no domain, or two of the domains overlap.
fn select_headline(
    domains: &[Domain],
    names: &[String],
    proposed: Vec<DomainId>,
    scope: Scope,
) -> Result<Vec<DomainId>, HarnessError> {
    if names.is_empty() {
        return Ok(proposed);
    }
    let is_in_scope =
        |name: &&String| scope == Scope::Machine || meter::select(domains, std::slice::from_ref(*name)).is_ok();
    let names: Vec<String> = names.iter().filter(is_in_scope).cloned().collect();
    meter::select(domains, &names).map_err(|error| HarnessError::usage(format!("--domain: {error}")))
}

/// The error for a meter that cannot be opened: a usage error for a wrong setting, otherwise an invalid result.
fn open_error(choice: &MeterChoice, error: &OpenError) -> HarnessError {
    let remedy = error.remedy().map(|remedy| format!("; to fix this: {remedy}")).unwrap_or_default();
    let doctor = match choice {
        MeterChoice::Custom { .. } => "",
        _ => ". `cargo bench -- --doctor` lists the meters of this machine",
    };
    let message = format!("the meter `{choice}` is not available: {error}{remedy}{doctor}");
    match error {
        OpenError::Setting { .. } => HarnessError::usage(message),
        _ => HarnessError::invalid(message),
    }
}
