//! A bench on a simulated machine: its workload takes the place of the body, its clock that of the machine.
//!
//! The simulated machine knows nothing of protocols, so the cues that it needs (which cycle is next, whether requests
//! have their fixed shape) are read off the run's own events here.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::meter::{self, Meter};
use crate::model::{BenchRecord, DomainId, Record, RunEvidence, RunHeader, RunOrder, SCHEMA_VERSION};
use crate::protocol::{Overrides, Profile, Schedule};
use crate::runner::{Body, Event, HostMonitor, Interrupt, Job, Observer, ObserverError, Session, SessionConfig, Stage};
use crate::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use crate::sim::{Machine, Scenario, ScenarioError, Seeds, Shape, Step, Workload};

/// What the workload is told by the run that it plays in.
#[derive(Debug, Default)]
struct Cues {
    cycle: AtomicU64,
    fixed: AtomicBool,
}

/// Reads the cues off the run's events.
#[derive(Debug)]
struct Prompter(Arc<Cues>);

impl Observer for Prompter {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        if let Event::Progress(progress) = event {
            self.0.fixed.store(matches!(progress.stage, Stage::SetUp | Stage::WarmUp), Ordering::Relaxed);
            self.0.cycle.store(u64::from(progress.cycle.0), Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A simulated machine on which benches run. Clones are the same machine.
#[derive(Debug, Clone)]
pub struct Simulation {
    scenario: Scenario,
    machine: Machine,
    cues: Arc<Cues>,
}

impl Simulation {
    /// A machine for one run of a scenario.
    ///
    /// # Errors
    /// When the scenario describes no machine that could exist.
    pub fn new(scenario: &Scenario, seeds: Seeds) -> Result<Self, ScenarioError> {
        let machine = Machine::new(scenario, seeds)?;
        Ok(Self { scenario: scenario.clone(), machine, cues: Arc::default() })
    }

    /// The machine for the scenario in a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no scenario.
    pub fn open(path: &Path, seeds: Seeds) -> Result<Self, ScenarioError> {
        Self::new(&Scenario::read(path)?, seeds)
    }

    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The observer through which the workload is told what is going on.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(Prompter(Arc::clone(&self.cues)))
    }

    /// A body that runs the scenario's requests in virtual time, as launch number `launch` of the workload.
    ///
    /// # Errors
    /// When the scenario describes no workload that could exist.
    pub fn body(&self, launch: u64) -> Result<Body, ScenarioError> {
        self.body_of(&self.scenario, launch)
    }

    /// A body that runs another scenario's requests on this machine, as launch number `launch`.
    ///
    /// # Errors
    /// When the scenario describes no workload that could exist, or has other devices than this machine.
    pub fn body_of(&self, scenario: &Scenario, launch: u64) -> Result<Body, ScenarioError> {
        let workload = Arc::new(Mutex::new(self.machine.launch(scenario, launch)?));
        let cues = Arc::clone(&self.cues);
        Ok(Arc::new(move |bencher| {
            let lock = || workload.lock().unwrap_or_else(PoisonError::into_inner);
            lock().load_model();
            let mut cycle = None;
            bencher.iter_requests([()], |(), request| {
                let mut workload = lock();
                let shape = if cues.fixed.load(Ordering::Relaxed) { Shape::Fixed } else { Shape::Drawn };
                if shape == Shape::Drawn {
                    enter_cycle(&mut workload, &mut cycle, cues.cycle.load(Ordering::Relaxed));
                }
                let asked = workload.next_request(shape);
                request.input_tokens(asked.input_tokens as usize);
                // What is done before the prompt is read counts as a part of reading it, as in a server's own figures.
                let mut phase = Some(request.phase("prefill"));
                workload.run(asked, &mut |step| match step {
                    Step::Prefilled => {
                        phase = None;
                        phase = Some(request.phase("decode"));
                    }
                    Step::Token => request.tokens(1),
                });
                drop(phase);
            });
            Ok(())
        }))
    }

    /// A sampler around the machine's meter after probing it, with what probing found.
    pub fn sampler(&self, meter: Box<dyn Meter>, effort: ProbeEffort) -> (Sampler, crate::model::MeterProbe) {
        let clock = self.machine.clock();
        let mut meter = meter;
        let probed = probe(&mut *meter, &clock, effort);
        let config = SamplerConfig::for_meter(&probed);
        (Sampler::attach(meter, &clock, &probed, config), probed)
    }
}

fn enter_cycle(workload: &mut Workload, current: &mut Option<u64>, cycle: u64) {
    if *current != Some(cycle) {
        *current = Some(cycle);
        workload.set_cycle(cycle);
    }
}

/// How a scenario is measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimulationOptions {
    /// How much care to take.
    pub profile: Profile,
    /// What the user set.
    pub overrides: Overrides,
    /// The seed of the harness' own draws.
    pub seed: u64,
}

/// What measuring a scenario once gave.
#[derive(Debug)]
pub struct SimulatedRun {
    /// The journal.
    pub records: Vec<Record>,
    /// The machine, which knows the truth.
    pub machine: Machine,
    /// Virtual seconds that the run took.
    pub virtual_s: f64,
}

/// Keeps the records of a run in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Vec<Record>>>);

impl Memory {
    /// What was kept since it was last taken.
    pub(super) fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Memory {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        if let Event::Record(record) = event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((*record).clone());
        }
        Ok(())
    }
}

