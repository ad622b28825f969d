//! The course of bench mode, from the meter to the exit code.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::config::{Config, Format, OutputFormat};
use super::super::exit::{ExitStatus, HarnessError};
use super::super::invocation::{Invocation, SelectedCases};
use super::super::log::TracingObserver;
use super::super::log::timed;
use super::super::notify;
use super::super::progress::Progress;
use super::super::{comparing, console, environment, saved, signals};
use super::instrument::{self, MeterSetup};
use super::ranks::{self, RankAgreement, Ranks};
use super::results::{self, Results};
use super::resume::{self, PreviousRun};
use super::room::Room;
use super::session::{Ended, SessionPlan};
use super::{jobs, plan_view};
use crate::analysis::compare::Comparison;
use crate::analysis::{Status, Summary};
use crate::model::{
    MeterProbe, Origin, Outcome, Record, ResumeRecord, RunEvidence, RunHeader, SCHEMA_VERSION, Setting,
};
use crate::plan::{PlannedBench, TimePlan};
use crate::protocol::{CycleTotals, Schedule};
use crate::registry::Case;
use crate::report::console::{TableOptions, table};
use crate::report::export::BENCHER;
use crate::runner::{Interrupt, Job, Observer, RankBarrier, SessionConfig};
use crate::store::{Home, JournalName, MachineLock, StoreError, WaitPolicy};

/// A case, how it is measured, and what its cycles came to that an earlier process has measured.
struct Planned {
    case: Case,
    schedule: Schedule,
    sums: Vec<CycleTotals>,
    processes: u32,
}

/// The journal of a process that is alone in its run.
const ALONE: JournalName = JournalName { rank: 0, pid: None };

/// Measures the chosen cases.
///
/// # Errors
/// What keeps anything from being measured or kept.
pub(in crate::harness) fn run(call: &Invocation, mut chosen: SelectedCases) -> Result<ExitStatus, HarnessError> {
    let config = call.config();
    if config.overrides.time_budget.is_some() && config.overrides.target_precision.is_none() {
        let why = "--time-budget says when to stop looking for --target-precision, which is not set";
        return Err(HarnessError::usage(format!("{why}: set it, or leave the budget out")));
    }
    notify::check(config.notify.is_some())?;
    let home = if config.dry_run { None } else { Some(results::home(call)?) };
    let ids: Vec<&str> = chosen.selected.run.iter().map(|case| case.id.as_str()).collect();
    let comparing = timed("looked for what to compare with", || comparing::Prepared::find(call, &ids))?;
    if let Some(exit) = comparing.without_measuring(call)? {
        return Ok(exit);
    }
    let ours: BTreeSet<String> = chosen.selected.run.iter().map(|case| case.id.clone()).collect();
    let place = ranks::place(config)?;
    let home = match home {
        Some(home) if place.is_none() && ranks::is_conductor(config, &chosen) => {
            let (results, worst) = ranks::conduct(call, &chosen, &target(call), home)?;
            let ended = Ended { outcomes: Vec::new(), interrupted: worst == ExitStatus::Interrupted };
            return Ok(conclude(call, comparing, &results, &ours, &ended)?.max(worst));
        }
        home => home,
    };
    let ranks = match (place, &home) {
        (Some(place), Some(home)) => Some(Ranks::join(call, place, &mut chosen, &target(call), home.clone())?),
        _ => None,
    };
    let mut instrument = timed("opened the meter", || match &ranks {
        Some(ranks) => ranks.instrument(call),
        None => MeterSetup::open(call),
    })?;
    // Of several processes, one speaks; and one on each machine keeps others from it.
    let speaks = ranks.as_ref().is_none_or(|ranks| ranks.place.rank == 0);
    let guards = ranks.as_ref().is_none_or(|ranks| ranks.place.local_rank == 0);
    let locked = || if guards { lock(config, &instrument) } else { Ok(None) };
    let _lock = timed("took the machine's lock", locked)?;
    if speaks {
        tell_notes(config, &instrument);
    }
    let left = match (&config.resume, &home, &ranks) {
        (Some(_), _, Some(ranks)) => ranks.results.has_begun()?.then(|| ranks.results.clone()),
        (Some(which), Some(home), None) => {
            resume::run(home, which, &target(call))?.map(|run| Results::of(home.clone(), run, ALONE))
        }
        _ => None,
    };
    let mut earlier = left.map(PreviousRun::open).transpose()?;
    if let Some(earlier) = &earlier {
        chosen.follow(&earlier.head.plan, earlier.head.order);
    }
    let probe = earlier
        .as_ref()
        .map_or_else(|| timed("probed the meter", || instrument.probe(config)), |earlier| earlier.head.probe.clone());
    let progress = earlier.as_ref().map(|earlier| earlier.progress.clone()).unwrap_or_default();
    let (plan, order, headline) = (chosen.plan.clone(), chosen.order, instrument.headline.clone());
    let own = RankAgreement { plan, order, progress, probe: probe.clone(), headline };
    let terms = match &ranks {
        Some(ranks) => ranks.agree(&mut chosen, &own)?,
        None => own,
    };
    let left_out = chosen.selected.ignored.len();
    let mut head = head(call, &chosen, &instrument, probe.clone());
    if let Some(Ranks { place, .. }) = &ranks {
        (head.rank, head.world) = (place.rank, place.world);
    }
    if let Some(earlier) = &mut earlier {
        earlier.check(&head)?;
        // As far as all processes got.
        earlier.progress = terms.progress;
    }
    let planned: Vec<Planned> = chosen
        .selected
        .run
        .into_iter()
        .filter_map(|case| {
            let standing = earlier.as_ref().map(|earlier| earlier.progress.bench(&case.id)).unwrap_or_default();
            let schedule = jobs::schedule(config, &case.attributes, &terms.probe, &terms.headline);
            let processes = ranks.as_ref().map_or_else(|| ranks::wanted(config, &case), |ranks| ranks.place.world);
            (!standing.completed).then_some(Planned { case, schedule, sums: standing.sums, processes })
        })
        .collect();
    let plan = TimePlan::new(planned.iter().map(left_of).collect());
    let Some(home) = home else {
        console::out(&plan_view::plan(&plan, &instrument, &probe, true));
        return Ok(ExitStatus::Done);
    };
    if speaks && !config.is_quiet() {
        let text = plan_view::plan(&plan, &instrument, &probe, false);
        tell_plan(&text, planned.len(), earlier.as_ref(), ours.len(), left_out);
    }
    let (results, ended) = measure(call, &planned, instrument, head, home, earlier, ranks.as_ref())?;
    match &ranks {
        Some(ranks) if !ranks.aggregates(&ended) => Ok(of_outcomes(&ended)),
        _ => conclude(call, comparing, &results, &ours, &ended),
    }
}

