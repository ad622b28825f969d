//! The duel: builds of one bench that take turns within one session, each launched anew for every turn.
//!
//! What drifts (heat, the room, the session) hits both sides of a pair alike, and what a launch brings with it (where
//! memory lies) is drawn anew for each pair, so that neither passes for a change.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom as _;
use rand::{SeedableRng as _, rngs::Xoshiro256PlusPlus};

use super::super::config::Config;
use super::super::exit::{ExitStatus, HarnessError};
use super::super::invocation::{Invocation, SelectedCases};
use super::super::simulation::Simulation;
use super::super::{console, signals};
use super::duel_journals::{Journals, Turn, Turns};
use super::instrument::{self, MeterSetup};
use super::plan_view::span;
use super::results::{self, Results};
use super::{jobs, run};
use crate::analysis::Summary;
use crate::model::{BenchEnd, Fact, Outcome, Record, RunHeader, RunOrder, id_hash};
use crate::protocol::{Overrides, Schedule};
use crate::registry::{Attributes, Selected};
use crate::runner::{Body, Interrupt, Job, Observer, ObserverError, Session, SessionConfig};
use crate::store::{JournalName, RunDir, RunId};
use crate::workers::{self, CaseList, Launch, ListedCase};

/// What is asked for beside the settings.
#[derive(Debug, Clone)]
pub(in crate::harness) struct Duel {
    /// The build that is compared with.
    pub(in crate::harness) base: PathBuf,
    /// The build that is judged.
    pub(in crate::harness) head: Option<PathBuf>,
    /// Whether the base has a turn against itself in every pair.
    pub(in crate::harness) null: bool,
    /// How many pairs.
    pub(in crate::harness) pairs: u32,
}

/// A side that was measured.
#[derive(Debug)]
pub(in crate::harness) struct DuelBuild {
    /// `base`, `head` or `null`.
    pub(in crate::harness) name: &'static str,
    /// Its run.
    pub(in crate::harness) summary: Summary,
    /// What a person should open, in the run's folder.
    pub(in crate::harness) page: PathBuf,
}

/// One side: its name, its binary and what is in it.
struct Side {
    name: &'static str,
    launch: Launch,
    listing: CaseList,
}

/// A bench of the duel.
struct DuelBench {
    listed: ListedCase,
    /// As it is written down: as many cycles as there are pairs.
    whole: Schedule,
    /// One turn of it.
    turn: Schedule,
}

