//! The driver of one case in this process: answers its body from the protocol, on a bench thread that holds the
//! context.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::context::MeasureContext;
use super::event::Interrupt;
use super::job::{Job, call_body};
use super::lease::{BodyEnd, ContextLease, Reply, StepRequest, Until};
use super::process_end::is_process_ending;
use super::protocol_runner::{Next, ProtocolRunner};
use crate::bench::{BODY_STACK_SIZE, Driver, EdgeCalls, Iteration, Step};
use crate::clock::Clock;
use crate::model::{BenchFacts, Fact, Outcome, Record, id_hash};

/// Drives one case.
struct CaseDriver {
    lease: ContextLease,
    runner: ProtocolRunner,
    clock: Arc<dyn Clock>,
    interrupt: Interrupt,
    seed: u64,
    /// Whether the body has set up and asked for its first step.
    has_set_up: bool,
    /// What the body stated and is not recorded yet.
    facts: Vec<Fact>,
    bench: String,
    /// How long other benches held the context.
    waited: Duration,
}

impl CaseDriver {
    /// Starts a case; `None` when the session has dropped it.
    fn start(mut lease: ContextLease, job: &Job) -> Option<Self> {
        let context = lease.context()?;
        let (clock, seed) = (Arc::clone(&context.config.clock), context.config.seed ^ id_hash(&job.record.id));
        let interrupt = context.config.interrupt.clone();
        let runner = ProtocolRunner::start(context, job);
        lease.lend();
        let (bench, facts) = (job.record.id.clone(), Vec::new());
        Some(Self { lease, runner, clock, interrupt, seed, has_set_up: false, facts, bench, waited: Duration::ZERO })
    }

    /// Ends the case with what the call of its body returned: the outer `Err` is a panic.
    pub fn finish(mut self, result: Result<Result<(), String>, String>) {
        self.lease.take_back();
        self.record_facts();
        let Some(context) = self.lease.context() else { return };
        let outcome = match result {
            Err(message) => Some(Outcome::Panicked { message }),
            Ok(Err(message)) => Some(Outcome::Failed { message }),
            Ok(Ok(())) => outcome_of_returned(context, self.runner.is_complete()),
        };
        match &outcome {
            Some(Outcome::Completed) => {}
            Some(Outcome::Failed { message }) => context.ranks.abort(&format!("failed: {message}")),
            Some(Outcome::Panicked { message }) => context.ranks.abort(&format!("panicked: {message}")),
            Some(Outcome::DeviceLost { message }) => context.ranks.abort(&format!("lost its device: {message}")),
            None => context.ranks.abort("was interrupted"),
        }
        let last_failure = self.runner.last_failure().map(str::to_owned);
        self.lease.finish(BodyEnd { outcome, last_failure, precision: self.runner.precision() });
    }

    /// Records what the body has stated.
    fn record_facts(&mut self) {
        let facts = std::mem::take(&mut self.facts);
        if let Some(context) = self.lease.context().filter(|_| !facts.is_empty()) {
            context.record(&Record::Facts(BenchFacts { bench: self.bench.clone(), facts }));
        }
    }

    /// Lets other benches run until the session returns the context.
    fn pause(&mut self) {
        let start = self.clock.now();
        self.lease.wait_for_step();
        if let Some(context) = self.lease.context() {
            let pause = self.clock.now().since(start);
            self.waited += pause;
            self.runner.exclude_pause(context, pause);
        }
    }

    /// Executes commands until the body has something to do.
    fn next_step(&mut self, in_flight: usize, edges: &mut dyn EdgeCalls) -> Step {
        if !std::mem::replace(&mut self.has_set_up, true) {
            self.record_facts();
            if self.lease.until() == Until::SetUp {
                self.pause();
            }
            if let Some(context) = self.lease.context() {
                context.ranks.synchronize();
            }
        }
        loop {
            let Some(context) = self.lease.context() else { return Step::Stop };
            if context.must_stop() {
                return Step::Stop;
            }
            match self.runner.execute_next(context, in_flight, edges) {
                Next::Step(step) => return step,
                Next::Cycle if self.lease.until() == Until::Cycle => self.pause(),
                Next::Command | Next::Cycle => {}
                Next::Done => return Step::Stop,
            }
        }
    }
}

