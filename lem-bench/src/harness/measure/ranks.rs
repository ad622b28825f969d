//! A run by several processes: which one this is, the folder that all of them write to, and what they agree on before
//! anything is measured. And the process that starts them, where no launcher does.
//!
//! Must not know how anything is measured.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::config::Config;
use super::super::exit::{Exit, Stop};
use super::super::pages::stop;
use super::super::run::{Call, Chosen};
use super::super::{console, signals};
use super::instrument::Instrument;
use super::results::Results;
use super::session::Ended;
use crate::model::{DomainId, MeterProbe, Order, RunOrder};
use crate::registry::Case;
use crate::runner::{Interrupt, Together, Word};
use crate::store::{Home, JournalName, RunDir, RunId, slug};
use crate::workers::{Crew, Meeting, OWN_GPU, Place, agree};

/// How many processes a bench wants.
fn wanted(config: &Config, case: &Case) -> u32 {
    config.processes.or(case.attributes.processes).unwrap_or(1)
}

/// The numbers of processes that the chosen benches want, in the order of the benches.
fn worlds(config: &Config, chosen: &Chosen) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    chosen.selected.run.iter().map(|case| wanted(config, case)).filter(|n| seen.insert(*n)).collect()
}

/// Whether this process is to start others, which measure.
pub(super) fn is_conductor(config: &Config, chosen: &Chosen) -> bool {
    worlds(config, chosen).iter().any(|n| *n > 1)
}

/// What this process is told by the one that started it; `None` where it is alone.
///
/// # Errors
/// That makes no sense, or can't be had together with what was asked for.
pub(super) fn place(config: &Config) -> Result<Option<Place>, Stop> {
    let place = Place::find(|name| std::env::var(name).ok()).map_err(Stop::usage)?;
    let Some(place) = place else { return Ok(None) };
    if place.launcher != OURS_NAME && config.processes.is_some_and(|n| n != place.world) {
        return Err(Stop::usage(format!(
            "{} has started {} processes, and --processes asks for another number: leave it out",
            place.launcher, place.world
        )));
    }
    refuse(config)?;
    Ok(Some(place))
}

const OURS_NAME: &str = "--processes";

/// Refuses what several processes can't do.
fn refuse(config: &Config) -> Result<(), Stop> {
    let what = match config {
        _ if config.resume.is_some() => "--resume: begin a new run; the interrupted one can be reported as it is",
        _ if config.order == Order::Interleaved => "--order interleaved: choose grouped or shuffled",
        _ => return Ok(()),
    };
    Err(Stop::usage(format!("several processes measure side by side, which can't be had with {what}")))
}

/// Where the processes of a run meet.
fn meetings(results: &Results, world: u32) -> PathBuf {
    results.folder().join(format!("ranks-{world}"))
}

/// Whether a process of ours has started it, which makes of the journals what there is to see; else rank 0 does.
pub(super) fn is_ours(place: &Place) -> bool {
    place.launcher == OURS_NAME
}

/// Starts the processes that the chosen benches want, those of one number after those of another, and waits for them.
/// The run's folder, and how the worst of them ended.
///
/// # Errors
/// They can't be started, or none of them came to measure anything.
pub(super) fn conduct(call: &Call, chosen: &Chosen, home: Home) -> Result<(Results, Exit), Stop> {
    let config = call.config();
    refuse(config)?;
    let gpus = Instrument::open(call)?.gpus();
    let run = RunDir::create(&home).map_err(|error| stop(&error))?;
    let results = Results::of(home, run, JournalName { rank: 0, pid: None });
    let interrupt = Interrupt::default();
    let cant = |error: std::io::Error| Stop::machine(format!("the processes of the run can't be started: {error}"));
    signals::listen(&interrupt, |_| ()).map_err(cant)?;
    let mut worst = Exit::Done;
    for world in worlds(config, chosen) {
        if interrupt.is_asked() {
            break;
        }
        if !config.is_quiet() && world > 1 {
            let each = if gpus.is_empty() { "" } else { ", with a GPU each as far as there are" };
            console::note(&format!("{world} processes measure side by side{each}"));
        }
        let crew = Crew::start(&results.run_id(), world, &gpus);
        let codes = crew.and_then(|crew| crew.wait(&interrupt)).map_err(cant)?;
        drop(std::fs::remove_dir_all(meetings(&results, world)));
        for (rank, code) in codes.iter().enumerate() {
            if code.is_none() {
                console::error(&format!("rank {rank} of {world} was ended by a signal"));
            }
            let known = |exit: &Exit| Some(i32::from(exit.code())) == *code;
            worst = worst.max(Exit::ALL.into_iter().find(known).unwrap_or(Exit::BenchFailed));
        }
    }
    if !results.has_journals() {
        drop(std::fs::remove_dir_all(results.folder()));
        let message = "none of the processes came to measure anything: see above".to_owned();
        return Err(Stop { exit: worst.max(Exit::Regressed), message });
    }
    Ok((results, worst.max(if interrupt.is_asked() { Exit::Interrupted } else { Exit::Done })))
}

/// What the ranks tell each other before anything is measured; that of rank 0 counts for all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Terms {
    plan: Vec<String>,
    order: RunOrder,
    pub(super) probe: MeterProbe,
    pub(super) headline: Vec<DomainId>,
}

/// This process as one of several.
pub(super) struct Ranks {
    pub(super) place: Place,
    pub(super) results: Results,
    meeting: Handle,
}

