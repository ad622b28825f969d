//! A run by several processes: which one this is, the folder that all of them write to, and what they agree on before
//! anything is measured. And the process that starts them, where no launcher does.
//!
//! Must not know how anything is measured.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::config::Config;
use super::super::exit::{ExitStatus, HarnessError};
use super::super::invocation::{Invocation, SelectedCases};
use super::super::{console, signals};
use super::instrument::MeterSetup;
use super::results::Results;
use super::resume::{self, Progress};
use super::session::Ended;
use crate::model::{DomainId, MeterProbe, Order, RunOrder};
use crate::registry::Case;
use crate::runner::{Interrupt, RankBarrier as _};
use crate::store::{Home, JournalName, RunDir, RunId, slug};
use crate::workers::{FileBarrier, RankInfo, RunAnnouncement, bury, crew};

/// How many processes a bench wants.
pub(super) fn wanted(config: &Config, case: &Case) -> u32 {
    config.processes.or(case.attributes.processes).unwrap_or(1)
}

/// The numbers of processes that the chosen benches want, in the order of the benches.
fn worlds(config: &Config, chosen: &SelectedCases) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    chosen.selected.run.iter().map(|case| wanted(config, case)).filter(|n| seen.insert(*n)).collect()
}

/// Whether this process is to start others, which measure.
pub(super) fn is_conductor(config: &Config, chosen: &SelectedCases) -> bool {
    worlds(config, chosen).iter().any(|n| *n > 1)
}

/// What this process is told by the one that started it; `None` where it is alone.
///
/// # Errors
/// That makes no sense, or can't be had together with what was asked for.
pub(super) fn place(config: &Config) -> Result<Option<RankInfo>, HarnessError> {
    let place = RankInfo::of_this_process().map_err(HarnessError::usage)?;
    let Some(place) = place else { return Ok(None) };
    if !place.is_ours && config.processes.is_some_and(|n| n != place.world) {
        return Err(HarnessError::usage(format!(
            "{} has started {} processes, and --processes asks for another number: leave it out",
            place.launcher, place.world
        )));
    }
    refuse(config)?;
    Ok(Some(place))
}

/// Refuses what several processes can't do.
fn refuse(config: &Config) -> Result<(), HarnessError> {
    let what = "several processes can't be had with --order interleaved: choose grouped or shuffled";
    if config.order == Order::Interleaved { Err(HarnessError::usage(what)) } else { Ok(()) }
}

/// Where the processes of a run meet.
fn meetings(run: &Path, world: u32) -> PathBuf {
    run.join(format!("ranks-{world}"))
}

/// The run of the processes: a new one, or the one that they go on with.
fn begin(config: &Config, home: &Home, target: &str) -> Result<RunDir, HarnessError> {
    let earlier = config.resume.as_ref().map(|which| resume::run(home, which, target)).transpose()?.flatten();
    earlier.map_or_else(|| RunDir::create(home).map_err(HarnessError::from), Ok)
}

/// Starts the processes that the chosen benches want, those of one number after those of another, and waits for them.
/// The run's folder, and how the worst of them ended.
///
/// # Errors
/// They can't be started, or none of them came to measure anything.
pub(super) fn conduct(
    call: &Invocation,
    chosen: &SelectedCases,
    target: &str,
    home: Home,
) -> Result<(Results, ExitStatus), HarnessError> {
    let config = call.config();
    refuse(config)?;
    let gpus = MeterSetup::open(call)?.gpus();
    let run = begin(config, &home, target)?;
    let results = Results::of(home, run, JournalName { rank: 0, pid: None });
    let interrupt = Interrupt::default();
    let cant =
        |error: std::io::Error| HarnessError::machine(format!("the processes of the run can't be started: {error}"));
    signals::listen(&interrupt, |_| ()).map_err(cant)?;
    let mut worst = ExitStatus::Done;
    for world in worlds(config, chosen) {
        if interrupt.is_requested() {
            break;
        }
        if !config.is_quiet() && world > 1 {
            let each = if gpus.is_empty() { "" } else { ", with a GPU each as far as there are" };
            console::note(&format!("{world} processes measure side by side{each}"));
        }
        let folder = meetings(results.folder(), world);
        let clear = || drop(std::fs::remove_dir_all(&folder));
        clear();
        let ended = |rank| bury(&folder, rank);
        let codes = crew(&results.run_id(), world, &gpus, &interrupt, ended).map_err(cant)?;
        clear();
        for (rank, code) in codes.iter().enumerate() {
            if code.is_none() {
                console::error(&format!("rank {rank} of {world} was ended by a signal"));
            }
            let known = |exit: &ExitStatus| Some(i32::from(exit.code())) == *code;
            worst = worst.max(ExitStatus::ALL.into_iter().find(known).unwrap_or(ExitStatus::BenchFailed));
        }
    }
    if !results.has_journals() {
        drop(std::fs::remove_dir_all(results.folder()));
        let message = "none of the processes came to measure anything: see above".to_owned();
        return Err(HarnessError::Processes { status: worst.max(ExitStatus::Regressed), message });
    }
    Ok((results, worst.max(if interrupt.is_requested() { ExitStatus::Interrupted } else { ExitStatus::Done })))
}

/// What the ranks tell each other before anything is measured; that of rank 0 counts for all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RankAgreement {
    pub(super) plan: Vec<String>,
    pub(super) order: RunOrder,
    /// How far the run got before, for all of them.
    pub(super) progress: Progress,
    pub(super) probe: MeterProbe,
    pub(super) headline: Vec<DomainId>,
}

