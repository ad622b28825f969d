//! Makes jobs from cases (schedule, record, body), and finds what an interrupted run has left to do (`--resume`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::results::Results;
use crate::harness::config::{Config, Resume};
use crate::harness::exit::HarnessError;
use crate::harness::options::may_differ_on_resume;
use crate::harness::simulation::Simulation;
use crate::harness::test_mode;
use crate::model::{
    BenchRecord, BenchTarget, DomainId, IdleKind, MeterProbe, Outcome, Record, RunHeader, count_of, fact_names, id_hash,
};
use crate::protocol::{CycleTotals, Overrides, Schedule};
use crate::registry::{Attributes, Case};
use crate::runner::{Body, Interrupt, Job, run_once_first};
use crate::store::{Home, JournalWriter, RunDir, RunId, read_run};
#[cfg(unix)]
use crate::workers::{self, Launch};

/// The environment variable that sets a worker's `--log` filter.
pub(in crate::harness) const WORKER_LOG_VARIABLE: &str = "LEM_BENCH_LOG";

/// Facts that must not change between the processes of a run.
const MACHINE_FACTS: [&str; 8] = [
    fact_names::EXECUTABLE,
    fact_names::HOST,
    fact_names::ARCHITECTURE,
    fact_names::CPU_MODEL,
    fact_names::CPUS_FOR_PROCESS,
    fact_names::KERNEL,
    fact_names::RUSTC,
    fact_names::BUILD,
];

/// Endings of the names of device facts that must not change.
const DEVICE_FACTS: [&str; 4] = [" name", " uuid", " device", "driver"];

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
    let body = if case.attributes.may_repeat_iter && simulation.is_none() { run_once_first(body) } else { body };
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

// Interrupted runs.

/// Progress of a bench, used by `--resume`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct BenchProgress {
    /// The totals of its complete cycles, from the first without a gap. The next cycle has the number that follows.
    pub sums: Vec<CycleTotals>,
    /// Whether it ran to its end without a failure.
    pub completed: bool,
}

/// Progress of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct RunProgress {
    benches: BTreeMap<String, BenchProgress>,
    /// Whether bare idle was measured.
    pub has_bare_idle: bool,
    /// Whether the process ended by itself: it has measured all that it could.
    pub is_complete: bool,
}

impl RunProgress {
    /// The progress in these records. A failed bench starts again.
    fn of(records: &[Record], header: &RunHeader) -> Self {
        let mut all = Self { is_complete: matches!(records.last(), Some(Record::RunEnd(_))), ..Self::default() };
        for record in records {
            match record {
                Record::Bench(bench) => drop(all.benches.insert(bench.id.clone(), BenchProgress::default())),
                Record::Cycle(cycle) => {
                    if let Some(bench) = all.benches.get_mut(&cycle.bench)
                        && cycle.index as usize <= bench.sums.len()
                    {
                        // A cycle that not all ranks had was measured again: the last one counts.
                        bench.sums.truncate(cycle.index as usize);
                        bench.sums.push(CycleTotals::from_cycle(cycle, &header.headline));
                    }
                }
                Record::BenchEnd(end) => {
                    if let Some(bench) = all.benches.get_mut(&end.bench) {
                        bench.completed = end.outcome == Outcome::Completed;
                        bench.sums.truncate(if bench.completed { bench.sums.len() } else { 0 });
                    }
                }
                Record::Idle(idle) => all.has_bare_idle |= idle.kind == IdleKind::Bare,
                Record::Run(_) | Record::Facts(_) | Record::WarmUp(_) | Record::RunEnd(_) | Record::Resume(_) => {}
            }
        }
        all
    }

    /// The progress of the bench with this id.
    pub fn bench(&self, id: &str) -> BenchProgress {
        self.benches.get(id).cloned().unwrap_or_default()
    }

    /// The progress that all ranks have made, with totals over all of them.
    pub fn of_all(ranks: &[Self]) -> Self {
        let ids: BTreeSet<&String> = ranks.iter().flat_map(|rank| rank.benches.keys()).collect();
        let join = |id: &String| {
            let parts: Vec<BenchProgress> = ranks.iter().map(|rank| rank.bench(id)).collect();
            let cycles = parts.iter().map(|part| part.sums.len()).min().unwrap_or_default();
            let sums = (0..cycles).map(|n| CycleTotals::sum(parts.iter().map(|part| part.sums[n]))).collect();
            (id.clone(), BenchProgress { sums, completed: parts.iter().all(|part| part.completed) })
        };
        Self {
            benches: ids.into_iter().map(join).collect(),
            has_bare_idle: ranks.iter().all(|rank| rank.has_bare_idle),
            is_complete: ranks.iter().all(|rank| rank.is_complete),
        }
    }
}