/// Measures all pairs and writes one run a side; how the worst bench ended, and the sides. None of them when only the plan
/// was asked for.
///
/// # Errors
/// What keeps anything from being measured or kept.
pub(in crate::harness) fn duel(call: &Invocation, duel: &Duel) -> Result<(ExitStatus, Vec<DuelBuild>), HarnessError> {
    let config = call.config();
    let sides = sides(config, duel)?;
    let listed = common(config, &sides)?;
    let home = if config.dry_run { None } else { Some(results::home(call)?) };
    let mut instrument = MeterSetup::open(call)?;
    let _lock = run::lock(config, &instrument)?;
    run::tell_notes(config, &instrument);
    let probe = instrument.probe(config);
    let bouts: Vec<DuelBench> = listed
        .into_iter()
        .map(|listed| {
            let attributes = Attributes { windows: listed.windows, gap: listed.gap, ..Attributes::default() };
            let set =
                Config { overrides: Overrides { cycles: Some(duel.pairs), ..config.overrides }, ..config.clone() };
            let whole = jobs::schedule(&set, &attributes, &probe, &instrument.headline);
            let turn = whole.turn(&config.overrides);
            DuelBench { listed, whole: Schedule { cycles: duel.pairs, window: turn.window, ..whole }, turn }
        })
        .collect();
    let plan = plan(duel, &sides, &bouts, &instrument);
    let Some(home) = home else {
        console::out(&plan);
        return Ok((ExitStatus::Done, Vec::new()));
    };
    if !config.is_quiet() {
        console::err(&format!("lem-bench: {plan}"));
    }
    let session = RunId::now();
    let mut runs = Vec::new();
    for side in &sides {
        let id = RunId::parse(&format!("{session}-{}", side.name))?;
        let folder = RunDir::create_new(&home, id)?;
        runs.push(Results::of(home.clone(), folder, JournalName { rank: 0, pid: None }));
    }
    let plan = bouts.iter().map(|bout| bout.listed.record.id.clone()).collect();
    let chosen = SelectedCases { selected: Selected::default(), total: 0, plan, order: RunOrder::default() };
    let mut common = run::head(call, &chosen, &instrument, probe.clone());
    common.evidence = instrument.evidence(&instrument.surroundings());
    for warning in instrument::warnings(&common.evidence) {
        console::warn(&warning);
    }
    let heads = sides.iter().zip(&runs).map(|(side, run)| head(&common, side, run.run_id())).collect::<Vec<_>>();
    let outcome = measure(config, duel, &sides, &bouts, instrument, &heads, &runs)?;
    // The head's run is the newest when all is done, so it comes last.
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|at| sides[*at].name == "head");
    let mut summaries: Vec<_> = sides.iter().map(|_| None).collect();
    for at in order {
        summaries[at] = Some(runs[at].finish(&config.analysis, &config.exports)?);
    }
    let fighter = |(side, (summary, page)): (&Side, (Summary, PathBuf))| DuelBuild { name: side.name, summary, page };
    Ok((outcome, sides.iter().zip(summaries.into_iter().flatten()).map(fighter).collect()))
}

/// The sides in the order in which they are told.
fn sides(config: &Config, duel: &Duel) -> Result<Vec<Side>, HarnessError> {
    let side = |name: &'static str, binary: &PathBuf| {
        let launch = Launch { binary: binary.clone(), env: config.env.clone(), limit: config.bench_timeout };
        let listing =
            workers::list(&launch, &config.axes).map_err(|why| HarnessError::usage(format!("--{name}: {why}")))?;
        Ok::<_, HarnessError>(Side { name, launch, listing })
    };
    let mut sides = vec![side("base", &duel.base)?];
    if let Some(head) = &duel.head {
        sides.push(side("head", head)?);
    }
    if duel.null {
        sides.push(Side { name: "null", launch: sides[0].launch.clone(), listing: sides[0].listing.clone() });
    }
    Ok(sides)
}

/// The benches that all sides have and that were asked for.
fn common(config: &Config, sides: &[Side]) -> Result<Vec<ListedCase>, HarnessError> {
    let wanted = |bench: &&ListedCase| {
        let id = &bench.record.id;
        let matches = |text: &String| if config.exact { id == text } else { id.contains(text.as_str()) };
        (config.filters.is_empty() || config.filters.iter().any(matches))
            && !config.skip.iter().any(matches)
            && (config.include_ignored || !bench.ignored)
    };
    let has = |side: &Side, id: &str| side.listing.benches.iter().any(|bench| bench.record.id == id);
    let mut all = Vec::new();
    for side in sides {
        for bench in side.listing.benches.iter().filter(wanted) {
            let id = &bench.record.id;
            match sides.iter().find(|other| !has(other, id)) {
                Some(other) => console::warn(&format!("{id}: {} has it and {} does not", side.name, other.name)),
                None if side.name == "base" => all.push(bench.clone()),
                None => {}
            }
        }
    }
    if all.is_empty() {
        return Err(HarnessError::no_match("no bench that all sides have matches: nothing to compare"));
    }
    Ok(all)
}

