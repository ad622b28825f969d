//! A simulated machine that runs benches: the workload of its scenario takes the place of their bodies.
//!
//! The workload needs the number of the cycle and the shape of the requests; both are taken from the run's events.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock as _;
use crate::model::Record;
use crate::protocol::Profile;
use crate::runner::{Body, Event, Observer, ObserverError, Stage};
use crate::sampler::ProbeEffort;
use crate::sim::{Machine, Scenario, ScenarioError, Seeds, Shape, Step, Workload};
use crate::units::Stamp;

/// The state of the run that the workload depends on.
#[derive(Debug, Default)]
struct RunState {
    cycle: AtomicU64,
    has_fixed_shape: AtomicBool,
}

/// Takes the state from the run's events, and lets the machine forget what was before the last two benches.
#[derive(Debug)]
struct StateObserver {
    state: Arc<RunState>,
    machine: Machine,
    /// When the present bench began.
    bench_start: Option<Stamp>,
}

impl Observer for StateObserver {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        match event {
            Event::Progress(progress) => {
                let has_fixed_shape = matches!(progress.stage, Stage::SetUp | Stage::WarmUp);
                self.state.has_fixed_shape.store(has_fixed_shape, Ordering::Relaxed);
                self.state.cycle.store(u64::from(progress.cycle.0), Ordering::Relaxed);
            }
            Event::Record(Record::Bench(_)) => {
                if let Some(before) = self.bench_start.replace(self.machine.clock().now()) {
                    self.machine.forget_before(before);
                }
            }
            Event::Record(_) => {}
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
        Box::new(StateObserver { state: Arc::clone(&self.state), machine: self.machine.clone(), bench_start: None })
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
