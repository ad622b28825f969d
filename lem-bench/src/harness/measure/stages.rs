//! The stages of a process that measures: open the meter, agree with the other ranks, plan, measure.

use std::sync::Arc;

use super::jobs::{self, PreviousRun};
use super::meter_setup::MeterSetup;
use super::preflight::{self, lock_machine, print_notes, warn_about_device_users};
use super::ranks::{RankAgreement, Ranks, requested_processes};
use super::results::{Results, resume_record, run_header};
use super::session_runner::{SessionBuilder, SessionEnd, SessionPlan};
use crate::harness::config::Config;
use crate::harness::console;
use crate::harness::exit::HarnessError;
use crate::harness::invocation::{Invocation, SelectedCases};
use crate::harness::log::{TracingObserver, timed};
use crate::harness::progress::Progress;
use crate::model::{BenchTarget, MeterProbe, Record, RunHeader, count_of, is_or_are};
use crate::plan::{PlannedBench, TimePlan};
use crate::protocol::{CycleTotals, Schedule};
use crate::registry::Case;
use crate::runner::{Interrupt, Job, RankBarrier, is_process_ending, loop_ns};
use crate::store::{Home, JournalName, JournalWriter, MachineLock};

/// The journal of a process that is not a rank.
const SINGLE_JOURNAL: JournalName = JournalName { rank: 0, pid: None };

/// The part of this process in the run.
pub(super) enum Role {
    /// The only process.
    Single,
    /// One of several ranks.
    Rank(Ranks),
}

impl Role {
    /// Whether this process prints for the run.
    fn prints(&self) -> bool {
        match self {
            Self::Single => true,
            Self::Rank(ranks) => ranks.info.rank == 0,
        }
    }

    /// Whether this process locks its machine.
    fn locks_machine(&self) -> bool {
        match self {
            Self::Single => true,
            Self::Rank(ranks) => ranks.info.local_rank == 0,
        }
    }

    fn open_meter(&self, invocation: &Invocation) -> Result<MeterSetup, HarnessError> {
        match self {
            Self::Single => MeterSetup::open(invocation),
            Self::Rank(ranks) => ranks.open_meter(invocation),
        }
    }

    /// The run that this process resumes, if it has a journal there.
    fn previous_run(&self, invocation: &Invocation, home: &Home) -> Result<Option<PreviousRun>, HarnessError> {
        let Some(selector) = &invocation.config().resume else { return Ok(None) };
        let results = match self {
            Self::Single => jobs::find_run(home, selector, &invocation.bench_target())?
                .map(|run| Results::of(home.clone(), run, SINGLE_JOURNAL)),
            Self::Rank(ranks) => ranks.results.has_begun()?.then(|| ranks.results.clone()),
        };
        results.map(PreviousRun::open).transpose()
    }

    fn agree(&self, cases: &mut SelectedCases, own: RankAgreement) -> Result<RankAgreement, HarnessError> {
        match self {
            Self::Single => Ok(own),
            Self::Rank(ranks) => ranks.agree(cases, &own),
        }
    }

    /// How many processes measure a case.
    fn processes(&self, config: &Config, case: &Case) -> u32 {
        match self {
            Self::Single => requested_processes(config, case),
            Self::Rank(ranks) => ranks.info.world,
        }
    }

    /// The place of new results.
    fn new_results(&self, target: &BenchTarget, home: Home) -> Result<Results, HarnessError> {
        match self {
            Self::Single => Results::create(home, target),
            Self::Rank(ranks) => Ok(ranks.results.clone()),
        }
    }

    fn barrier(&self) -> Option<Arc<dyn RankBarrier>> {
        match self {
            Self::Single => None,
            Self::Rank(ranks) => Some(Arc::clone(&ranks.barrier) as Arc<dyn RankBarrier>),
        }
    }

    /// Whether this process aggregates the results of the run. Waits for the other ranks if it does.
    pub fn aggregates(&self, end: &SessionEnd) -> bool {
        match self {
            Self::Single => true,
            Self::Rank(ranks) => !is_process_ending() && ranks.aggregates(end.interrupted),
        }
    }
}

/// The meter is open and probed, the machine is locked, and the run to resume was found.
pub(super) struct Opened<'a> {
    invocation: &'a Invocation,
    role: Role,
    cases: SelectedCases,
    setup: MeterSetup,
    probe: MeterProbe,
    previous: Option<PreviousRun>,
    lock: Option<MachineLock>,
}