/// The outcome of a body that has returned without an error; `None` when it was interrupted.
fn outcome_of_returned(context: &mut MeasureContext, is_complete: bool) -> Option<Outcome> {
    if let Some(message) = context.ranks.error() {
        return Some(Outcome::Failed { message: message.to_owned() });
    }
    if let Some(message) = context.headline_loss() {
        return Some(Outcome::DeviceLost { message: message.to_owned() });
    }
    if is_complete {
        return Some(Outcome::Completed);
    }
    if context.config.interrupt.is_requested() {
        return None;
    }
    Some(Outcome::Failed { message: "the bench has no inputs: nothing was run".to_owned() })
}

impl Driver for CaseDriver {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn waited(&self) -> Duration {
        self.waited
    }

    fn must_stop(&self) -> bool {
        self.interrupt.is_requested()
    }

    fn next(&mut self, in_flight: usize, edges: &mut dyn EdgeCalls) -> Step {
        self.lease.take_back();
        let step = self.next_step(in_flight, edges);
        self.lease.lend();
        step
    }

    fn fact(&mut self, fact: Fact) {
        match self.facts.iter_mut().find(|known| known.name == fact.name) {
            Some(known) => *known = fact,
            None => self.facts.push(fact),
        }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.runner.iteration(&iteration);
    }
}

/// A bench that has started. Dropping it ends the body and waits for its thread, so that the body releases what it holds.
#[derive(Debug)]
pub struct BenchThread {
    bench: String,
    requests: Option<Sender<StepRequest>>,
    replies: Receiver<Reply>,
    thread: Option<JoinHandle<()>>,
}

impl BenchThread {
    /// Starts the thread, which waits for its first step.
    pub(super) fn start(job: &Job) -> Result<Self, std::io::Error> {
        let (requests, request_receiver) = channel();
        let (reply_sender, replies) = channel();
        let job = job.clone();
        let bench = job.record.id.clone();
        let thread = std::thread::Builder::new().name(format!("bench {bench}")).stack_size(BODY_STACK_SIZE);
        let thread = thread.spawn(move || {
            if let Some(lease) = ContextLease::acquire(request_receiver, reply_sender) {
                run_body(lease, &job);
            }
        })?;
        Ok(Self { bench, requests: Some(requests), replies, thread: Some(thread) })
    }

    /// The bench's id.
    pub fn bench(&self) -> &str {
        &self.bench
    }

    /// Lends the context to the body for one step and waits until it is returned.
    pub(super) fn step(&self, context: Box<MeasureContext>, until: Until) -> Result<Reply, std::io::Error> {
        let thread_ended = || std::io::Error::other("the bench's thread ended without returning");
        let requests = self.requests.as_ref().ok_or_else(thread_ended)?;
        requests.send(StepRequest { context, until }).map_err(|_| thread_ended())?;
        self.replies.recv().map_err(|_| thread_ended())
    }
}

impl Drop for BenchThread {
    fn drop(&mut self) {
        self.requests = None;
        // A thread that ends the process never returns.
        if let Some(thread) = self.thread.take().filter(|_| !is_process_ending()) {
            // Panics of the body are caught and recorded; there is nothing left to report.
            drop(thread.join());
        }
    }
}

/// Runs the job's body and returns the context when it has ended.
fn run_body(mut lease: ContextLease, job: &Job) {
    let Some(context) = lease.context() else { return };
    let fixtures = context.fixtures.clone();
    let Some(mut driver) = CaseDriver::start(lease, job) else { return };
    let result = call_body(&job.body, &mut driver, fixtures);
    driver.finish(result);
}