/// Makes of the journals what there is to see, and shows it.
fn conclude(
    call: &Invocation,
    comparing: comparing::Prepared,
    results: &Results,
    ours: &BTreeSet<String>,
    ended: &Ended,
) -> Result<ExitStatus, HarnessError> {
    let config = call.config();
    let (mut summary, page) =
        timed("made the summary and its pages", || results.finish(&config.analysis, &config.exports))?;
    notify::send(config.notify.as_deref(), || saved::json(&summary));
    // Files tell of the whole run; this process speaks, and answers, for its own benches.
    let all = summary.benches.len();
    summary.benches.retain(|bench| ours.contains(&bench.bench.id));
    let compared = timed("compared the results", || comparing.compare(call, results.home(), &summary));
    show(config, &summary, compared.as_ref().ok().and_then(Option::as_ref))?;
    let whole = (&summary, all == summary.benches.len());
    let verdict = timed("kept the results and wrote their pages", || {
        comparing::conclude(call, results.home(), results.folder(), whole, compared?.as_ref())
    })?;
    console::note(&format!("results are in {}", page.display()));
    if ended.interrupted {
        let how = "the same command with --resume goes on with it";
        console::note(&format!("interrupted; every complete cycle is kept, and {how} (run {})", results.run_id()));
    }
    Ok(exit(ended, &summary).max(verdict))
}

/// What is left to do of a bench, for the time plan.
fn left_of(planned: &Planned) -> PlannedBench {
    let cycles = planned.schedule.cycles.saturating_sub(planned.sums.len() as u32);
    let (id, processes) = (planned.case.id.clone(), planned.processes);
    PlannedBench { id, schedule: Schedule { cycles, ..planned.schedule }, processes }
}

