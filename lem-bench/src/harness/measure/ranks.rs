//! Ranks: starts them; in each, joins the run, opens the rank's part of the meter, agrees with the others on what is
//! measured, and waits for them at the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::jobs::{self, RunProgress};
use super::meter_setup::MeterSetup;
use super::results::Results;
use crate::harness::config::Config;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::{Invocation, SelectedCases};
use crate::harness::{console, signals};
use crate::model::{BenchTarget, DomainId, MeterProbe, Order, RunOrder, count_of};
use crate::registry::Case;
use crate::runner::{Interrupt, RankBarrier as _};
use crate::store::{Home, JournalName, RunDir, RunId, slug};
use crate::workers::{FileBarrier, RankInfo, RunAnnouncement, mark_dead, spawn_ranks};

/// The number of processes that a bench requests.
pub(super) fn requested_processes(config: &Config, case: &Case) -> u32 {
    config.processes.or(case.attributes.processes).unwrap_or(1)
}

/// This process' rank; `None` when it is not one of several.
///
/// # Errors
/// The variables of the launcher are not valid, or contradict the settings.
pub(super) fn rank_info(config: &Config) -> Result<Option<RankInfo>, HarnessError> {
    let Some(info) = RankInfo::of_this_process().map_err(HarnessError::usage)? else { return Ok(None) };
    if !info.is_ours && config.processes.is_some_and(|n| n != info.world) {
        return Err(HarnessError::usage(format!(
            "--processes differs from the {} that {} has started: remove the option",
            count_of(info.world, "process"),
            info.launcher
        )));
    }
    check_order(config)?;
    Ok(Some(info))
}

/// Checks that ranks can measure in this order.
///
/// # Errors
/// The order is interleaved.
fn check_order(config: &Config) -> Result<(), HarnessError> {
    if config.order == Order::Interleaved {
        return Err(HarnessError::usage(
            "--order interleaved does not work with several processes: choose grouped or shuffled",
        ));
    }
    Ok(())
}

/// The folder of the barrier of this many ranks.
fn barrier_folder(run: &Path, world: u32) -> PathBuf {
    run.join(format!("ranks-{world}"))
}

/// The folder of the ranks' run: that of a resumed run, or a new one.
fn run_folder(config: &Config, home: &Home, target: &BenchTarget) -> Result<RunDir, HarnessError> {
    let previous = config.resume.as_ref().map(|selector| jobs::find_run(home, selector, target)).transpose()?;
    previous.flatten().map_or_else(|| RunDir::create(home).map_err(HarnessError::from), Ok)
}

/// What ranks tell each other before the measurement. All use the values of rank 0.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RankAgreement {
    pub plan: Vec<String>,
    pub order: RunOrder,
    /// How far the run got; all ranks continue from the least.
    pub progress: RunProgress,
    pub probe: MeterProbe,
    pub headline: Vec<DomainId>,
}

/// This process as one of several ranks.
pub(super) struct Ranks {
    pub info: RankInfo,
    pub results: Results,
    pub barrier: Arc<FileBarrier>,
    /// Where rank 0 announces the run, if a launcher of another project started the ranks.
    announcement: Option<RunAnnouncement>,
}

impl Ranks {
    /// Joins the other ranks. Removes the cases that other ranks measure.
    ///
    /// # Errors
    /// Rank 0 does not announce the run in time, or the run's folder cannot be used.
    pub fn join(
        invocation: &Invocation,
        info: RankInfo,
        cases: &mut SelectedCases,
        home: Home,
    ) -> Result<Self, HarnessError> {
        if info.is_ours {
            Self::join_own(invocation, info, cases, home)
        } else {
            Self::join_launched(invocation, info, home)
        }
    }

