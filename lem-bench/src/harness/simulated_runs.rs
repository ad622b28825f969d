//! Runs and duels of scenarios in virtual time, for tests against machines whose true energy is known. They use the
//! sessions and the duel of real measurements.

use std::sync::{Arc, Mutex, PoisonError};

use super::exit::{ExitStatus, HarnessError};
use super::measure::{DuelBench, DuelRunner, MeterSetup, SessionBuilder, SimulatedSides};
use super::simulation::{Simulation, probe_effort};
use crate::clock::Clock as _;
use crate::model::{BenchRecord, MeterProbe, Record, RunEvidence, RunHeader, RunOrder, SCHEMA_VERSION};
use crate::protocol::{Overrides, Profile, Schedule};
use crate::runner::{Body, Event, Job, Observer, ObserverError};
use crate::sim::{Machine, Scenario, Seeds};

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
    let body = simulation.body(seeds.bench)?;
    measure(&simulation, body, options)
}

/// Measures another body on the machine of a scenario.
///
/// # Errors
/// As for [`simulate`].
pub fn simulate_body(
    scenario: &Scenario,
    seeds: Seeds,
    options: &SimulationOptions,
    body: impl FnOnce(&Machine) -> Body,
) -> Result<SimulatedRun, crate::Error> {
    let simulation = Simulation::new(scenario, seeds)?;
    let body = body(simulation.machine());
    measure(&simulation, body, options)
}

fn measure(simulation: &Simulation, body: Body, options: &SimulationOptions) -> Result<SimulatedRun, crate::Error> {
    let (setup, probe) = probed_setup(simulation, options);
    let schedule = Schedule::plan(options.profile, &probe, &setup.headline, &options.overrides);
    let header = header(&setup, &probe, options.seed);
    let records = RecordBuffer::default();
    let session = SessionBuilder::new(setup, &probe, options.seed).map_err(to_error)?.observer(records.clone());
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
