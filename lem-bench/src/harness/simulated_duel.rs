//! Two scenarios that take turns on one simulated machine, each launched anew for every cycle.
//!
//! Must not know how the pairs are judged.

use std::sync::Arc;
use std::time::Duration;

use super::simulation::{Memory, Simulation, SimulationOptions, bench_record, head, probe_effort};
use crate::clock::Clock as _;
use crate::meter;
use crate::model::{Record, RunHeader};
use crate::protocol::Schedule;
use crate::runner::{HostMonitor, Interrupt, Job, Session, SessionConfig};
use crate::sim::{Scenario, Seeds};

/// What a duel gave.
#[derive(Debug)]
pub struct SimulatedDuel {
    /// The base's journal: its cycle `i` is its side of pair `i`.
    pub base: Vec<Record>,
    /// The other side's.
    pub new: Vec<Record>,
    /// Virtual seconds that the duel took.
    pub virtual_s: f64,
}

/// Measures as many pairs as the schedule has cycles. The machine, its heat, its sensors and the session's random effect
/// are the base's and shared; in each pair both sides are launched anew, set up and warmed up, in the order base, new,
/// new, base, ….
///
/// # Errors
/// When a scenario describes no machine that could exist, the two have other devices, or a cycle could not be recorded.
pub fn simulate_duel(
    base: &Scenario,
    new: &Scenario,
    seeds: Seeds,
    options: &SimulationOptions,
) -> Result<SimulatedDuel, crate::Error> {
    let simulation = Simulation::new(base, seeds)?;
    let clock = simulation.machine().clock();
    let meter = simulation.machine().meter();
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
    let mut session = Session::begin(parts, &Record::Run(Box::new(head.clone())))?;
    session.bare_idle(&schedule)?;
    let bare = memory.take();
    let mut journals = [journal(&head, "base", &bare), journal(&head, "new", &bare)];
    let turn = schedule.duel_turn(options.overrides.min_window.is_some());
    for pair in 0..schedule.cycles {
        let first = usize::from(pair % 2 == 1);
        for side in [first, 1 - first] {
            let launch = 2 * u64::from(pair) + side as u64;
            let body = simulation.body_of([base, new][side], launch)?;
            let (earlier, spent) = (Vec::new(), Duration::ZERO);
            let job = Job { record: bench_record(&schedule), schedule: turn, body, from_cycle: 0, earlier, spent };
            session.run(&job)?;
            keep(&mut journals[side], memory.take(), pair, schedule.cycles);
        }
    }
    session.end()?;
    clock.detach_all();
    let [base, new] = journals;
    Ok(SimulatedDuel { base, new, virtual_s: clock.now().seconds() })
}

/// The beginning of a side's journal: a run of its own, with the idle of the session.
fn journal(head: &RunHeader, side: &str, session: &[Record]) -> Vec<Record> {
    let head = RunHeader { run_id: format!("{}-{side}", head.run_id), ..head.clone() };
    let idle = session.iter().filter(|record| matches!(record, Record::Idle(_))).cloned();
    std::iter::once(Record::Run(Box::new(head))).chain(idle).collect()
}

/// Adds one turn to its side's journal: the first with its set-up and warm-up, the last with its end, and of each the
/// cycle, which counts as number `pair`.
fn keep(journal: &mut Vec<Record>, turn: Vec<Record>, pair: u32, pairs: u32) {
    for record in turn {
        match record {
            Record::Cycle(mut cycle) => {
                cycle.index = pair;
                journal.push(Record::Cycle(cycle));
            }
            Record::BenchEnd(_) => {
                if pair + 1 == pairs {
                    journal.push(record);
                }
            }
            other => {
                if pair == 0 {
                    journal.push(other);
                }
            }
        }
    }
}