    /// Joins the ranks that `--processes` started; the environment names the run.
    fn join_own(
        invocation: &Invocation,
        info: RankInfo,
        cases: &mut SelectedCases,
        home: Home,
    ) -> Result<Self, HarnessError> {
        let config = invocation.config();
        let is_requested = |case: &Case| requested_processes(config, case) == info.world;
        // Benches that request other numbers of processes are measured by other ranks, in the same run.
        let shares_run = !cases.selected.run.iter().all(is_requested);
        cases.selected.run.retain(is_requested);
        let run = RunId::parse(&info.job)?;
        let run = RunDir::join(&home, run)?;
        let pid = shares_run.then_some(info.world);
        let results = Results::of(home, run, JournalName { rank: info.rank, pid });
        let folder = barrier_folder(results.folder(), info.world);
        let barrier =
            FileBarrier::join(folder, info.rank, info.world, config.rank_timeout).map_err(HarnessError::machine)?;
        Ok(Self { info, results, barrier: Arc::new(barrier), announcement: None })
    }

    /// Joins the ranks that a launcher started; rank 0 chooses the run and announces it.
    fn join_launched(invocation: &Invocation, info: RankInfo, home: Home) -> Result<Self, HarnessError> {
        let config = invocation.config();
        let (target, timeout) = (invocation.bench_target(), config.rank_timeout);
        let RankInfo { rank, world, launcher, .. } = info;
        let file = home.path().join("ranks").join(slug(&format!("{} {target}", info.job)));
        let announcement = RunAnnouncement(file);
        let run = if rank == 0 {
            announcement.remove();
            if !config.is_quiet() {
                console::note(&format!(
                    "rank 0 of {} of {launcher}: waiting for the other ranks",
                    count_of(world, "process")
                ));
            }
            run_folder(config, &home, &target)?
        } else {
            let find_barrier = |id: &str| {
                let run = RunDir::find(&home, RunId::parse(id).ok()?)?;
                Some(barrier_folder(run.path(), world))
            };
            let id = announcement.wait(timeout, find_barrier).map_err(HarnessError::invalid)?;
            RunId::parse(&id).and_then(|id| RunDir::join(&home, id))?
        };
        let results = Results::of(home, run, JournalName { rank, pid: None });
        let folder = barrier_folder(results.folder(), world);
        if rank == 0 {
            // An earlier attempt may have left it.
            drop(std::fs::remove_dir_all(&folder));
        }
        let barrier = FileBarrier::join(folder, rank, world, timeout).map_err(HarnessError::machine)?;
        if rank == 0 {
            announcement.write(&results.run_id()).map_err(HarnessError::machine)?;
        }
        Ok(Self { info, results, barrier: Arc::new(barrier), announcement: Some(announcement) })
    }

    /// Opens the meter. One rank of each machine reads it; the others read only what belongs to them alone, so that no
    /// joule is counted twice.
    ///
    /// # Errors
    /// As [`MeterSetup::open`].
    pub fn open_meter(&self, invocation: &Invocation) -> Result<MeterSetup, HarnessError> {
        let has_own_gpu = self.info.has_own_gpu;
        let setup = if has_own_gpu { MeterSetup::open_own_gpu(invocation)? } else { MeterSetup::open(invocation)? };
        Ok(match self.info.local_rank {
            0 => setup,
            _ if setup.is_of_this_process() => setup,
            _ if has_own_gpu => setup.with_gpu_headline(),
            _ => setup.without_meter(),
        })
    }

    /// Agrees with the other ranks on what is measured and how.
    ///
    /// # Errors
    /// This rank has other benches than rank 0, or a rank does not arrive.
    pub fn agree(&self, cases: &mut SelectedCases, own: &RankAgreement) -> Result<RankAgreement, HarnessError> {
        let format_error = |error: serde_json::Error| {
            HarnessError::machine(format!("the ranks cannot read each other's messages: {error}"))
        };
        let text = serde_json::to_string(own).map_err(format_error)?;
        let received = self.barrier.wait(&text);
        if let (0, Some(announcement)) = (self.info.rank, &self.announcement) {
            // All ranks have joined, or the run is over.
            announcement.remove();
            if received.is_err() && !self.results.has_journals() {
                drop(std::fs::remove_dir_all(self.results.folder()));
            }
        }
        let received = received.map_err(HarnessError::invalid)?;
        let mut agreements: Vec<RankAgreement> =
            received.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>().map_err(format_error)?;
        let progress: Vec<RunProgress> =
            agreements.iter_mut().map(|agreement| std::mem::take(&mut agreement.progress)).collect();
        let agreement = RankAgreement { progress: RunProgress::of_all(&progress), ..agreements.swap_remove(0) };
        cases.follow(&agreement.plan, agreement.order);
        if cases.plan != agreement.plan {
            return Err(HarnessError::usage(format!(
                "rank {} has different benches from rank 0: start all ranks with the same binary and filter",
                self.info.rank
            )));
        }
        Ok(agreement)
    }