/// This process' part of an interrupted run, open for more records.
pub(super) struct PreviousRun {
    pub results: Results,
    pub writer: JournalWriter,
    /// Its header. The schedules of the remaining benches use its probe, too.
    pub header: RunHeader,
    pub progress: RunProgress,
}

impl PreviousRun {
    /// Opens the journal of this process.
    ///
    /// # Errors
    /// The journal cannot be read or written, or its header is missing.
    pub fn open(results: Results) -> Result<Self, HarnessError> {
        let (writer, journal) = results.reopen()?;
        let Some(header) = journal.header().cloned() else {
            let (id, path) = (results.run_id(), journal.path.display());
            return Err(HarnessError::usage(format!(
                "--resume: cannot resume run {id}: its header is damaged or missing in {path}; start a new run without \
                 --resume"
            )));
        };
        let progress = RunProgress::of(&journal.records, &header);
        Ok(Self { results, writer, header, progress })
    }

    /// Checks that this process would measure the same.
    ///
    /// # Errors
    /// All differences, each with both values.
    pub fn check(&self, now: &RunHeader) -> Result<(), HarnessError> {
        let differences = differences(&self.header, now);
        if differences.is_empty() {
            return Ok(());
        }
        let arguments = fact_names::find(&self.header.environment, fact_names::ARGUMENTS).unwrap_or("none");
        Err(HarnessError::usage(format!(
            "cannot resume run {}: its settings differ:\n  {}\nIts arguments were: {arguments}. To start a new run, remove \
             --resume",
            self.header.run_id,
            differences.join("\n  ")
        )))
    }
}

/// Finds the run to resume: the one with this id, or the newest of this bench target. `None` when it has no run, so
/// that the first attempt may use `--resume` too.
///
/// # Errors
/// No run has this id, or runs cannot be listed.
pub(super) fn find_run(home: &Home, selector: &Resume, target: &BenchTarget) -> Result<Option<RunDir>, HarnessError> {
    if let Resume::Run(id) = selector {
        let found = RunDir::find(home, RunId::parse(id)?);
        let missing =
            || HarnessError::usage(format!("--resume: run `{id}` does not exist in {}", home.runs().display()));
        return found.ok_or_else(missing).map(Some);
    }
    // A run without a header has nothing to resume.
    let is_of_target = |run: &RunDir| {
        let journals = read_run(run.path()).unwrap_or_default();
        journals.iter().any(|journal| journal.header().is_some_and(|header| header.bench_target().may_be(target)))
    };
    Ok(RunDir::list(home)?.into_iter().rev().find(is_of_target))
}

/// The differences between two headers that change what is measured, one sentence each.
fn differences(was: &RunHeader, is: &RunHeader) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |name: &str, was: Option<&str>, is: Option<&str>| {
        if was != is {
            let show = |value: Option<&str>| value.map_or("not set".to_owned(), |value| format!("`{value}`"));
            differences.push(format!("{name}: was {}, is {}", show(was), show(is)));
        }
    };
    let (settings_before, settings_now) = (measurement_settings(was), measurement_settings(is));
    for name in settings_before.keys().chain(settings_now.keys()).collect::<BTreeSet<_>>() {
        compare(name, settings_before.get(name).copied(), settings_now.get(name).copied());
    }
    for name in fixed_facts(was).chain(fixed_facts(is)).collect::<BTreeSet<_>>() {
        compare(name, fact_names::find(&was.environment, name), fact_names::find(&is.environment, name));
    }
    compare("headline", Some(&headline(was)), Some(&headline(is)));
    compare("processes", Some(&was.world.to_string()), Some(&is.world.to_string()));
    if was.plan != is.plan {
        let (was, is) = (was.plan.len(), is.plan.len());
        differences.push(format!(
            "the benches or their order: were {}, are {}",
            count_of(was, "bench"),
            count_of(is, "bench")
        ));
    }
    differences
}

/// The settings that change what is measured, by name.
fn measurement_settings(header: &RunHeader) -> BTreeMap<&str, &str> {
    let settings = header.settings.iter().map(|setting| (setting.name.as_str(), setting.value.as_str()));
    settings.filter(|(name, _)| !may_differ_on_resume(name)).collect()
}

/// The names of the facts that must not change.
fn fixed_facts(header: &RunHeader) -> impl Iterator<Item = &str> {
    let is_fixed = |name: &&str| MACHINE_FACTS.contains(name) || DEVICE_FACTS.iter().any(|end| name.ends_with(end));
    header.environment.iter().map(|fact| fact.name.as_str()).filter(is_fixed)
}

fn headline(header: &RunHeader) -> String {
    header.headline.iter().map(DomainId::as_str).collect::<Vec<_>>().join(" + ")
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
