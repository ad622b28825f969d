//! A simulated machine that runs benches: the workload of its scenario takes the place of their bodies.
//!
//! The workload needs the number of the cycle and the shape of the requests; both are taken from the run's events.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::exit::{ExitStatus, HarnessError};
use super::measure::{DuelBench, DuelRunner, MeterSetup, SessionBuilder, SimulatedSides};
use crate::clock::Clock as _;
use crate::model::{BenchRecord, MeterProbe, Record, RunEvidence, RunHeader, RunOrder, SCHEMA_VERSION};
use crate::protocol::{Overrides, Profile, Schedule};
use crate::runner::{Body, Event, Job, Observer, ObserverError, Stage};
use crate::sampler::ProbeEffort;
use crate::sim::{Machine, Scenario, ScenarioError, Seeds, Shape, Step, Workload};

/// The state of the run that the workload depends on.
#[derive(Debug, Default)]
struct RunState {
    cycle: AtomicU64,
    has_fixed_shape: AtomicBool,
}

/// Takes the state from the run's events.
#[derive(Debug)]
struct StateObserver(Arc<RunState>);

impl Observer for StateObserver {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        if let Event::Progress(progress) = event {
            self.0.has_fixed_shape.store(matches!(progress.stage, Stage::SetUp | Stage::WarmUp), Ordering::Relaxed);
            self.0.cycle.store(u64::from(progress.cycle.0), Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A simulated machine that runs benches. Clones are the same machine.
#[derive(Debug, Clone)]
pub struct Simulation {
    scenario: Scenario,
    machine: Machine,
    state: Arc<RunState>,
}

impl Simulation {
    /// A machine for one run of a scenario.
    ///
    /// # Errors
    /// The scenario does not describe a possible machine.
    pub fn new(scenario: &Scenario, seeds: Seeds) -> Result<Self, ScenarioError> {
        let machine = Machine::new(scenario, seeds)?;
        Ok(Self { scenario: scenario.clone(), machine, state: Arc::default() })
    }

    /// The machine for the scenario in a file.
    ///
    /// # Errors
    /// The file cannot be read, or is not a valid scenario.
    pub fn open(path: &Path, seeds: Seeds) -> Result<Self, ScenarioError> {
        Self::new(&Scenario::read(path)?, seeds)
    }

    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The observer that passes the run's state to the workload.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(StateObserver(Arc::clone(&self.state)))
    }

    /// The scenario of the machine.
    pub(super) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// A body that runs the scenario's requests in virtual time, as launch number `launch` of the workload.
    ///
    /// # Errors
    /// The scenario does not describe a possible workload.
    pub fn body(&self, launch: u64) -> Result<Body, ScenarioError> {
        self.body_of(&self.scenario, launch)
    }

    /// A body that runs another scenario's requests on this machine, as launch number `launch`.
    ///
    /// # Errors
    /// The scenario does not describe a possible workload, or has other devices than this machine.
    pub fn body_of(&self, scenario: &Scenario, launch: u64) -> Result<Body, ScenarioError> {
        let workload = Arc::new(Mutex::new(self.machine.launch(scenario, launch)?));
        let state = Arc::clone(&self.state);
        Ok(Arc::new(move |bencher| {
            let lock = || workload.lock().unwrap_or_else(PoisonError::into_inner);
            lock().load_model();
            let mut cycle = None;
            bencher.iter_requests([()], |(), request| {
                let mut workload = lock();
                let shape = if state.has_fixed_shape.load(Ordering::Relaxed) { Shape::Fixed } else { Shape::Drawn };
                if shape == Shape::Drawn {
                    enter_cycle(&mut workload, &mut cycle, state.cycle.load(Ordering::Relaxed));
                }
                let next = workload.next_request(shape);
                request.input_tokens(next.input_tokens as usize);
                // Overhead before the prompt counts as prefill, as in a server's own figures.
                let mut phase = Some(request.phase("prefill"));
                workload.run(next, &mut |step| match step {
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
}

fn enter_cycle(workload: &mut Workload, current: &mut Option<u64>, cycle: u64) {
    if *current != Some(cycle) {
        *current = Some(cycle);
        workload.set_cycle(cycle);
    }
}

/// The time that probing a meter takes, by profile.
pub fn probe_effort(profile: Profile) -> ProbeEffort {
    let seconds = |min, max| ProbeEffort { min: Duration::from_secs(min), max: Duration::from_secs(max) };
    match profile {
        Profile::Quick => seconds(1, 6),
        Profile::Default => seconds(2, 12),
        Profile::Publish => seconds(5, 20),
    }
}

/// How a scenario is measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimulationOptions {
    /// The profile of the schedule and of probing.
    pub profile: Profile,
    /// Settings that take precedence over the profile.
    pub overrides: Overrides,
    /// The seed of the harness' random draws.
    pub seed: u64,
}

/// The result of one simulated run.
#[derive(Debug)]
pub struct SimulatedRun {
    /// The journal.
    pub records: Vec<Record>,
    /// The machine, which knows the true energy.
    pub machine: Machine,
    /// Duration of the run in virtual seconds.
    pub virtual_s: f64,
}

/// The result of one simulated duel.
#[derive(Debug)]
pub struct SimulatedDuel {
    /// The journal of the base: its cycle `i` is its side of pair `i`.
    pub base: Vec<Record>,
    /// The journal of the other side.
    pub new: Vec<Record>,
    /// Duration of the duel in virtual seconds.
    pub virtual_s: f64,
}

/// Measures a scenario once, from probing to the last cycle, in virtual time.
///
/// # Errors
/// The scenario does not describe a possible machine, or a record cannot be taken.
pub fn simulate(scenario: &Scenario, seeds: Seeds, options: &SimulationOptions) -> Result<SimulatedRun, crate::Error> {
    let simulation = Simulation::new(scenario, seeds)?;
    let (setup, probe) = probed_setup(&simulation, options);
    let schedule = Schedule::plan(options.profile, &probe, &setup.headline, &options.overrides);
    let header = header(&setup, &probe, options.seed);
    let records = RecordBuffer::default();
    let session = SessionBuilder::new(setup, &probe, options.seed).map_err(to_error)?.observer(records.clone());
    let body = simulation.body(seeds.bench)?;
    let job = Job { record: bench_record(&schedule), schedule, body, from_cycle: 0, earlier: Vec::new() };
    session.run(&Record::Run(Box::new(header)), |mut session| -> Result<(), crate::Error> {
        session.measure_bare_idle(&schedule)?;
        session.run(&job)?;
        Ok(session.end()?)
    })?;
    let machine = simulation.machine().clone();
    Ok(SimulatedRun { records: records.take(), virtual_s: machine.clock().now().seconds(), machine })
}

/// Measures as many pairs as the schedule has cycles, with the duel of `cargo lem duel`. Both sides run on the machine of
/// the base, with its heat, its sensors and its session's random effect.
///
/// # Errors
/// A scenario does not describe a possible machine, the two have different devices, or a record cannot be taken.
pub fn simulate_duel(
    base: &Scenario,
    new: &Scenario,
    seeds: Seeds,
    options: &SimulationOptions,
) -> Result<SimulatedDuel, crate::Error> {
    let simulation = Simulation::new(base, seeds)?;
    let clock = simulation.machine().clock();
    let (setup, probe) = probed_setup(&simulation, options);
    let schedule = Schedule::plan(options.profile, &probe, &setup.headline, &options.overrides);
    let header = header(&setup, &probe, options.seed);
    let sides = SimulatedSides { names: vec!["base", "new"], simulation, scenarios: vec![base, new] };
    let headers = ["base", "new"].map(|side| {
        let run_id = format!("{}-{side}", header.run_id);
        RunHeader { run_id, ..header.clone() }
    });
    let benches = [DuelBench::new(bench_record(&schedule), &schedule, &options.overrides)];
    let journals = [RecordBuffer::default(), RecordBuffer::default()];
    let observers = journals.iter().map(|journal| Box::new(journal.clone()) as Box<dyn Observer>).collect();
    let session = SessionBuilder::new(setup, &probe, options.seed).map_err(to_error)?;
    let runner = DuelRunner { sides: &sides, benches: &benches, seed: options.seed, on_pair: &|_| () };
    match runner.run(session, &headers, observers).map_err(to_error)? {
        ExitStatus::Done => {
            let [base, new] = journals.map(|journal| journal.take());
            Ok(SimulatedDuel { base, new, virtual_s: clock.now().seconds() })
        }
        _ => Err(std::io::Error::other("a side of the simulated duel failed").into()),
    }
}

/// The meter of a simulated machine, and its probe.
fn probed_setup(simulation: &Simulation, options: &SimulationOptions) -> (MeterSetup, MeterProbe) {
    let mut setup = MeterSetup::of_simulation(simulation.clone());
    let probe = setup.probe_for(probe_effort(options.profile));
    (setup, probe)
}

fn to_error(error: HarnessError) -> crate::Error {
    std::io::Error::other(error.to_string()).into()
}

/// Keeps records in memory. Clones share them.
#[derive(Debug, Clone, Default)]
struct RecordBuffer(Arc<Mutex<Vec<Record>>>);

impl RecordBuffer {
    fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for RecordBuffer {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        if let Event::Record(record) = event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((*record).clone());
        }
        Ok(())
    }
}

fn header(setup: &MeterSetup, probe: &MeterProbe, seed: u64) -> RunHeader {
    RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: "simulated".to_owned(),
        rank: 0,
        world: 1,
        target: "simulate".to_owned(),
        started_unix_s: 0.0,
        started: setup.clock.now(),
        seed,
        probe: probe.clone(),
        domains: setup.domains.clone(),
        headline: setup.headline.clone(),
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

fn bench_record(schedule: &Schedule) -> BenchRecord {
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
