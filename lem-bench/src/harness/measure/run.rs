//! The course of bench mode, from the meter to the exit code.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::config::{Config, Format};
use super::super::exit::{Exit, Stop};
use super::super::pages;
use super::super::progress::Progress;
use super::super::run::{Call, Chosen};
use super::super::{config_view, console, environment};
use super::instrument::Instrument;
use super::results::{self, Results};
use super::{jobs, plan_view};
use crate::analysis::{Status, Summary};
use crate::model::{Fact, MeterProbe, Origin, Outcome, RunRecord, SCHEMA_VERSION, Setting};
use crate::plan::{PlannedBench, TimePlan};
use crate::registry::Case;
use crate::report::console::{TableOptions, table};
use crate::runner::{Job, Observer, ObserverError, RigParts, Session};
use crate::store::{MachineLock, WaitPolicy};

/// Measures the chosen cases.
///
/// # Errors
/// What keeps anything from being measured or kept.
pub(in crate::harness) fn run(call: &Call, chosen: Chosen) -> Result<Exit, Stop> {
    let config = call.config();
    let home = if config.dry_run { None } else { Some(results::home(call)?) };
    let mut instrument = Instrument::open(config, &call.places)?;
    let _lock = lock(config, &instrument)?;
    tell_notes(config, &instrument);
    let probe = instrument.probe(config);
    let cases = chosen.selected.run;
    let schedules = cases.iter().map(|case| jobs::schedule(config, &case.attributes, &probe, &instrument.headline));
    let planned = cases.iter().zip(schedules).map(|(case, schedule)| PlannedBench { id: case.id.clone(), schedule });
    let plan = TimePlan::new(planned.collect());
    let Some(home) = home else {
        console::out(&plan_view::plan(&plan, &instrument, &probe, true));
        return Ok(Exit::Done);
    };
    if !config.is_quiet() {
        console::err(&format!("lem-bench: {}", plan_view::plan(&plan, &instrument, &probe, false)));
        let left_out = chosen.selected.ignored.len();
        if left_out > 0 {
            let are = if left_out == 1 { "is" } else { "are" };
            console::note(&format!("{left_out} more {are} marked `ignore`: --include-ignored measures them too"));
        }
    }
    let results = Results::begin(home)?;
    let outcomes = measure(call, &cases, &plan, instrument, probe, &results)?;
    let (mut summary, page) = results.finish(&config.analysis)?;
    // Files tell of the whole run; this process speaks, and answers, for its own benches.
    let ours: BTreeSet<&str> = outcomes.iter().map(|(id, _)| id.as_str()).collect();
    summary.benches.retain(|bench| ours.contains(bench.bench.id.as_str()));
    show(config, &summary);
    console::note(&format!("results are in {}", page.display()));
    Ok(exit(&outcomes, &summary))
}

/// The right to measure on this machine, where the machine is a real one.
fn lock(config: &Config, instrument: &Instrument) -> Result<Option<MachineLock>, Stop> {
    if !instrument.is_real() {
        return Ok(None);
    }
    let path = config.lock_file.clone().unwrap_or_else(MachineLock::default_path);
    let wait = if config.no_wait { WaitPolicy::NoWait } else { WaitPolicy::Forever };
    MachineLock::acquire(&path, wait, console::note).map(Some).map_err(|error| pages::stop(&error))
}

/// What a reader must know before anything is waited for: all of it in a dry run; else, where nothing is measured, that.
/// The rest stands in the report.
fn tell_notes(config: &Config, instrument: &Instrument) {
    let measures = instrument.meter.origin() == Origin::Measured;
    let first = usize::from(!config.is_quiet() && !measures);
    let shown = if config.dry_run { instrument.notes.len() } else { first };
    for note in instrument.notes.iter().take(shown) {
        console::err(&format!("note: {note}\n"));
    }
}

