//! Makes jobs from cases: schedule, record and body.

use super::super::config::Config;
use super::super::exit::HarnessError;
use super::super::simulation::Simulation;
use super::super::test_mode;
use crate::model::{BenchRecord, DomainId, MeterProbe, id_hash};
use crate::protocol::{CycleTotals, Overrides, Schedule};
use crate::registry::{Attributes, Case};
use crate::runner::{Body, Interrupt, Job};
#[cfg(unix)]
use crate::workers::{self, Launch};

/// The environment variable that sets a worker's `--log` filter.
pub(in crate::harness) const WORKER_LOG_VARIABLE: &str = "LEM_BENCH_LOG";

/// The schedule of a case. Settings of the user take precedence over attributes, and those over profile and meter.
pub(super) fn schedule(
    config: &Config,
    attributes: &Attributes,
    probe: &MeterProbe,
    headline: &[DomainId],
) -> Schedule {
    let mut overrides = Overrides {
        cycles: config.overrides.cycles.or(attributes.cycles),
        windows: config.overrides.windows.or(attributes.windows),
        gap: config.overrides.gap.or(attributes.gap),
        level: Some(config.analysis.level),
        ..config.overrides
    };
    if let Some(total) = config.measurement_time {
        let plan = Schedule::plan(config.profile, probe, headline, &overrides);
        let share = total / (plan.cycles * plan.windows).max(1);
        overrides.min_window = Some(overrides.min_window.unwrap_or_default().max(share));
    }
    Schedule::plan(config.profile, probe, headline, &overrides)
}

/// The job of a case whose cycles with the totals `earlier` are complete. On a simulated machine its body is the workload
/// of the scenario.
///
/// # Errors
/// The scenario's workload is not valid, or the case cannot run in a worker.
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
        None if config.isolates() || case.attributes.isolate => worker_body(config, case, interrupt)?,
        None => test_mode::body(case),
    };
    let record = BenchRecord { schedule: schedule.figures(), ..case_record(case) };
    let from_cycle = earlier.len() as u32;
    Ok(Job { record, schedule: *schedule, body, from_cycle, earlier })
}

/// The case's body in a worker.
#[cfg(unix)]
fn worker_body(config: &Config, case: &Case, interrupt: &Interrupt) -> Result<Body, HarnessError> {
    let binary = std::env::current_exe()
        .map_err(|error| HarnessError::machine(format!("cannot find this binary to start a worker: {error}")))?;
    let log = config.log.iter().map(|log| (WORKER_LOG_VARIABLE.to_owned(), log.clone()));
    let env = log.chain(config.env.iter().cloned()).collect();
    let launch = Launch { binary, env, limit: config.bench_timeout };
    Ok(workers::body(launch, case.id.clone(), config.axes.clone(), interrupt.clone()))
}

/// Workers need Unix sockets and a clock that processes share.
#[cfg(not(unix))]
fn worker_body(_: &Config, case: &Case, _: &Interrupt) -> Result<Body, HarnessError> {
    Err(HarnessError::usage(format!("{}: --isolate is not available on this platform", case.id)))
}

/// The record of a case, without its schedule.
pub(in crate::harness) fn case_record(case: &Case) -> BenchRecord {
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
    use std::time::Duration;

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
    fn settings_precede_attributes_and_profile() {
        let attributes = Attributes { cycles: Some(4), gap: Some(Duration::from_millis(50)), ..Attributes::default() };
        let mut config = Config::default();
        assert_eq!(plan(&config, &Attributes::default()).cycles, 10);
        assert_eq!(plan(&config, &attributes).cycles, 4);
        config.overrides.cycles = Some(7);
        let both = plan(&config, &attributes);
        assert_eq!((both.cycles, both.gap_rest), (7, Duration::from_millis(50)));
    }

    #[test]
    fn measurement_time_is_split_among_windows() {
        let mut config = Config { measurement_time: Some(Duration::from_secs(12)), ..Config::default() };
        config.overrides.cycles = Some(3);
        config.overrides.windows = Some(2);
        assert_eq!(plan(&config, &Attributes::default()).window, Duration::from_secs(2));
        config.overrides.min_window = Some(Duration::from_secs(5));
        assert_eq!(plan(&config, &Attributes::default()).window, Duration::from_secs(5));
    }
}