/// Says what is going to be measured.
fn tell_plan(plan: &str, left: usize, earlier: Option<&PreviousRun>, benches: usize, left_out: usize) {
    match earlier {
        Some(earlier) if earlier.progress.is_complete && left == 0 => {
            console::note(&format!("nothing is left to do of run {}", earlier.head.run_id));
            return;
        }
        Some(earlier) => {
            let run = &earlier.head.run_id;
            console::note(&format!("going on with run {run}, of whose {benches} benches these are left:"));
        }
        None => {}
    }
    console::err(&format!("lem-bench: {plan}"));
    if left_out > 0 {
        let are = if left_out == 1 { "is" } else { "are" };
        console::note(&format!("{left_out} more {are} marked `ignore`: --include-ignored measures them too"));
    }
}

/// The right to measure on this machine, where the machine is a real one.
pub(super) fn lock(config: &Config, instrument: &MeterSetup) -> Result<Option<MachineLock>, HarnessError> {
    if !instrument.is_real() {
        return Ok(None);
    }
    let path = config.lock_file.clone().unwrap_or_else(MachineLock::default_path);
    let wait = if config.no_wait { WaitPolicy::NoWait } else { WaitPolicy::Forever };
    let refused = |error: StoreError| match &error {
        // As good as no meter: whatever were measured now would hold another run's energy.
        StoreError::Locked { .. } => HarnessError::invalid(error.to_string()),
        _ => HarnessError::from(error),
    };
    MachineLock::acquire(&path, wait, console::note).map(Some).map_err(refused)
}

/// What a reader must know before anything is waited for: all of it in a dry run; else, where nothing is measured, that.
/// The rest stands in the report.
pub(super) fn tell_notes(config: &Config, instrument: &MeterSetup) {
    let measures = instrument.meter.origin() == Origin::Measured;
    let first = usize::from(!config.is_quiet() && !measures);
    let shown = if config.dry_run { instrument.notes.len() } else { first };
    for note in instrument.notes.iter().take(shown) {
        console::err(&format!("note: {note}\n"));
    }
}

/// Measures, and says how each bench ended.
fn measure(
    call: &Invocation,
    planned: &[Planned],
    mut instrument: MeterSetup,
    mut head: RunHeader,
    home: Home,
    earlier: Option<PreviousRun>,
    ranks: Option<&Ranks>,
) -> Result<(Results, Ended), HarnessError> {
    let config = call.config();
    let plan = TimePlan::new(planned.iter().map(left_of).collect());
    let earlier = match earlier {
        Some(earlier) if earlier.progress.is_complete && planned.is_empty() => {
            return Ok((earlier.results, Ended { outcomes: Vec::new(), interrupted: false }));
        }
        other => other,
    };
    let simulation = instrument.simulation.take();
    if simulation.is_some() && config.isolates() {
        console::warn(
            "on a simulated machine the scenario's workload takes the place of the benches, within this process: \
             --isolate, --bench-timeout and --env are without effect",
        );
    }
    let interrupt = Interrupt::default();
    let ready: Vec<Job> = planned
        .iter()
        .map(|planned| {
            let Planned { case, schedule, sums, .. } = planned;
            jobs::job(config, case, schedule, simulation.as_ref(), &interrupt, sums.clone())
        })
        .collect::<Result<_, _>>()?;
    let surroundings = instrument.surroundings();
    let room = Room::new(surroundings.clone(), config.keep_free);
    head.evidence = instrument.evidence(&surroundings);
    for warning in instrument::warnings(&head.evidence) {
        console::warn(&warning);
    }
    let probe = head.probe.clone();
    let has_bare_idle = earlier.as_ref().is_some_and(|earlier| earlier.progress.has_bare_idle);
    let (results, journal, first) = if let Some(earlier) = earlier {
        (earlier.results, earlier.writer, resumed(&instrument))
    } else {
        let results = ranks.map_or_else(|| Results::begin(home), |ranks| Ok(ranks.results.clone()))?;
        let journal = results.journal()?;
        let run_id = results.run_id();
        (results, journal, Record::Run(Box::new(RunHeader { run_id, ..head.clone() })))
    };
    let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(journal), Box::new(TracingObserver::default())];
    observers.extend(simulation.as_ref().map(super::super::simulation::Simulation::observer));
    let clock = Arc::clone(&instrument.clock);
    let domains = instrument.domains.iter().map(|domain| domain.id.clone()).collect();
    let headline = instrument.headline.clone();
    let sampler = instrument.sampler(&probe, simulation.as_ref())?;
    if ranks.is_none_or(|ranks| ranks.place.rank == 0) {
        observers.push(Box::new(Progress::new(config, plan, sampler.power_now(&headline), probe.origin)));
    }
    signals::listen(&interrupt, console::note)
        .map_err(|error| HarnessError::machine(format!("signals can't be listened for: {error}")))?;
    let (headline, seed) = (head.headline.clone(), config.seed);
    let (interrupts, together) =
        (interrupt.clone(), ranks.map(|ranks| Arc::clone(&ranks.meeting) as Arc<dyn RankBarrier>));
    let parts = SessionConfig {
        clock,
        sampler,
        domains,
        headline,
        surroundings,
        observers,
        seed,
        interrupt: interrupts,
        together,
    };
    let again = || MeterSetup::reopen(call, &head, simulation.as_ref());
    let (order, fail_fast) = (head.order, config.fail_fast);
    let course = SessionPlan { ready: &ready, has_bare_idle, fail_fast, interrupt: &interrupt, order, room };
    let ended = course.run(parts, &first, again);
    if let Some(simulation) = &simulation {
        simulation.machine().clock().detach_all();
    }
    Ok((results, ended?))
}

