//! The lease on the measuring context. One bench thread at a time holds it; only the holder may measure.

use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use super::context::MeasureContext;
use super::process_end::{ENDED_PROCESS, RunningBody};
use crate::model::{Outcome, Precision};

/// How far a bench runs before it returns the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The body has set up and asks for its first step.
    SetUp,
    /// The next cycle is complete and another one follows.
    Cycle,
    /// The body has ended.
    End,
}

/// The state of a bench after a step.
#[derive(Debug)]
pub enum StepResult {
    /// The body waits for its next step.
    Waiting,
    /// The body has ended.
    Ended(BodyEnd),
}

/// How a body ended.
#[derive(Debug)]
pub struct BodyEnd {
    /// The outcome of the bench. `None` when it was interrupted: then the journal gets no end of the bench.
    pub outcome: Option<Outcome>,
    /// The text of the last failed request.
    pub last_failure: Option<String>,
    /// The result of the search for a narrow interval, if there was one.
    pub precision: Option<Precision>,
}

/// Sends the context to a bench thread.
#[derive(Debug)]
pub(super) struct StepRequest {
    pub context: Box<MeasureContext>,
    pub until: Until,
}

/// Sends the context back to the session.
#[derive(Debug)]
pub(super) struct Reply {
    pub context: Box<MeasureContext>,
    pub result: StepResult,
}

/// A bench thread's side of the exchange. It holds the context from the start of a step to its end, and no context once
/// the session has dropped the bench.
#[derive(Debug)]
pub(super) struct ContextLease {
    context: Option<Box<MeasureContext>>,
    /// Holds the context while the body runs.
    lent: Arc<Mutex<Option<Box<MeasureContext>>>>,
    until: Until,
    requests: Receiver<StepRequest>,
    replies: Sender<Reply>,
    /// While the bench has not ended.
    _running: RunningBody,
}

impl ContextLease {
    /// Waits for the first step. `None` when the session dropped the bench before that.
    pub fn acquire(requests: Receiver<StepRequest>, replies: Sender<Reply>) -> Option<Self> {
        let StepRequest { context, until } = requests.recv().ok()?;
        let lent = Arc::<Mutex<Option<Box<MeasureContext>>>>::default();
        let running = RunningBody::register({
            let (lent, replies) = (Arc::clone(&lent), replies.clone());
            move || end_process(&lent, &replies)
        });
        Some(Self { context: Some(context), lent, until, requests, replies, _running: running })
    }

    /// Puts the context aside while the body runs. If the body ends the process, the context goes back to the session.
    pub fn lend(&mut self) {
        *self.lent.lock().unwrap_or_else(PoisonError::into_inner) = self.context.take();
    }

    /// Takes the context back after [`lend`](Self::lend).
    pub fn take_back(&mut self) {
        self.context = self.lent.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The context; `None` when the session has dropped the bench, so that the body has to end.
    pub fn context(&mut self) -> Option<&mut MeasureContext> {
        self.context.as_deref_mut()
    }

    /// Where this step ends.
    pub fn until(&self) -> Until {
        self.until
    }

    /// Returns the context and waits for the next step.
    pub fn wait_for_step(&mut self) {
        let Some(context) = self.context.take() else { return };
        let sent = self.replies.send(Reply { context, result: StepResult::Waiting });
        if let Some(StepRequest { context, until }) = sent.ok().and_then(|()| self.requests.recv().ok()) {
            (self.context, self.until) = (Some(context), until);
        }
    }

    /// Returns the context with the end of the body.
    pub fn finish(self, end: BodyEnd) {
        if let Some(context) = self.context {
            // The session waits for this reply; an error means that it is gone, and then the result has no reader.
            drop(self.replies.send(Reply { context, result: StepResult::Ended(end) }));
        }
    }
}

/// Returns the context to the session, with the failure of a body that ends the process. Returns whether the session
/// still waits for it.
fn end_process(lent: &Mutex<Option<Box<MeasureContext>>>, replies: &Sender<Reply>) -> bool {
    let Some(mut context) = lent.lock().unwrap_or_else(PoisonError::into_inner).take() else { return false };
    context.ranks.abort("ended its process");
    let outcome = Some(Outcome::Failed { message: ENDED_PROCESS.to_owned() });
    let end = BodyEnd { outcome, last_failure: None, precision: None };
    replies.send(Reply { context, result: StepResult::Ended(end) }).is_ok()
}