    /// Whether this rank aggregates the results. If so, waits until the other ranks have written their journals; those
    /// that do not arrive are missing in the results. Ranks started by `--processes` leave both to the process that
    /// started them.
    pub fn aggregates(&self, interrupted: bool) -> bool {
        if self.info.is_ours {
            return false;
        }
        let is_first = self.info.rank == 0;
        // An interrupted rank does not wait.
        if !interrupted {
            self.barrier.start_bench();
            // Rank 0 removes the barrier's folder, so the others do not wait for it.
            if is_first {
                if let Err(error) = self.barrier.wait("ended") {
                    console::warn(&format!("{error}; its results up to that point are kept"));
                }
                self.barrier.remove();
            } else {
                drop(self.barrier.post_text("ended"));
            }
        }
        is_first
    }
}

/// The distinct numbers of processes that the selected benches request, in the order of the benches.
fn world_sizes(config: &Config, cases: &SelectedCases) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    let requested = cases.selected.run.iter().map(|case| requested_processes(config, case));
    requested.filter(|n| seen.insert(*n)).collect()
}

/// Whether this process starts ranks.
pub(super) fn is_launcher(config: &Config, cases: &SelectedCases) -> bool {
    world_sizes(config, cases).iter().any(|n| *n > 1)
}

/// Starts the ranks for each number of processes, one number after the other, and waits for them. Returns the results and
/// the most severe exit code.
///
/// # Errors
/// The ranks cannot be started, or none of them measured anything.
pub(super) fn launch_ranks(
    invocation: &Invocation,
    cases: &SelectedCases,
    home: Home,
) -> Result<(Results, ExitStatus), HarnessError> {
    let config = invocation.config();
    check_order(config)?;
    let gpus = MeterSetup::open(invocation)?.gpus();
    let run = run_folder(config, &home, &invocation.bench_target())?;
    let results = Results::of(home, run, JournalName { rank: 0, pid: None });
    let interrupt = Interrupt::default();
    let start_error =
        |error: std::io::Error| HarnessError::machine(format!("cannot start the ranks of the run: {error}"));
    signals::listen(&interrupt, |_| ()).map_err(start_error)?;
    let mut worst = ExitStatus::Done;
    for world in world_sizes(config, cases) {
        if interrupt.is_requested() {
            break;
        }
        if !config.is_quiet() && world > 1 {
            let gpu_note = if gpus.is_empty() { "" } else { ", with one GPU each while there are enough" };
            console::note(&format!("{} measure at the same time{gpu_note}", count_of(world, "process")));
        }
        let folder = barrier_folder(results.folder(), world);
        let remove_folder = || drop(std::fs::remove_dir_all(&folder));
        remove_folder();
        let codes = spawn_ranks(&results.run_id(), world, &gpus, &interrupt, |rank| mark_dead(&folder, rank))
            .map_err(start_error)?;
        remove_folder();
        for (rank, code) in codes.iter().enumerate() {
            if code.is_none() {
                console::error(&format!("rank {rank} of {world} was killed by a signal"));
            }
            worst = worst.max(exit_status(*code));
        }
    }
    if !results.has_journals() {
        drop(std::fs::remove_dir_all(results.folder()));
        let message = "none of the ranks measured anything: see the messages above".to_owned();
        return Err(HarnessError::Processes { status: worst.max(ExitStatus::Regressed), message });
    }
    Ok((results, worst.max(if interrupt.is_requested() { ExitStatus::Interrupted } else { ExitStatus::Done })))
}

/// The exit status of a rank that ended with this code; `None` after a signal.
fn exit_status(code: Option<i32>) -> ExitStatus {
    let has_code = |exit: &ExitStatus| Some(i32::from(exit.code())) == code;
    ExitStatus::ALL.into_iter().find(has_code).unwrap_or(ExitStatus::BenchFailed)
}