/// That this process goes on with another's journal.
fn resumed(instrument: &MeterSetup) -> Record {
    let lem_bench = env!("CARGO_PKG_VERSION").to_owned();
    Record::Resume(ResumeRecord { at: instrument.clock.now(), resumed_unix_s: unix_s(), lem_bench })
}

/// The bench target's name.
fn target(call: &Invocation) -> String {
    let executable = std::env::current_exe().ok();
    let stem = executable.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    call.target.target.map(str::to_owned).or(stem).unwrap_or_default()
}

fn unix_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The head of the journal: everything about this run that is known before it begins, but its id.
pub(super) fn head(call: &Invocation, chosen: &SelectedCases, instrument: &MeterSetup, probe: MeterProbe) -> RunHeader {
    let config = call.config();
    let mut settings: Vec<Setting> = call.resolved.settings().into_iter().map(|(setting, _)| setting).collect();
    settings.extend(call.resolved.attribute_settings(&chosen.selected.run));
    let mut environment = environment::facts(call);
    environment.extend(instrument.facts.iter().cloned());
    for fact in &mut environment {
        fact.value = call.resolved.without_secrets(&fact.value);
    }
    RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: String::new(),
        rank: 0,
        world: 1,
        target: target(call),
        started_unix_s: unix_s(),
        started: instrument.clock.now(),
        seed: config.seed,
        probe,
        domains: instrument.domains.clone(),
        headline: instrument.headline.clone(),
        notes: instrument.notes.clone(),
        settings,
        environment,
        debug_build: cfg!(debug_assertions),
        evidence: RunEvidence::default(),
        plan: chosen.plan.clone(),
        shard: config.shard.map(|shard| (shard.number, shard.of)),
        order: chosen.order,
    }
}

/// Shows the results on stdout.
fn show(config: &Config, summary: &Summary, compared: Option<&Comparison>) -> Result<(), HarnessError> {
    let text = match (config.format, config.output_format) {
        (Format::Json, _) | (_, OutputFormat::Json) => format!("{}\n", saved::json(summary)?),
        (_, OutputFormat::Bencher) => saved::text(&BENCHER, std::slice::from_ref(summary))?,
        (_, OutputFormat::Criterion) => {
            let color = console::Paint::of_stdout(config.color).is_on();
            table(summary, compared, &TableOptions { width: console::stdout_width(), color })
        }
    };
    console::out(&text);
    Ok(())
}

/// The exit code that these outcomes call for.
fn of_outcomes(ended: &Ended) -> ExitStatus {
    let each = ended.outcomes.iter().map(|(_, outcome)| match outcome {
        Outcome::Completed => ExitStatus::Done,
        Outcome::Failed { .. } | Outcome::Panicked { .. } => ExitStatus::BenchFailed,
        Outcome::DeviceLost { .. } => ExitStatus::Invalid,
    });
    each.chain(ended.interrupted.then_some(ExitStatus::Interrupted)).max().unwrap_or_default()
}

/// The exit code that these outcomes and results call for.
fn exit(ended: &Ended, summary: &Summary) -> ExitStatus {
    let invalid = summary.benches.iter().filter(|bench| bench.status == Status::Invalid).map(|_| ExitStatus::Invalid);
    invalid.max().unwrap_or_default().max(of_outcomes(ended))
}
