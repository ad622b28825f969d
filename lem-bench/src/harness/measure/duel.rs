//! `cargo lem duel`: measures builds of the same benches against each other. Each side is a run of its own.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::duel_runner::{DuelBench, DuelRunner, DuelSides, SimulatedSides, WorkerSides};
use super::jobs;
use super::meter_setup::MeterSetup;
use super::preflight::{lock_machine, print_notes, warn_about_device_users};
use super::results::{Results, run_header};
use super::session_runner::SessionBuilder;
use crate::harness::comparing::DuelBuild;
use crate::harness::config::Config;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::{Invocation, SelectedCases};
use crate::harness::parse::format_duration;
use crate::harness::{console, saved};
use crate::model::{DomainId, Fact, MeterProbe, RunHeader, RunOrder, count_of, fact_names};
use crate::protocol::Overrides;
use crate::registry::{Attributes, Selected};
use crate::runner::{Interrupt, Observer};
use crate::store::{Home, JournalName, RunDir, RunId};
use crate::workers::{self, CaseList, Launch, ListedCase};

/// The arguments of a duel, in addition to the settings.
#[derive(Debug, Clone)]
pub(in crate::harness) struct Duel {
    /// The build that is compared with.
    pub base: PathBuf,
    /// The build that is judged.
    pub head: Option<PathBuf>,
    /// Whether the base also runs against itself in every pair.
    pub null: bool,
    /// The number of pairs.
    pub pairs: u32,
}

/// A side of a duel: a build and its benches.
struct Build {
    name: &'static str,
    launch: Launch,
    list: CaseList,
}

/// Measures all pairs and writes one run per side. Returns the most severe end of a bench and the sides; no sides in a dry
/// run.
///
/// # Errors
/// Nothing can be measured, or a result cannot be written.
pub(in crate::harness) fn duel(
    invocation: &Invocation,
    duel: &Duel,
) -> Result<(ExitStatus, Vec<DuelBuild>), HarnessError> {
    let config = invocation.config();
    let builds = list_builds(config, duel)?;
    let common = common_cases(config, &builds)?;
    let home = if config.dry_run { None } else { Some(saved::writable_home(invocation)?) };
    let mut setup = MeterSetup::open(invocation)?;
    let _lock = lock_machine(config, &setup)?;
    print_notes(config, &setup);
    let probe = setup.probe(config);
    let benches: Vec<DuelBench> =
        common.into_iter().map(|case| plan_bench(config, case, duel.pairs, &probe, &setup)).collect();
    let plan = format_plan(duel, &builds, &benches, &setup);
    let Some(home) = home else {
        console::out(&plan);
        return Ok((ExitStatus::Done, Vec::new()));
    };
    if !config.is_quiet() {
        console::err(&format!("lem-bench: {plan}"));
    }
    let runs = create_runs(&home, &builds)?;
    let headers = headers(invocation, &setup, probe, &benches, builds.iter().zip(&runs));
    let exit = measure(config, setup, &builds, &benches, &headers, &runs)?;
    Ok((exit, finish_runs(config, &builds, &runs)?))
}

/// Lists the benches of each build: base, head, null.
fn list_builds(config: &Config, duel: &Duel) -> Result<Vec<Build>, HarnessError> {
    let list_build = |name: &'static str, binary: &PathBuf| -> Result<Build, HarnessError> {
        let launch = Launch { binary: binary.clone(), env: config.env.clone(), limit: config.bench_timeout };
        let list =
            workers::list(&launch, &config.axes).map_err(|error| HarnessError::usage(format!("--{name}: {error}")))?;
        Ok(Build { name, launch, list })
    };
    let mut builds = vec![list_build("base", &duel.base)?];
    if let Some(head) = &duel.head {
        builds.push(list_build("head", head)?);
    }
    if duel.null {
        builds.push(Build { name: "null", launch: builds[0].launch.clone(), list: builds[0].list.clone() });
    }
    Ok(builds)
}

/// The selected benches that all builds have.
fn common_cases(config: &Config, builds: &[Build]) -> Result<Vec<ListedCase>, HarnessError> {
    let is_selected = |bench: &&ListedCase| {
        let id = &bench.record.id;
        let matches = |text: &String| if config.exact { id == text } else { id.contains(text.as_str()) };
        (config.filters.is_empty() || config.filters.iter().any(matches))
            && !config.skip.iter().any(matches)
            && (config.include_ignored || !bench.ignored)
    };
    let has = |build: &Build, id: &str| build.list.benches.iter().any(|bench| bench.record.id == id);
    let mut common = Vec::new();
    for build in builds {
        for bench in build.list.benches.iter().filter(is_selected) {
            let id = &bench.record.id;
            match builds.iter().find(|other| !has(other, id)) {
                Some(other) => console::warn(&format!("{id}: {} has it and {} does not", build.name, other.name)),
                None if build.name == "base" => common.push(bench.clone()),
                None => {}
            }
        }
    }
    if common.is_empty() {
        return Err(HarnessError::no_match("no bench that all builds have matches: there is nothing to compare"));
    }
    Ok(common)
}

fn plan_bench(config: &Config, case: ListedCase, pairs: u32, probe: &MeterProbe, setup: &MeterSetup) -> DuelBench {
    let attributes = Attributes { windows: case.windows, gap: case.gap, ..Attributes::default() };
    let overrides = Overrides { cycles: Some(pairs), ..config.overrides };
    let with_pairs = Config { overrides, ..config.clone() };
    let planned = jobs::schedule(&with_pairs, &attributes, probe, &setup.headline);
    DuelBench::new(case.record, &planned, &config.overrides)
}