impl<'a> Opened<'a> {
    /// Opens everything; without `home` no run is resumed.
    ///
    /// # Errors
    /// The meter is not available, another run is measuring, or the run to resume cannot be read.
    pub(super) fn open(
        invocation: &'a Invocation,
        role: Role,
        mut cases: SelectedCases,
        home: Option<&Home>,
    ) -> Result<Self, HarnessError> {
        let config = invocation.config();
        let mut setup = timed("opened the meter", || role.open_meter(invocation))?;
        let lock = timed("took the machine's lock", || {
            if role.locks_machine() { lock_machine(config, &setup) } else { Ok(None) }
        })?;
        if role.prints() {
            print_notes(config, &setup);
        }
        let previous = home.map(|home| role.previous_run(invocation, home)).transpose()?.flatten();
        let probe = match &previous {
            Some(previous) => {
                cases.follow(&previous.header.plan, previous.header.order);
                previous.header.probe.clone()
            }
            None => timed("probed the meter", || setup.probe(config)),
        };
        Ok(Self { invocation, role, cases, setup, probe, previous, lock })
    }

    /// Agrees with the other ranks, and checks that a resumed run would measure the same.
    ///
    /// # Errors
    /// A rank has other benches or does not arrive, or the settings differ from those of the run to resume.
    pub(super) fn agree(mut self) -> Result<Agreed<'a>, HarnessError> {
        let own = RankAgreement {
            plan: self.cases.plan.clone(),
            order: self.cases.order,
            progress: self.previous.as_ref().map(|previous| previous.progress.clone()).unwrap_or_default(),
            probe: self.probe.clone(),
            headline: self.setup.headline.clone(),
        };
        let agreement = self.role.agree(&mut self.cases, own)?;
        let mut header = run_header(self.invocation, &self.cases, &self.setup, self.probe.clone());
        if let Role::Rank(ranks) = &self.role {
            (header.rank, header.world) = (ranks.info.rank, ranks.info.world);
        }
        if let Some(previous) = &mut self.previous {
            previous.check(&header)?;
            previous.progress = agreement.progress.clone();
        }
        Ok(Agreed { opened: self, agreement, header })
    }
}

/// All ranks have agreed on what is measured and how.
pub(super) struct Agreed<'a> {
    opened: Opened<'a>,
    agreement: RankAgreement,
    header: RunHeader,
}

impl<'a> Agreed<'a> {
    /// Plans what remains to be measured.
    pub fn plan(mut self) -> Planned<'a> {
        let config = self.opened.invocation.config();
        let cases = std::mem::take(&mut self.opened.cases.selected.run);
        let mut planned = Vec::new();
        for case in cases {
            let progress = self.opened.previous.as_ref().map(|previous| previous.progress.bench(&case.id));
            let progress = progress.unwrap_or_default();
            if !progress.completed {
                let RankAgreement { probe, headline, .. } = &self.agreement;
                let schedule = jobs::schedule(config, &case.attributes, probe, headline);
                let processes = self.opened.role.processes(config, &case);
                planned.push(PlannedCase { case, schedule, totals: progress.sums, processes });
            }
        }
        Planned { opened: self.opened, header: self.header, cases: planned }
    }
}

/// A case that is to be measured.
struct PlannedCase {
    case: Case,
    schedule: Schedule,
    /// The totals of the cycles that an earlier process has measured.
    totals: Vec<CycleTotals>,
    processes: u32,
}

impl PlannedCase {
    /// What remains of it, for the time plan.
    fn remaining(&self) -> PlannedBench {
        let cycles = self.schedule.cycles.saturating_sub(self.totals.len() as u32);
        let (id, processes) = (self.case.id.clone(), self.processes);
        PlannedBench { id, schedule: Schedule { cycles, ..self.schedule }, processes }
    }
}

/// It is known what is measured, and how long that takes.
pub(super) struct Planned<'a> {
    opened: Opened<'a>,
    header: RunHeader,
    cases: Vec<PlannedCase>,
}