fn plan(duel: &Duel, sides: &[Side], bouts: &[DuelBench], instrument: &MeterSetup) -> String {
    let turns = duel.pairs * sides.len() as u32;
    let total: Duration = bouts.iter().map(|bout| bout.turn.expected() * turns).sum();
    let names: Vec<_> = sides.iter().map(|side| side.name).collect();
    let headline: Vec<&str> = instrument.headline.iter().map(crate::model::DomainId::as_str).collect();
    let mut text = format!(
        "{} by {} ({}), {} pairs each, {} in turns, about {} and {} set-ups\n",
        if bouts.len() == 1 { "1 bench".to_owned() } else { format!("{} benches", bouts.len()) },
        instrument.meter.name(),
        headline.join(" + "),
        duel.pairs,
        names.join(" and "),
        span(total),
        turns as usize * bouts.len(),
    );
    for bout in bouts {
        let window = span(bout.turn.window);
        let (id, time) = (&bout.listed.record.id, span(bout.turn.expected() * turns));
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "  {id}  {turns} turns with a window of {window}: about {time}");
    }
    text
}

/// The head of a side's journal: of the session, but for what the build itself says.
fn head(common: &RunHeader, side: &Side, run_id: String) -> RunHeader {
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    // What the current folder has checked out need be neither side's source.
    let of_build = |name: &str| name.starts_with("git ") || side.listing.build.iter().any(|fact| fact.name == name);
    let mut environment = common.environment.clone();
    environment.retain(|fact| !of_build(&fact.name));
    environment.extend(side.listing.build.iter().cloned());
    environment.push(fact("duel side", side.name.to_owned()));
    environment.push(fact("binary", side.launch.binary.display().to_string()));
    let stem = side.launch.binary.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    RunHeader {
        run_id,
        lem_bench: side.listing.lem_bench.clone(),
        target: stem,
        debug_build: side.listing.debug_build,
        environment,
        ..common.clone()
    }
}

/// Takes all turns; how the worst bench ended.
fn measure(
    config: &Config,
    duel: &Duel,
    sides: &[Side],
    bouts: &[DuelBench],
    mut instrument: MeterSetup,
    heads: &[RunHeader],
    runs: &[Results],
) -> Result<ExitStatus, HarnessError> {
    let broken = |error: ObserverError| HarnessError::machine(error.to_string());
    let surroundings = instrument.surroundings();
    let simulation = instrument.simulation.take();
    let turns = Turns::default();
    let journals = runs.iter().map(Results::journal).collect::<Result<_, _>>()?;
    let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(Journals { turns: turns.clone(), sides: journals })];
    observers.extend(simulation.as_ref().map(Simulation::observer));
    let clock = Arc::clone(&instrument.clock);
    let domains = instrument.domains.iter().map(|domain| domain.id.clone()).collect();
    let sampler = instrument.sampler(&heads[0].probe, simulation.as_ref())?;
    let interrupt = Interrupt::default();
    signals::listen(&interrupt, console::note)
        .map_err(|error| HarnessError::machine(format!("signals can't be listened for: {error}")))?;
    let headline = heads[0].headline.clone();
    let parts = SessionConfig {
        clock,
        sampler,
        domains,
        headline,
        surroundings,
        observers,
        seed: config.seed,
        interrupt: interrupt.clone(),
        together: None,
    };
    let mut session = Session::begin(parts, &Record::Run(Box::new(heads[0].clone()))).map_err(broken)?;
    for (side, head) in heads.iter().enumerate().skip(1) {
        turns.set(Turn { side, last: false });
        session.record(&Record::Run(Box::new(head.clone()))).map_err(broken)?;
    }
    session.bare_idle(&bouts[0].turn).map_err(broken)?;
    let mut worst = ExitStatus::Done;
    for (number, bout) in bouts.iter().enumerate() {
        let (session, turns) = (&mut session, &turns);
        let mut fight = DuelRunner { config, duel, sides, bout, session, turns, interrupt: &interrupt };
        let exit = fight.fight(simulation.as_ref(), (number + 1, bouts.len()))?;
        worst = worst.max(exit);
        if matches!(exit, ExitStatus::Interrupted | ExitStatus::Invalid) {
            return Ok(worst);
        }
    }
    session.end().map_err(broken)?;
    if let Some(simulation) = &simulation {
        simulation.machine().clock().detach_all();
    }
    Ok(worst)
}

