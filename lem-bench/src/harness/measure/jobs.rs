//! From cases to jobs: how each is measured, what is written down about it, and its body.

use std::time::Duration;

use super::super::config::Config;
use super::super::exit::HarnessError;
use super::super::simulation::Simulation;
use super::super::test_mode;
#[cfg(unix)]
use super::super::worker;
use crate::model::{BenchRecord, DomainId, MeterProbe, id_hash};
use crate::protocol::{CycleTotals, Overrides, Schedule};
use crate::registry::{Attributes, Case};
use crate::runner::{Body, Interrupt, Job};
#[cfg(unix)]
use crate::workers::{self, Launch};

/// The schedule of a case: what was asked for, else what its attribute asks for, else what profile and meter call for.
pub(super) fn schedule(
    config: &Config,
    attributes: &Attributes,
    probe: &MeterProbe,
    headline: &[DomainId],
) -> Schedule {
    let mut set = Overrides {
        cycles: config.overrides.cycles.or(attributes.cycles),
        windows: config.overrides.windows.or(attributes.windows),
        gap: config.overrides.gap.or(attributes.gap),
        level: Some(config.analysis.level),
        ..config.overrides
    };
    if let Some(total) = config.measurement_time {
        let plan = Schedule::plan(config.profile, probe, headline, &set);
        let share = total / (plan.cycles * plan.windows).max(1);
        set.min_window = Some(set.min_window.unwrap_or_default().max(share));
    }
    Schedule::plan(config.profile, probe, headline, &set)
}

/// A case, ready to go on after its cycles that came to `earlier`; on a simulated machine the scenario's workload takes the place of its body.
///
/// # Errors
/// The scenario's workload could not exist.
pub(super) fn job(
    config: &Config,
    case: &Case,
    schedule: &Schedule,
    simulation: Option<&Simulation>,
    interrupt: &Interrupt,
    earlier: Vec<CycleTotals>,
) -> Result<Job, HarnessError> {
    let body = match simulation {
        Some(simulation) => {
            simulation.body(id_hash(&case.id)).map_err(|error| HarnessError::usage(error.to_string()))?
        }
        None if config.isolates() || case.attributes.isolate => isolated(config, case, interrupt)?,
        None => test_mode::body(case),
    };
    let (record, spent, from_cycle) = (record(case, schedule), Duration::ZERO, earlier.len() as u32);
    Ok(Job { record, schedule: *schedule, body, from_cycle, earlier, spent })
}

/// The case's body in a process of its own.
#[cfg(unix)]
fn isolated(config: &Config, case: &Case, interrupt: &Interrupt) -> Result<Body, HarnessError> {
    let binary = std::env::current_exe()
        .map_err(|error| HarnessError::machine(format!("this binary can't be found, to start it again: {error}")))?;
    let log = config.log.iter().map(|log| (worker::LOG.to_owned(), log.clone()));
    let env = log.chain(config.env.iter().cloned()).collect();
    let launch = Launch { binary, env, limit: config.bench_timeout };
    Ok(workers::body(launch, case.id.clone(), config.axes.clone(), interrupt.clone()))
}

/// Workers need sockets between processes and a clock that they share.
#[cfg(not(unix))]
fn isolated(_: &Config, case: &Case, _: &Interrupt) -> Result<Body, HarnessError> {
    Err(HarnessError::usage(format!("{} can't be isolated: there are no workers on this platform", case.id)))
}

fn record(case: &Case, schedule: &Schedule) -> BenchRecord {
    BenchRecord { schedule: schedule.figures(), ..described(case) }
}

/// What is written down about a case, but its schedule.
pub(in crate::harness) fn described(case: &Case) -> BenchRecord {
    BenchRecord {
        id: case.id.clone(),
        name: case.name.clone(),
        group: case.group.clone(),
        module: case.module.unwrap_or_default().to_owned(),
        description: case.description.clone(),
        place: case.place.to_string(),
        params: case.params.clone(),
        tags: case.attributes.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        schedule: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChannelProbe, Origin};

    fn plan(config: &Config, attributes: &Attributes) -> Schedule {
        let domain = DomainId::new("cpu:estimate");
        let channel = ChannelProbe {
            domain: domain.clone(),
            counter: true,
            update_period_s: Some(0.0),
            quantum: None,
            read_cost_s: 0.0,
            updates: 9,
            averaging_s: None,
            dense_reads: None,
            safe_interval_s: None,
        };
        let probe = MeterProbe {
            meter: "estimate".to_owned(),
            origin: Origin::Estimated,
            channels: vec![channel],
            temperature: false,
        };
        schedule(config, attributes, &probe, &[domain])
    }

    #[test]
    fn what_was_asked_for_beats_the_attribute_and_that_beats_the_profile() {
        let attributes = Attributes { cycles: Some(4), gap: Some(Duration::from_millis(50)), ..Attributes::default() };
        let mut config = Config::default();
        assert_eq!(plan(&config, &Attributes::default()).cycles, 10);
        assert_eq!(plan(&config, &attributes).cycles, 4);
        config.overrides.cycles = Some(7);
        let both = plan(&config, &attributes);
        assert_eq!((both.cycles, both.gap_rest), (7, Duration::from_millis(50)));
    }

    #[test]
    fn measuring_time_is_shared_among_all_windows() {
        let mut config = Config { measurement_time: Some(Duration::from_secs(12)), ..Config::default() };
        config.overrides.cycles = Some(3);
        config.overrides.windows = Some(2);
        assert_eq!(plan(&config, &Attributes::default()).window, Duration::from_secs(2));
        config.overrides.min_window = Some(Duration::from_secs(5));
        assert_eq!(plan(&config, &Attributes::default()).window, Duration::from_secs(5));
    }
}