impl Planned<'_> {
    fn time_plan(&self) -> TimePlan {
        TimePlan::new(self.cases.iter().map(PlannedCase::remaining).collect())
    }

    /// The time plan with all benches.
    pub fn full_plan(&self) -> String {
        preflight::plan(&self.time_plan(), &self.opened.setup, &self.opened.probe, true)
    }

    /// Prints the time plan of a run with this many requested benches, unless another rank does.
    pub fn print(&self, requested: usize) {
        if !self.opened.role.prints() || self.opened.invocation.config().is_quiet() {
            return;
        }
        if let Some(previous) = &self.opened.previous {
            let run = &previous.header.run_id;
            if previous.progress.is_complete && self.cases.is_empty() {
                console::note(&format!("run {run} is already complete"));
                return;
            }
            console::note(&format!(
                "resuming run {run}; of its {} the following remain:",
                count_of(requested, "bench")
            ));
        }
        let plan = preflight::plan(&self.time_plan(), &self.opened.setup, &self.opened.probe, false);
        console::err(&format!("lem-bench: {plan}"));
        let ignored = self.opened.cases.selected.ignored.len();
        if ignored > 0 {
            let are = is_or_are(ignored);
            console::note(&format!("{ignored} more {are} marked `ignore`: --include-ignored measures them too"));
        }
    }

    /// Measures.
    ///
    /// # Errors
    /// A record cannot be written, or the sampler or the signal handlers cannot be started.
    pub fn measure(self, home: Home) -> Result<Measured, HarnessError> {
        let time_plan = self.time_plan();
        let Self { opened, mut header, cases } = self;
        let Opened { invocation, role, setup, previous, lock, .. } = opened;
        let previous = match previous {
            Some(previous) if previous.progress.is_complete && cases.is_empty() => {
                return Ok(Measured { role, results: previous.results, end: SessionEnd::default(), _lock: lock });
            }
            previous => previous,
        };
        let config = invocation.config();
        let simulation = setup.simulation.clone();
        if simulation.is_some() && config.isolates() {
            console::warn(
                "on a simulated machine, the scenario's workload replaces the benches and runs in this process: \
                 --isolate, --bench-timeout and --env are without effect",
            );
        }
        let interrupt = Interrupt::default();
        let jobs: Vec<Job> = cases
            .iter()
            .map(|planned| {
                let PlannedCase { case, schedule, totals, .. } = planned;
                jobs::job(config, case, schedule, simulation.as_ref(), &interrupt, totals.clone())
            })
            .collect::<Result<_, _>>()?;
        header.evidence = setup.evidence();
        header.evidence.loop_ns = if simulation.is_none() { loop_ns() } else { None };
        warn_about_device_users(&header.evidence);
        let has_bare_idle = previous.as_ref().is_some_and(|previous| previous.progress.has_bare_idle);
        let (results, journal, first) = match previous {
            Some(previous) => (previous.results, previous.writer, resume_record(&setup)),
            None => new_journal(&role, home, &header)?,
        };
        let mut session = SessionBuilder::new(setup, &header.probe, config.seed)?
            .observer(journal.with_sample_budget(config.sample_mib))
            .observer(TracingObserver::default())
            .interrupt(interrupt.clone())
            .barrier(role.barrier())
            .interrupt_on_signals()?;
        if role.prints() {
            let progress = Progress::new(config, &time_plan, session.live_power(), header.clone());
            session = session.observer(progress);
        }
        let (order, fail_fast) = (header.order, config.fail_fast);
        let plan = SessionPlan { jobs: &jobs, has_bare_idle, fail_fast, interrupt, order };
        let reopen = || MeterSetup::reopen(invocation, &header, simulation.as_ref());
        let end = session.run(&first, |session| plan.run(session, reopen))?;
        Ok(Measured { role, results, end, _lock: lock })
    }
}

/// The benches have ended.
pub(super) struct Measured {
    pub role: Role,
    pub results: Results,
    pub end: SessionEnd,
    /// Held until the results are written.
    _lock: Option<MachineLock>,
}

/// Creates the journal of a new run, and its first record.
fn new_journal(role: &Role, home: Home, header: &RunHeader) -> Result<(Results, JournalWriter, Record), HarnessError> {
    let results = role.new_results(&header.bench_target(), home)?;
    let journal = results.create_journal()?;
    let header = RunHeader { run_id: results.run_id(), ..header.clone() };
    Ok((results, journal, Record::Run(Box::new(header))))
}