impl Ranks {
    /// Joins the others.
    ///
    /// # Errors
    /// They don't come, or the run's folder can't be used.
    pub(super) fn join(call: &Call, place: Place, chosen: &mut Chosen, target: &str, home: Home) -> Result<Self, Stop> {
        let config = call.config();
        let wait = config.rank_timeout;
        let (run, pid) = if is_ours(&place) {
            // Benches that want other numbers of processes are in the same run, by others.
            let several = worlds(config, chosen).len() > 1;
            chosen.selected.run.retain(|case| wanted(config, case) == place.world);
            (place.job.trim_end_matches(OWN_GPU).to_owned(), several.then_some(place.world))
        } else {
            let folder = home.path().join("ranks").join(slug(&format!("{} {target}", place.job)));
            if place.rank == 0 && !config.is_quiet() {
                console::note(&format!(
                    "one of {} processes of {}; waiting for the others",
                    place.world, place.launcher
                ));
            }
            let begin = || RunDir::create(&home).map(|run| run.id().to_string()).map_err(|error| error.to_string());
            (agree(&folder, place.rank, place.world, wait, begin).map_err(Stop::invalid)?, None)
        };
        let id = RunId::parse(&run).map_err(|error| stop(&error))?;
        let run = RunDir::join(&home, id).map_err(|error| stop(&error))?;
        let results = Results::of(home, run, JournalName { rank: place.rank, pid });
        let folder = meetings(&results, place.world);
        let meeting = Meeting::join(folder, place.rank, place.world, wait).map_err(Stop::machine)?;
        Ok(Self { place, results, meeting: Handle(Arc::new(Mutex::new(Some(meeting)))) })
    }

    /// What this process reads: one on each machine reads its meter, the others what is theirs alone, so that no joule
    /// is counted twice.
    ///
    /// # Errors
    /// As [`Instrument::open`].
    pub(super) fn instrument(&self, call: &Call) -> Result<Instrument, Stop> {
        let instrument = Instrument::open(call)?;
        let has_own_gpu = is_ours(&self.place) && self.place.job.ends_with(OWN_GPU);
        Ok(match self.place.local_rank {
            0 => instrument,
            _ if instrument.is_of_this_process() => instrument,
            _ if has_own_gpu => instrument.of_own_gpu(),
            _ => instrument.unread(),
        })
    }

    /// Waits for the others at the end, and says whether this process makes of all journals what there is to see.
    pub(super) fn aggregates(&self, ended: &Ended) -> bool {
        if is_ours(&self.place) {
            return false;
        }
        // Whoever was stopped has no time to wait.
        if !ended.interrupted {
            self.part();
        }
        self.place.rank == 0
    }

    /// Agrees with the others on what is measured and how.
    ///
    /// # Errors
    /// They have other benches, or one of them does not come any more.
    pub(super) fn agree(&self, chosen: &mut Chosen, probe: &MeterProbe, headline: &[DomainId]) -> Result<Terms, Stop> {
        let (probe, headline) = (probe.clone(), headline.to_vec());
        let own = Terms { plan: chosen.plan.clone(), order: chosen.order, probe, headline };
        let cant = |error: serde_json::Error| Stop::machine(format!("the ranks don't understand each other: {error}"));
        let text = serde_json::to_string(&own).map_err(cant)?;
        let all = self.meeting.with(|meeting| meeting.meet(&text)).map_err(Stop::invalid)?;
        let terms: Terms = serde_json::from_str(&all[0]).map_err(cant)?;
        chosen.follow(&terms.plan, terms.order);
        if chosen.plan != terms.plan {
            let rank = self.place.rank;
            return Err(Stop::usage(format!(
                "rank {rank} has other benches than rank 0: start all with one binary and filter"
            )));
        }
        Ok(terms)
    }

    /// The others, for the runner.
    pub(super) fn together(&self) -> Box<dyn Together> {
        Box::new(self.meeting.clone())
    }

    /// Waits, at the end, until all others have written what they have. Whoever does not come is missing in the results.
    fn part(&self) {
        let ended = self.meeting.with(|meeting| {
            meeting.begin();
            // Rank 0 waits for all; nobody waits for rank 0, which takes away where they met.
            if self.place.rank == 0 { meeting.meet("ended").map(drop) } else { meeting.say("ended") }
        });
        if let (Err(why), 0) = (ended, self.place.rank) {
            console::warn(&format!("{why}: what it has measured until then is in the results"));
        }
        if self.place.rank == 0
            && let Some(meeting) = self.meeting.0.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            meeting.disband();
        }
    }
}

/// The meetings, which the runner has while it measures.
#[derive(Debug, Clone)]
struct Handle(Arc<Mutex<Option<Meeting>>>);

impl Handle {
    fn with<T>(&self, what: impl FnOnce(&mut Meeting) -> Result<T, String>) -> Result<T, String> {
        let mut meeting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meeting.as_mut().map_or_else(|| Err("the processes have parted".to_owned()), what)
    }
}

impl Together for Handle {
    fn rank(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, Together::rank)
    }

    fn begin(&mut self) {
        drop(self.with(|meeting| {
            meeting.begin();
            Ok(())
        }));
    }

    fn come(&mut self, word: Word) -> Result<(), String> {
        self.with(|meeting| meeting.come(word))
    }

    fn all(&mut self) -> Result<Option<Vec<Word>>, String> {
        self.with(Together::all)
    }

    fn leave(&mut self, why: &str) {
        drop(self.with(|meeting| {
            meeting.leave(why);
            Ok(())
        }));
    }
}