/// Measures, and says how each bench ended.
fn measure(
    call: &Call,
    cases: &[Case],
    plan: &TimePlan,
    mut instrument: Instrument,
    probe: MeterProbe,
    results: &Results,
) -> Result<Vec<(String, Outcome)>, Stop> {
    let config = call.config();
    let simulation = instrument.simulation.take();
    let ready: Vec<Job> = cases
        .iter()
        .zip(plan.benches())
        .map(|(case, planned)| jobs::job(case, &planned.schedule, simulation.as_ref()))
        .collect::<Result<_, _>>()?;
    let (facts, warnings) = instrument.look_around();
    for warning in warnings {
        console::warn(&warning);
    }
    let head = head(call, cases, &instrument, probe.clone(), results.run_id(), facts);
    let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(results.journal()?)];
    observers.push(Box::new(Progress::new(config, plan.clone())));
    observers.extend(simulation.as_ref().map(super::super::simulation::Simulation::observer));
    let clock = std::sync::Arc::clone(&instrument.clock);
    let domains = instrument.domains.iter().map(|domain| domain.id.clone()).collect();
    let sampler = instrument.sampler(&probe, simulation.as_ref())?;
    let parts = RigParts { clock, sampler, domains, observers, seed: config.seed };
    let outcomes = session(parts, head, &ready, config.fail_fast);
    if let Some(simulation) = &simulation {
        simulation.machine().clock().detach_all();
    }
    outcomes
}

fn session(parts: RigParts, head: RunRecord, ready: &[Job], fail_fast: bool) -> Result<Vec<(String, Outcome)>, Stop> {
    let broken = |error: ObserverError| Stop::machine(error.to_string());
    let mut session = Session::begin(parts, head).map_err(broken)?;
    if let Some(first) = ready.first() {
        session.bare_idle(&first.schedule).map_err(broken)?;
    }
    let mut outcomes = Vec::new();
    for job in ready {
        let outcome = session.run(job).map_err(broken)?;
        let over = match &outcome {
            Outcome::Completed => false,
            Outcome::Failed { message } | Outcome::Panicked { message } => {
                console::error(&format!("{}: {message}", job.record.id));
                fail_fast
            }
            Outcome::DeviceLost { message } => {
                console::error(&format!("{}: the device is lost: {message}", job.record.id));
                true
            }
        };
        outcomes.push((job.record.id.clone(), outcome));
        if over {
            let left = ready.len() - outcomes.len();
            if left > 0 {
                console::warn(&format!("{left} of the benches were not run"));
            }
            break;
        }
    }
    session.end().map_err(broken)?;
    Ok(outcomes)
}

/// The head of the journal: everything about this run that is known before it begins.
fn head(
    call: &Call,
    cases: &[Case],
    instrument: &Instrument,
    probe: MeterProbe,
    run_id: String,
    facts: Vec<Fact>,
) -> RunRecord {
    let mut settings: Vec<Setting> = call.asked.settings().into_iter().map(|(setting, _)| setting).collect();
    settings.extend(config_view::attributes(call, cases));
    let mut environment = environment::facts(call);
    environment.extend(instrument.facts.iter().cloned());
    environment.extend(facts);
    let executable = std::env::current_exe().ok();
    let stem = executable.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    RunRecord {
        schema_version: SCHEMA_VERSION,
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        run_id,
        rank: 0,
        world: 1,
        target: call.hints.target.map(str::to_owned).or(stem).unwrap_or_default(),
        started_unix_s: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()),
        started: instrument.clock.now(),
        seed: call.config().seed,
        probe,
        domains: instrument.domains.clone(),
        headline: instrument.headline.clone(),
        notes: instrument.notes.clone(),
        settings,
        environment,
        debug_build: cfg!(debug_assertions),
    }
}

/// Shows the results on stdout.
fn show(config: &Config, summary: &Summary) {
    if config.format == Format::Json {
        // What was just written to a file can be written here.
        console::out(&format!("{}\n", serde_json::to_string(summary).unwrap_or_default()));
        return;
    }
    let color = console::Paint::of_stdout(config.color).is_on();
    console::out(&table(summary, &TableOptions { width: console::stdout_width(), color }));
}

/// The exit code that these outcomes and results call for.
fn exit(outcomes: &[(String, Outcome)], summary: &Summary) -> Exit {
    let of_outcomes = outcomes.iter().map(|(_, outcome)| match outcome {
        Outcome::Completed => Exit::Done,
        Outcome::Failed { .. } | Outcome::Panicked { .. } => Exit::BenchFailed,
        Outcome::DeviceLost { .. } => Exit::Invalid,
    });
    let invalid = summary.benches.iter().filter(|bench| bench.status == Status::Invalid).map(|_| Exit::Invalid);
    of_outcomes.chain(invalid).max().unwrap_or_default()
}
