//! A bench that has begun: its body on a thread of its own, which gets the baton for a turn at a time and hands it back.
//!
//! Bodies that run one after the other, that take turns cycle by cycle, that live in other processes and those of a duel
//! differ in how long a turn is, and in nothing else.

use std::ops::{Deref, DerefMut};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::body;
use super::job::Job;
use super::rig::MeasureContext;
use crate::model::{Outcome, Precision};
use crate::protocol::CycleTotals;

/// Address space for a body's stack: what the main thread has, and some more for deep models in debug builds.
pub(crate) const STACK: usize = 16 << 20;

/// How long a turn lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until the body has set up, and asks what is next for the first time.
    SetUp,
    /// Until its next cycle is complete, and another one is to come.
    Cycle,
    /// To its end.
    End,
    /// Until it is put away: it ends at once, and has no end in the journal.
    PutAway,
}

/// What became of a turn.
#[derive(Debug)]
pub enum StepResult {
    /// The body waits for its next turn.
    Waits,
    /// It has ended.
    Ended(Ended),
}

/// How a body ended.
#[derive(Debug)]
pub struct Ended {
    /// How the bench ended; `None` when it was interrupted or put away, and so has no end.
    pub outcome: Option<Outcome>,
    /// The text of the last failed request.
    pub last_failure: Option<String>,
    /// How the search for a narrow interval ended, if it did.
    pub precision: Option<Precision>,
    /// What each cycle came to that was measured since it began.
    pub sums: Vec<CycleTotals>,
    /// How long it had the baton, from its first rest on.
    pub spent: Duration,
}

/// A bench that has begun.
#[derive(Debug)]
pub struct BenchThread {
    bench: String,
    turns: Sender<Turn>,
    inbox: Receiver<Handed>,
}

/// The baton, on its way to a body.
#[derive(Debug)]
pub(super) struct Turn {
    rig: Box<MeasureContext>,
    until: Until,
}

/// The baton, on its way back.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) rig: Box<MeasureContext>,
    pub(super) turned: StepResult,
}

impl BenchThread {
    /// Starts the thread, which waits for its first turn.
    pub(super) fn begin(job: &Job) -> Result<Self, std::io::Error> {
        let (turns, mail) = channel();
        let (outbox, inbox) = channel();
        let job = job.clone();
        let bench = job.record.id.clone();
        std::thread::Builder::new().name(format!("bench {bench}")).stack_size(STACK).spawn(move || {
            if let Some(baton) = ContextLease::await_first(mail, outbox) {
                body::perform(baton, &job);
            }
        })?;
        Ok(Self { bench, turns, inbox })
    }

    /// The bench's id.
    pub fn bench(&self) -> &str {
        &self.bench
    }

    /// Hands the baton over for a turn, and waits for it to come back.
    pub(super) fn turn(&self, rig: Box<MeasureContext>, until: Until) -> Result<Handed, std::io::Error> {
        let gone = || std::io::Error::other("the bench's thread ended without returning");
        self.turns.send(Turn { rig, until }).map_err(|_| gone())?;
        self.inbox.recv().map_err(|_| gone())
    }
}

/// The baton in a body's hands. It stands for the rig as long as it is here, which is from the beginning of a turn to its
/// end; when nobody hands it back any more, the body has to end without it.
#[derive(Debug)]
pub(super) struct ContextLease {
    rig: Option<Box<MeasureContext>>,
    until: Until,
    mail: Receiver<Turn>,
    outbox: Sender<Handed>,
}

impl ContextLease {
    fn await_first(mail: Receiver<Turn>, outbox: Sender<Handed>) -> Option<Self> {
        let Turn { rig, until } = mail.recv().ok()?;
        Some(Self { rig: Some(rig), until, mail, outbox })
    }

    /// How long this turn lasts.
    pub(super) fn until(&self) -> Until {
        self.until
    }

    /// Hands it back, and waits for the next turn.
    pub(super) fn pass(&mut self) {
        let Some(rig) = self.rig.take() else { return };
        let next =
            self.outbox.send(Handed { rig, turned: StepResult::Waits }).ok().and_then(|()| self.mail.recv().ok());
        if let Some(Turn { rig, until }) = next {
            (self.rig, self.until) = (Some(rig), until);
        }
    }

    /// Whether it is here.
    pub(super) fn is_here(&self) -> bool {
        self.rig.is_some()
    }

    /// Whether the body is to end.
    pub(super) fn must_stop(&mut self) -> bool {
        let until = self.until;
        self.rig.as_mut().is_none_or(|rig| until == Until::PutAway || rig.must_stop())
    }

    /// Hands it back for good.
    pub(super) fn give_back(self, ended: Ended) {
        if let Some(rig) = self.rig {
            // The receiver waits for as long as this thread lives, so there is nobody to tell when it is gone.
            drop(self.outbox.send(Handed { rig, turned: StepResult::Ended(ended) }));
        }
    }
}

const HERE: &str = "a body does nothing while the baton is elsewhere";

impl Deref for ContextLease {
    type Target = MeasureContext;

    fn deref(&self) -> &MeasureContext {
        self.rig.as_deref().expect(HERE)
    }
}

impl DerefMut for ContextLease {
    fn deref_mut(&mut self) -> &mut MeasureContext {
        self.rig.as_deref_mut().expect(HERE)
    }
}
