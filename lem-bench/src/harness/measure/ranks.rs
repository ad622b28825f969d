//! This process as one of several ranks: joins the run, opens its part of the meter, agrees with the others on what is
//! measured, and waits for them at the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::config::Config;
use super::super::console;
use super::super::exit::HarnessError;
use super::super::invocation::{Invocation, SelectedCases};
use super::header::target_name;
use super::meter_setup::MeterSetup;
use super::results::Results;
use super::resume::{self, RunProgress};
use crate::model::{DomainId, MeterProbe, Order, RunOrder};
use crate::registry::Case;
use crate::runner::RankBarrier as _;
use crate::store::{Home, JournalName, RunDir, RunId, slug};
use crate::workers::{FileBarrier, RankInfo, RunAnnouncement};

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
            "--processes differs from the {} processes that {} has started: remove the option",
            info.world, info.launcher
        )));
    }
    check_order(config)?;
    Ok(Some(info))
}

/// Checks that ranks can measure in this order.
///
/// # Errors
/// The order is interleaved.
pub(super) fn check_order(config: &Config) -> Result<(), HarnessError> {
    if config.order == Order::Interleaved {
        return Err(HarnessError::usage(
            "--order interleaved does not work with several processes: choose grouped or shuffled",
        ));
    }
    Ok(())
}

/// The folder of the barrier of this many ranks.
pub(super) fn barrier_folder(run: &Path, world: u32) -> PathBuf {
    run.join(format!("ranks-{world}"))
}

/// The folder of the ranks' run: that of a resumed run, or a new one.
pub(super) fn run_folder(config: &Config, home: &Home, target: &str) -> Result<RunDir, HarnessError> {
    let previous = config.resume.as_ref().map(|selector| resume::find_run(home, selector, target)).transpose()?;
    previous.flatten().map_or_else(|| RunDir::create(home).map_err(HarnessError::from), Ok)
}

/// What ranks tell each other before the measurement. All use the values of rank 0.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RankAgreement {
    pub(super) plan: Vec<String>,
    pub(super) order: RunOrder,
    /// How far the run got; all ranks continue from the least.
    pub(super) progress: RunProgress,
    pub(super) probe: MeterProbe,
    pub(super) headline: Vec<DomainId>,
}

/// This process as one of several ranks.
pub(super) struct Ranks {
    pub(super) info: RankInfo,
    pub(super) results: Results,
    pub(super) barrier: Arc<FileBarrier>,
    /// Where rank 0 announces the run, if a launcher of another project started the ranks.
    announcement: Option<RunAnnouncement>,
}

impl Ranks {
    /// Joins the other ranks. Removes the cases that other ranks measure.
    ///
    /// # Errors
    /// Rank 0 does not announce the run in time, or the run's folder cannot be used.
    pub(super) fn join(
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
        let (target, timeout) = (target_name(invocation), config.rank_timeout);
        let RankInfo { rank, world, launcher, .. } = info;
        let file = home.path().join("ranks").join(slug(&format!("{} {target}", info.job)));
        let announcement = RunAnnouncement(file);
        let run = if rank == 0 {
            announcement.remove();
            if !config.is_quiet() {
                console::note(&format!("rank 0 of {world} processes of {launcher}: waiting for the others"));
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
    pub(super) fn open_meter(&self, invocation: &Invocation) -> Result<MeterSetup, HarnessError> {
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
    pub(super) fn agree(&self, cases: &mut SelectedCases, own: &RankAgreement) -> Result<RankAgreement, HarnessError> {
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
                "rank {} has other benches than rank 0: start all ranks with the same binary and filter",
                self.info.rank
            )));
        }
        Ok(agreement)
    }

    /// Whether this rank aggregates the results. If so, waits until the other ranks have written their journals; those
    /// that do not arrive are missing in the results. Ranks started by `--processes` leave both to the process that
    /// started them.
    pub(super) fn aggregates(&self, interrupted: bool) -> bool {
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
                    console::warn(&format!("{error}: what it has measured until then is in the results"));
                }
                self.barrier.remove();
            } else {
                drop(self.barrier.post_text("ended"));
            }
        }
        is_first
    }
}