fn format_plan(duel: &Duel, builds: &[Build], benches: &[DuelBench], setup: &MeterSetup) -> String {
    let turns = duel.pairs * builds.len() as u32;
    let total: Duration = benches.iter().map(|bench| bench.turn.expected() * turns).sum();
    let names: Vec<_> = builds.iter().map(|build| build.name).collect();
    let headline: Vec<&str> = setup.headline.iter().map(DomainId::as_str).collect();
    let mut text = format!(
        "{} by {} ({}), {} each, {} in turn, about {} plus {}\n",
        count_of(benches.len(), "bench"),
        setup.meter.name(),
        headline.join(" + "),
        count_of(duel.pairs, "pair"),
        names.join(" and "),
        format_duration(total),
        count_of(turns as usize * benches.len(), "setup"),
    );
    for bench in benches {
        let window = format_duration(bench.turn.window);
        let (id, time) = (&bench.record.id, format_duration(bench.turn.expected() * turns));
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "  {id}  {} with a window of {window}: about {time}", count_of(turns, "turn"));
    }
    text
}

/// Creates the folder of each side's run.
fn create_runs(home: &Home, builds: &[Build]) -> Result<Vec<Results>, HarnessError> {
    let session = RunId::now();
    builds
        .iter()
        .map(|build| {
            let run = RunId::parse(&format!("{session}-{}", build.name)).and_then(|id| RunDir::create_new(home, id))?;
            Ok(Results::of(home.clone(), run, JournalName { rank: 0, pid: None }))
        })
        .collect()
}

/// The header of each side's journal. Warns about other users of the devices.
fn headers<'a>(
    invocation: &Invocation,
    setup: &MeterSetup,
    probe: MeterProbe,
    benches: &[DuelBench],
    sides: impl Iterator<Item = (&'a Build, &'a Results)>,
) -> Vec<RunHeader> {
    let plan = benches.iter().map(|bench| bench.record.id.clone()).collect();
    let cases = SelectedCases { selected: Selected::default(), total: 0, plan, order: RunOrder::default() };
    let mut common = run_header(invocation, &cases, setup, probe);
    common.evidence = setup.evidence();
    warn_about_device_users(&common.evidence);
    sides.map(|(build, run)| side_header(&common, build, run.run_id())).collect()
}

/// The header of a side: that of the session with the facts of the build.
fn side_header(common: &RunHeader, build: &Build, run_id: String) -> RunHeader {
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    // The checkout in the current folder may be the source of neither side.
    let is_of_build = |name: &str| name.starts_with("git ") || build.list.build.iter().any(|fact| fact.name == name);
    let mut environment = common.environment.clone();
    environment.retain(|fact| !is_of_build(&fact.name));
    environment.extend(build.list.build.iter().cloned());
    environment.push(fact("duel side", build.name.to_owned()));
    environment.push(fact("binary", build.launch.binary.display().to_string()));
    let stem = || build.launch.binary.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let target = fact_names::find(&build.list.build, fact_names::BENCH_TARGET);
    RunHeader {
        run_id,
        lem_bench: build.list.lem_bench.clone(),
        target: target.map_or_else(stem, str::to_owned),
        debug_build: build.list.debug_build,
        environment,
        ..common.clone()
    }
}

/// Measures all turns.
fn measure(
    config: &Config,
    setup: MeterSetup,
    builds: &[Build],
    benches: &[DuelBench],
    headers: &[RunHeader],
    runs: &[Results],
) -> Result<ExitStatus, HarnessError> {
    let mut journals: Vec<Box<dyn Observer>> = Vec::new();
    for run in runs {
        journals.push(Box::new(run.create_journal()?.with_sample_budget(config.sample_mib)));
    }
    let interrupt = Interrupt::default();
    let names: Vec<_> = builds.iter().map(|build| build.name).collect();
    let simulation = setup.simulation.clone();
    let sides: Box<dyn DuelSides + '_> = if let Some(simulation) = &simulation {
        let scenarios = vec![simulation.scenario(); names.len()];
        Box::new(SimulatedSides { names, simulation: simulation.clone(), scenarios })
    } else {
        let launches = builds.iter().map(|build| build.launch.clone()).collect();
        Box::new(WorkerSides { names, launches, config, interrupt: interrupt.clone() })
    };
    let session =
        SessionBuilder::new(setup, &headers[0].probe, config.seed)?.interrupt(interrupt).interrupt_on_signals()?;
    let on_pair = |line: &str| {
        if !config.is_quiet() {
            console::err(line);
        }
    };
    DuelRunner { sides: &*sides, benches, seed: config.seed, on_pair: &on_pair }.run(session, headers, journals)
}

/// Makes the results of each side.
fn finish_runs(config: &Config, builds: &[Build], runs: &[Results]) -> Result<Vec<DuelBuild>, HarnessError> {
    // The run of the head comes last, so that it is the latest.
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|side| builds[*side].name == "head");
    let mut finished: Vec<_> = builds.iter().map(|_| None).collect();
    for side in order {
        let (summary, page) = runs[side].finish(&config.analysis, &config.exports)?;
        finished[side] = Some(DuelBuild { name: builds[side].name, summary, page });
    }
    Ok(finished.into_iter().flatten().collect())
}