/// One bench's turns.
struct DuelRunner<'a> {
    config: &'a Config,
    duel: &'a Duel,
    sides: &'a [Side],
    bout: &'a DuelBench,
    session: &'a mut Session,
    turns: &'a Turns,
    interrupt: &'a Interrupt,
}

impl DuelRunner<'_> {
    fn fight(&mut self, simulation: Option<&Simulation>, of_all: (usize, usize)) -> Result<ExitStatus, HarnessError> {
        let record = &self.bout.listed.record;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.config.seed ^ id_hash(&record.id));
        let mut order: Vec<usize> = (0..self.sides.len()).collect();
        for pair in 0..self.duel.pairs {
            // ABBA: every second pair mirrors the one before it, whose order is drawn.
            if pair % 2 == 0 {
                order.shuffle(&mut rng);
            } else {
                order.reverse();
            }
            if !self.config.is_quiet() {
                let names: Vec<_> = order.iter().map(|side| self.sides[*side].name).collect();
                let (number, all) = of_all;
                let (id, pairs) = (&record.id, self.duel.pairs);
                console::err(&format!("[{number}/{all}] {id}: pair {} of {pairs}: {}\n", pair + 1, names.join(", ")));
            }
            for (place, side) in order.iter().enumerate() {
                self.turns.set(Turn { side: *side, last: pair + 1 == self.duel.pairs });
                let launch = u64::from(pair) * order.len() as u64 + place as u64;
                match self.turn(*side, pair, launch, simulation)? {
                    None => return Ok(ExitStatus::Interrupted),
                    Some(Outcome::Completed) => {}
                    Some(outcome) => return self.lost(*side, &outcome),
                }
            }
        }
        Ok(ExitStatus::Done)
    }

    /// One turn; `None` when it was interrupted.
    fn turn(
        &mut self,
        side: usize,
        pair: u32,
        launch: u64,
        simulation: Option<&Simulation>,
    ) -> Result<Option<Outcome>, HarnessError> {
        let mut record = self.bout.listed.record.clone();
        let body: Body = if let Some(simulation) = simulation {
            let launch = id_hash(&record.id).wrapping_add(launch);
            simulation.body(launch).map_err(|error| HarnessError::usage(error.to_string()))?
        } else {
            let (launch, axes) = (self.sides[side].launch.clone(), self.config.axes.clone());
            workers::body(launch, record.id.clone(), axes, self.interrupt.clone())
        };
        record.schedule = self.bout.whole.figures();
        let (earlier, spent) = (Vec::new(), Duration::ZERO);
        let job = Job { record, schedule: self.bout.turn, body, from_cycle: pair, earlier, spent };
        self.session.run(&job).map_err(|error| HarnessError::machine(error.to_string()))
    }

    /// A side failed: there are no pairs any more, and the other sides end with it.
    fn lost(&mut self, side: usize, outcome: &Outcome) -> Result<ExitStatus, HarnessError> {
        let id = &self.bout.listed.record.id;
        let name = self.sides[side].name;
        let (text, exit) = match outcome {
            Outcome::Failed { message } | Outcome::Panicked { message } => (message.clone(), ExitStatus::BenchFailed),
            Outcome::DeviceLost { message } => (format!("the device is lost: {message}"), ExitStatus::Invalid),
            Outcome::Completed => (String::new(), ExitStatus::Done),
        };
        console::error(&format!("{id}: {name}: {text}"));
        for other in (0..self.sides.len()).filter(|other| *other != side) {
            self.turns.set(Turn { side: other, last: true });
            let outcome = Outcome::Failed { message: format!("the duel ended with its other side, {name}") };
            let at = self.session.now();
            let end = BenchEnd { bench: id.clone(), outcome, last_failure: None, precision: None, at };
            self.session.record(&Record::BenchEnd(end)).map_err(|error| HarnessError::machine(error.to_string()))?;
        }
        Ok(exit)
    }
}