/// How long to look at a meter, by profile.
pub fn probe_effort(profile: Profile) -> ProbeEffort {
    let seconds = |min, max| ProbeEffort { min: Duration::from_secs(min), max: Duration::from_secs(max) };
    match profile {
        Profile::Quick => seconds(1, 6),
        Profile::Default => seconds(2, 12),
        Profile::Publish => seconds(5, 20),
    }
}

/// Measures a scenario once, from probing to the last cycle, in virtual time.
///
/// # Errors
/// When the scenario describes no machine that could exist, or the run could not be recorded.
pub fn simulate(scenario: &Scenario, seeds: Seeds, options: &SimulationOptions) -> Result<SimulatedRun, crate::Error> {
    let simulation = Simulation::new(scenario, seeds)?;
    let clock = simulation.machine.clock();
    let meter = simulation.machine.meter();
    let domains = meter.domains().to_vec();
    let (sampler, probed) = simulation.sampler(meter, probe_effort(options.profile));
    let headline = meter::non_overlapping(&domains);
    let schedule = Schedule::plan(options.profile, &probed, &headline, &options.overrides);
    let memory = Memory::default();
    let parts = SessionConfig {
        clock: Arc::new(clock.clone()),
        sampler,
        domains: domains.iter().map(|domain| domain.id.clone()).collect(),
        headline: headline.clone(),
        surroundings: HostMonitor::default(),
        observers: vec![simulation.observer(), Box::new(memory.clone())],
        seed: options.seed,
        interrupt: Interrupt::default(),
        together: None,
    };
    let head = head(probed, domains, headline, options.seed, &clock);
    let job = Job {
        record: bench_record(&schedule),
        schedule,
        body: simulation.body(seeds.bench)?,
        from_cycle: 0,
        earlier: Vec::new(),
        spent: Duration::ZERO,
    };
    let mut session = Session::begin(parts, &Record::Run(Box::new(head)))?;
    session.bare_idle(&schedule)?;
    session.run(&job)?;
    session.end()?;
    clock.detach_all();
    let records = memory.take();
    Ok(SimulatedRun { records, virtual_s: clock.now().seconds(), machine: simulation.machine })
}

pub(super) fn head(
    probe: crate::model::MeterProbe,
    domains: Vec<crate::model::Domain>,
    headline: Vec<DomainId>,
    seed: u64,
    clock: &dyn Clock,
) -> RunHeader {
    RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: "simulated".to_owned(),
        rank: 0,
        world: 1,
        target: "simulate".to_owned(),
        started_unix_s: 0.0,
        started: clock.now(),
        seed,
        probe,
        domains,
        headline,
        notes: Vec::new(),
        settings: Vec::new(),
        environment: Vec::new(),
        debug_build: false,
        plan: Vec::new(),
        shard: None,
        order: RunOrder::default(),
        evidence: RunEvidence::default(),
    }
}

pub(super) fn bench_record(schedule: &Schedule) -> BenchRecord {
    BenchRecord {
        id: "simulated".to_owned(),
        name: "simulated".to_owned(),
        group: None,
        module: String::new(),
        description: None,
        place: String::new(),
        params: Vec::new(),
        tags: Vec::new(),
        schedule: schedule.figures(),
    }
}