/// This process as one of several.
pub(super) struct Ranks {
    pub(super) place: RankInfo,
    pub(super) results: Results,
    pub(super) meeting: Arc<FileBarrier>,
    /// Where rank 0 has noted the run, for processes that a launcher has started.
    note: Option<RunAnnouncement>,
}

impl Ranks {
    /// Joins the others.
    ///
    /// # Errors
    /// They don't come, or the run's folder can't be used.
    pub(super) fn join(
        call: &Invocation,
        place: RankInfo,
        chosen: &mut SelectedCases,
        target: &str,
        home: Home,
    ) -> Result<Self, HarnessError> {
        let config = call.config();
        let wait = config.rank_timeout;
        let (mut pid, mut note) = (None, None);
        let run = if place.is_ours {
            // Benches that want other numbers of processes are in the same run, by others.
            pid = (worlds(config, chosen).len() > 1).then_some(place.world);
            chosen.selected.run.retain(|case| wanted(config, case) == place.world);
            let id = RunId::parse(&place.job)?;
            RunDir::join(&home, id)
        } else {
            let note =
                note.insert(RunAnnouncement(home.path().join("ranks").join(slug(&format!("{} {target}", place.job)))));
            if place.rank == 0 {
                note.take_away();
                if !config.is_quiet() {
                    let (world, launcher) = (place.world, place.launcher);
                    console::note(&format!("one of {world} processes of {launcher}; waiting for the others"));
                }
                Ok(begin(config, &home, target)?)
            } else {
                let run = |id: &str| RunDir::find(&home, RunId::parse(id).ok()?);
                let meetings = |id: &str| run(id).map(|run| meetings(run.path(), place.world));
                let id = note.find(wait, meetings).map_err(HarnessError::invalid)?;
                RunId::parse(&id).and_then(|id| RunDir::join(&home, id))
            }
        };
        let results = Results::of(home, run?, JournalName { rank: place.rank, pid });
        let folder = meetings(results.folder(), place.world);
        if place.rank == 0 && note.is_some() {
            // What an earlier try left.
            drop(std::fs::remove_dir_all(&folder));
        }
        let meeting =
            Arc::new(FileBarrier::join(folder, place.rank, place.world, wait).map_err(HarnessError::machine)?);
        if let (0, Some(note)) = (place.rank, &note) {
            note.leave(&results.run_id()).map_err(HarnessError::machine)?;
        }
        Ok(Self { place, results, meeting, note })
    }

    /// What this process reads: one on each machine reads its meter, the others what is theirs alone, so that no joule
    /// is counted twice.
    ///
    /// # Errors
    /// As [`MeterSetup::open`].
    pub(super) fn instrument(&self, call: &Invocation) -> Result<MeterSetup, HarnessError> {
        let has_own_gpu = self.place.has_own_gpu;
        let instrument = if has_own_gpu { MeterSetup::open_own_gpu(call)? } else { MeterSetup::open(call)? };
        Ok(match self.place.local_rank {
            0 => instrument,
            _ if instrument.is_of_this_process() => instrument,
            _ if has_own_gpu => instrument.of_own_gpu(),
            _ => instrument.unread(),
        })
    }

    /// Agrees with the others on what is measured and how.
    ///
    /// # Errors
    /// They have other benches, or one of them does not come any more.
    pub(super) fn agree(&self, chosen: &mut SelectedCases, own: &RankAgreement) -> Result<RankAgreement, HarnessError> {
        let cant =
            |error: serde_json::Error| HarnessError::machine(format!("the ranks don't understand each other: {error}"));
        let text = serde_json::to_string(own).map_err(cant)?;
        let met = self.meeting.meet(&text);
        if let (0, Some(note)) = (self.place.rank, &self.note) {
            // All have come, or the run is over.
            note.take_away();
            if met.is_err() && !self.results.has_journals() {
                drop(std::fs::remove_dir_all(self.results.folder()));
            }
        }
        let all = met.map_err(HarnessError::invalid)?;
        let mut all: Vec<RankAgreement> =
            all.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>().map_err(cant)?;
        let each: Vec<Progress> = all.iter_mut().map(|terms| std::mem::take(&mut terms.progress)).collect();
        let terms = RankAgreement { progress: Progress::of_all(&each), ..all.swap_remove(0) };
        chosen.follow(&terms.plan, terms.order);
        if chosen.plan != terms.plan {
            let rank = self.place.rank;
            return Err(HarnessError::usage(format!(
                "rank {rank} has other benches than rank 0: start all with one binary and filter"
            )));
        }
        Ok(terms)
    }

    /// Waits, at the end, until all others have written what they have, and says whether this process makes of all
    /// journals what there is to see. Whoever does not come is missing in the results.
    pub(super) fn aggregates(&self, ended: &Ended) -> bool {
        let is_first = self.place.rank == 0;
        // Whoever was stopped has no time to wait; and who has started us waits itself.
        if !self.place.is_ours && !ended.interrupted {
            self.meeting.begin();
            // Nobody waits for rank 0, which takes away where they met.
            let ended =
                if is_first { self.meeting.meet("ended").map(drop) } else { self.meeting.say("ended").map(drop) };
            if let (Err(why), true) = (ended, is_first) {
                console::warn(&format!("{why}: what it has measured until then is in the results"));
            }
            if is_first {
                self.meeting.disband();
            }
        }
        is_first && !self.place.is_ours
    }
}
